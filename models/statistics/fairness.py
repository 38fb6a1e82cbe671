"""How groups of people fare beside each other: rates, their differences and ratios, with intervals.

A group under a minimum count says nothing: then there is no figure, and no check passes.
"""

from collections.abc import Mapping
from typing import NamedTuple

from models.statistics.figures import Figure, Result, Unmeasured
from models.statistics.intervals import Interval, of_difference, of_ratio
from models.statistics.scores import Confusion


class Part(NamedTuple):
    """How many of how many."""

    those: int
    of: int

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return self.those / self.of


class GroupRates(NamedTuple):
    """A group's selected, its selected among those with outcome 1, and among those with outcome 0."""

    selected: Part
    true_positive: Part
    false_positive: Part


class Estimated(NamedTuple):
    """A value, and between which bounds it lies with the confidence of `intervals.CONFIDENCE`."""

    value: float
    interval: Interval


class Compared(NamedTuple):
    """The ratio of selection rates, and how much higher each of a group's rates is than the reference group's."""

    ratio: Estimated | None
    selected: Estimated | None
    true_positive: Estimated | None
    false_positive: Estimated | None


Groups = Mapping[str, GroupRates]
"""The groups of one protected column by their names; whoever has no recorded group is in none."""


def rates_of(group: Confusion) -> GroupRates:
    """The rates of a group whose outcomes are known."""
    hits, alarms, misses, rest = map(int, group)
    return GroupRates(
        selected=Part(hits + alarms, hits + alarms + misses + rest),
        true_positive=Part(hits, hits + misses),
        false_positive=Part(alarms, alarms + rest),
    )


def adverse_impact(groups: Groups, reference: str, at_least: int = 1) -> Result:
    """The smallest ratio of a group's selection rate to the reference group's: the four-fifths rule.

    0 or more; over 1 if every group is selected more often. Source: 29 CFR 1607.4 D.
    """
    parts = {name: rates.selected for name, rates in groups.items()}
    if fault := _uncomparable(parts, reference, at_least):
        return fault
    first = parts[reference].share
    if not first:
        return Unmeasured.NONE_SELECTED
    ratios = [part.share / first for name, part in parts.items() if name != reference]
    return Figure(min(ratios), min(part.of for part in parts.values()))


def beside(group: GroupRates, reference: GroupRates) -> Compared:
    """A group beside the reference group; each figure is None if it cannot be told."""
    return Compared(
        ratio=_ratio(group.selected, reference.selected),
        selected=_difference(group.selected, reference.selected),
        true_positive=_difference(group.true_positive, reference.true_positive),
        false_positive=_difference(group.false_positive, reference.false_positive),
    )


def selection_difference(groups: Groups, at_least: int = 1) -> Result:
    """Demographic parity difference: the largest selection rate of any group less the smallest, from 0 to 1."""
    return _widest({name: rates.selected for name, rates in groups.items()}, at_least)


def true_positive_difference(groups: Groups, at_least: int = 1) -> Result:
    """Equal opportunity difference: the largest true positive rate less the smallest, from 0 to 1.

    Source: Hardt, Price and Srebro 2016, NeurIPS 29.
    """
    return _widest({name: rates.true_positive for name, rates in groups.items()}, at_least)


def false_positive_difference(groups: Groups, at_least: int = 1) -> Result:
    """The largest false positive rate of any group less the smallest, from 0 to 1."""
    return _widest({name: rates.false_positive for name, rates in groups.items()}, at_least)


def equalised_odds_difference(groups: Groups, at_least: int = 1) -> Result:
    """The larger of the differences of true and of false positive rates, from 0 to 1.

    Source: Hardt, Price and Srebro 2016, NeurIPS 29.
    """
    hits, alarms = true_positive_difference(groups, at_least), false_positive_difference(groups, at_least)
    if isinstance(hits, Unmeasured) or isinstance(alarms, Unmeasured):
        return hits if isinstance(hits, Unmeasured) else alarms
    return Figure(max(hits.value, alarms.value), min(hits.cases, alarms.cases))


def _widest(parts: Mapping[str, Part], at_least: int) -> Result:
    if len(parts) < 2:
        return Unmeasured.ONE_GROUP
    smallest = min(part.of for part in parts.values())
    if smallest < max(1, at_least):
        return Unmeasured.TOO_FEW
    shares = [part.share for part in parts.values()]
    return Figure(max(shares) - min(shares), smallest)


def _uncomparable(parts: Mapping[str, Part], reference: str, at_least: int) -> Unmeasured | None:
    if reference not in parts:
        return Unmeasured.NO_REFERENCE_GROUP
    if len(parts) < 2:
        return Unmeasured.ONE_GROUP
    return Unmeasured.TOO_FEW if min(part.of for part in parts.values()) < max(1, at_least) else None


def _ratio(group: Part, reference: Part) -> Estimated | None:
    if not (group.of and reference.those):
        return None
    return Estimated(group.share / reference.share, of_ratio(group, reference))


def _difference(group: Part, reference: Part) -> Estimated | None:
    if not (group.of and reference.of):
        return None
    return Estimated(group.share - reference.share, of_difference(group, reference))
