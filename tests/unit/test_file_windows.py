"""Windows that arrive as files."""

import os
from datetime import UTC, datetime
from pathlib import Path

from activities.adapters.file_windows import FileWindows


def put(path: Path, moment: int) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("a\n1\n", encoding="utf-8")
    os.utime(path, (moment, moment))
    return path


def test_latest(tmp_path: Path) -> None:
    """The file modified last is the latest window, whatever its name, with the moment in UTC."""
    put(tmp_path / "loans" / "z.csv", 1_000)
    newest = put(tmp_path / "loans" / "a.csv", 2_000)
    assert FileWindows(tmp_path).latest("loans") == (newest, datetime.fromtimestamp(2_000, tz=UTC))


def test_tie(tmp_path: Path) -> None:
    """Of files modified at the same moment, the last by name is the latest."""
    put(tmp_path / "loans" / "a.csv", 1_000)
    last = put(tmp_path / "loans" / "b.csv", 1_000)
    found = FileWindows(tmp_path).latest("loans")
    assert found is not None
    assert found[0] == last


def test_others(tmp_path: Path) -> None:
    """Files of other models, of other kinds and hidden files are not windows of this model."""
    put(tmp_path / "cards" / "a.csv", 1_000)
    put(tmp_path / "loans" / "a.txt", 1_000)
    put(tmp_path / "loans" / ".a.csv", 1_000)
    assert FileWindows(tmp_path).latest("loans") is None


def test_nothing(tmp_path: Path) -> None:
    """A model whose folder is not there yet has no window."""
    assert FileWindows(tmp_path).latest("loans") is None
