"""Monitors as the clock has them: whether each look that a plan demands is made, and what contradicts that."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from models.errors import InvalidInputError, RefusedError
from models.monitoring import MonitorOrder
from models.plan import MonitorPlan
from models.reconciliation import Finding, FindingKind

LOOKS_AT_ONCE = 500
"""So many looks may be made up for at once: the server keeps a thousand waiting."""


class Watch(NamedTuple):
    """A monitor's schedule: whether it is paused, what its note says, in what it differs, and when it looks next."""

    paused: bool
    note: str
    differs: str = ""
    next: datetime | None = None


def schedule_of(model: str, monitor: str, tightened: bool = False) -> str:
    """The name of a monitor's schedule, or of its second one while it looks more often; its workflows' ids begin so."""
    return f"monitor/{model}/{monitor}{'/tightened' * tightened}"


def note_of(deed: str, person: str, reason: str) -> str:
    """What a schedule says of who has paused or resumed it, and why."""
    return f"{deed} by {person}: {reason}"


def unwatched(expected: Iterable[MonitorOrder], seen: Mapping[str, Watch]) -> Iterator[Finding]:
    """What is not watched as the plans of models that serve demand; `seen` are the schedules that there are."""
    for order in expected:
        name = schedule_of(order.model, order.monitor.id)
        watch, subject = seen.get(name), f"monitor '{order.monitor.id}' of '{order.model}'"
        if watch is None:
            text = f"{subject} has no schedule: nothing is measured until somebody makes it anew"
            yield Finding(kind=FindingKind.MONITOR_DIFFERS, model=order.model, about=name, text=text)
        elif watch.differs:
            text = f"{subject} runs otherwise than the plan says: {watch.differs}"
            yield Finding(kind=FindingKind.MONITOR_DIFFERS, model=order.model, about=name, text=text)
        if watch and watch.paused:
            text = f"{subject} is paused, and nothing is measured: {watch.note or 'nobody says why'}"
            yield Finding(kind=FindingKind.MONITOR_PAUSED, model=order.model, about=name, text=text)


def count_looks(monitor: MonitorPlan, since: datetime, until: datetime, now: datetime) -> int:
    """About how many looks are made up for between two moments; InvalidInputError if that cannot be."""
    if until <= since:
        raise InvalidInputError(f"{until:%Y-%m-%d %H:%M %Z} is not after {since:%Y-%m-%d %H:%M %Z}", "swap them")
    if until > now:
        raise InvalidInputError(
            "what has not been yet cannot be made up for", "leave out --until, or name a past moment"
        )
    looks = int((until - since).total_seconds() // monitor.every) + 1
    if looks > LOOKS_AT_ONCE:
        raise InvalidInputError(
            f"'{monitor.id}' would look about {looks} times", f"do it in parts of at most {LOOKS_AT_ONCE}"
        )
    return looks


def demand_served(since: datetime, version: int, served: datetime) -> None:
    """RefusedError if looks are to be made up for that were due before the version began to serve (UTC)."""
    if since < served:
        first = (served + timedelta(seconds=1)).replace(microsecond=0)
        raise RefusedError(
            f"version {version} serves since {served:%Y-%m-%d %H:%M:%S} UTC: it has nothing to show of the time before",
            f"name a later moment: --from {first.isoformat()}",
        )


def moment_of(text: str, option: str) -> datetime:
    """A moment with its time zone (ISO 8601); InvalidInputError without one: whose midnight is meant?"""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidInputError(
            f"{option}: '{text}' is no moment with its time zone", "write 2026-03-01T00:00+01:00, or 2026-03-01T00:00Z"
        )
    return found
