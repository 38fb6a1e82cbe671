"""What a breach may start: every automatic action has brakes, one is under way at a time, and none undoes another.

It ends somewhere safe: what a monitor may not start by itself, its brakes replace by telling people or by suspending.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from models.evidence import StepKind
from models.messages import Breach, Notify
from models.plan import MonitorPlan, Plan, Remedy
from models.state import Phase, RemedyUse, State, Turn

_ORDER = tuple(Remedy)
_BRAKED = "its brakes are on"
_CHANGES_PRODUCTION = (StepKind.PROMOTE, StepKind.RESTORE)
_REASONS = 300


class Chosen(NamedTuple):
    """What a breach starts; `why` it is not what its monitor says, empty if it is."""

    remedy: Remedy
    why: str = ""


def choose_remedy(plan: Plan, state: State, monitor: MonitorPlan, window: str, at: datetime) -> Chosen:
    """The monitor's remedy, or what takes its place: its brakes, telling people while another one is under way."""
    wanted, braked = monitor.then, _braked(state, monitor, at)
    if not braked and (busy := _busy(plan, state, wanted, at)):
        return Chosen(Remedy.ESCALATE, busy)
    why = braked or _loop(state, monitor, window) or _impossible(plan, state, wanted)
    if why:
        wanted = monitor.brakes.otherwise
    if wanted is Remedy.SUSPEND and not can_suspend(plan, state):
        return Chosen(Remedy.ESCALATE, why or "there is nothing to suspend")
    return Chosen(wanted, why)


def may_start(under_way: Remedy | None, wanted: Remedy) -> bool:
    """Whether a remedy may start beside one that is under way: what only tells people, and what is safer at once."""
    if under_way is None or wanted in (Remedy.ESCALATE, Remedy.INVESTIGATE, Remedy.SUSPEND):
        return True
    return wanted is Remedy.ROLLBACK and _ORDER.index(under_way) < _ORDER.index(wanted)


def under_way(plan: Plan, state: State, at: datetime) -> Remedy | None:
    """What is being done to a model already, by whomever; a version on its way counts as one that is trained."""
    order = state.in_flight or state.held
    turn = state.intent.turn if state.intent else Turn.NEW_VERSION
    if turn >= Turn.SUSPEND or state.stage == plan.enters.suspension:
        return Remedy.SUSPEND
    changes = order and order.kind in _CHANGES_PRODUCTION and order.environment == plan.production
    if turn is Turn.ROLLBACK or changes:
        return Remedy.ROLLBACK
    if state.phase is not Phase.STEADY:
        return Remedy.RETRAIN
    return Remedy.TIGHTEN if state.tightened and at < state.tightened.until else None


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
    champion = state.champion.number if state.champion else None
    return (*kept, RemedyUse(at=at, monitor=monitor.id, remedy=remedy, window=window, version=champion))


def acted_on(state: State, monitor: MonitorPlan, remedy: Remedy, window: str) -> bool:
    """Whether a breach on a window has had its remedy: to have told people does not stand in for anything stronger."""
    had = [use.remedy for use in state.remedies if (use.monitor, use.window) == (monitor.id, window)]
    return bool(had) and (remedy is Remedy.ESCALATE or any(one is not Remedy.ESCALATE for one in had))


def told(state: State, monitor: MonitorPlan, breach: Breach, chosen: Chosen) -> Notify:
    """What people hear of a breach; an investigation is a message of its own kind, for whoever opens tickets.

    Those that tell people alone are a thread of their monitor: a flood of them is no flood of messages.
    """
    topic = "investigate" if chosen.remedy is Remedy.INVESTIGATE else "breach"
    instead = f", not {monitor.then}: {chosen.why}" if chosen.why else ""
    reasons = "; ".join(breach.reasons)[:_REASONS]
    return Notify(
        visit=state.visit,
        topic=f"{topic}:{state.seq}",
        roles=(monitor.to,) if monitor.to else (),
        subject=f"{state.model}: {monitor.id} breached ({reasons}); remedy: {chosen.remedy}{instead}",
        thread=monitor.id if chosen.remedy is Remedy.ESCALATE else "",
    )


def _braked(state: State, monitor: MonitorPlan, at: datetime) -> str:
    if monitor.then is Remedy.ESCALATE:
        return ""
    brakes = monitor.brakes
    uses = [at - use.at for use in state.remedies if use.monitor == monitor.id and use.remedy is monitor.then]
    recent = [ago for ago in uses if ago < timedelta(seconds=brakes.per)]
    on = len(recent) >= brakes.at_most or any(ago < timedelta(seconds=brakes.cooldown) for ago in uses)
    return _BRAKED if on else ""


def _busy(plan: Plan, state: State, wanted: Remedy, at: datetime) -> str:
    already = under_way(plan, state, at)
    if may_start(already, wanted):
        return ""
    words = {Remedy.RETRAIN: "a new version is under way", Remedy.TIGHTEN: "a monitor is tightened"}
    return f"one thing at a time: {words.get(already, f'{already} is under way') if already else ''}"


def _loop(state: State, monitor: MonitorPlan, window: str) -> str:
    """Why a remedy would only undo, or do again, what another one has done."""
    for use in state.remedies:
        if use.remedy is not Remedy.RETRAIN:
            continue
        if monitor.then is Remedy.RETRAIN and use.window == window:
            return f"loop: a version has been trained on window {window} already, because of {use.monitor}"
        if monitor.then is Remedy.ROLLBACK and state.previous and use.version == state.previous.number:
            return f"loop: version {use.version} was in breach of {use.monitor}, and to be replaced"
    return ""


def _impossible(plan: Plan, state: State, wanted: Remedy) -> str:
    if wanted is not Remedy.ROLLBACK:
        return ""
    if state.previous is None:
        return "there is no previous champion to roll back to"
    return "" if plan.production in state.serving else "nothing serves that could be rolled back"
