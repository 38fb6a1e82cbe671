"""Intervals that hold at every look: whoever stops when it suits them is wrong no more often than is stated.

A normal mixture of likelihood ratios (Robbins 1970, Annals of Mathematical Statistics 41(5)), the boundary of the
mixture sequential probability ratio test (Johari, Koomen, Pekelis and Walsh 2022, Operations Research 70(3)). For
estimates that are normal only in the limit it holds in the limit (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024,
Annals of Statistics 52(6)): from a number of cases on, which a trial's `at_least` says.
"""

from math import inf, log, log1p, sqrt
from typing import NamedTuple

from models.observations import Estimate


class Interval(NamedTuple):
    """Between which bounds a value lies."""

    low: float
    high: float


def interval_of(estimate: Estimate, error_rate: float, scale: float) -> Interval:
    """Each bound is missed by the true value at any time whatever with a probability of `error_rate` at most.

    `scale` is the size of effect that is to be found with the fewest cases, in the unit of the estimate; it must not be
    chosen by looking at the data. Errors: ValueError unless `0 < error_rate < 0.5` and `scale > 0`.
    """
    if not 0 < error_rate < 0.5 or scale <= 0:
        raise ValueError(f"no interval has the error rate {error_rate} and the scale {scale}")
    if estimate.variance == 0:
        return Interval(estimate.value, estimate.value) if estimate.count else Interval(-inf, inf)
    seen = scale * scale / estimate.variance
    both = 2 * error_rate
    half = sqrt(estimate.variance * (1 + 1 / seen) * (log1p(seen) - 2 * log(both))) if seen else inf
    return Interval(estimate.value - half, estimate.value + half)
