"""What must hold of findings, approvals that lapse, waivers and emergencies: said in words when it does not."""

from collections.abc import Iterable

from models.evidence import ENTERS, StepKind, StepOrder
from models.lifecycle import Step
from models.messages import (
    Action,
    Breached,
    Decided,
    Decision,
    Event,
    Notify,
    Requested,
    TimerFired,
)
from models.plan import Plan
from models.standing import LAPSE
from models.state import Finding, State, Turn, turn_of


def findings_stay_until_they_are_closed(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """A finding is open until the gate is passed, by approvals of its role that close it; a new one is open at once."""
    left, made = after.state.findings, decisions_after(before, event)
    lost = [one for one in before.findings if one not in left]
    if any(one in _open(lost, made) for one in lost) or (lost and after.state.visit == before.visit):
        return f"finding {lost[0].id} is gone, and nobody of '{lost[0].role}' has closed it"
    raised = event.body.decision.findings if isinstance(event.body, Decided) else ()
    if len(left) != len(before.findings) - len(lost) + len(raised):
        return f"a rejection found {len(raised)} things, and {len(left)} are open"
    return None


def decisions_after(before: State, event: Event) -> tuple[Decision, ...]:
    """The decisions of the visit, with the one that was just made."""
    earlier = before.gate.decisions if before.gate else ()
    return (*earlier, event.body.decision) if isinstance(event.body, Decided) else earlier


def _open(findings: Iterable[Finding], made: Iterable[Decision]) -> list[Finding]:
    """The findings that no decision of their role at their gate closes."""
    closed = {(one.gate, one.role, name) for one in made for name in one.closes}
    return [one for one in findings if (one.gate, one.role, one.id) not in closed]


def what_was_done_in_an_emergency_is_reviewed(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """What was done in an emergency is not forgotten until another person than those who did it closes its review."""
    was, now = before.glass, after.state.glass
    asked = event.body if isinstance(event.body, Requested) else None
    if asked and asked.emergency and not (now and asked.request.person in now.people):
        return "something was done in an emergency, and nobody has to look into it"
    if was is None or was is now:
        return None
    if now is None and (asked is None or asked.action is not Action.REVIEW or asked.request.person in was.people):
        return "an emergency is forgotten that nobody else has reviewed"
    if now and not was.people <= now.people:
        return "who did something in an emergency is forgotten"
    return "somebody confirms what they did themselves" if now and now.confirmed in now.people else None


def what_has_lapsed_stays(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """A waiver whose end has come is over for good."""
    if not plan.waived:
        return None
    over, timer = set(before.lapsed), event.body.timer if isinstance(event.body, TimerFired) else ""
    over |= {one.control for one in plan.waived if timer == f"waiver:{one.control}"}
    missing = over - set(after.state.lapsed)
    return f"the waiver of '{missing.pop()}' has ended, and holds on" if missing else None


def what_fell_is_asked_anew(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """An approval counts no more when it has lapsed, or whoever it counts for does not hold the role any more."""
    was, visit = before.gate, after.state.gate
    if was is None or visit is None or after.state.visit != before.visit:
        return None
    for made in visit.decisions:
        if made.counts_for not in visit.electorate.people.get(made.role or "", ()):
            return f"the approval of {made.person} counts, who has no role in it any more"
        if isinstance(event.body, TimerFired) and event.body.timer == f"{LAPSE}:{made.person}":
            return f"the approval of {made.person} has lapsed, and counts"
    fell = [made for made in was.decisions if made not in visit.decisions]
    told = {role for command in after.commands if isinstance(command, Notify) for role in command.roles}
    if isinstance(event.body, Decided) and fell:
        return f"the decision of {fell[0].person} is gone, and another one was made"
    return None if {made.role for made in fell} <= told else "a role is asked again, and nobody of it is told"


def nothing_is_promoted_before_a_review(
    plan: Plan, before: State, event: Event, state: State, order: StepOrder
) -> str | None:
    """While what was done in an emergency is not reviewed, no promotion to production begins."""
    if order.kind in ENTERS and order.environment == plan.production and state.glass:
        return f"a version goes into {order.environment} while an emergency is not reviewed"
    return None


def nothing_is_promoted_without_a_waiver(
    plan: Plan, before: State, event: Event, state: State, order: StepOrder
) -> str | None:
    """No promotion begins where a control stands before it whose waiver has ended."""
    if order.kind not in ENTERS or not state.lapsed:
        return None
    for one in plan.waived:
        if one.control in state.lapsed and (one.before or plan.production) in (order.environment, order.stage):
            return f"a version goes into {order.environment} although the waiver of '{one.control}' has ended"
    return None


def turning_back_brings_nothing_new(
    plan: Plan, before: State, event: Event, state: State, order: StepOrder
) -> str | None:
    """To suspend and to roll back, by whomever it is asked, deploys nothing that has never been champion."""
    back = (Turn.ROLLBACK, Turn.SUSPEND)
    by_hand = isinstance(event.body, Requested) and turn_of(event.body.action) in back
    asked = by_hand or isinstance(event.body, Breached)
    if order.kind in ENTERS and (asked or (before.intent is not None and before.intent.turn in back)):
        return "a version is promoted by turning back"
    known = [version.number for version in (before.champion, before.previous) if version]
    if order.kind is StepKind.RESTORE and order.version not in known:
        return f"version {order.version} is put back into production, and has never been champion"
    return None
