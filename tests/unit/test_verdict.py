"""Three verdicts, and numbers that are numbers."""

import pytest
from pydantic import ValidationError

from models.verdict import Comparison, Kpi, Reading, Verdict, combine, judge

AUC = Kpi(
    name="auc",
    passes=Comparison(operator=">=", bound=0.75),
    fails=Comparison(operator="<", bound=0.7),
    at_least=300,
)


@pytest.mark.parametrize(
    ("value", "count", "verdict"),
    [
        (0.75, 300, Verdict.PASS),
        (0.7499, 300, Verdict.INCONCLUSIVE),
        (0.7, 300, Verdict.INCONCLUSIVE),
        (0.6999, 300, Verdict.FAIL),
        (0.99, 299, Verdict.INCONCLUSIVE),
        (0.1, 299, Verdict.INCONCLUSIVE),
    ],
)
def test_a_kpi_is_judged(value: float, count: int, verdict: Verdict) -> None:
    """The gap between pass and fail, and too few observations, are neither: never a silent pass."""
    assert judge(AUC, (Reading(name="auc", value=value, count=count),)).verdict is verdict


def test_the_last_reading_counts() -> None:
    """A version that is measured again is judged by what was measured last; without a reading, by none."""
    readings = [Reading(name="auc", value=value, count=500) for value in (0.9, 0.5)]
    assert judge(AUC, tuple(readings)).verdict is Verdict.FAIL
    assert judge(AUC, (Reading(name="drift", value=0.9, count=500),)).verdict is Verdict.INCONCLUSIVE


def test_one_failure_fails() -> None:
    """FAIL weighs more than INCONCLUSIVE, which weighs more than PASS."""
    assert combine(()) is Verdict.PASS
    assert combine((Verdict.PASS, Verdict.INCONCLUSIVE)) is Verdict.INCONCLUSIVE
    assert combine((Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.PASS)) is Verdict.FAIL


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_a_number_is_no_reading(value: float) -> None:
    """Neither the record nor a comparison could hold it."""
    with pytest.raises(ValidationError, match="finite"):
        Reading(name="auc", value=value, count=500)
