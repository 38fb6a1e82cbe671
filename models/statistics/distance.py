"""How far a window's column is from the reference's: effect sizes, never p-values.

Every distance of numbers is made of two tallies over the same bins.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import log, log2, sqrt

from models.statistics.figures import Figure, Result, Unmeasured
from models.statistics.tallies import Categories, Numbers, side_by_side

FLOOR = 1e-4
"""A share below this counts as this in a stability index, so that an empty bin does not make it infinite."""


def stability(before: Sequence[int], now: Sequence[int]) -> Result:
    """Population stability index: the sum of `(now - before) * ln(now / before)` over the shares of bins, in nats.

    Between 0 and 2 * ln(1 / FLOOR), so below 20; the same in both directions.
    Sources: Kullback and Leibler 1951 (their J); Siddiqi 2006, Credit Risk Scorecards.
    """
    if not sum(before) or not sum(now):
        return Unmeasured.EMPTY
    pairs = zip(_shares(before), _shares(now), strict=True)
    floored = [(max(first, FLOOR), max(second, FLOOR)) for first, second in pairs]
    return Figure(sum((second - first) * log(second / first) for first, second in floored), sum(now))


def jensen_shannon(before: Sequence[int], now: Sequence[int]) -> Result:
    """Jensen-Shannon distance: the square root of the divergence to base 2, between 0 and 1; no floor.

    Sources: Lin 1991, IEEE Transactions on Information Theory 37(1); Endres and Schindelin 2003, the same 49(7).
    """
    if not sum(before) or not sum(now):
        return Unmeasured.EMPTY
    pairs = zip(_shares(before), _shares(now), strict=True)
    divergence = sum(_to_middle(first, second) + _to_middle(second, first) for first, second in pairs) / 2
    return Figure(sqrt(min(max(divergence, 0.0), 1.0)), sum(now))


def kolmogorov_smirnov(reference: Numbers, window: Numbers) -> Result:
    """The largest distance of the two distribution functions, between 0 and 1; missing values are left out.

    The value is the largest at an edge. Within a bin the functions may be further apart, at most by what the bin
    holds: `above` says by how much, and falls with the number of edges. Source: Smirnov 1948, Annals of
    Mathematical Statistics 19(2).
    """
    if fault := _uncomparable(reference, window):
        return fault
    ours, theirs = _cumulated(reference), _cumulated(window)
    largest = max(abs(one - other) for one, other in zip(ours, theirs, strict=True))
    between = zip(ours, ours[1:], theirs, theirs[1:], strict=False)
    possible = max(max(ended - other, closed - one) for one, ended, other, closed in between)
    return Figure(largest, window.known, above=max(0.0, possible - largest))


def wasserstein(reference: Numbers, window: Numbers) -> Result:
    """First Wasserstein distance, the area between the two distribution functions, in the column's unit.

    The sum of the values in a bin gives the signed area there. Where the functions may cross within a bin the area is
    larger than that, by twice the smaller of both sides' areas: `above` says how much that is at
    most (as neither function falls, their distances to both sides make no more than what the bin holds of one).
    Source: Vallender 1974, Theory of Probability 18(4).
    """
    if fault := _uncomparable(reference, window):
        return fault
    least = min(reference.moments.least, window.moments.least)
    most = max(reference.moments.most, window.moments.most)
    ends = [least, *(min(max(edge, least), most) for edge in reference.edges), most]
    ours, theirs = _cumulated(reference), _cumulated(window)
    area = possible = 0.0
    for place, (low, high) in enumerate(pairwise(ends)):
        one, ended, other, closed = ours[place], ours[place + 1], theirs[place], theirs[place + 1]
        mean = reference.sums[place] / reference.known - window.sums[place] / window.known
        area += abs(high * (ended - closed) - low * (one - other) - mean)
        up, down = max(0.0, ended - other), max(0.0, closed - one)
        held = max(reference.counts[place] / reference.known, window.counts[place] / window.known)
        possible += (high - low) * min(2 * up * down / (up + down), held / 2) if up and down else 0.0
    return Figure(area, window.known, above=possible)


def normed_wasserstein(reference: Numbers, window: Numbers) -> Result:
    """The Wasserstein distance in standard deviations of the reference (ddof 0)."""
    distance = wasserstein(reference, window)
    if isinstance(distance, Unmeasured):
        return distance
    unit = reference.moments.deviation
    if not unit:
        return Unmeasured.NO_SPREAD
    return Figure(distance.value / unit, distance.cases, above=distance.above / unit)


def chi_square(before: Sequence[int], now: Sequence[int]) -> Result:
    """Pearson's statistic of the table of two samples by category, 0 or more, without a correction for continuity.

    It grows with the number of cases: `cramers_v` is its effect size. Source: Pearson 1900, Philosophical Magazine 50.
    """
    first, second = sum(before), sum(now)
    if not first or not second:
        return Unmeasured.EMPTY
    both = [(one, other) for one, other in zip(before, now, strict=True) if one + other]
    gaps = sum((one * second - other * first) ** 2 / (one + other) for one, other in both)
    return Figure(gaps / (first * second), second)


def cramers_v(before: Sequence[int], now: Sequence[int]) -> Result:
    """The effect size of chi-square for two samples, from 0 to 1, corrected for its bias.

    Source: Bergsma 2013, Journal of the Korean Statistical Society 42(3).
    """
    statistic = chi_square(before, now)
    if isinstance(statistic, Unmeasured):
        return statistic
    cases = sum(before) + sum(now)
    categories = sum(1 for one, other in zip(before, now, strict=True) if one + other)
    squared = max(0.0, statistic.value / cases - (categories - 1) / (cases - 1))
    sides = min(2 - 1 / (cases - 1), categories - (categories - 1) ** 2 / (cases - 1)) - 1
    return Figure(min(1.0, sqrt(squared / sides)) if squared else 0.0, statistic.cases)


def missing(window: Numbers | Categories) -> Result:
    """The share of rows without a value."""
    return Figure(window.missing / window.rows, window.rows) if window.rows else Unmeasured.EMPTY


def unseen(reference: Categories, window: Categories) -> Result:
    """The share of rows whose category the reference does not have; a missing value is none."""
    if fault := reference.fault or window.fault:
        return fault
    strange = sum(count for name, count in window.counts.items() if name not in reference.counts)
    return Figure(strange / window.rows, window.rows)


def bins(
    reference: Numbers | Categories, window: Numbers | Categories, edges: Sequence[float] = (), missing: bool = True
) -> tuple[list[int], list[int]] | Unmeasured:
    """The counts of both over the same bins: categories, or the bins between some edges of numbers.

    Missing values are a bin of their own, or are left out. TypeError if one is of numbers and the other is not.
    """
    if fault := reference.fault or window.fault:
        return fault
    if isinstance(reference, Categories) and isinstance(window, Categories):
        before, now = side_by_side(reference, window)
    elif isinstance(reference, Numbers) and isinstance(window, Numbers):
        before, now = list(reference.within(edges)), list(window.within(edges))
    else:
        raise TypeError("a column of numbers is not compared with one of categories")
    if missing:
        return [*before, reference.missing], [*now, window.missing]
    return (before, now) if sum(before) and sum(now) else Unmeasured.ALL_MISSING


def _shares(counts: Sequence[int]) -> list[float]:
    whole = sum(counts)
    return [count / whole for count in counts]


def _to_middle(one: float, other: float) -> float:
    return one * log2(2 * one / (one + other)) if one else 0.0


def _uncomparable(reference: Numbers, window: Numbers) -> Unmeasured | None:
    if reference.edges != window.edges:
        raise ValueError("columns are compared over the same bins")
    if fault := reference.fault or window.fault:
        return fault
    return None if reference.known and window.known else Unmeasured.ALL_MISSING


def _cumulated(tally: Numbers) -> list[float]:
    return [0.0, *(count / tally.known for count in accumulate(tally.counts))]
