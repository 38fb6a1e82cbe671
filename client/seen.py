"""What monitors have read of a model, value by value."""

from collections.abc import Sequence
from typing import NamedTuple

from client.views import Looked
from models.plan import Plan
from models.verdict import Reading


class Seen(NamedTuple):
    """A reading, and the look that it is from."""

    look: Looked
    reading: Reading


def seen_of(looks: Sequence[Looked], name: str, plan: Plan | None) -> list[Seen]:
    """One value for each window and version, by a monitor that judges it; of several the newest. Oldest first."""
    judging = _judging(name, plan)
    found: dict[tuple[str, int | None], Seen] = {}
    for look in sorted(looks, key=lambda look: (look.monitor in judging, look.looked)):
        for reading in look.readings:
            if reading.name == name:
                found[look.window, look.version] = Seen(look, reading)
    return sorted(found.values(), key=lambda one: one.look.at)


def course_of(looks: Sequence[Looked], name: str, plan: Plan | None) -> list[Reading | None]:
    """The same as readings alone; None where a monitor that judges it has looked and found none."""
    judging = _judging(name, plan)
    empty = [
        (look.at, None)
        for look in looks
        if look.monitor in judging and name not in {reading.name for reading in look.readings}
    ]
    there = [(one.look.at, one.reading) for one in seen_of(looks, name, plan)]
    return [reading for _, reading in sorted([*empty, *there], key=lambda one: one[0])]


def _judging(name: str, plan: Plan | None) -> set[str]:
    return {monitor.id for monitor in plan.monitors if name in monitor.checks} if plan else set()
