"""Where messages and alerts go, as configured: for the worker, and those who only look."""

from models.channels import Channels, load_channels
from models.errors import InvalidInputError
from worker.settings import Settings


def channels_of(settings: Settings) -> Channels:
    """From the file, or none if there is none and none was named; InvalidInputError."""
    file = settings.channels or settings.root / "channels.yaml"
    try:
        return load_channels(file.read_bytes(), str(file))
    except FileNotFoundError:
        if settings.channels is None:
            return Channels()
        raise InvalidInputError(f"{file} is not there", "write it, or correct MODELOPS_CHANNELS") from None
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror}", "check MODELOPS_CHANNELS") from error
