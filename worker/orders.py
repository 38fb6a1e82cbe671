"""What an inference server may be asked for, and what it says to that."""

from collections.abc import Mapping
from typing import Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from models.canonical import Digest, Frozen
from models.errors import InvalidInputError
from models.inventory import Environment
from models.metrics import Period
from models.traffic import Position, Split
from worker.inference_protocol import describe

_Body = TypeVar("_Body", bound=BaseModel)


class IndexEntry(Frozen):
    """One line of the repository's index."""

    name: str
    version: str
    state: Literal["READY", "UNAVAILABLE"]
    reason: str


class LoadReport(Frozen):
    """`applied`: an effect of this key was applied before, so nothing was loaded. `default`: what serves now."""

    applied: bool
    default: Digest | None


class Order(Frozen):
    """A bundle to load or to switch to; `idempotency_key` makes the switch happen once."""

    version: int = Field(ge=1)
    bundle: Digest
    idempotency_key: str = Field(min_length=1, max_length=500)
    environment: Environment | None = None


class Division(Frozen):
    """A challenger to divide the requests with, or none; `idempotency_key` makes it happen once."""

    split: Split | None
    idempotency_key: str = Field(min_length=1, max_length=500)
    environment: Environment | None = None


class OrderBody(Frozen):
    """The body of load and switch."""

    parameters: Order


class Unload(Frozen):
    """`bundle` drops one bundle that is beside; without it the model is withdrawn, which needs a key."""

    bundle: Digest | None = None
    idempotency_key: str = ""
    environment: Environment | None = None


class UnloadBody(Frozen):
    """The body of unload."""

    parameters: Unload


class DivisionBody(Frozen):
    """The body of divide."""

    parameters: Division


class TrafficQuery(Frozen):
    """Since when, of which versions, and from which position on."""

    since: AwareDatetime
    versions: tuple[int, ...] = Field(min_length=1)
    position: Position | None = None


class ServiceQuery(Frozen):
    """In which period."""

    since: AwareDatetime
    until: AwareDatetime


class IndexBody(BaseModel):
    """The body of index."""

    ready: bool = False


def parse_body(kind: type[_Body], body: bytes) -> _Body:
    """A body; InvalidInputError with the place that is wrong."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise InvalidInputError(f"this is not a {kind.__name__}: {describe(error)}") from error


def read_query(parameters: Mapping[str, str]) -> TrafficQuery:
    """Which traffic is asked for; InvalidInputError."""
    versions = [one for one in parameters.get("versions", "").split(",") if one]
    known = parameters.get("position")
    try:
        position = Position.model_validate_json(known) if known else None
        asked = {"since": parameters.get("since"), "versions": versions, "position": position}
        return TrafficQuery.model_validate(asked)
    except ValidationError as error:
        raise InvalidInputError(f"write ?since=2026-11-01T00:00:00Z&versions=1,2: {describe(error)}") from error


def read_period(parameters: Mapping[str, str]) -> Period:
    """Of which period it is asked how a version answered; InvalidInputError."""
    try:
        asked = ServiceQuery.model_validate({name: parameters.get(name) for name in ("since", "until")})
    except ValidationError as error:
        example = "?since=2026-11-01T00:00:00Z&until=2026-11-02T00:00:00Z"
        raise InvalidInputError(f"write {example}: {describe(error)}") from error
    return Period(asked.since, asked.until)
