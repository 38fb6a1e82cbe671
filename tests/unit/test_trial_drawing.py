"""How a trial is drawn, and what comes next in it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.trial_drawing import WIDTH, interval
from models.trial import Found, Progress, coming
from models.verdict import Verdict
from tests.unit.test_trial import HOUR, NOW, TRIAL


def found(low: float, value: float, high: float) -> Found:
    """A measure between its bounds."""
    return Found(measure="errors", better_by=value, low=low, high=high, count=500, verdict=Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("bounds", "wanted", "drawn"),
    [
        ((-1.0, 0.5, 1.0), -0.5, "━━:━━|━━●━━"),
        ((-0.2, 0.2, 0.6), -1.0, ":   ━|●━━  "),
        ((-1.0, -0.8, -0.6), 0.0, "━●━  :     "),
    ],
)
def test_an_interval_lies_beside_what_is_wanted(bounds: tuple[float, float, float], wanted: float, drawn: str) -> None:
    assert interval(found(*bounds), wanted, width=11) == drawn


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(0, 1e6), st.floats(-1, 1))
def test_whatever_was_found_fits(value: float, below: float, above: float, wanted: float) -> None:
    """No bound falls out of the line, and the estimate is always in it."""
    drawn = interval(found(value - below, value, value + above), wanted)
    assert (len(drawn), drawn.count("●")) == (WIDTH, 1)


def test_too_few_cases_draw_nothing() -> None:
    few = Found(measure="errors", better_by=0, count=3, verdict=Verdict.INCONCLUSIVE)
    assert interval(few, 0.1) == ""


def test_what_comes_next_follows_from_the_plan() -> None:
    """The next share comes when this one was held, the last one is followed by none, and the whole has an end."""
    shadow = coming(TRIAL, Progress(begun=NOW, rung=0, since=NOW), NOW)
    assert (shadow.look, shadow.share, shadow.since) == (NOW + HOUR, 10, NOW + HOUR)
    last = coming(TRIAL, Progress(begun=NOW, rung=2, since=NOW + 3 * HOUR), NOW + 4 * HOUR)
    assert (last.look, last.share, last.since) == (NOW + 5 * HOUR, None, None)
    assert last.until == NOW + timedelta(seconds=TRIAL.longest)
