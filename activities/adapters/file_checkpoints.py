"""Checkpoints in one file that is only ever added to: a line of JSON for each."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from models.checkpoint import read_checkpoint
from models.errors import ConflictError, UnavailableError
from models.signing import Envelope

_NAME = "checkpoints.jsonl"


class FileCheckpoints:
    """Fits `Checkpoints`. The folder is its owner's alone; every checkpoint is on the disk before `append` returns."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / _NAME

    def append(self, envelope: Envelope) -> None:
        """Keep one more; ConflictError if its number is not the next one, UnavailableError."""
        with self._translated():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                known = file.read()
                whole = known[: known.rfind(b"\n") + 1]
                number = read_checkpoint(envelope).number
                if number != whole.count(b"\n") + 1:
                    raise ConflictError(f"checkpoint {number} does not follow the last one in {self._file}")
                # What a crash has left of a line is no checkpoint.
                file.truncate(len(whole))
                file.write(envelope.model_dump_json().encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            self._keep_name()

    def last(self) -> bytes | None:
        """The last whole line; UnavailableError."""
        return next(reversed(self.all()), None)

    def all(self) -> Sequence[bytes]:
        """Every whole line, oldest first; UnavailableError."""
        with self._translated():
            try:
                known = self._file.read_bytes()
            except FileNotFoundError:
                return ()
        return known[: known.rfind(b"\n") + 1].splitlines()

    def _keep_name(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UnavailableError(
                f"checkpoints cannot be read or written in {self._folder}: {error.strerror}",
                "check the disk's space and permissions, or set MODELOPS_CHECKPOINTS",
            ) from error
