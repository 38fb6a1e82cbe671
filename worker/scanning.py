"""The artifact gate outside of any lifecycle, for a person who asks."""

from pathlib import Path

from activities.adapters.static_scanner import StaticScanner
from models.errors import UnknownNameError
from models.evidence import FolderReport


def scan_path(path: Path) -> FolderReport:
    """What a file is, or everything in a folder; UnknownNameError if there is nothing of that name."""
    if not path.exists():
        raise UnknownNameError(f"there is no file or folder '{path}'", remedy="name one that is there")
    return StaticScanner().scan_all(path)
