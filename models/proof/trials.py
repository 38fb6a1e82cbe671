"""What must hold while a challenger is tried beside the champion: said in words when it does not."""

from models.evidence import ENTERS, StepKind
from models.lifecycle import Step
from models.messages import CancelStep, Event, RunStep, StepFailed, StepSucceeded
from models.plan import Plan
from models.state import Phase, State, Turn
from models.verdict import Verdict


def a_new_version_breaks_no_trial_off(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """A version that arrives while a challenger is tried waits for the figures; whoever turns back ends the trial."""
    if not _tried(before) or after.state.in_flight != before.in_flight:
        return None
    stops, intent = any(isinstance(one, CancelStep) for one in after.commands), after.state.intent
    turned = intent is not None and intent.turn is not Turn.NEW_VERSION
    if stops and not turned:
        return "a trial is broken off, and nobody has asked to turn back"
    if turned and intent != before.intent and not stops:
        return "somebody asks to turn back, and the challenger is tried on"
    return None


def a_trial_without_a_result_asks_people(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """A trial that found nothing out elects nobody and does not begin anew by itself: people decide, or ask for it."""
    answered = isinstance(event.body, StepSucceeded) and event.body.result.verdict is Verdict.INCONCLUSIVE
    if not (answered and _tried(before)):
        return None
    begun = [one.order.kind for one in after.commands if isinstance(one, RunStep)]
    if any(kind in ENTERS for kind in begun):
        return "a trial found nothing out, and a version is tried or promoted, and nobody has decided"
    routes, state = plan.stage(before.stage).routes, after.state
    to = routes.inconclusive if routes else None
    if to == state.stage and plan.stage(state.stage).asks_people and state.phase is Phase.STUCK:
        return f"a trial found nothing out, and at '{to}' nobody is asked"
    return None


def what_is_left_of_a_trial_is_cleared_away(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """After a trial that did not end by itself, what production answers is in doubt until it was set right."""
    if isinstance(event.body, StepFailed) and _tried(before) and not after.state.doubtful:
        return "a trial was broken off, and nobody makes sure that the challenger answers nothing any more"
    return None


def _tried(state: State) -> bool:
    return state.in_flight is not None and state.in_flight.kind is StepKind.TRIAL
