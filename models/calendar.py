"""Business days: when a wait is over that counts only the days on which people work."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from models.canonical import Frozen, replace
from models.waits import Wait

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_ZONE = re.compile(r"(?:UTC|[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z0-9_+-]+){1,2})\Z")
_WHOLE = 24
_NEXT = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


def _day(value: object) -> object:
    if not isinstance(value, str) or not _DAY.match(value):
        raise PydanticCustomError("day", "a day is written as in 2026-04-17")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("day", "there is no such day") from None


def _zone(name: str) -> str:
    try:
        known = bool(_ZONE.match(name)) and ZoneInfo(name).key == name
    except (KeyError, ValueError, OSError):
        known = False
    if not known:
        raise PydanticCustomError("zone", "there is no such zone: write one as in Europe/Berlin, or UTC")
    return name


def _rising(hours: tuple[int, int]) -> tuple[int, int]:
    if hours[0] >= hours[1]:
        raise PydanticCustomError("hours", "work begins before it ends, as in [9, 17]")
    return hours


Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "examples": ["2026-04-17"]}),
]
"""A day of the calendar, as in 2026-04-17."""

Zone = Annotated[str, AfterValidator(_zone)]
"""A zone of the IANA time zone database, as in Europe/Berlin."""

Hours = Annotated[
    tuple[Annotated[int, Field(ge=0, le=23)], Annotated[int, Field(ge=1, le=24)]], AfterValidator(_rising)
]
"""When work begins and when it ends, as in 9 and 17."""

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Weekday, ...] = get_args(Weekday)


class Calendar(Frozen):
    """On which days people work, where, and between which hours (none: the whole day)."""

    zone: Zone
    workdays: tuple[Weekday, ...] = Field(min_length=1, max_length=7)
    hours: Hours | None = Field(default=None, exclude_if=lambda hours: hours is None)
    holidays: tuple[Day, ...] = Field(default=(), max_length=1_000, exclude_if=lambda holidays: not holidays)

    @property
    def in_order(self) -> "Calendar":
        """The same, its days in the order of the week and of the year."""
        workdays = tuple(day for day in WEEK if day in self.workdays)
        return replace(self, workdays=workdays, holidays=tuple(sorted(self.holidays)))

    def works(self, day: date) -> bool:
        """Whether people work on a day."""
        return WEEK[day.weekday()] in self.workdays and day not in self.holidays


def later(calendar: Calendar | None, begin: datetime, wait: Wait) -> datetime:
    """When a wait is over (UTC): after its seconds, or at the same time of day after so many business days.

    Outside working hours, a wait in business days begins when they do.
    """
    if isinstance(wait, int):
        return begin + timedelta(seconds=wait)
    if calendar is None:
        raise ValueError(f"'{wait}' counts business days, and there is no calendar")
    zone = ZoneInfo(calendar.zone)
    day, clock = _at_work(calendar, begin.astimezone(zone))
    for _ in range(int(wait.removesuffix("bd"))):
        day = _from(calendar, day + _NEXT)
    return _moment(day, clock, zone)


def _at_work(calendar: Calendar, local: datetime) -> tuple[date, time]:
    """The first moment from a moment on at which people work."""
    opens, closes = calendar.hours or (0, _WHOLE)
    day, clock = local.date(), local.time()
    if calendar.works(day) and (closes == _WHOLE or clock <= time(closes)):
        return day, max(clock, time(opens))
    return _from(calendar, day + _NEXT), time(opens)


def _from(calendar: Calendar, day: date) -> date:
    """The first working day from a day on."""
    while not calendar.works(day):
        day += _NEXT
    return day


def _moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """A time of day as a moment; where the clocks leap over it, the moment after they have leapt."""
    local = datetime.combine(day, clock, zone)
    while local.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) != local.replace(tzinfo=None):
        local = local.replace(second=0, microsecond=0) + _MINUTE
    return local.astimezone(UTC)
