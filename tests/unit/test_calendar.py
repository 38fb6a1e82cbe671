"""Business days: laws that hold in every zone, through every change of clocks, and a few dates by hand."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.calendar import WEEK, Calendar, later
from models.canonical import digest
from models.compiler import compile_template
from models.deadlines import pending
from models.state import Phase
from models.status import describe
from models.waits import at_least, never_later
from tests.unit.good_templates import GOOD
from tests.unit.kernel_world import World

ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "America/Havana",
        "America/Santiago",
        "Africa/Cairo",
        "Asia/Beirut",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Pacific/Kiritimati",
        "Antarctica/Troll",
    ]
)
DAYS = st.dates(date(2025, 1, 1), date(2027, 12, 31))
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - they get one
COUNTS = st.integers(1, 40)


def calendars(hours: st.SearchStrategy[tuple[int, int] | None]) -> st.SearchStrategy[Calendar]:
    """Some working days, some holidays."""
    return st.builds(
        Calendar,
        zone=ZONES,
        workdays=st.sets(st.sampled_from(WEEK), min_size=1).map(tuple),
        hours=hours,
        holidays=st.lists(DAYS.map(date.isoformat), max_size=30).map(tuple),
    )


BY_DAY = calendars(st.tuples(st.integers(4, 14), st.integers(15, 24)))
"""People work when no clock is changed."""
ANY = calendars(st.none() | st.tuples(st.integers(0, 14), st.integers(15, 24)))
BERLIN = Calendar(zone="Europe/Berlin", workdays=WEEK[:5], holidays=("2026-12-25",))
OFFICE = Calendar(zone="Europe/Berlin", workdays=WEEK[:5], hours=(9, 17))


def local(calendar: Calendar, moment: datetime) -> datetime:
    """A moment as the clocks of a calendar show it."""
    return moment.astimezone(ZoneInfo(calendar.zone))


@settings(max_examples=300, deadline=None)
@given(ANY, MOMENTS, MOMENTS, COUNTS)
def test_who_begins_later_is_due_no_sooner(calendar: Calendar, one: datetime, other: datetime, days: int) -> None:
    """Monotone in when it begins, and in how long it is."""
    early, late = sorted((one, other))
    assert later(calendar, early, f"{days}bd") <= later(calendar, late, f"{days}bd")
    assert later(calendar, early, f"{days}bd") < later(calendar, early, f"{days + 1}bd")


@settings(max_examples=300, deadline=None)
@given(ANY, MOMENTS, COUNTS)
def test_nothing_is_due_while_nobody_works(calendar: Calendar, begin: datetime, days: int) -> None:
    """Always on a working day, within its hours; as many working days later as was said."""
    due = local(calendar, later(calendar, begin, f"{days}bd"))
    opens, closes = calendar.hours or (0, 24)
    assert calendar.works(due.date())
    assert due.time() >= time(opens)
    assert closes == 24 or due.time() <= time(closes)
    first, between = local(calendar, begin).date(), 0
    while first < due.date():
        first += timedelta(days=1)
        between += calendar.works(first)
    assert between in (days, days + 1)


@settings(max_examples=300, deadline=None)
@given(BY_DAY, MOMENTS, COUNTS, COUNTS)
def test_days_add_up(calendar: Calendar, begin: datetime, one: int, other: int) -> None:
    """So many days and then so many more are their sum, whatever the clocks do in between."""
    there = later(calendar, begin, f"{one}bd")
    assert later(calendar, there, f"{other}bd") == later(calendar, begin, f"{one + other}bd")


@settings(max_examples=300, deadline=None)
@given(ANY, MOMENTS, COUNTS, st.integers(1, 60 * 86_400))
def test_what_is_never_later_is_not(calendar: Calendar, begin: datetime, days: int, seconds: int) -> None:
    """A wait in business days lasts as long as is said at least, so that the compiler may compare it with others."""
    due = later(calendar, begin, f"{days}bd")
    assert due - begin >= timedelta(seconds=at_least(f"{days}bd"))
    if never_later(seconds, f"{days}bd"):
        assert later(calendar, begin, seconds) <= due
    assert not never_later(f"{days}bd", seconds)


@pytest.mark.parametrize(
    ("calendar", "begin", "wait", "due"),
    [
        (BERLIN, "2026-12-23T10:00+01:00", "1bd", "2026-12-24T10:00+01:00"),
        (BERLIN, "2026-12-24T10:00+01:00", "1bd", "2026-12-28T10:00+01:00"),
        (BERLIN, "2026-12-26T10:00+01:00", "1bd", "2026-12-29T00:00+01:00"),
        (BERLIN, "2026-03-27T10:00+01:00", "1bd", "2026-03-30T10:00+02:00"),
        (BERLIN, "2026-10-23T10:00+02:00", "1bd", "2026-10-26T10:00+01:00"),
        (OFFICE, "2026-11-27T18:30+01:00", "2bd", "2026-12-02T09:00+01:00"),
        (OFFICE, "2026-11-27T17:00+01:00", "2bd", "2026-12-01T17:00+01:00"),
        (OFFICE, "2026-11-27T03:00+01:00", "1bd", "2026-11-30T09:00+01:00"),
        (OFFICE, "2026-11-27T18:30+01:00", 3_600, "2026-11-27T19:30+01:00"),
    ],
)
def test_by_hand(calendar: Calendar, begin: str, wait: int | str, due: str) -> None:
    """Holidays, weekends, both changes of clocks, evenings and nights; seconds are seconds."""
    assert later(calendar, datetime.fromisoformat(begin), wait) == datetime.fromisoformat(due)


def test_a_time_that_the_clocks_leap_over() -> None:
    """Half past two does not exist on that night: it is due when the clocks have leapt to three."""
    nights = Calendar(zone="Europe/Berlin", workdays=WEEK)
    due = later(nights, datetime.fromisoformat("2026-03-28T02:30+01:00"), "1bd")
    assert local(nights, due).isoformat() == "2026-03-29T03:00:00+02:00"


def test_a_gate_is_due_by_the_calendar() -> None:
    """A gate that opens on Monday morning and waits ten business days, and the same is told as its due time."""
    plan = compile_template(GOOD["business-days"], "t")
    world = World(plan)
    world.start()
    world.run("development")
    world.submit()
    while world.state.phase is not Phase.DECIDING:
        world.answer()
    assert world.state.gate is not None
    begun = world.state.gate.opened
    assert begun.date() == date(2026, 1, 5)
    due = {one.timer: one.due - begun for one in pending(plan, world.state)}
    days = {"remind:0": 3, "remind:1": 9, "sla": 14, "escalate:0": 15}
    assert due == {timer: timedelta(days=count) for timer, count in days.items()}
    assert describe(plan, digest(plan), world.state).due == begun + timedelta(days=14)
    assert "calendar" not in compile_template(GOOD["credit"], "t").model_dump(mode="json")
