"""What DEV, TEST and PROD are, as configured."""

from collections.abc import Iterator

from client.commands.parameters import Json
from client.console import show, show_json
from client.render import table
from models.environments import Local, SageMaker, Surroundings
from models.validation import Validation
from worker.environments import environments_of
from worker.settings import read_settings


def environments(as_json: Json = False) -> None:
    """Show where versions serve and what each environment asks of them: approvals, validation, capacity.

    Of a secret, only where it is. Written in MODELOPS_ENVIRONMENTS, or in environments.yaml under the home.
    """
    found = environments_of(read_settings())
    if as_json:
        show_json(found)
        return
    rows = [
        (name, one.target.kind, _place(one), _minimum(one), "; ".join(_asks(one.validation)), _copies(one))
        for name, one in found.completed.items()
    ]
    show(table(("Environment", "Target", "Where", "At least approved by", "Validation", "Copies"), rows))


def _place(one: Surroundings) -> str:
    target = one.target
    if isinstance(target, Local):
        return target.url
    secret = f" (credentials: {target.credentials})" if target.credentials else ""
    where = target.region if isinstance(target, SageMaker) else f"{target.api}, namespace {target.namespace}"
    return f"{where}{secret}"


def _minimum(one: Surroundings) -> str:
    return f"{one.minimum.approvals} people: {', '.join(one.minimum.tiers) or 'no tier'}" if one.minimum else ""


def _asks(asks: Validation) -> Iterator[str]:
    yield f"95 of 100 requests within {asks.latency_ms:g} ms"
    if asks.golden:
        yield "golden predictions"
    if asks.agreement is not None:
        yield f"{asks.agreement:.1%} of labels as the champion's"
    if asks.difference is not None:
        yield f"scores within {asks.difference:g} of the champion's"


def _copies(one: Surroundings) -> str:
    least, most = one.capacity.least, one.capacity.most
    return str(least) if least == most else f"{least} to {most}"
