"""When a gate reminds, escalates and runs out, when approvals lapse, and when a champion is to be looked at anew."""

from datetime import datetime, timedelta

from models.calendar import later
from models.canonical import Frozen
from models.plan import GatePlan, Plan
from models.standing import lapses
from models.state import Phase, State
from models.waits import Wait

REVIEW = "review"


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
    """When each timer of the open gate and its approvals is due that has not gone off; in production, the review."""
    if state.phase is Phase.STEADY and plan.review and state.reviewed:
        return {REVIEW: state.reviewed + timedelta(seconds=plan.review.every)}
    gate, visit = state.gate_plan(plan), state.gate
    if gate is None or visit is None:
        return {}
    left = {timer: after for timer, after in timers(gate).items() if timer not in visit.fired}
    due = {timer: later(plan.calendar, visit.opened, after) for timer, after in left.items()}
    return due | lapses(plan.calendar, gate, visit)


def pending(plan: Plan, state: State) -> tuple[Deadline, ...]:
    """The timers that run, soonest first."""
    soonest = sorted((due, timer) for timer, due in running(plan, state).items())
    return tuple(Deadline(timer=timer, due=due) for due, timer in soonest)
