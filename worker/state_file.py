"""The state of an inference server on disk: one file, replaced atomically."""

import os
from pathlib import Path

from pydantic import ValidationError

from models.errors import InvalidInputError, UnavailableError
from worker.effects import State


def read_state(file: Path) -> State:
    """The state that was written last, or none; InvalidInputError."""
    try:
        return State.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return State()
    except ValidationError as error:
        remedy = "restore it from a backup, or move it away and deploy again"
        raise InvalidInputError(f"{file} is not the state of an inference server", remedy) from error


def write_state(file: Path, state: State) -> None:
    """Replace the file in one go: after a power cut it is there, old or new; UnavailableError."""
    temporary = file.with_suffix(".tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(state.model_dump_json(indent=1).encode())
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise UnavailableError(f"the state cannot be written to {file}: {error.strerror}") from error
