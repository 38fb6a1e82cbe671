"""Windows of production data that arrive as files in a folder."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from activities.adapters.file_digests import FileDigests, stamp_of
from activities.window_ports import Brought, Window
from models.canonical import Digest, digest_bytes
from models.errors import UnmeasuredError
from models.evidence import WindowSource
from models.metrics import Period
from models.statistics.figures import Unmeasured

SUFFIXES = (".csv", ".parquet")


class FileWindows:
    """Fits `Arrivals`: every `*.csv` and `*.parquet` of a folder. Write a file elsewhere and rename it into there."""

    def __init__(self, folder: Path, digests: FileDigests) -> None:
        self._folder = folder
        self._digests = digests

    def newest(self, period: Period) -> Window | None:
        """The file modified last (of several, the last by name), whatever the period; None if none has arrived."""
        return next(self.here(), None)

    @contextmanager
    def opened(self, window: Window) -> Iterator[Brought]:
        """The file itself; UnmeasuredError if it is not what it was, before or after."""
        path = self._folder / window.source.place
        with _readable(path):
            before = stamp_of(path)
            if self._digests.of(path) != window.name:
                raise _changed(path)
        yield Brought(path, window.source)
        with _readable(path):
            if stamp_of(path) != before:
                raise _changed(path)

    def kept(self, name: Digest) -> Window | None:
        """The file with these bytes; of an unreadable folder, none."""
        try:
            digests = self._digests.of_all(self._files())
        except OSError:
            return None
        return next((self._window(path) for path, digest in digests.items() if digest == name), None)

    def here(self) -> Iterator[Window]:
        """All files, that modified last first."""
        found = [(stamp_of(path)[2], path.name, path) for path in self._files()]
        return (self._window(path) for *_, path in sorted(found, reverse=True))

    def _files(self) -> Sequence[Path]:
        return [
            path
            for path in self._folder.glob("*")
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
        ]

    def _window(self, path: Path) -> Window:
        """A file that cannot be read is named by what is seen of it from outside."""
        try:
            name = self._digests.of(path)
        except OSError:
            name = digest_bytes(repr(stamp_of(path)).encode())
        arrived = datetime.fromtimestamp(path.stat().st_mtime_ns / 1_000_000_000, tz=UTC)
        return Window(name, arrived, WindowSource(kind="files", place=path.name, content=name))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = Unmeasured.UNREADABLE
        raise UnmeasuredError(reason, f"{path}: {reason.sentence}: {error.strerror}") from error


def _changed(path: Path) -> UnmeasuredError:
    return UnmeasuredError(
        Unmeasured.CHANGED,
        f"{path}: {Unmeasured.CHANGED.sentence}",
        "write it elsewhere, and rename it into the folder when it is whole",
    )
