"""What the environments are, as configured: for the worker, the actuator, and those who only look."""

from models.environments import Environments, load_environments, usual_environments
from models.errors import InvalidInputError
from worker.settings import Settings


def environments_of(settings: Settings) -> Environments:
    """From the file, or the usual ones if there is none and none was named; InvalidInputError."""
    file = settings.environments or settings.root / "environments.yaml"
    try:
        return load_environments(file.read_bytes(), str(file))
    except FileNotFoundError:
        if settings.environments is None:
            return usual_environments()
        raise InvalidInputError(f"{file} is not there", "write it, or correct MODELOPS_ENVIRONMENTS") from None
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror}", "check MODELOPS_ENVIRONMENTS") from error
