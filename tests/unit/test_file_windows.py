"""Windows that arrive as files."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.adapters.file_digests import FileDigests
from activities.adapters.file_windows import FileWindows
from models.canonical import digest_bytes
from models.errors import UnmeasuredError
from models.metrics import Period
from models.statistics.figures import Unmeasured

DAY = Period(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC))


def windows(folder: Path) -> FileWindows:
    return FileWindows(folder / "loans", FileDigests(folder / "digests.json"))


def put(path: Path, moment: int, text: str = "a\n1\n") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    os.utime(path, (moment, moment))
    return path


def test_newest(tmp_path: Path) -> None:
    """The file modified last is the newest window, whatever its name and kind, with the moment in UTC."""
    put(tmp_path / "loans" / "z.csv", 1_000)
    newest = put(tmp_path / "loans" / "a.parquet", 2_000, "PAR1")
    found = windows(tmp_path).newest(DAY)
    assert found is not None
    assert (found.name, found.arrived) == (digest_bytes(b"PAR1"), datetime.fromtimestamp(2_000, tz=UTC))
    assert (found.source.place, found.source.content) == ("a.parquet", found.name)
    assert [window.source.place for window in windows(tmp_path).here()] == [newest.name, "z.csv"]


def test_tie(tmp_path: Path) -> None:
    """Of files modified at the same moment, the last by name is the newest."""
    put(tmp_path / "loans" / "a.csv", 1_000)
    last = put(tmp_path / "loans" / "b.csv", 1_000)
    assert [window.source.place for window in windows(tmp_path).here()] == [last.name, "a.csv"]


def test_others(tmp_path: Path) -> None:
    """Files of other models, of other kinds and hidden files are not windows of this model."""
    put(tmp_path / "cards" / "a.csv", 1_000)
    put(tmp_path / "loans" / "a.txt", 1_000)
    put(tmp_path / "loans" / ".a.csv", 1_000)
    assert windows(tmp_path).newest(DAY) is None


def test_nothing(tmp_path: Path) -> None:
    """A model whose folder is not there yet has no window."""
    assert windows(tmp_path).newest(DAY) is None


def test_an_earlier_window_is_found_by_its_name(tmp_path: Path) -> None:
    """For as long as the file is there, under whatever name."""
    first = put(tmp_path / "loans" / "a.csv", 1_000, "a\n1\n")
    put(tmp_path / "loans" / "b.csv", 2_000, "a\n2\n")
    name = digest_bytes(b"a\n1\n")
    found = windows(tmp_path).kept(name)
    assert found is not None
    assert (found.name, found.source.place) == (name, "a.csv")
    first.unlink()
    assert windows(tmp_path).kept(name) is None


def test_a_file_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at a file that has not changed does not read it again, not even after a restart."""
    put(tmp_path / "loans" / "a.csv", 1_000)
    first = windows(tmp_path).newest(DAY)
    with monkeypatch.context() as patched:
        patched.setattr("hashlib.file_digest", lambda *_: pytest.fail("it was read again"))
        assert windows(tmp_path).newest(DAY) == first
    (tmp_path / "digests.json").write_text("lost")
    assert windows(tmp_path).newest(DAY) == first
    put(tmp_path / "loans" / "a.csv", 1_000, "a\n7\n")
    changed = windows(tmp_path).newest(DAY)
    assert changed is not None
    assert changed.name == digest_bytes(b"a\n7\n")


def test_a_file_that_changes_meanwhile_is_no_window(tmp_path: Path) -> None:
    """Between the look at it and its opening, or while it is read, whatever its clock says."""
    path = put(tmp_path / "loans" / "a.csv", 1_000)
    arrived = windows(tmp_path)
    window = arrived.newest(DAY)
    assert window is not None
    with pytest.raises(UnmeasuredError, match="changed while they were read") as refused, arrived.opened(window):
        put(path, 1_000, "a\n2\n")
    assert refused.value.state is Unmeasured.CHANGED
    with pytest.raises(UnmeasuredError, match="changed while they were read"), arrived.opened(window):
        pytest.fail("it is another window by now")
    path.unlink()
    with pytest.raises(UnmeasuredError, match=r"a\.csv") as gone, arrived.opened(window):
        pytest.fail("it is not there")
    assert gone.value.state is Unmeasured.UNREADABLE


def test_the_arrival_is_exact(tmp_path: Path) -> None:
    """To the microsecond."""
    path = put(tmp_path / "loans" / "a.csv", 1_000)
    os.utime(path, ns=(0, 1_000_000_001_000))
    found = windows(tmp_path).newest(DAY)
    assert found is not None
    assert found.arrived - datetime.fromtimestamp(1_000, tz=UTC) == timedelta(microseconds=1)
