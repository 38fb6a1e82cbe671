"""What must hold of every state and of every step, whatever happens: said in words when it does not."""

from collections.abc import Callable

from models.admission import refuse
from models.deadlines import REVIEW, running
from models.evidence import ENTERS, StepKind, StepOrder
from models.inventory import VersionStatus
from models.lifecycle import Step
from models.messages import (
    Action,
    Choice,
    Decided,
    Event,
    Requested,
    RunStep,
    StepSucceeded,
    TimerFired,
)
from models.plan import GatePlan, Plan
from models.proof.moves import request
from models.proof.remedies import (
    a_breach_is_told,
    brakes_hold,
    one_remedy_at_a_time,
    retraining_begins_at_rest,
    tightening_ends,
)
from models.proof.safeguards import (
    decisions_after,
    findings_stay_until_they_are_closed,
    nothing_is_promoted_before_a_review,
    nothing_is_promoted_without_a_waiver,
    turning_back_brings_nothing_new,
    what_fell_is_asked_anew,
    what_has_lapsed_stays,
    what_was_done_in_an_emergency_is_reviewed,
)
from models.proof.symmetry import barred
from models.proof.trials import (
    a_new_version_breaks_no_trial_off,
    a_trial_without_a_result_asks_people,
    what_is_left_of_a_trial_is_cleared_away,
)
from models.remediation import can_suspend
from models.state import Phase, State, Turn
from models.verdict import Verdict, combine, judge

_DEPLOYS = (*ENTERS, StepKind.RESTORE)


def broken_by_state(plan: Plan, state: State) -> str | None:
    """A promise about states that this one breaks."""
    return next((said for promise in _STATES if (said := promise(plan, state))), None)


def broken_by_step(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """A promise about steps that this one breaks.

    A refusal that changes nothing begins nothing, so there is nothing that the other promises could be about.
    """
    if after.refusal:
        return refusals_change_nothing(before, after)
    for promise in _STEPS:
        if said := promise(plan, before, event, after):
            return said
    for command in after.commands:
        if isinstance(command, RunStep) and (said := _broken_by_order(plan, before, event, after.state, command.order)):
            return said
    return None


def _broken_by_order(plan: Plan, before: State, event: Event, state: State, order: StepOrder) -> str | None:
    return next((said for promise in _ORDERS if (said := promise(plan, before, event, state, order))), None)


# --- states


def one_champion(plan: Plan, state: State) -> str | None:
    """At most one champion, and the one that the state names."""
    crowned = [number for number, status in state.statuses.items() if status is VersionStatus.CHAMPION]
    if crowned != ([state.champion.number] if state.champion else []):
        return f"versions {crowned} are champions, and the lifecycle knows {state.champion and state.champion.number}"
    return None


def champion_serves(plan: Plan, state: State) -> str | None:
    """Nothing but the champion serves in production, unless a step that failed left that in doubt."""
    serves = state.serving.get(plan.production) if plan.production else None
    if serves and not (state.champion and state.champion.number == serves):
        return f"version {serves} serves in {plan.production} and is not the champion"
    return None


def something_is_due(plan: Plan, state: State) -> str | None:
    """Whatever phase it is in, something or somebody is known to move the lifecycle on."""
    due = {
        Phase.AWAITING_VERSION: True,
        Phase.WORKING: bool(state.in_flight or (state.paused and state.held)),
        Phase.DECIDING: bool(state.gate and state.subject),
        Phase.STUCK: state.failure is not None and state.in_flight is None,
        Phase.STEADY: plan.stage(state.stage).steady,
        Phase.ENDED: plan.stage(state.stage).terminal,
    }
    return None if due[state.phase] else f"it is {state.phase}, and nothing can move it on"


def ends_clean(plan: Plan, state: State) -> str | None:
    """At the end nothing serves, nothing is under way, no version is in play."""
    left = state.champion or state.previous or state.candidate or state.in_flight or state.serving or state.intent
    return "the lifecycle has ended and something is left of it" if state.phase is Phase.ENDED and left else None


def what_was_asked_comes(plan: Plan, state: State) -> str | None:
    """A turn waits for the step in flight and nothing else; a new version also until others are done."""
    if state.intent is None or state.in_flight:
        return None
    may_wait = state.phase is Phase.STUCK or state.held is not None or state.stage in plan.opening
    if state.intent.turn is Turn.NEW_VERSION and may_wait:
        return None
    return f"somebody asked for '{state.intent.turn.name.lower()}', and it waits for nothing"


def the_stuck_have_a_way_out(plan: Plan, state: State) -> str | None:
    """Whoever looks at a stuck lifecycle can retry, give the version up, or retire the model."""
    if state.phase is not Phase.STUCK:
        return None
    ways = {
        Action.RETRY: True,
        Action.ABANDON: state.can_be_abandoned,
        Action.ROLLBACK: state.previous is not None,
        Action.SUSPEND: can_suspend(plan, state),
        Action.RETIRE: True,
    }
    for action, open_now in ways.items():
        closed = refuse(plan, state, request(action)) if open_now and state.stage not in plan.closing else None
        if closed:
            return f"it is stuck, and to {action} is refused: {closed}"
    return None


# --- steps


def refusals_change_nothing(before: State, after: Step) -> str | None:
    """What is refused changes nothing but the count of events."""
    if after.commands or vars(after.state) != vars(before) | {"seq": before.seq + 1}:
        return f"'{after.refusal}' was refused and changed something"
    return None


def one_step_at_a_time(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """At most one step is in flight: the one the state names; none begins while the lifecycle is paused."""
    if not after.commands:
        return None
    orders = [command.order for command in after.commands if isinstance(command, RunStep)]
    if not orders:
        return None
    if orders != [after.state.in_flight]:
        return "a step begins that the state does not know to be in flight"
    if before.in_flight == after.state.in_flight:
        return "a step begins that is in flight already"
    if after.state.paused:
        return "a step begins while the lifecycle is paused"
    return None


def gates_are_earned(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """A gate is passed at the gate, with passing checks and the approvals that it asks, of people who may give them."""
    now, then = after.state.candidate, before.candidate
    if now is None or (then and now.number == then.number and now.gates == then.gates):
        return None
    gained = set(now.gates) - set(then.gates if then and now.number == then.number else ())
    if not gained:
        return None
    gate = plan.stage(before.stage).gate
    if gate is None or gained != {gate.id} or then is None or now.artifact != then.artifact:
        return f"a version passes {', '.join(sorted(gained))} in stage '{before.stage}'"
    told = event.body.result.readings if isinstance(event.body, StepSucceeded) else ()
    known = (*then.readings, *told)
    if combine(tuple(judge(plan.kpi(name), known).verdict for name in gate.checks)) is not Verdict.PASS:
        return f"a version passes '{gate.id}' and not its checks"
    if any(one.gate == gate.id for one in after.state.findings):
        return f"a version passes '{gate.id}' with a finding that is open"
    return _unapproved(plan, gate, before, event) if gate.asks_people else None


def _unapproved(plan: Plan, gate: GatePlan, before: State, event: Event) -> str | None:
    if not isinstance(event.body, Decided) or before.gate is None:
        return f"a version passes '{gate.id}' and nobody decides"
    made = decisions_after(before, event)
    people = {decision.person for decision in made}
    counts = {role: sum(one.role == role for one in made) for role in gate.approvals}
    if any(decision.decision is Choice.REJECT for decision in made):
        return f"a version passes '{gate.id}' and somebody rejected it"
    if len(people) < len(made) or any(counts[role] < count for role, count in gate.approvals.items()):
        return f"a version passes '{gate.id}' with {counts} approvals of {len(people)} people; it asks {gate.approvals}"
    if involved := people.intersection(barred(plan)):
        return f"a version passes '{gate.id}' by decision of its {min(involved)}"
    strangers = [d.person for d in made if d.person not in before.gate.electorate.people.get(d.role or "", ())]
    return f"a version passes '{gate.id}' by decision of {strangers[0]}, who has no role in it" if strangers else None


def what_fails_is_turned_away(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """A version that fails a step, or that somebody rejects, is a candidate no more."""
    body, was, now = event.body, before.candidate, after.state.candidate
    failed = isinstance(body, StepSucceeded) and body.result.verdict is Verdict.FAIL
    rejected = isinstance(body, Decided) and body.decision.decision is Choice.REJECT
    if (failed or rejected) and was and now and was.number == now.number:
        return "a version goes on although it was turned away"
    return None


def a_submission_is_kept(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """What was submitted waits until it enters, or until the model is retired."""
    waits, state = before.intent.submission if before.intent else None, after.state
    if waits is None or state.stage in plan.closing or (state.intent and state.intent.submission):
        return None
    entered = state.candidate is not None and state.candidate.artifact == waits.artifact.digest
    return None if entered else "a version that was submitted is forgotten"


def retirement_is_for_good(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """From retirement there is no way back, and once asked for it is not forgotten."""
    closing, state = plan.closing, after.state
    if before.stage in closing and state.stage not in closing:
        return f"the lifecycle comes back from '{before.stage}' to '{state.stage}'"
    asked = before.intent is not None and before.intent.turn is Turn.RETIRE
    if asked and state.stage not in closing and not (state.intent and state.intent.turn is Turn.RETIRE):
        return "somebody asked to retire the model, and that is forgotten"
    return None


def only_what_is_asked_turns(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """A turn that was asked for is kept until it is taken or a higher one is asked for."""
    was, now = before.intent, after.state.intent
    if was and now and now.turn < was.turn and after.state.visit == before.visit:
        return f"'{was.turn.name.lower()}' was asked for, and '{now.turn.name.lower()}' took its place"
    return None


def the_champion_changes_by_deployment(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """Another version becomes champion only when its deployment to production has succeeded."""
    was, now = before.champion, after.state.champion
    if now is None or (was and was.number == now.number):
        return None
    order = before.in_flight
    if order and order.kind in _DEPLOYS and order.environment == plan.production and order.version == now.number:
        return None
    return f"version {now.number} becomes champion without having been deployed to {plan.production}"


def a_timer_fires_once(plan: Plan, before: State, event: Event, after: Step) -> str | None:
    """A timer that has fired is over; only the review of a champion comes round again."""
    timer = event.body.timer if isinstance(event.body, TimerFired) else REVIEW
    if timer == REVIEW or after.state.visit != before.visit or timer not in running(plan, after.state):
        return None
    return f"the timer {timer} has fired, and goes on running"


# --- steps that begin


def gates_before_environments(plan: Plan, before: State, event: Event, state: State, order: StepOrder) -> str | None:
    """Only a version in play is deployed, as the bytes that were decided on, after every gate of the environment."""
    if order.kind not in _DEPLOYS or order.environment is None:
        return None
    version = next(
        (v for v in (state.candidate, state.champion, state.previous) if v and v.number == order.version), None
    )
    if version is None or (version.artifact, version.bundle) != (order.artifact, order.bundle):
        return f"what goes into {order.environment} is not a version in play"
    missing = set(plan.environment_gates[order.environment]) - set(version.gates)
    return (
        f"a version goes into {order.environment} that has not passed {', '.join(sorted(missing))}" if missing else None
    )


def people_are_asked_about_what_passes(
    plan: Plan, before: State, event: Event, state: State, order: StepOrder
) -> str | None:
    """Nobody is asked about a version whose checks fail or are inconclusive."""
    gate, subject = plan.stage(state.stage).gate, state.subject
    if order.kind is not StepKind.ASK or gate is None:
        return None
    readings = subject.readings if subject else ()
    if combine(tuple(judge(plan.kpi(name), readings).verdict for name in gate.checks)) is not Verdict.PASS:
        return f"people are asked at '{gate.id}' about a version that does not pass its checks"
    return None


def nothing_goes_on_after_a_turn(plan: Plan, before: State, event: Event, state: State, order: StepOrder) -> str | None:
    """Once somebody has asked to turn back, no further step of the version under way begins."""
    was, now = before.candidate, state.candidate
    turned = before.intent is not None and before.intent.turn is not Turn.NEW_VERSION
    if turned and was and now and was.number == now.number:
        return "a step of the version begins after somebody asked to turn back"
    return None


def nothing_serves_again_by_itself(
    plan: Plan, before: State, event: Event, state: State, order: StepOrder
) -> str | None:
    """A champion that was taken out of production comes back when somebody asks for it, and only then."""
    if order.kind is not StepKind.RESTORE:
        return None
    asked = isinstance(event.body, Requested) and event.body.action in (Action.ROLLBACK, Action.RETRY)
    waited = before.intent is not None and before.intent.turn is Turn.ROLLBACK
    resumed = isinstance(event.body, Requested) and before.held == order
    if asked or waited or resumed or plan.production in before.serving:
        return None
    return "a champion that does not serve is deployed again, and nobody asked for it"


_STATES: tuple[Callable[[Plan, State], str | None], ...] = (
    one_champion,
    champion_serves,
    something_is_due,
    ends_clean,
    what_was_asked_comes,
    the_stuck_have_a_way_out,
)

_STEPS: tuple[Callable[[Plan, State, Event, Step], str | None], ...] = (
    one_step_at_a_time,
    gates_are_earned,
    what_fails_is_turned_away,
    findings_stay_until_they_are_closed,
    what_fell_is_asked_anew,
    a_submission_is_kept,
    retirement_is_for_good,
    only_what_is_asked_turns,
    brakes_hold,
    one_remedy_at_a_time,
    a_breach_is_told,
    tightening_ends,
    what_was_done_in_an_emergency_is_reviewed,
    what_has_lapsed_stays,
    a_timer_fires_once,
    the_champion_changes_by_deployment,
    a_new_version_breaks_no_trial_off,
    a_trial_without_a_result_asks_people,
    what_is_left_of_a_trial_is_cleared_away,
)

_ORDERS: tuple[Callable[[Plan, State, Event, State, StepOrder], str | None], ...] = (
    gates_before_environments,
    people_are_asked_about_what_passes,
    nothing_goes_on_after_a_turn,
    nothing_serves_again_by_itself,
    nothing_is_promoted_before_a_review,
    nothing_is_promoted_without_a_waiver,
    turning_back_brings_nothing_new,
    retraining_begins_at_rest,
)

PROMISES = tuple(
    (promise.__doc__ or "").strip().split("\n")[0] for promise in (*_STATES, refusals_change_nothing, *_STEPS, *_ORDERS)
)
"""What is held to in every state and at every step, a sentence each."""
