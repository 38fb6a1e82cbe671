"""What a model brings beyond its hold-out: the difference between bounds, or the reason why there is none."""

import re
from datetime import UTC, datetime
from math import isclose, sqrt
from statistics import fmean, stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from models.errors import InvalidInputError, UnmeasuredError
from models.metrics import Measurement, Metric, Period
from models.statistics.figures import Unmeasured
from models.statistics.means import Sample, of_means, student_quantile
from models.uplift import compared
from models.verdict import Kpi, Reading, Verdict, judge

MAY = Period(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
REPEATS = 1_000
numbers = st.floats(-1e6, 1e6)
spreads = st.floats(1e-3, 1e6)
cases = st.integers(2, 10**6)
samples = st.builds(Sample, numbers, spreads, cases)
groups = st.integers(1, 10**6).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))


def shares(one: tuple[int, int], other: tuple[int, int]) -> Measurement:
    """Two groups, so many of so many each."""
    row: dict[str, object] = {"value": one[0] / one[1], "count": one[1]}
    row |= {"holdout_value": other[0] / other[1], "holdout_count": other[1]}
    return compared("converted", Metric(source="w", query="q", holdout="share"), MAY, row)


def means(one: Sample, other: Sample) -> Measurement:
    """Two groups, by mean and spread."""
    row: dict[str, object] = {"value": one.mean, "deviation": one.deviation, "count": one.cases}
    row |= {"holdout_value": other.mean, "holdout_deviation": other.deviation, "holdout_count": other.cases}
    return compared("basket", Metric(source="w", query="q", holdout="mean"), MAY, row)


def sample(values: list[float]) -> Sample:
    """Three figures of some cases."""
    return Sample(fmean(values), stdev(values), len(values))


def between(found: Measurement) -> tuple[float, float]:
    """The bounds of a difference."""
    assert found.compared is not None
    return found.compared.between


@given(st.floats(0.75, 0.9999), st.floats(1, 1e9))
def test_students_quantile_is_that_of_scipy(probability: float, freedom: float) -> None:
    """An independent library has the same, for few and for many degrees of freedom."""
    assert isclose(student_quantile(probability, freedom), stats.t.ppf(probability, freedom), rel_tol=2e-6)


@given(st.lists(numbers, min_size=2, max_size=20), st.lists(numbers, min_size=2, max_size=20))
def test_the_interval_of_means_is_that_of_scipy(one: list[float], other: list[float]) -> None:
    """Welch's interval from three figures of each group is that of the cases themselves."""
    if min(stdev(one), stdev(other)) < 1e-3:
        return
    found = of_means(sample(one), sample(other))
    expected = stats.ttest_ind(one, other, equal_var=False).confidence_interval()
    assert isclose(found.low, expected.low, rel_tol=1e-6, abs_tol=1e-3)
    assert isclose(found.high, expected.high, rel_tol=1e-6, abs_tol=1e-3)


@given(samples, samples)
def test_groups_that_change_places_change_the_sign(one: Sample, other: Sample) -> None:
    """Nothing else; the difference is within its bounds, and rests on the smaller group."""
    found, swapped = means(one, other), means(other, one)
    (low, high), back = between(found), between(swapped)
    assert isclose(low, -back[1], rel_tol=1e-9, abs_tol=1e-9)
    assert isclose(high, -back[0], rel_tol=1e-9, abs_tol=1e-9)
    assert low <= found.value <= high
    assert found.value == one.mean - other.mean
    assert found.count == min(one.cases, other.cases)


@given(groups, groups)
def test_a_difference_of_shares_is_within_its_bounds(one: tuple[int, int], other: tuple[int, int]) -> None:
    """From -1 to 1, symmetrical in the groups."""
    found = shares(one, other)
    (low, high), back = between(found), between(shares(other, one))
    assert -1 - 1e-9 <= low <= found.value + 1e-12
    assert found.value - 1e-12 <= high <= 1 + 1e-9
    assert isclose(low, -back[1], abs_tol=1e-9)


def coverage(true: float, draws: list[Measurement]) -> float:
    """How often the truth is between the bounds."""
    return sum(low <= true <= high for low, high in map(between, draws)) / len(draws)


@pytest.mark.parametrize(("treated", "holdout"), [(0.06, 0.05), (0.5, 0.5), (0.02, 0.1)])
def test_the_truth_is_between_the_bounds_of_shares_as_often_as_is_said(treated: float, holdout: float) -> None:
    """In 95 of 100 repetitions, with a hold-out a fifth as large as what it is compared with."""
    dice = np.random.default_rng(20_260_501)
    parts = zip(
        dice.binomial(1_000, treated, REPEATS).tolist(), dice.binomial(200, holdout, REPEATS).tolist(), strict=True
    )
    drawn = [shares((part, 1_000), (other, 200)) for part, other in parts]
    assert 0.93 < coverage(treated - holdout, drawn) < 0.98


@pytest.mark.parametrize("sizes", [(200, 20), (10, 10), (5, 50)])
def test_the_truth_is_between_the_bounds_of_means_as_often_as_is_said(sizes: tuple[int, int]) -> None:
    """In 95 of 100 repetitions, though one group spreads four times as far as the other."""
    dice = np.random.default_rng(20_260_502)
    groups = [dice.normal(52, 4, (REPEATS, sizes[0])), dice.normal(50, 16, (REPEATS, sizes[1]))]
    told = [zip(each.mean(1).tolist(), each.std(1, ddof=1).tolist(), strict=True) for each in groups]
    drawn = [
        means(Sample(one[0], one[1], sizes[0]), Sample(other[0], other[1], sizes[1]))
        for one, other in zip(*told, strict=True)
    ]
    assert 0.93 < coverage(2, drawn) < 0.97


UPLIFT = Kpi(name="uplift", passes="> 0", fails="<= 0", at_least=100, metric="converted")


@pytest.mark.parametrize(
    ("one", "other", "verdict", "said"),
    [
        ((600, 10_000), (250, 5_000), Verdict.PASS, r"0.01 \(0.00\d+ to 0.0\d+\) > 0"),
        ((60, 1_000), (25, 500), Verdict.INCONCLUSIVE, r"0.01 \(-0.\d+ to 0.\d+\) is neither all > 0 nor <= 0"),
        ((400, 10_000), (250, 5_000), Verdict.FAIL, r"-0.01 .* <= 0"),
        ((6, 10), (5, 10), Verdict.INCONCLUSIVE, "rests on 10 observations, 100 are needed"),
    ],
)
def test_an_uplift_is_judged_by_its_interval(
    one: tuple[int, int], other: tuple[int, int], verdict: Verdict, said: str
) -> None:
    """The same difference of few cases is not decided: what is neither all above nor all below a bound is open."""
    result = judge(UPLIFT, (shares(one, other).reading("uplift"),))
    assert result.verdict is verdict
    assert re.search(said, result.reason), result.reason


@given(numbers, st.floats(0, 1e6), st.floats(0, 1e6), numbers)
def test_an_interval_passes_or_fails_as_a_whole(value: float, below: float, above: float, bound: float) -> None:
    """By the one of its ends that is worse; an interval of one point is judged as a plain value is."""
    kpi = Kpi(name="uplift", passes=f">= {bound!r}", fails=f"< {bound!r}")
    reading = Reading(name="uplift", value=value, count=1, between=(value - below, value + above))
    expected = {
        (True, True): Verdict.PASS,
        (False, False): Verdict.FAIL,
        (False, True): Verdict.INCONCLUSIVE,
    }[value - below >= bound, value + above >= bound]
    assert judge(kpi, (reading,)).verdict is expected
    point = Reading(name="uplift", value=value, count=1, between=(value, value))
    assert judge(kpi, (point,)).verdict is judge(kpi, (Reading(name="uplift", value=value, count=1),)).verdict


def test_a_plain_reading_is_kept_as_it_always_was() -> None:
    """What is recorded of a reading without an interval has not changed."""
    assert Reading(name="auc", value=0.5, count=3).model_dump_json() == '{"name":"auc","value":0.5,"count":3}'


SHARES: dict[str, object] = {"value": 0.06, "count": 1_000, "holdout_value": 0.05, "holdout_count": 200}
MEANS = SHARES | {"deviation": 2.5, "holdout_deviation": 3}


@pytest.mark.parametrize(
    ("holdout", "edit", "said"),
    [
        ("share", {"value": None}, "has no value from 2026-05-01"),
        ("share", {"holdout_value": None}, "has no value from 2026-05-01"),
        ("share", {"value": 1.5}, "a value that is no share of 1000 cases: 1.5"),
        ("share", {"holdout_value": 0.0512}, "a holdout_value that is no share of 200 cases"),
        ("share", {"holdout_count": 0}, "one is empty"),
        ("share", {"holdout_count": None}, "a holdout_count that is no number"),
        ("share", {"count": 2.5}, "2.5 observations"),
        ("share", {"value": float("nan")}, "no finite number"),
        ("mean", {"deviation": None}, "has no value from"),
        ("mean", {"deviation": 0, "holdout_deviation": 0}, "no case differs from another"),
        ("mean", {"deviation": -1}, "no case differs from another"),
        ("mean", {"holdout_count": 1}, "one has no two cases"),
        ("mean", {"value": 1e200}, "a value that is too large"),
        ("mean", {"deviation": "wide"}, "a deviation that is no number"),
    ],
)
def test_what_is_no_comparison_is_said(holdout: str, edit: dict[str, object], said: str) -> None:
    """In words that name the column."""
    row = (SHARES if holdout == "share" else MEANS) | edit
    metric = Metric.model_validate({"source": "w", "query": "q", "holdout": holdout})
    with pytest.raises(InvalidInputError, match=said):
        compared("converted", metric, MAY, row)


def test_too_few_cases_are_a_state_of_their_own() -> None:
    """A hold-out without anybody in it is not the same as a mistake."""
    with pytest.raises(UnmeasuredError) as wrong:
        compared("converted", Metric(source="w", query="q", holdout="share"), MAY, SHARES | {"holdout_count": 0})
    assert wrong.value.state is Unmeasured.TOO_FEW


def test_an_interval_narrows_with_the_root_of_the_cases() -> None:
    """A hundred times as many cases, a tenth of the width."""
    few, many = (means(Sample(5, 2, n), Sample(4, 2, n)) for n in (1_000, 100_000))
    widths = [high - low for low, high in (between(few), between(many))]
    assert isclose(widths[0] / widths[1], sqrt(100), rel_tol=0.01)
