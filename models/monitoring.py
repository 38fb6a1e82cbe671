"""What a scheduled check is asked, what it found, and whether that is a breach."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import Field

from models.canonical import Frozen, Slug, replace
from models.evidence import StepResult
from models.inventory import Environment
from models.messages import Breach
from models.plan import MonitorPlan, Plan
from models.verdict import Kpi, Verdict

CUT = timedelta(seconds=1)
"""A schedule's moment is cut to whole seconds: it may have been as much later."""

_EXACT = timedelta(milliseconds=100)
"""How exact the times of files are, beside those of the record."""

SILENT_AFTER = 2
"""A monitor without new data for this many of its periods is itself failing: silence is never consent."""


class MonitorOrder(Frozen):
    """One check of one monitor: the input of the schedule's workflow. `tightened`: it looks more often for a while.

    `at` (UTC) is the moment that the check stands for, if a schedule says so: of one that is made up for, long ago.
    """

    model: Slug
    monitor: MonitorPlan
    kpis: tuple[Kpi, ...]
    environment: Environment
    tightened: bool = Field(default=False, exclude_if=lambda tightened: not tightened)
    at: datetime | None = Field(default=None, exclude_if=lambda at: at is None)

    @property
    def every(self) -> int:
        """After how many seconds it looks again."""
        return self.monitor.tightened if self.tightened else self.monitor.every


def monitor_orders(model: Slug, plan: Plan) -> tuple[MonitorOrder, ...]:
    """The checks that a plan has made of a model, in its order."""
    return tuple(
        MonitorOrder(
            model=model,
            monitor=monitor,
            kpis=tuple(plan.kpi(name) for name in monitor.checks),
            environment=plan.production or Environment.PROD,
        )
        for monitor in plan.monitors
    )


def tightened_order(model: Slug, plan: Plan, monitor: Slug) -> MonitorOrder | None:
    """The check of a monitor that a plan has tightened after a breach; None if it has not."""
    orders = {order.monitor.id: order for order in monitor_orders(model, plan) if order.monitor.tightened}
    found = orders.get(monitor)
    return replace(found, tightened=True) if found else None


def moment_of(order: MonitorOrder, now: datetime) -> datetime:
    """What a check stands for: what it says, but nothing that is still to come, for anybody may order a check."""
    return min(order.at, now) if order.at else now


class MonitorOutcome(Frozen):
    """What the check found; `breach` if the lifecycle has to hear of it.

    `missed` says why windows that were measured before could not be measured again, now that more is known of them.
    """

    result: StepResult
    breach: Breach | None = None
    missed: str = Field(default="", exclude_if=lambda missed: not missed)


def is_silent(monitor: MonitorPlan, last: datetime, at: datetime) -> bool:
    """Whether nothing was heard for too long since the last window, or since the champion began to serve."""
    return (at - last).total_seconds() > SILENT_AFTER * monitor.every


def is_early(about: datetime, since: datetime) -> bool:
    """Whether a look is about what was over when the version began to serve."""
    return about <= since - _EXACT


def unmeasured_verdict(judged: Verdict, before: bool) -> Verdict:
    """Of a look that could not measure all that it was to; what it could measure was `judged` so.

    One alone is INCONCLUSIVE: a source may be down. The second in a row, as `before` says, is a failure, and so is what
    was measured and fails: neither silence nor blindness is consent.
    """
    return Verdict.FAIL if before or judged is Verdict.FAIL else Verdict.INCONCLUSIVE


def is_breach(monitor: MonitorPlan, verdicts: Sequence[str]) -> bool:
    """Whether the newest verdict (they come oldest first) is a failure, and as many of the last as the plan says."""
    tail = list(verdicts)[-monitor.looks :]
    return bool(tail) and tail[-1] == "fail" and tail.count("fail") >= monitor.breaches
