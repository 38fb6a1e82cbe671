"""Outcomes that become known later than a window is measured: how many are, and what that changes in a breach."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from models.evidence import WindowReport
from models.inventory import Measured
from models.monitoring import is_breach
from models.plan import MonitorPlan
from models.verdict import Reading, Verdict

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class _Judged(Protocol):
    @property
    def verdict(self) -> str: ...

    @property
    def unmeasured(self) -> bool: ...


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
    """Each window once, by the last look at it, in the order of what they stood for when they were looked at first;
    given in that of the record.
    """
    last = {one.window: one for one in measured}
    first = {one.window: one.moment or _LONG_AGO for one in reversed(measured)}
    return sorted(last.values(), key=lambda one: first[one.window])


def unmeasured_before(looks: Sequence[Look], moment: datetime) -> bool:
    """Whether the newest look that stands for an earlier moment could not measure all that it was to."""
    earlier = [look for look in looks if (look.moment or _LONG_AGO) < moment]
    return bool(earlier) and earlier[-1].unmeasured


def is_borne(look: _Judged) -> bool:
    """Whether a look could not measure, and is no failure: it tells nothing."""
    return look.unmeasured and look.verdict == Verdict.INCONCLUSIVE


def verdicts_of(looks: Sequence[_Judged]) -> list[str]:
    """What decides whether looks are a breach: looks that tell nothing are none between others."""
    return [look.verdict for place, look in enumerate(looks, 1) if place == len(looks) or not is_borne(look)]


def decided(looks: Sequence[Look]) -> Sequence[Look]:
    """Without the newest windows of which nothing can be said yet: their outcomes are still to come."""
    end = len(looks)
    while end and looks[end - 1].verdict == Verdict.INCONCLUSIVE:
        end -= 1
    return looks[:end]


def standing(monitor: MonitorPlan, looks: Sequence[Look]) -> Sequence[Look]:
    """The looks up to the one that is a breach; none if none is. What outcomes have made known is not hidden by newer
    windows of which nothing can be said yet; nor is anything over because the newest looks could not measure.
    """
    known, end = decided(looks), len(looks)
    while end and is_borne(looks[end - 1]):
        end -= 1
    found = known if known and known[-1].looks > 1 else looks[:end]
    return found if is_breach(monitor, verdicts_of(found)) else ()


def late_breach(monitor: MonitorPlan, looks: Sequence[Look], at: datetime) -> Look | None:
    """The window that is a breach by outcomes which became known within the last period. It is told until the next look
    has told it, too: one may have been lost.
    """
    found = standing(monitor, looks)
    if not found or found[-1].looks == 1 or found[-1].looked <= at - timedelta(seconds=monitor.every):
        return None
    return found[-1]
