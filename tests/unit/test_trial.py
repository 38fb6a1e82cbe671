"""How a trial ends: as the figures say, within the stated error rates however often one looks, and always some day."""

from datetime import UTC, datetime, timedelta
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.observations import Arms, Estimate, Observations, share_of
from models.plan import MeasurePlan, TrialPlan
from models.sequential import interval_of
from models.traffic import SLICES, Split, is_challenged
from models.trial import Progress, begin, climb, look, rungs, split_at
from models.verdict import Comparison, Kpi, Reading, Verdict

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
BUNDLE = "sha256:" + "b" * 64
HOUR = timedelta(hours=1)

TRIAL = TrialPlan(
    shadow=3600,
    shares=(10, 50),
    hold=7200,
    every=3600,
    longest=86_400,
    at_least=100,
    error_rate=0.05,
    measures=(MeasurePlan(name="accuracy", goal="not_worse", margin=0.05),),
    checks=("trial_errors",),
)
ERRORS = Kpi(
    name="trial_errors",
    passes=Comparison(operator="<=", bound=0.01),
    fails=Comparison(operator=">", bound=0.05),
    at_least=10,
)
FINE = Reading(name="trial_errors", value=0.0, count=500)


def accuracy(champion: tuple[int, int], challenger: tuple[int, int]) -> Arms:
    """Right answers, of how many, of both."""
    return Arms(champion=_share(*champion), challenger=_share(*challenger))


def _share(right: int, of: int) -> Estimate:
    estimate = share_of(right, of)
    assert estimate
    return estimate


def seen(arms: Arms | None, *readings: Reading) -> Observations:
    """What was seen of both."""
    measures = {"accuracy": arms} if arms else {}
    return Observations(
        since=NOW, until=NOW, champion_requests=1, challenger_requests=1, measures=measures, readings=readings
    )


def concluded(
    observations: Observations, *, rung: int = 2, held: timedelta = 3 * HOUR, age: timedelta = 6 * HOUR
) -> tuple[str, tuple[str, ...]]:
    """What a look leads to, and why."""
    progress = Progress(begun=NOW - age, rung=rung, since=NOW - held)
    found = look(TRIAL, (ERRORS,), progress, split_at(TRIAL, rung, 2, BUNDLE), observations, NOW)
    return found.conclusion, found.reasons


ALIKE = accuracy((4_000, 5_000), (4_000, 5_000))


def test_as_good_as_the_champion_is_elected() -> None:
    conclusion, reasons = concluded(seen(ALIKE, FINE))
    assert conclusion == "elect"
    assert reasons[0].startswith("accuracy: better by 0 (between -0.0")


def test_nobody_is_elected_before_the_last_share_nor_before_it_was_held() -> None:
    assert concluded(seen(ALIKE, FINE), rung=1)[0] == "go_on"
    assert concluded(seen(ALIKE, FINE), held=HOUR)[0] == "go_on"


def test_clearly_worse_is_turned_away_at_any_share() -> None:
    for rung in range(3):
        conclusion, reasons = concluded(seen(accuracy((4_500, 5_000), (3_500, 5_000)), FINE), rung=rung)
        assert conclusion == "turn_away"
        assert reasons[0].startswith("accuracy: worse by 0.2")


def test_a_check_that_fails_ends_it_at_once_however_good_it_is() -> None:
    broken = Reading(name="trial_errors", value=0.2, count=50)
    assert concluded(seen(ALIKE, broken), rung=0) == ("abort", ("trial_errors: 0.2 > 0.05",))


def test_a_check_without_a_reading_elects_nobody() -> None:
    assert concluded(seen(ALIKE)) == ("go_on", ("trial_errors: no reading",))


def test_too_few_outcomes_say_nothing() -> None:
    few = seen(accuracy((90, 90), (0, 90)), FINE)
    assert concluded(few) == ("go_on", ("accuracy: 90 outcomes on the smaller side are too few",))


def test_people_are_asked_when_the_time_is_over() -> None:
    assert concluded(seen(None, FINE), age=timedelta(days=1))[0] == "ask"


def test_better_has_to_be_better() -> None:
    wanted = TRIAL.model_copy(update={"measures": (MeasurePlan(name="accuracy", goal="better", margin=0.05),)})
    progress, split = Progress(begun=NOW - 6 * HOUR, rung=2, since=NOW - 3 * HOUR), split_at(wanted, 2, 2, BUNDLE)

    def ends(arms: Arms) -> str:
        return look(wanted, (ERRORS,), progress, split, seen(arms, FINE), NOW).conclusion

    assert ends(accuracy((4_000, 5_000), (4_600, 5_000))) == "elect"
    assert ends(accuracy((4_000, 5_000), (4_250, 5_000))) == "go_on"
    assert ends(ALIKE) == "turn_away"


def test_shares_grow_one_after_the_other() -> None:
    assert rungs(TRIAL) == (0, 10, 50)
    assert split_at(TRIAL, 0, 2, BUNDLE) == Split(version=2, bundle=BUNDLE, share=0, mirrored=True)
    progress, at, path = begin(NOW), NOW, list[int]()
    for _ in range(8):
        path.append(progress.rung)
        at += HOUR
        progress = climb(TRIAL, progress, at)
    assert path == [0, 1, 1, 2, 2, 2, 2, 2]
    assert (progress.begun, progress.since) == (NOW, NOW + 3 * HOUR)


@given(st.text(max_size=40), st.integers(1, 98))
def test_whom_a_challenger_answers_it_goes_on_to_answer(unit: str, share: int) -> None:
    at, greater = (Split(version=2, bundle=BUNDLE, share=percent) for percent in (share, share + 1))
    assert is_challenged(unit, at) <= is_challenged(unit, greater)
    assert is_challenged(unit, at.model_copy(update={"share": 100}))
    assert not is_challenged(unit, at.model_copy(update={"share": 0}))


def test_a_share_is_the_share_of_units() -> None:
    split = Split(version=2, bundle=BUNDLE, share=20)
    answered = sum(is_challenged(f"customer-{number}", split) for number in range(20_000))
    assert abs(answered - 4_000) < 5 * sqrt(20_000 * 0.2 * 0.8)
    assert SLICES % 100 == 0


@given(
    st.floats(-1e3, 1e3),
    st.floats(1e-9, 1e3),
    st.floats(0.001, 0.2),
    st.floats(1e-3, 1e3),
    st.floats(1.001, 100),
)
def test_an_interval_holds_its_estimate_and_shrinks_with_what_is_known(
    value: float, variance: float, error_rate: float, scale: float, more: float
) -> None:
    wide = interval_of(Estimate(value=value, variance=variance, count=100), error_rate, scale)
    close = interval_of(Estimate(value=value, variance=variance / more, count=100), error_rate, scale)
    sure = interval_of(Estimate(value=value, variance=variance, count=100), error_rate / 2, scale)
    assert sure.low < wide.low < close.low <= value <= close.high < wide.high < sure.high


def test_an_interval_needs_a_rate_and_a_scale() -> None:
    estimate = Estimate(value=0, variance=1, count=1)
    for error_rate, scale in ((0, 1), (0.5, 1), (0.1, 0)):
        with pytest.raises(ValueError, match="no interval"):
            interval_of(estimate, error_rate, scale)


WORLDS = 300
LOOKS = 40
CASES = 100


def _wrong(champion: float, challenger: float, *, verdict: Verdict) -> float:
    """How often a trial that is looked at after every hundred cases ends with a verdict, in that many worlds."""
    random = np.random.default_rng(20_260_105)
    right = random.binomial(CASES, (champion, challenger), (WORLDS, LOOKS, 2)).cumsum(axis=1)
    measure, wrong = TRIAL.measures[0], 0
    progress, split = Progress(begun=NOW, rung=2, since=NOW - 3 * HOUR), split_at(TRIAL, 2, 2, BUNDLE)
    for world in right.tolist():
        for number, (one, other) in enumerate(world, 1):
            arms = accuracy((one, number * CASES), (other, number * CASES))
            found = look(TRIAL, (ERRORS,), progress, split, seen(arms, FINE), NOW).found[0]
            assert found.measure == measure.name
            if found.verdict is not Verdict.INCONCLUSIVE:
                wrong += found.verdict is verdict
                break
    return wrong / WORLDS


def test_whoever_looks_all_the_time_is_wrong_no_more_often_than_is_stated() -> None:
    """At the border of what is allowed, where errors are most frequent; three standard errors above the rate."""
    slack = 3 * sqrt(0.05 * 0.95 / WORLDS)
    assert _wrong(0.80, 0.75, verdict=Verdict.PASS) <= 0.05 + slack
    assert _wrong(0.80, 0.7501, verdict=Verdict.FAIL) <= 0.05 + slack


def test_what_is_clearly_so_is_found() -> None:
    assert _wrong(0.80, 0.80, verdict=Verdict.PASS) > 0.9
    assert _wrong(0.80, 0.65, verdict=Verdict.FAIL) > 0.9
