"""Which events a state admits, and in plain words why not. The kernel and every validator ask the same function."""

from datetime import datetime
from typing import assert_never

from models import emergency
from models.approval import refuse_decision
from models.deadlines import running
from models.evidence import StepKind
from models.inventory import Submission
from models.messages import (
    Action,
    Breached,
    Event,
    Once,
    StepFailed,
    StepSucceeded,
    TimerFired,
)
from models.plan import Plan
from models.remediation import acted_on, can_suspend, choose_remedy
from models.state import Phase, State, Turn, turn_of


def refuse(plan: Plan, state: State, event: Event) -> str | None:
    """Why an event changes nothing; None if it is admitted."""
    if state.phase is Phase.ENDED:
        return "the lifecycle has ended"
    begins = event.body.event == "started"
    if begins and state.stage:
        return "the lifecycle has already begun"
    if not begins and not state.stage:
        return "the lifecycle has not begun"
    return None if begins else _refuse_now(plan, state, event)


def _refuse_now(plan: Plan, state: State, event: Event) -> str | None:
    body = event.body
    match body.event:
        case "step_succeeded" | "step_failed":
            return _refuse_answer(state, body)
        case "decided":
            return refuse_decision(plan, state, body.decision, body.objection)
        case "attempted":
            return body.objection or "it is no message to a lifecycle"
        case "timer_fired":
            return _refuse_timer(plan, state, body)
        case "version_submitted":
            return body.objection or _spent(state, body.once) or _refuse_submission(plan, state, body.submission)
        case "breached":
            return _refuse_breach(plan, state, body, event.at)
        case "requested":
            why = body.objection or _spent(state, body.once) or emergency.refuse(state, body)
            return why or _refuse_request(plan, state, body.action)
        case "started":
            return "the lifecycle has already begun"
        case _:
            assert_never(body)


def _spent(state: State, once: Once | None) -> str | None:
    names = {spent.jti for spent in state.spent}
    return f"statement {once.jti} has been carried out already" if once and once.jti in names else None


def _refuse_answer(state: State, body: StepSucceeded | StepFailed) -> str | None:
    order = state.in_flight
    if order is None or (order.visit, order.step) != (body.visit, body.step):
        return f"stale: step '{body.step}' of visit {body.visit} is not in flight"
    return None


def _refuse_timer(plan: Plan, state: State, body: TimerFired) -> str | None:
    if body.visit != state.visit or body.timer not in running(plan, state):
        return f"stale: timer '{body.timer}' of visit {body.visit} is not running"
    return None


def _refuse_submission(plan: Plan, state: State, submission: Submission) -> str | None:
    if state.stage in plan.closing:
        return "the model is being retired: no version can enter"
    for version in (state.candidate, state.champion, state.previous):
        if version and version.artifact == submission.artifact.digest:
            return f"this artifact is version {version.number} already"
    waits = state.intent.submission if state.intent else None
    if waits and waits.artifact == submission.artifact:
        return "this artifact has been submitted already and waits to enter"
    if waits:
        return "another version has been submitted already and waits to enter"
    return _refuse_turn(state, Turn.NEW_VERSION) if state.intent and state.intent.turn is Turn.RETIRE else None


def _refuse_breach(plan: Plan, state: State, body: Breached, at: datetime) -> str | None:
    monitor = plan.monitor(body.breach.monitor)
    if monitor is None:
        return f"the plan has no monitor '{body.breach.monitor}'"
    if state.champion is None or state.stage in plan.closing:
        return "no champion is serving: there is nothing to remedy"
    remedy = choose_remedy(plan, state, monitor, body.breach.window, at).remedy
    if acted_on(state, monitor, remedy, body.breach.window):
        return f"the breach of '{body.breach.monitor}' on window {body.breach.window} has been acted on already"
    return None


def _refuse_request(plan: Plan, state: State, action: Action) -> str | None:
    turn = turn_of(action)
    if turn is not None:
        return _refuse_direction(plan, state, turn) or _refuse_turn(state, turn)
    match action:
        case Action.RETRY if state.phase not in (Phase.STUCK, Phase.DECIDING):
            return f"nothing to retry: the lifecycle is not stuck, it is {_where(state)}"
        case Action.RETRY if state.in_flight:
            return "who may decide is being read anew already"
        case Action.RETRAIN if state.phase is not Phase.STEADY:
            return f"a champion is retrained while nothing else is under way; now it is {_where(state)}"
        case Action.PAUSE if state.paused:
            return "the lifecycle is already paused"
        case Action.RESUME if not state.paused:
            return "the lifecycle is not paused"
        case _:
            return None


def _where(state: State) -> str:
    return f"{state.phase} in stage '{state.stage}'"


def _refuse_direction(plan: Plan, state: State, turn: Turn) -> str | None:
    if state.stage in plan.closing:
        return "the model is being retired already"
    if turn is Turn.ROLLBACK and state.previous is None:
        return "there is no previous champion to roll back to"
    if turn is Turn.SUSPEND and not can_suspend(plan, state):
        return "there is nothing to suspend: no champion serves, or the template has no stage for it"
    restoring = state.in_flight is not None and state.in_flight.kind is StepKind.RESTORE
    if turn is Turn.ROLLBACK and restoring:
        return "a version is being restored already"
    if turn is Turn.ABANDON and not state.can_be_abandoned:
        return "no version is under way"
    return None


def _refuse_turn(state: State, turn: Turn) -> str | None:
    if state.intent and state.intent.turn >= turn:
        asked = state.intent.turn.name.lower().replace("_", " ")
        when = "when the step in flight has answered" if state.in_flight else "as soon as it can"
        return f"{asked} has been asked for already, and happens {when}"
    return None
