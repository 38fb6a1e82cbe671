"""Windows of production data that arrive as CSV files in one folder per model."""

from datetime import UTC, datetime
from pathlib import Path


class FileWindows:
    """Fits the Windows port: `root/<model>/*.csv`. Write a file elsewhere and rename it into the folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def latest(self, model: str) -> tuple[Path, datetime] | None:
        """The file modified last (of several, the last by name) and when; None if none has arrived."""
        found = [
            (path.stat().st_mtime_ns, path.name, path)
            for path in (self._root / model).glob("*.csv")
            if path.is_file() and not path.name.startswith(".")
        ]
        if not found:
            return None
        moment, _, path = max(found)
        return path, datetime.fromtimestamp(moment / 1_000_000_000, tz=UTC)
