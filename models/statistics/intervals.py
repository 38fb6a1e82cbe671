"""Intervals of shares, of their differences and of their ratios, two-sided."""

from math import exp, inf, log, sqrt
from statistics import NormalDist
from typing import NamedTuple

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """Between which bounds a value lies with the stated confidence."""

    low: float
    high: float


def wilson(part: int, whole: int, confidence: float = CONFIDENCE) -> Interval:
    """Of a share; (0, 1) of nobody. Source: Wilson 1927, Journal of the American Statistical Association 22(158)."""
    if not whole:
        return Interval(0.0, 1.0)
    score = _score(confidence)
    seen, spread = part / whole, score * score / whole
    middle = (seen + spread / 2) / (1 + spread)
    half = score / (1 + spread) * sqrt(seen * (1 - seen) / whole + spread / whole / 4)
    return Interval(0.0 if part == 0 else max(0.0, middle - half), 1.0 if part == whole else min(1.0, middle + half))


def of_difference(one: tuple[int, int], other: tuple[int, int], confidence: float = CONFIDENCE) -> Interval:
    """Of a share less another, each a part and a whole.

    Source: Newcombe 1998, Statistics in Medicine 17(8), method 10: Wilson's intervals put together.
    """
    first, second = _share(*one), _share(*other)
    ours, theirs = wilson(*one, confidence), wilson(*other, confidence)
    apart = first - second
    return Interval(
        apart - sqrt((first - ours.low) ** 2 + (theirs.high - second) ** 2),
        apart + sqrt((ours.high - first) ** 2 + (second - theirs.low) ** 2),
    )


def of_ratio(one: tuple[int, int], other: tuple[int, int], confidence: float = CONFIDENCE) -> Interval:
    """Of a share divided by another; (0, infinity) if one of them is of nobody, or nobody has what is counted.

    Source: Katz, Baptista, Azen and Pike 1978, Biometrics 34(3).
    """
    if not (one[0] and one[1] and other[0] and other[1]):
        return Interval(0.0, inf)
    spread = sqrt(1 / one[0] - 1 / one[1] + 1 / other[0] - 1 / other[1])
    middle, half = log(_share(*one) / _share(*other)), _score(confidence) * spread
    return Interval(exp(middle - half), exp(middle + half))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.5


def _score(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
