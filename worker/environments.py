"""What the environments are, as configured: for the worker, the actuator, and those who only look."""

from activities.trial import Cleared
from models.canonical import Digest
from models.environments import Environments, blind_trials, blindness, load_environments, usual_environments
from models.errors import InvalidInputError, NotPermittedError
from models.evidence import StepOrder
from models.inventory import Environment
from models.plan import Plan
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


def demand_sight(environments: Environments, plan: Plan) -> None:
    """NotPermittedError if a plan tries challengers where nobody tells what they answer."""
    if blind := list(blind_trials(plan, environments)):
        raise NotPermittedError("; ".join(blind), _ELSEWHERE)


def where_seen(cleared: Cleared, environments: Environments) -> Cleared:
    """The same, and NotPermittedError where nobody tells what versions answer: a trial there would never end."""

    def told(order: StepOrder) -> tuple[Environment, int, Digest]:
        found = cleared(order)
        if blind := blindness(environments, found[0]):
            raise NotPermittedError(blind, _ELSEWHERE)
        return found

    return told


_ELSEWHERE = "try challengers where the target is local, or leave `trial` out of the template"
