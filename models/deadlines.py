"""When a gate reminds, escalates and runs out, approvals lapse, a champion is to be looked at anew, a waiver ends."""

from datetime import datetime, timedelta
from typing import NamedTuple

from models import emergency, waivers
from models.calendar import later
from models.canonical import Frozen, spell_duration
from models.messages import Notify
from models.plan import GatePlan, Plan
from models.standing import LAPSE, lapses
from models.state import Phase, State, change
from models.waits import Wait

REVIEW = "review"
_OF_A_GATE = {
    "remind": "a reminder",
    "escalate": "an escalation",
    "sla": "the deadline",
    LAPSE: "the end of an approval",
}


class Rung(NamedTuple):
    """What a timer led to, and whom to tell."""

    state: State
    notice: Notify


class Deadline(Frozen):
    """A timer and when it is due (UTC)."""

    timer: str
    due: datetime


def timers(gate: GatePlan) -> dict[str, Wait]:
    """How long after its opening each timer of a gate is due: `remind:0`, `escalate:0`, `sla`."""
    found = {f"remind:{index}": after for index, after in enumerate(gate.remind)}
    found |= {f"escalate:{index}": escalation.after for index, escalation in enumerate(gate.escalate)}
    return found | {"sla": gate.sla}


def running(plan: Plan, state: State) -> dict[str, datetime]:
    """When each timer is due that has not gone off: of the stage, of waivers, of an emergency nobody has confirmed."""
    if state.phase is Phase.ENDED:
        return {}
    return _of_stage(plan, state) | waivers.running(plan, state) | emergency.running(state)


def _of_stage(plan: Plan, state: State) -> dict[str, datetime]:
    """When each timer of the open gate and its approvals is due that has not gone off; in production, the review."""
    if state.phase is Phase.STEADY and plan.review and state.reviewed:
        return {REVIEW: state.reviewed + timedelta(seconds=plan.review.every)}
    gate, visit = state.gate_plan(plan), state.gate
    if gate is None or visit is None:
        return {}
    left = {timer: after for timer, after in timers(gate).items() if timer not in visit.fired}
    due = {timer: later(plan.calendar, visit.opened, after) for timer, after in left.items()}
    return due | lapses(plan.calendar, gate, visit)


def ring(plan: Plan, state: State, timer: str, at: datetime) -> Rung | None:
    """What comes of a timer that is due; None for one of a gate, which the kernel knows."""
    if waivers.is_end(timer):
        return Rung(*waivers.fire(plan, state, timer, at))
    if timer == emergency.GLASS:
        state = emergency.overdue(state)
        return Rung(state, emergency.notice(plan, state))
    if timer != REVIEW or plan.review is None:
        return None
    subject = f"{state.model}: the champion is to be looked at anew, every {spell_duration(plan.review.every)}"
    topic = f"{REVIEW}:{state.seq}"
    told = Notify(visit=state.visit, topic=topic, roles=(plan.review.to,), subject=subject)
    return Rung(change(state, reviewed=at), told)


def timer_in_words(timer: str) -> str:
    """What is due when a timer fires: `the deadline of the gate`."""
    if waivers.is_end(timer):
        return waivers.timer_in_words(timer)
    if timer == emergency.GLASS:
        return "the confirmation of what was done in an emergency"
    if timer == REVIEW:
        return "the review of the champion"
    return f"{_OF_A_GATE.get(timer.partition(':')[0], 'a timer')} of the gate"


def pending(plan: Plan, state: State) -> tuple[Deadline, ...]:
    """The timers that run, soonest first."""
    soonest = sorted((due, timer) for timer, due in running(plan, state).items())
    return tuple(Deadline(timer=timer, due=due) for due, timer in soonest)
