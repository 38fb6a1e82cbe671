"""Rows as values, and where those of a database differ from those that its trail tells of."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

_KEYS = {
    "audit": ("position",),
    "audit_head": ("id",),
    "deployment": ("environment", "since"),
    "directory": ("number",),
    "evidence": ("visit", "step", "kind", "digest"),
    "finding": ("kind", "about", "first_seen"),
    "ledger": ("visit", "step"),
    "lifecycle": ("model",),
    "measurement": ("monitor", "window", "reign"),
    "model": ("id",),
    "model_regulation": ("regulation",),
    "notification": ("key",),
    "plan": ("digest",),
    "reading": ("visit", "step", "name"),
    "value_entry": ("metric", "version", "since", "until", "revision"),
    "version": ("number",),
}
"""What tells the rows of one model apart, by table."""

_SHORT = 100

_WRITTEN = ("updated_at", "registered_at", "published_at", "until", "since", "at")
"""Columns that tell when a row was written last, the first that has a time."""


class Row(NamedTuple):
    """One row of a table, by column. A value that is none of its column's type stands there as it was found."""

    table: str
    values: Mapping[str, object]


class Deviation(NamedTuple):
    """A row that is not as told, what was done to it, and since when it should have been as told, if that is known."""

    row: str
    deed: Literal["changed", "removed", "inserted", "broken", "forged"]
    message: str
    since: datetime | None = None


def differences(told: Iterable[Row], found: Iterable[Row]) -> Iterator[str]:
    """Every row that is missing, surplus or not as told, each named. Columns that nothing is told of do not count."""
    return (f"{one.row}: {one.message}" for one in deviations(told, found))


def deviations(told: Iterable[Row], found: Iterable[Row]) -> Iterator[Deviation]:
    """As `differences`, for programs."""
    should, has = _by_name(told), _by_name(found)
    for name, values in should.items():
        since = next((at for column in _WRITTEN if isinstance(at := values.get(column), datetime)), None)
        if name not in has:
            yield Deviation(name, "removed", "this row is missing", since)
        else:
            yield from (Deviation(name, "changed", edit, since) for edit in _edits(values, has[name]))
    for name in has:
        if name not in should:
            yield Deviation(name, "inserted", "the trail knows nothing of this row")


def _by_name(rows: Iterable[Row]) -> dict[str, Mapping[str, object]]:
    """The rows by their names; those of the same key are counted."""
    named, seen = dict[str, Mapping[str, object]](), Counter[str]()
    for row in rows:
        name = f"{row.table} row {', '.join(str(row.values.get(column)) for column in _KEYS[row.table])}"
        seen[name] += 1
        named[name if seen[name] == 1 else f"{name} (number {seen[name]})"] = row.values
    return named


def _edits(should: Mapping[str, object], has: Mapping[str, object]) -> Iterator[str]:
    for column, value in should.items():
        if has.get(column) != value:
            was, told = _spell(has.get(column)), _spell(value)
            if len(was) > _SHORT or len(told) > _SHORT:
                yield f"{column} does not hold what the trail says"
            else:
                yield f"{column} holds {was}, the trail says {told}"


def _spell(value: object) -> str:
    if value is None:
        return "nothing"
    return f"'{value}'" if isinstance(value, str) else str(value)
