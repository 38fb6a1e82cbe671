"""When a monitor is silent, and when failures are a breach."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.changes.watch import implies
from models.maturity import Look, standing, unmeasured_before
from models.monitoring import SILENT_AFTER, is_breach, is_silent, unmeasured_verdict
from models.plan import Brakes, MonitorPlan, Remedy
from models.verdict import Verdict

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


def looked(found: list[tuple[int, bool]]) -> list[Look]:
    """A look for each hour that is told, in their order, and whether it could measure."""
    moments = [(NOW + timedelta(hours=hour), unmeasured) for hour, unmeasured in sorted(found)]
    return [
        Look(str(number), "pass", (), NOW, moment=moment, unmeasured=unmeasured)
        for number, (moment, unmeasured) in enumerate(moments)
    ]


@given(st.sampled_from(Verdict), st.booleans())
def test_what_is_not_measured_never_passes(judged: Verdict, before: bool) -> None:
    """It fails if what was measured does, or if it is the second in a row, and only then."""
    found = unmeasured_verdict(judged, before)
    assert found is not Verdict.PASS
    assert (found is Verdict.FAIL) == (before or judged is Verdict.FAIL)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=8), st.integers(0, 9))
def test_the_look_before_is_the_newest_that_stands_for_an_earlier_moment(
    found: list[tuple[int, bool]], hour: int
) -> None:
    """Neither one of the same moment, which the same outage has hit, nor a later one that was made up for."""
    earlier = [unmeasured for at, unmeasured in sorted(found) if at < hour]
    assert unmeasured_before(looked(found), NOW + timedelta(hours=hour)) == (bool(earlier) and earlier[-1])


@given(st.lists(st.booleans(), max_size=12))
def test_of_looks_that_cannot_measure_in_a_row_all_but_the_first_fail(unmeasured: list[bool]) -> None:
    """Each run of them fails all but once: a monitor that measures at once again never fails for it."""
    verdicts = list[str]()
    for hour, blind in enumerate(unmeasured):
        before = unmeasured_before(looked(list(enumerate(unmeasured[:hour]))), NOW + timedelta(hours=hour))
        verdicts.append(unmeasured_verdict(Verdict.PASS, before).value if blind else "pass")
    runs = "".join("x" if blind else " " for blind in unmeasured).split()
    assert verdicts.count("fail") == sum(len(run) - 1 for run in runs)


@given(st.integers(1, 4), st.integers(0, 2), st.lists(st.sampled_from(["pass", "fail", "inconclusive"]), max_size=6))
def test_whoever_never_measures_again_is_in_breach(breaches: int, sound: int, before: list[str]) -> None:
    """One look later than if it failed, whatever its plan takes for a breach and whatever it has seen before."""
    patient = monitor(breaches, of=breaches + sound)
    assert not is_breach(patient, [*before, "inconclusive"])
    assert is_breach(patient, [*before, "inconclusive", *["fail"] * breaches])


@given(st.lists(st.sampled_from(["pass", "fail", "inconclusive"]), max_size=8), st.integers(1, 3), st.integers(0, 2))
def test_a_breach_stands_over_one_look_that_could_not_measure(verdicts: list[str], breaches: int, sound: int) -> None:
    """Nobody has seen that it is over; a look that could, and of which nothing can be said yet, does not bear it on."""
    patient = monitor(breaches, of=breaches + sound)
    looks = [Look(str(number), verdict, (), NOW) for number, verdict in enumerate(verdicts)]
    blind, open_ = (Look("new", "inconclusive", (), NOW, unmeasured=unmeasured) for unmeasured in (True, False))
    assert standing(patient, [*looks, blind]) == standing(patient, looks)
    assert not standing(patient, [*looks, open_])
    assert not standing(patient, [*looks, open_, blind])


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
