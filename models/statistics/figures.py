"""A figure with how far it may be off, or the reason why there is none."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Unmeasured(StrEnum):
    """Why a figure could not be made. A figure that is not there never passes."""

    SOURCE_DOWN = "source_down"
    SOURCE_SLOW = "source_slow"
    UNREADABLE = "unreadable"
    CHANGED = "changed"
    OTHER_TYPE = "other_type"
    EMPTY = "empty"
    ALL_MISSING = "all_missing"
    NOT_NUMBERS = "not_numbers"
    INFINITE = "infinite"
    TOO_MANY_VALUES = "too_many_values"
    NO_SPREAD = "no_spread"
    NO_LABELS = "no_labels"
    ONE_CLASS = "one_class"
    NONE_SELECTED = "none_selected"
    NO_REFERENCE_GROUP = "no_reference_group"
    ONE_GROUP = "one_group"
    TOO_FEW = "too_few"
    NO_IMPORTANCE = "no_importance"
    ONE_FEATURE = "one_feature"

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return _SENTENCES[self]


_SENTENCES = {
    Unmeasured.SOURCE_DOWN: "the source does not answer",
    Unmeasured.SOURCE_SLOW: "the source took too long and gave up",
    Unmeasured.UNREADABLE: "the data cannot be read",
    Unmeasured.CHANGED: "the data changed while they were read",
    Unmeasured.OTHER_TYPE: "the values are of another type than the data contract says",
    Unmeasured.EMPTY: "there are no rows",
    Unmeasured.ALL_MISSING: "every value is missing",
    Unmeasured.NOT_NUMBERS: "some values are NaN, which is neither a number nor a missing value",
    Unmeasured.INFINITE: "some values are infinite, or too large for a model, which reads 32-bit floats",
    Unmeasured.TOO_MANY_VALUES: "there are too many different values for a category",
    Unmeasured.NO_SPREAD: "the reference has only one value, so nothing can be measured in its spread",
    Unmeasured.NO_LABELS: "no outcome is known yet",
    Unmeasured.ONE_CLASS: "all known outcomes are alike",
    Unmeasured.NONE_SELECTED: "nobody is selected",
    Unmeasured.NO_REFERENCE_GROUP: "the group that the others are compared with is not there",
    Unmeasured.ONE_GROUP: "there is only one group",
    Unmeasured.TOO_FEW: "a group has too few cases",
    Unmeasured.NO_IMPORTANCE: "no feature had any importance",
    Unmeasured.ONE_FEATURE: "there is only one feature",
}


class Figure(NamedTuple):
    """A value, the number of cases that it rests on, and `above`, `below`: the figure of the single cases, which were
    counted in bins, is between `value - below` and `value + above`.
    """

    value: float
    cases: int
    above: float = 0.0
    below: float = 0.0


Result = Figure | Unmeasured

Found = Mapping[str, Figure | str]
"""Figures by the names of their readings; of one that could not be made, the reason."""


def told(result: Result) -> Figure | str:
    """The figure, or in words why there is none."""
    return result if isinstance(result, Figure) else result.sentence
