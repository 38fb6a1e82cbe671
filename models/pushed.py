"""Values that applications send: each is a metric's, of a model, at a moment."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

from pydantic import AwareDatetime, Field, StrictFloat, StrictInt, TypeAdapter, ValidationError

from models.canonical import Frozen, Slug
from models.errors import InvalidInputError, MalformedError
from models.metrics import Metrics, PushSource

BATCH = 1_000
LARGEST = 1024 * 1024
"""How many values, and how many bytes, are taken at once."""
_AHEAD = timedelta(minutes=5)
"""How far clocks may be apart."""
_ONE_EACH = "send one value for each moment of a metric and model"
_NAMES = "correct the name; what was added to MODELOPS_METRICS counts once the processes are started anew"
_REMEDY = (
    'send {"metric": ..., "model": ..., "at": "2026-11-20T08:00:00Z", "value": 1.5, "count": 3}, or a list of them'
)


class Pushed(Frozen):
    """A value that rests on so many observations, and its moment."""

    metric: Slug
    model: Slug
    at: AwareDatetime
    value: Annotated[StrictFloat, Field(allow_inf_nan=False)]
    count: Annotated[StrictInt, Field(ge=0, lt=2**31)] = 1

    @property
    def about(self) -> tuple[Slug, Slug, datetime]:
        """What there is one value for."""
        return self.metric, self.model, self.at.astimezone(UTC)


def read_pushed(body: bytes, source: Slug, metrics: Metrics, at: datetime) -> Sequence[Pushed]:
    """What was sent to a source, once each: all of it can be kept, or InvalidInputError says what can not."""
    try:
        found = _BATCH.validate_json(body) if body.lstrip()[:1] == b"[" else (_ONE.validate_json(body),)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        kind = MalformedError if first["type"] == "json_invalid" else InvalidInputError
        raise kind(f"{_place(*first['loc'])}: {first['msg']}", _REMEDY) from None
    values: dict[tuple[Slug, Slug, datetime], Pushed] = {}
    for number, one in enumerate(found):
        where = _place(number) if len(found) > 1 else "the value"
        if objection := _objection(one, source, metrics, at):
            raise InvalidInputError(f"{where}: {objection.what}", objection.remedy)
        known = values.setdefault(one.about, one)
        if (known.value, known.count) != (one.value, one.count):
            raise InvalidInputError(f"{where}: another value of the same moment is in the same batch", _ONE_EACH)
    return tuple(values.values())


class _Objection(NamedTuple):
    what: str
    remedy: str


def _objection(one: Pushed, source: Slug, metrics: Metrics, at: datetime) -> _Objection | None:
    metric, said = metrics.metrics.get(one.metric), metrics.sources[source]
    if metric is None or metric.source != source:
        ours = ", ".join(sorted(name for name, known in metrics.metrics.items() if known.source == source))
        return _Objection(f"source '{source}' has no metric '{one.metric}'", f"it has {ours or 'none'}: {_NAMES}")
    if one.at > at + _AHEAD:
        return _Objection(
            f"{one.at.isoformat()} is yet to come",
            f"send a value when its moment has been, with its time zone; here it is {at:%Y-%m-%dT%H:%M:%SZ}",
        )
    if isinstance(said, PushSource) and one.at < (begin := at - timedelta(seconds=said.keep)):
        return _Objection(
            f"{one.at.isoformat()} is longer ago than source '{source}' keeps values",
            f"send none of before {begin:%Y-%m-%dT%H:%M:%SZ}, or have MODELOPS_METRICS keep them longer",
        )
    return None


def _place(*path: int | str) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".") or "the body"


_ONE = TypeAdapter(Pushed)
_BATCH = TypeAdapter(Annotated[tuple[Pushed, ...], Field(min_length=1, max_length=BATCH)])
