"""Monitors as the clock has them: what is not watched is found, whoever has done it; times have zones."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInputError
from models.monitoring import MonitorOrder, monitor_orders
from models.reconciliation import FindingKind
from models.watching import LOOKS_AT_ONCE, Watch, count_looks, moment_of, note_of, schedule_of, unwatched
from tests.temporal.house import plan_of

(ORDER, *_) = monitor_orders("loan", plan_of("credit-high-risk"))
NAME = schedule_of("loan", ORDER.monitor.id)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
WATCHES = st.builds(
    Watch, st.booleans(), st.sampled_from(["", "paused by rosa: why"]), st.sampled_from(["", "not every 1d"])
)


def orders(names: list[str]) -> list[MonitorOrder]:
    """The same monitor of several models."""
    return [ORDER.model_copy(update={"model": name}) for name in names]


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.none() | WATCHES))
def test_each_that_does_not_look_is_found(seen: dict[str, Watch | None]) -> None:
    """Missing, changed or paused: each is found once, of its model; one that is as it should be is not."""
    watches = {schedule_of(model, ORDER.monitor.id): watch for model, watch in seen.items() if watch}
    found = {(one.model, one.kind) for one in unwatched(orders(list(seen)), watches)}
    expected = set()
    for model, watch in seen.items():
        if watch is None or watch.differs:
            expected.add((model, FindingKind.MONITOR_DIFFERS))
        if watch and watch.paused:
            expected.add((model, FindingKind.MONITOR_PAUSED))
    assert found == expected


def test_who_has_paused_it_is_said() -> None:
    """By us with a person and a reason, by somebody else without."""
    for note, said in ((note_of("paused", "rosa", "The feed is moved."), "paused by rosa: The feed"), ("", "nobody")):
        (found,) = unwatched([ORDER], {NAME: Watch(True, note)})
        assert said in found.text
        assert (found.about, found.model) == (NAME, "loan")


@given(st.integers(0, 3_000), st.integers(0, 86_399))
def test_looks_are_counted(periods: int, rest: int) -> None:
    """One for each period; too many at once are refused before any is made."""
    every = ORDER.monitor.every
    begin = NOW - timedelta(seconds=periods * every + min(rest, every - 1) + 1)
    if periods + 1 > LOOKS_AT_ONCE:
        with pytest.raises(InvalidInputError, match="would look about") as caught:
            count_looks(ORDER.monitor, begin, NOW, NOW)
        assert str(LOOKS_AT_ONCE) in caught.value.remedy
    elif periods + 1 < LOOKS_AT_ONCE:
        assert count_looks(ORDER.monitor, begin, NOW, NOW) in (periods + 1, periods + 2)


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [(NOW, NOW, "is not after"), (NOW, NOW - timedelta(1), "is not after"), (NOW, NOW + timedelta(1), "not been yet")],
)
def test_what_cannot_be_made_up_for(since: datetime, until: datetime, said: str) -> None:
    """Nothing, the future, and time that runs backwards."""
    with pytest.raises(InvalidInputError, match=said):
        count_looks(ORDER.monitor, since, until, NOW)


@pytest.mark.parametrize("text", ["2026-03-01T00:00+01:00", "2026-02-28T23:00Z", "2026-02-28 23:00:00+00:00"])
def test_a_moment_has_its_zone(text: str) -> None:
    """The same one, however it is written."""
    assert moment_of(text, "--from") == datetime(2026, 2, 28, 23, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-03-01", "2026-03-01T00:00", "yesterday", "", "2026-13-01T00:00Z"])
def test_a_moment_without_a_zone_is_none(text: str) -> None:
    """Whose midnight is meant is not guessed."""
    with pytest.raises(InvalidInputError, match=r"--from: .* time zone"):
        moment_of(text, "--from")
