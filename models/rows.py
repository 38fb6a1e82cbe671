"""Rows as values, and where those of a database differ from those that its trail tells of."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

_KEYS = {
    "audit": ("position",),
    "audit_head": ("id",),
    "deployment": ("environment", "since"),
    "evidence": ("visit", "step", "kind", "digest"),
    "finding": ("kind", "about", "first_seen"),
    "ledger": ("visit", "step"),
    "lifecycle": ("model",),
    "measurement": ("monitor", "window", "reign"),
    "model": ("id",),
    "model_regulation": ("regulation",),
    "notification": ("key",),
    "plan": ("digest",),
    "version": ("number",),
}
"""What tells the rows of one model apart, by table."""

_SHORT = 100


class Row(NamedTuple):
    """One row of a table, by column. A value that is none of its column's type stands there as it was found."""

    table: str
    values: Mapping[str, object]


def differences(told: Iterable[Row], found: Iterable[Row]) -> Iterator[str]:
    """Every row that is missing, surplus or not as told, each named. Columns that nothing is told of do not count."""
    should, has = _by_name(told), _by_name(found)
    for name, values in should.items():
        if name in has:
            yield from _edits(name, values, has[name])
        else:
            yield f"{name}: this row is missing"
    yield from (f"{name}: the trail knows nothing of this row" for name in has if name not in should)


def _by_name(rows: Iterable[Row]) -> dict[str, Mapping[str, object]]:
    """The rows by their names; those of the same key are counted."""
    named, seen = dict[str, Mapping[str, object]](), Counter[str]()
    for row in rows:
        name = f"{row.table} row {', '.join(str(row.values.get(column)) for column in _KEYS[row.table])}"
        seen[name] += 1
        named[name if seen[name] == 1 else f"{name} (number {seen[name]})"] = row.values
    return named


def _edits(name: str, should: Mapping[str, object], has: Mapping[str, object]) -> Iterator[str]:
    for column, value in should.items():
        if has.get(column) != value:
            was, told = _spell(has.get(column)), _spell(value)
            if len(was) > _SHORT or len(told) > _SHORT:
                yield f"{name}: {column} does not hold what the trail says"
            else:
                yield f"{name}: {column} holds {was}, the trail says {told}"


def _spell(value: object) -> str:
    if value is None:
        return "nothing"
    return f"'{value}'" if isinstance(value, str) else str(value)
