"""What a breach may start: every automatic action has brakes, and they end somewhere safe."""

from datetime import datetime, timedelta

from models.plan import MonitorPlan, Plan, Remedy
from models.state import Phase, RemedyUse, State


def choose_remedy(plan: Plan, state: State, monitor: MonitorPlan, at: datetime) -> Remedy:
    """The monitor's remedy, or what its brakes put in its place."""
    remedy = monitor.then
    if remedy is not Remedy.ESCALATE and _braked(state, monitor, at):
        remedy = monitor.brakes.otherwise
    if remedy is Remedy.SUSPEND and not can_suspend(plan, state):
        return Remedy.ESCALATE
    if remedy is Remedy.RETRAIN and state.phase is not Phase.STEADY:
        return Remedy.ESCALATE
    return remedy


def can_suspend(plan: Plan, state: State) -> bool:
    """Whether there is a champion to suspend, and a stage to suspend it to."""
    return plan.enters.suspension is not None and (state.doubtful or plan.production in state.serving)


def used(state: State, monitor: MonitorPlan, remedy: Remedy, window: str, at: datetime) -> tuple[RemedyUse, ...]:
    """All uses with this one, without those of the same monitor that no brake counts."""
    horizon = at - timedelta(seconds=max(monitor.brakes.per, monitor.brakes.cooldown))
    counts = monitor.then is not Remedy.ESCALATE
    kept = [
        u for u in state.remedies if u.monitor != monitor.id or (counts and u.remedy is monitor.then and u.at > horizon)
    ]
    return (*kept, RemedyUse(at=at, monitor=monitor.id, remedy=remedy, window=window))


def acted_on(state: State, monitor: MonitorPlan, remedy: Remedy, window: str) -> bool:
    """Whether a breach on a window has had its remedy: to have told people does not stand in for anything stronger."""
    had = [use.remedy for use in state.remedies if (use.monitor, use.window) == (monitor.id, window)]
    return bool(had) and (remedy is Remedy.ESCALATE or any(one is not Remedy.ESCALATE for one in had))


def _braked(state: State, monitor: MonitorPlan, at: datetime) -> bool:
    brakes = monitor.brakes
    uses = [at - use.at for use in state.remedies if use.monitor == monitor.id and use.remedy is monitor.then]
    recent = [ago for ago in uses if ago < timedelta(seconds=brakes.per)]
    return len(recent) >= brakes.at_most or any(ago < timedelta(seconds=brakes.cooldown) for ago in uses)
