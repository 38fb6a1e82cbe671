"""What must hold of breaches, and of what they start by themselves: said in words when it does not."""

from datetime import timedelta

from models.evidence import StepKind, StepOrder
from models.lifecycle import Step
from models.messages import Action, Breached, Event, Notify, Requested, RunStep, StepSucceeded
from models.plan import MonitorPlan, Plan, Remedy
from models.state import Phase, State, Turn

_STARTS = {
    StepKind.TIGHTEN: Remedy.TIGHTEN,
    StepKind.TRAIN: Remedy.RETRAIN,
    StepKind.RESTORE: Remedy.ROLLBACK,
}
_TURNS = {Turn.ROLLBACK: Remedy.ROLLBACK, Turn.SUSPEND: Remedy.SUSPEND}


def started(plan: Plan, before: State, after: Step) -> Remedy | None:
    """What a breach has started, by what the lifecycle does; None if it only tells people."""
    state = after.state
    orders = [command.order.kind for command in after.commands if isinstance(command, RunStep)]
    asked = state.intent.turn if state.intent and state.intent != before.intent else None
    if asked in _TURNS:
        return _TURNS[asked]
    if state.stage != before.stage and state.stage == plan.enters.suspension:
        return Remedy.SUSPEND
    began = next((_STARTS[kind] for kind in orders if kind in _STARTS), None)
    held = state.held if state.held != before.held else None
    return began or (_STARTS.get(held.kind) if held else None)


def brakes_hold(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """With its brakes on, or in a loop, a monitor starts only what comes instead."""
    if not isinstance(event.body, Breached):
        return None
    monitor, began = plan.monitor(event.body.breach.monitor), started(plan, before, after)
    if monitor is None or began is None or began is monitor.brakes.otherwise:
        return None
    if began is not monitor.then:
        return f"a breach starts '{began}', and neither '{monitor.then}' nor '{monitor.brakes.otherwise}'"
    if _often(before, monitor, event):
        return f"'{began}' starts with its brakes on"
    return _around(before, monitor, event)


def _often(before: State, monitor: MonitorPlan, event: Event) -> bool:
    ages = [event.at - use.at for use in before.remedies if (use.monitor, use.remedy) == (monitor.id, monitor.then)]
    brakes = monitor.brakes
    recent = sum(age < timedelta(seconds=brakes.per) for age in ages)
    return recent >= brakes.at_most or any(age < timedelta(seconds=brakes.cooldown) for age in ages)


def _around(before: State, monitor: MonitorPlan, event: Event) -> str | None:
    trained = [use for use in before.remedies if use.remedy is Remedy.RETRAIN]
    window = event.body.breach.window if isinstance(event.body, Breached) else ""
    if monitor.then is Remedy.RETRAIN and any(use.window == window for use in trained):
        return "a version is trained again on the very data that one was trained on before"
    back = before.previous.number if before.previous else None
    if monitor.then is Remedy.ROLLBACK and any(use.version == back for use in trained):
        return "what a remedy has replaced is put back by another one"
    return None


def one_remedy_at_a_time(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """While something is under way a breach starts nothing but what is safer at once, and changes production once."""
    if not isinstance(event.body, Breached):
        return None
    tightened = before.tightened is not None and event.at < before.tightened.until
    if before.phase is Phase.STEADY and not tightened:
        return None
    began, order = started(plan, before, after), before.in_flight or before.held
    if began in (None, Remedy.SUSPEND):
        return None
    if began is not Remedy.ROLLBACK:
        return f"a breach starts '{began}' while something else is under way"
    turned = before.intent is not None and before.intent.turn > Turn.ABANDON
    changing = order is not None and order.kind in (StepKind.PROMOTE, StepKind.RESTORE)
    if turned or (changing and order is not None and order.environment == plan.production):
        return "a breach rolls back while another version goes into production"
    return None


def a_breach_is_told(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """Whatever a breach starts, somebody hears of it, and why it is not what the monitor says."""
    if not isinstance(event.body, Breached):
        return None
    notices = [command for command in after.commands if isinstance(command, Notify)]
    use, monitor = after.state.remedies[-1], plan.monitor(event.body.breach.monitor)
    if len(notices) != 1 or monitor is None:
        return f"{len(notices)} notices are sent of one breach"
    investigates = notices[0].topic.startswith("investigate:")
    if investigates is not (use.remedy is Remedy.INVESTIGATE):
        return "an investigation is told as something else, or something else as an investigation"
    if use.remedy is not monitor.then and f"not {monitor.then}: " not in notices[0].subject:
        return f"nobody is told why a breach starts '{use.remedy}' and not '{monitor.then}'"
    return None


def tightening_ends(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """A breach tightens a monitor for the cooldown of its brakes, until its monitors begin anew or stop."""
    state, done = after.state, before.in_flight
    order = state.in_flight or state.held
    if isinstance(event.body, Breached) and order and order.tightened and order not in (before.in_flight, before.held):
        monitor = plan.monitor(event.body.breach.monitor)
        until = event.at + timedelta(seconds=monitor.brakes.cooldown if monitor else 0)
        if order.tightened.until != until:
            return f"a breach tightens a monitor until {order.tightened.until}, and not until {until}"
    if isinstance(event.body, StepSucceeded) and done and done.kind is StepKind.TIGHTEN:
        return None if state.tightened == done.tightened else "a monitor was tightened, and nobody knows until when"
    return (
        "a monitor is tightened that nobody has tightened" if state.tightened not in (None, before.tightened) else None
    )


def retraining_begins_at_rest(plan: Plan, before: State, event: Event, state: State, order: StepOrder) -> str | None:
    """A version is trained by a breach or a request while a champion serves and nothing else is under way."""
    if order.kind is not StepKind.TRAIN or before.held == order:
        return None
    asked = isinstance(event.body, Breached) or (
        isinstance(event.body, Requested) and event.body.action is Action.RETRAIN
    )
    return None if asked and before.phase is Phase.STEADY else "a version is trained, and the lifecycle was not at rest"
