"""Estimates and their variances: as the textbook has them, and never surer than few cases allow."""

from math import exp, log
from statistics import fmean, variance

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.observations import log_ratio_of, mean_of, percentile, share_of

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50)
COUNTS = st.integers(1, 5_000)


@st.composite
def shares(draw: st.DrawFn) -> tuple[int, int]:
    """Some of a number of cases."""
    of = draw(COUNTS)
    return draw(st.integers(0, of)), of


@given(VALUES)
def test_a_mean_has_the_variance_of_a_mean(values: list[float]) -> None:
    """The variance is that of the sample over its size; of values all alike nothing is estimated."""
    found = mean_of(values)
    if variance(values) == 0:
        assert found is None
    else:
        assert found is not None
        assert found.value == pytest.approx(fmean(values))
        assert found.variance == pytest.approx(variance(values) / len(values))


@given(st.floats(1e8, 1e12), VALUES.filter(lambda values: variance(values) > 1))
def test_a_mean_far_from_zero_keeps_its_variance(far: float, values: list[float]) -> None:
    """Large amounts that differ little are not taken for equal."""
    near, moved = mean_of(values), mean_of([value + far for value in values])
    assert near is not None
    assert moved is not None
    assert moved.variance == pytest.approx(near.variance, rel=0.01)


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0, 2.0], [1.0, float("nan")], [1e308, -1e308]])
def test_too_little_gives_no_mean(values: list[float]) -> None:
    """One value, equal values and values that are no numbers have no estimate."""
    assert mean_of(values) is None


@given(shares())
def test_a_share_is_never_sure(share: tuple[int, int]) -> None:
    """The share is the plain one, its variance positive and at least almost that of a binomial."""
    those, of = share
    found = share_of(those, of)
    assert found is not None
    assert (found.value, found.count) == (those / of, of)
    assert found.variance > 0
    assert found.variance >= found.value * (1 - found.value) / of * (of / (of + 4)) ** 2


@given(shares(), shares())
def test_a_ratio_is_turned_by_turning_the_groups(one: tuple[int, int], other: tuple[int, int]) -> None:
    """The logarithm changes its sign and keeps its variance, which is positive; alike groups have a ratio of 1."""
    there, back, alike = log_ratio_of(*one, *other), log_ratio_of(*other, *one), log_ratio_of(*one, *one)
    assert there is not None
    assert back is not None
    assert alike is not None
    assert there.value == pytest.approx(-back.value)
    assert there.variance == pytest.approx(back.variance)
    assert there.variance > 0
    assert alike.value == 0


def test_a_group_of_whom_nobody_is_selected_is_the_worst_there_is() -> None:
    """It is estimated, far below any other; only of nobody at all nothing can be said."""
    nobody, some = log_ratio_of(0, 200, 100, 200), log_ratio_of(50, 200, 100, 200)
    assert nobody is not None
    assert some is not None
    assert nobody.value < log(0.01) < some.value == pytest.approx(log(0.5), abs=0.01)
    assert log_ratio_of(0, 0, 1, 2) is log_ratio_of(1, 2, 0, 0) is None


def test_the_variance_of_a_ratio_is_the_one_that_is_seen() -> None:
    """Over many draws, the ratio spreads as its variance says (within a tenth) around the true one."""
    generator = np.random.default_rng(1978)
    draws = zip(generator.binomial(400, 0.3, 4000).tolist(), generator.binomial(600, 0.5, 4000).tolist(), strict=True)
    found = [estimate for a, b in draws if (estimate := log_ratio_of(a, 400, b, 600))]
    assert fmean(one.variance for one in found) == pytest.approx(variance([one.value for one in found]), rel=0.1)
    assert exp(fmean(one.value for one in found)) == pytest.approx(0.6, rel=0.01)


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(values: list[float], percent: int) -> None:
    """At least that share is at or below it, and less than that share is below it."""
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def test_nothing_has_no_percentile() -> None:
    """Of no values there is none."""
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 95)
