"""Waivers end: whom to remind of that, and what may not be promoted any more from then on."""

from datetime import UTC, datetime, time, timedelta

from models.evidence import ENTERS, StepOrder
from models.messages import Failure, Notify
from models.plan import ControlPlan, Plan
from models.state import State, change

LAPSED = "WaiverLapsed"
"""Type of the failure of a promotion that would need a waiver which has ended: retrying cannot help."""

REMINDERS = (30, 7)
"""How many days before the end of a waiver somebody is reminded of it."""

_TIMER = "waiver"


def is_end(timer: str) -> bool:
    """Whether a timer is about the end of a waiver: `waiver:CONTROL`, or `waiver:CONTROL:DAYS` to remind of it."""
    return timer.startswith(f"{_TIMER}:")


def timer_in_words(timer: str) -> str:
    """What is due: `the end of the waiver of control 'four-eyes'`."""
    _, control, days = f"{timer}:".split(":")[:3]
    if days:
        return f"a reminder that the waiver of control '{control}' ends in {days} days"
    return f"the end of the waiver of control '{control}'"


def end_of(control: ControlPlan) -> datetime:
    """The end of the last day of a waiver (UTC)."""
    if control.waived_until is None:
        raise AssertionError("only what is waived has an end")
    return datetime.combine(control.waived_until, time.max, UTC)


def running(plan: Plan, state: State) -> dict[str, datetime]:
    """When each waiver ends that has not, and when people are reminded of it."""
    found: dict[str, datetime] = {}
    for one in plan.waived:
        if one.control not in state.lapsed:
            reminders = {f"{_TIMER}:{one.control}:{days}": end_of(one) - timedelta(days=days) for days in REMINDERS}
            left = {timer: due for timer, due in reminders.items() if timer not in state.reminded}
            found |= left | {f"{_TIMER}:{one.control}": end_of(one)}
    return found


def fire(plan: Plan, state: State, timer: str, at: datetime) -> tuple[State, Notify]:
    """A timer of a waiver is due: who answers for it is told, and what has ended is remembered."""
    _, name, days = f"{timer}:".split(":")[:3]
    control = next(one for one in plan.waived if one.control == name)
    said = f"the waiver of control '{name}' {'ends' if days else 'ended'} on {control.waived_until}"
    if days:
        all_due = [
            one for one, due in running(plan, state).items() if due <= at and one.startswith(f"{_TIMER}:{name}:")
        ]
        state = change(state, reminded=tuple(sorted({*state.reminded, *all_due, timer})))
        subject = f"{said}: meet it with a new version of the template, or renew it there"
    else:
        kept = tuple(one for one in state.reminded if not one.startswith(f"{_TIMER}:{name}:"))
        state = change(state, lapsed=(*state.lapsed, name), reminded=kept)
        place = guarded(plan, control)
        subject = f"{said}: {f'nothing is promoted to {place} any more' if place else 'it is owed from now on'}"
    return state, _notice(plan, state, control, timer, subject)


def guarded(plan: Plan, control: ControlPlan) -> str | None:
    """Where nothing is promoted without a control: its environment or stage; production, if it names no place."""
    if control.before is None:
        return plan.production
    promoting = [stage for stage in plan.stages if any(step.kind in ENTERS for step in stage.steps)]
    places = {place for stage in promoting for place in (stage.environment, stage.name)}
    return control.before if control.before in places else None


def lapsed(plan: Plan, state: State, order: StepOrder, at: datetime) -> Failure | None:
    """Why a promotion cannot start: it would need a waiver that has ended, whether its timer has fired yet or not."""
    if order.kind not in ENTERS:
        return None
    for one in plan.waived:
        place = guarded(plan, one)
        if place and place in (order.environment, order.stage) and (one.control in state.lapsed or end_of(one) < at):
            return Failure(
                type=LAPSED,
                message=f"the waiver of control '{one.control}' ended on {one.waived_until}: "
                f"nothing is promoted to {place} without it",
                remedy="meet it with a new version of the template, or renew it there; this lifecycle stays on its "
                "plan, and can only roll back, suspend, abandon or retire",
            )
    return None


def in_words(plan: Plan, state: State) -> tuple[str, ...]:
    """Every control that is done without: by whom, until when, and what became of that."""
    return tuple(dict.fromkeys(_sentence(plan, state, one) for one in plan.waived))


def _sentence(plan: Plan, state: State, control: ControlPlan) -> str:
    owner = control.waiver.owner if control.waiver else state.owner
    if control.control not in state.lapsed:
        return f"Control '{control.control}' is waived until {control.waived_until} ({owner} answers for it)"
    place = guarded(plan, control)
    stopped = f"; nothing is promoted to {place} any more" if place else ""
    return (
        f"The waiver of control '{control.control}' ended on {control.waived_until} ({owner} answers for it){stopped}"
    )


def _notice(plan: Plan, state: State, control: ControlPlan, timer: str, subject: str) -> Notify:
    return Notify(
        visit=state.visit,
        topic=timer,
        roles=(plan.review.to,) if plan.review else (),
        people=(control.waiver.owner,) if control.waiver else (),
        subject=f"{state.model}: {subject}",
    )
