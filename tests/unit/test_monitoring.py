"""When a monitor is silent, and when failures are a breach."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.changes.watch import implies
from models.monitoring import SILENT_AFTER, is_breach, is_silent
from models.plan import Brakes, MonitorPlan, Remedy

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def monitor(breaches: int = 1, every: int = 3600, of: int = 0) -> MonitorPlan:
    """A monitor with the given patience."""
    brakes = Brakes(cooldown=0, at_most=1, per=1, otherwise=Remedy.ESCALATE)
    return MonitorPlan(
        id="drift", checks=("drift",), every=every, breaches=breaches, of=of, then=Remedy.RETRAIN, brakes=brakes
    )


@pytest.mark.parametrize(("late", "silent"), [(0, False), (2 * 3600, False), (2 * 3600 + 1, True)])
def test_silence_begins_after_two_periods(late: int, silent: bool) -> None:
    """Nothing heard for more than two periods is silence; up to that it is patience."""
    assert SILENT_AFTER == 2
    assert is_silent(monitor(), NOW - timedelta(seconds=late), NOW) is silent


@given(st.lists(st.sampled_from(["pass", "fail", "inconclusive"]), max_size=8), st.integers(1, 4))
def test_a_breach_is_failures_in_a_row_at_the_end(verdicts: list[str], breaches: int) -> None:
    """As many failures in a row as the plan says, and the latest verdict among them."""
    row = 0
    for verdict in reversed(verdicts):
        if verdict != "fail":
            break
        row += 1
    assert is_breach(monitor(breaches), verdicts) == (row >= breaches)


@given(st.lists(st.sampled_from(["pass", "fail", "inconclusive"]), max_size=9), st.integers(1, 5), st.integers(0, 4))
def test_a_breach_is_some_failures_of_the_last_looks(verdicts: list[str], looks: int, sound: int) -> None:
    """As many of the last looks have failed as the plan says, wherever they lie, and the newest is one of them."""
    needed = max(1, looks - sound)
    last = verdicts[max(0, len(verdicts) - looks) :]
    failed = sum(verdict == "fail" for verdict in last)
    expected = bool(verdicts) and verdicts[-1] == "fail" and failed >= needed
    assert is_breach(monitor(needed, of=looks), verdicts) == expected


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.integers(1, 5))
def test_what_is_looser_says_less(one: int, other: int, looks: int, other_looks: int) -> None:
    """A change is told as looser if and only if some sequence of looks is a breach before and none any more."""
    before = monitor(min(one, looks), of=looks)
    after = monitor(min(other, other_looks), of=other_looks)
    sequences = [verdicts for length in range(6) for verdicts in product(("pass", "fail"), repeat=length)]
    lost = any(is_breach(before, verdicts) and not is_breach(after, verdicts) for verdicts in sequences)
    assert implies(before, after) is not lost
