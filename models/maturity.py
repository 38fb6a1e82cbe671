"""Outcomes that become known later than a window is measured: how many are, and what that changes in a breach."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from models.evidence import WindowReport
from models.inventory import Measured
from models.monitoring import is_breach
from models.plan import MonitorPlan
from models.verdict import Reading, Verdict

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Look(NamedTuple):
    """What was found in a window by the last of so many looks at it, when that was, and the digest of its outcomes.

    `moment` is what the window stands for; `unmeasured`: not all could be measured that was to be.
    """

    window: str
    verdict: str
    reasons: tuple[str, ...]
    looked: datetime
    looks: int = 1
    outcomes: str | None = None
    moment: datetime | None = None
    unmeasured: bool = False


def label_maturity(report: WindowReport) -> Reading:
    """The share of a window's rows whose outcome is known."""
    known = next((reading.count for reading in report.readings if reading.name == "live_accuracy"), 0)
    return Reading(name="label_maturity", value=known / report.rows if report.rows else 0.0, count=report.rows)


def last_looks(measured: Sequence[Measured]) -> list[Measured]:
    """Each window once, by the last look at it, in the order of what they stand for; given in that of the record."""
    last = {one.window: one for one in measured}
    return sorted(last.values(), key=lambda one: one.moment or _LONG_AGO)


def unmeasured_before(looks: Sequence[Look], moment: datetime) -> bool:
    """Whether the newest look that stands for an earlier moment could not measure all that it was to."""
    earlier = [look for look in looks if (look.moment or _LONG_AGO) < moment]
    return bool(earlier) and earlier[-1].unmeasured


def decided(looks: Sequence[Look]) -> Sequence[Look]:
    """Without the newest windows of which nothing can be said yet: their outcomes are still to come."""
    end = len(looks)
    while end and looks[end - 1].verdict == Verdict.INCONCLUSIVE:
        end -= 1
    return looks[:end]


def standing(monitor: MonitorPlan, looks: Sequence[Look]) -> Sequence[Look]:
    """The looks up to the one that is a breach; none if none is. What outcomes have made known is not hidden by newer
    windows of which nothing can be said yet; nor is anything over because the newest look could not measure.
    """
    known = decided(looks)
    late = known and known[-1].looks > 1
    blind = looks and looks[-1].unmeasured and looks[-1].verdict == Verdict.INCONCLUSIVE
    found = known if late else looks[:-1] if blind else looks
    return found if is_breach(monitor, [look.verdict for look in found]) else ()


def late_breach(monitor: MonitorPlan, looks: Sequence[Look], at: datetime) -> Look | None:
    """The window that is a breach by outcomes which became known within the last period. It is told until the next look
    has told it, too: one may have been lost.
    """
    found = standing(monitor, looks)
    if not found or found[-1].looks == 1 or found[-1].looked <= at - timedelta(seconds=monitor.every):
        return None
    return found[-1]
