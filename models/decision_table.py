"""Rules as a decision table: conditions on the inputs, a score where they hold, and a hit policy.

The words are those of the Decision Model and Notation 1.5 (OMG, formal/24-01-01, clause 8). A table answers every row:
where no rule is hit, `otherwise` is the answer, and a UNIQUE table whose rules overlap is refused when it is read.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import combinations
from math import fsum, inf
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, FiniteFloat, model_validator

from models.canonical import Frozen
from models.inventory import ColumnName, DataContract, Text

Cell = float | str | None
"""A value of a row: a number (1 and 0 for true and false), a text, or None where it is missing."""


class HitPolicy(StrEnum):
    """What counts when several rules are hit: there is at most one, the first, or all together."""

    UNIQUE = "UNIQUE"
    FIRST = "FIRST"
    COLLECT = "COLLECT"


class Aggregation(StrEnum):
    """How COLLECT makes one number of all rules that are hit."""

    SUM = "SUM"
    MIN = "MIN"
    MAX = "MAX"
    COUNT = "COUNT"


class Interval(Frozen):
    """A number between bounds; a bound that is left out bounds nothing."""

    at_least: FiniteFloat | None = None
    above: FiniteFloat | None = None
    at_most: FiniteFloat | None = None
    below: FiniteFloat | None = None

    @model_validator(mode="after")
    def _bounds_something(self) -> "Interval":
        if (self.at_least is not None) + (self.above is not None) > 1:
            raise ValueError("write at_least or above, not both")
        if (self.at_most is not None) + (self.below is not None) > 1:
            raise ValueError("write at_most or below, not both")
        if not self.model_fields_set:
            raise ValueError("an interval needs a bound: at_least, above, at_most or below")
        span = _span(self)
        if span.low > span.high or (span.low == span.high and not _within(span, span.low)):
            raise ValueError("no number lies between these bounds")
        return self


class OneOf(Frozen):
    """One of some values, texts or numbers."""

    one_of: tuple[FiniteFloat | str, ...] = Field(min_length=1, max_length=1000)


class Missing(Frozen):
    """The value is not known. No other condition holds of such a value."""

    missing: Literal[True]


Condition = Interval | OneOf | Missing


class Rule(Frozen):
    """What must hold of some columns, and the score where it does; nothing is asked of the other columns."""

    when: dict[ColumnName, Condition]
    then: FiniteFloat
    note: Text | None = None


class DecisionTable(Frozen):
    """A table; its score is read against the threshold of the data contract, as that of any model."""

    format: Literal["modelops/decision-table/1"]
    hit_policy: HitPolicy
    aggregation: Aggregation | None = None
    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=1000)]
    otherwise: FiniteFloat

    @model_validator(mode="after")
    def _is_clear(self) -> "DecisionTable":
        if (self.hit_policy is HitPolicy.COLLECT) != (self.aggregation is not None):
            raise ValueError("COLLECT needs an aggregation, and no other hit policy has one")
        if self.hit_policy is HitPolicy.UNIQUE and (pair := next(overlaps(self.rules), None)):
            raise ValueError(f"rules {pair[0]} and {pair[1]} can both be hit, and the hit policy is UNIQUE")
        return self

    @property
    def columns(self) -> frozenset[str]:
        """Every column that a rule looks at."""
        return frozenset(name for rule in self.rules for name in rule.when)


def decide(table: DecisionTable, row: Mapping[str, Cell]) -> float:
    """The score of a row, by the table's hit policy; KeyError if the row lacks a column that a rule looks at."""
    scores = [table.rules[index].then for index in hits(table, row)]
    if not scores:
        return table.otherwise
    match table.aggregation:
        case Aggregation.SUM:
            return fsum(scores)
        case Aggregation.MIN:
            return min(scores)
        case Aggregation.MAX:
            return max(scores)
        case Aggregation.COUNT:
            return float(len(scores))
        case None:
            return scores[0]


def hits(table: DecisionTable, row: Mapping[str, Cell]) -> Iterator[int]:
    """The rules that a row hits, by their place from 0: the reasons for its score."""
    for index, rule in enumerate(table.rules):
        if all(_holds(condition, row[name]) for name, condition in rule.when.items()):
            yield index


def overlaps(rules: tuple[Rule, ...]) -> Iterator[tuple[int, int]]:
    """Pairs of rules, by their places from 1, that one row could hit; every column is taken for one of real numbers."""
    for (first, one), (second, other) in combinations(enumerate(rules, 1), 2):
        if all(_meet(one.when[name], other.when[name]) for name in one.when.keys() & other.when.keys()):
            yield first, second


def misfits(table: DecisionTable, contract: DataContract) -> Iterator[str]:
    """Where a table does not fit the inputs that a data contract gives it."""
    types = {column.name: column.type for column in contract.inputs}
    for number, rule in enumerate(table.rules, 1):
        for name, condition in rule.when.items():
            if name not in types:
                yield f"rule {number} looks at '{name}', which is no input of the data contract"
            elif not _fits(condition, types[name] == "string"):
                yield f"rule {number} compares '{name}', a {types[name]}, with something else"


def _fits(condition: Condition, textual: bool) -> bool:
    if isinstance(condition, Interval):
        return not textual
    return isinstance(condition, Missing) or all(isinstance(value, str) is textual for value in condition.one_of)


def _holds(condition: Condition, value: Cell) -> bool:
    if isinstance(condition, Missing) or value is None:
        return isinstance(condition, Missing) and value is None
    if isinstance(condition, OneOf):
        return value in condition.one_of
    return not isinstance(value, str) and _within(_span(condition), value)


def _meet(one: Condition, other: Condition) -> bool:
    """Whether some value fulfils both."""
    if isinstance(one, Missing) or isinstance(other, Missing):
        return isinstance(one, Missing) and isinstance(other, Missing)
    if isinstance(one, OneOf):
        return any(_holds(other, value) for value in one.one_of)
    if isinstance(other, OneOf):
        return any(_within(_span(one), value) for value in other.one_of if not isinstance(value, str))
    first, second = _span(one), _span(other)
    low, high = max(first.low, second.low), min(first.high, second.high)
    return low < high or (low == high and _within(first, low) and _within(second, low))


class _Span(NamedTuple):
    """The numbers between two bounds, each of which may itself be left out."""

    low: float
    high: float
    above: bool
    below: bool


def _span(interval: Interval) -> _Span:
    low = interval.above if interval.at_least is None else interval.at_least
    high = interval.below if interval.at_most is None else interval.at_most
    return _Span(
        -inf if low is None else low,
        inf if high is None else high,
        interval.above is not None,
        interval.below is not None,
    )


def _within(span: _Span, value: float) -> bool:
    low = span.low < value or (span.low == value and not span.above)
    return low and (value < span.high or (span.high == value and not span.below))
