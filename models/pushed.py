"""Values that applications send: each is a metric's, of a model, at a moment."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, Field, StrictFloat, StrictInt, TypeAdapter, ValidationError

from models.canonical import Frozen, Slug
from models.errors import InvalidInputError
from models.metrics import Metrics, PushSource

BATCH = 1_000
LARGEST = 1024 * 1024
"""How many values, and how many bytes, are taken at once."""
_AHEAD = timedelta(minutes=5)
"""How far clocks may be apart."""
_REMEDY = (
    'Send {"metric": ..., "model": ..., "at": "2026-11-20T08:00:00Z", "value": 1.5, "count": 3}, or a list of them.'
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
        raise InvalidInputError(f"{_place(*first['loc'])}: {first['msg']}", _REMEDY) from None
    values: dict[tuple[Slug, Slug, datetime], Pushed] = {}
    for number, one in enumerate(found):
        if objection := _objection(one, source, metrics, at):
            raise InvalidInputError(f"{_place(number) if len(found) > 1 else 'the value'}: {objection}", _REMEDY)
        known = values.setdefault(one.about, one)
        if (known.value, known.count) != (one.value, one.count):
            raise InvalidInputError(f"{_place(number)}: another value of the same moment is in the same batch", _REMEDY)
    return tuple(values.values())


def _objection(one: Pushed, source: Slug, metrics: Metrics, at: datetime) -> str | None:
    metric, said = metrics.metrics.get(one.metric), metrics.sources[source]
    if metric is None or metric.source != source:
        return f"source '{source}' has no metric '{one.metric}'"
    if one.at > at + _AHEAD:
        return f"{one.at.isoformat()} is yet to come"
    if isinstance(said, PushSource) and one.at < at - timedelta(seconds=said.keep):
        return f"{one.at.isoformat()} is longer ago than source '{source}' keeps values"
    return None


def _place(*path: int | str) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".") or "the body"


_ONE = TypeAdapter(Pushed)
_BATCH = TypeAdapter(Annotated[tuple[Pushed, ...], Field(min_length=1, max_length=BATCH)])
