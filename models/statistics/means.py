"""The difference of two means with its interval, from what a database says of two groups.

Sources: Welch 1947, Biometrika 34(1/2), for the interval where spreads differ; NIST Digital Library of Mathematical
Functions 8.17.22 for the incomplete beta function, by which Student's t is distributed.
"""

from math import exp, inf, lgamma, log, log1p, sqrt
from statistics import NormalDist
from typing import NamedTuple

from models.statistics.intervals import CONFIDENCE, Interval

_TINY = 1e-300
_CLOSE = 1e-12
_TERMS = 10_000
_NORMAL = 1e7
"""Degrees of freedom from which on Student's t is normal to a millionth."""


class Sample(NamedTuple):
    """The mean of so many cases, and their standard deviation (ddof 1)."""

    mean: float
    deviation: float
    cases: int


def of_means(one: Sample, other: Sample, confidence: float = CONFIDENCE) -> Interval:
    """Of a mean less another, whatever the spreads; all numbers if a group has no two cases."""
    apart = one.mean - other.mean
    if min(one.cases, other.cases) < 2:
        return Interval(-inf, inf)
    parts = [each.deviation**2 / each.cases for each in (one, other)]
    whole = sum(parts)
    if not whole:
        return Interval(apart, apart)
    shares = [part / whole for part in parts]
    freedom = 1 / sum(share**2 / (each.cases - 1) for share, each in zip(shares, (one, other), strict=True))
    half = student_quantile((1 + confidence) / 2, freedom) * sqrt(whole)
    return Interval(apart - half, apart + half)


def student_quantile(probability: float, freedom: float) -> float:
    """Below which Student's t is with a probability from 0.5 on, less than 1; the degrees of freedom need not be whole.

    By halving: where the distribution function passes the probability.
    """
    if freedom > _NORMAL:
        return NormalDist().inv_cdf(probability)
    low, high = 0.0, 1.0
    while student(high, freedom) < probability:
        low, high = high, 2 * high
    while high - low > _CLOSE * high:
        middle = (low + high) / 2
        low, high = (middle, high) if student(middle, freedom) < probability else (low, middle)
    return high


def student(value: float, freedom: float) -> float:
    """With which probability Student's t is at most a value from 0 on."""
    squared = value * value
    return 1 - _beta(freedom / (freedom + squared), freedom / 2, 0.5) / 2 if squared else 0.5


def _beta(at: float, one: float, other: float) -> float:
    """The regularised incomplete beta function."""
    if at > (one + 1) / (one + other + 2):
        return 1 - _beta(1 - at, other, one)
    if not at:
        return 0.0
    front = lgamma(one + other) - lgamma(one) - lgamma(other) + one * log(at) + other * log1p(-at)
    return exp(front) / one / _fraction(at, one, other)


def _fraction(at: float, one: float, other: float) -> float:
    """The continued fraction, by Lentz's method as Thompson and Barnett have changed it."""
    value = above = 1.0
    below = 0.0
    for term in range(1, _TERMS):
        half, odd = divmod(term, 2)
        if odd:
            part = -(one + half) * (one + other + half) / (one + 2 * half) / (one + 2 * half + 1)
        else:
            part = half * (other - half) / (one + 2 * half - 1) / (one + 2 * half)
        below = 1 / (1 + part * at * below or _TINY)
        above = 1 + part * at / above or _TINY
        value *= above * below
        if abs(above * below - 1) < _CLOSE:
            break
    return value
