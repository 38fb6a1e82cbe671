"""Where windows of production data come from, as an administrator's file says it: for whoever only asks where."""

from models.errors import InvalidInputError
from models.windows import SaidWindows, load_windows
from worker.settings import Settings


def said_windows(settings: Settings) -> SaidWindows:
    """What the file says; nothing if there is none and none was named. InvalidInputError."""
    file = settings.windows_file or settings.root / "windows.yaml"
    try:
        return load_windows(file.read_bytes(), str(file))
    except FileNotFoundError:
        if settings.windows_file is None:
            return SaidWindows()
        raise InvalidInputError(f"{file} is not there", "write it, or correct MODELOPS_WINDOWS_FILE") from None
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror}", "check MODELOPS_WINDOWS_FILE") from error
