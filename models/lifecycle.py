"""The kernel: `step(plan, state, event) -> (state, commands)`.

Pure and total: every event in every state has a defined answer. An event that the state does not admit changes
nothing but the count of events, and says why.
"""

from datetime import datetime
from typing import NamedTuple, TypeVar, assert_never

from models import emergency, waivers
from models.admission import refuse
from models.approval import open_roles, tally, with_role
from models.canonical import replace
from models.deadlines import ring
from models.evidence import StepKind, StepOrder, StepResult
from models.findings import close_findings, raise_findings
from models.inventory import VersionStatus
from models.messages import (
    Action,
    Breach,
    CancelStep,
    Command,
    Decision,
    Event,
    Failure,
    Notify,
    Requested,
    RunStep,
)
from models.orders import ask, order_of, own, restore, tighten
from models.plan import Plan, Remedy
from models.remediation import choose_remedy, told, used
from models.standing import fallen, lapsed, without
from models.state import GateVisit, Intent, Passage, Phase, State, Turn, begin, change, spend, turn_of
from models.succession import REMEMBERED, admit, book, drop, end, pass_gate
from models.turns import joined, may_take
from models.verdict import Verdict, combine, judge

T = TypeVar("T")

REASON_LIMIT = 300
"""Characters of a reason that stay in the state; the whole of it is in the record."""

INCOMPLETE = "IncompleteAnswer"
"""Type of the failure of a step that answered, and not what it was asked."""

UNROUTED = "Unrouted"
"""Type of the failure of a verdict that no route leads anywhere: retrying enters the stage anew."""

_CHANGING = (StepKind.PROMOTE, StepKind.TRIAL, StepKind.RESTORE, StepKind.STOP_SERVING)
"""Steps that may have changed what an environment serves although they failed."""


class Step(NamedTuple):
    """What an event led to; `refusal` says why it changed nothing."""

    state: State
    commands: tuple[Command, ...] = ()
    refusal: str | None = None


def step(plan: Plan, state: State, event: Event) -> Step:
    """The next state and what to do about it."""
    counted = change(state, seq=state.seq + 1)
    if refusal := refuse(plan, state, event):
        return Step(counted, refusal=refusal)
    return _Kernel(plan, event.at).apply(counted, event)


class _Kernel:
    """One event's worth of transitions: the plan and the time do not change within it."""

    def __init__(self, plan: Plan, at: datetime) -> None:
        self.plan = plan
        self.at = at

    def apply(self, state: State, event: Event) -> Step:
        """What an event leads to; turns that wait are taken as soon as no step is in flight any more."""
        after = self._react(state, event)
        while after.state.in_flight is None and may_take(self.plan, after.state):
            taken = self._take(after.state)
            after = Step(taken.state, (*after.commands, *taken.commands))
        return after

    def _react(self, state: State, event: Event) -> Step:
        body = event.body
        match body.event:
            case "started":
                return self._enter(state, self.plan.entry)
            case "step_succeeded":
                return self._succeeded(state, body.result)
            case "step_failed":
                return self._failed(state, body.failure)
            case "decided":
                return self._decided(state, body.decision)
            case "timer_fired":
                return self._timer(state, body.timer)
            case "version_submitted":
                state = spend(state, body.once, self.at)
                return self._turn(state, Intent(turn=Turn.NEW_VERSION, submission=body.submission))
            case "breached":
                return self._breached(state, body.breach)
            case "requested":
                return self._requested(spend(state, body.once, self.at), body)
            case "attempted":
                raise AssertionError("what is always refused was applied")
            case _:
                assert_never(body)

    # --- stages

    def _enter(self, state: State, name: str) -> Step:
        state, stage = begin(state, name, self.at), self.plan.stage(name)
        if state.intent and name in self.plan.closing:
            state = change(state, intent=None)
        if stage.terminal:
            return Step(change(end(state), phase=Phase.ENDED))
        if state.intent and state.intent.turn is Turn.NEW_VERSION and name == self.plan.enters.new_version:
            state = admit(state, _admitted(state.intent.submission))
        working_on = state.candidate if name == self.plan.enters.new_version else state.subject
        if working_on is None and stage.needs_version:
            return Step(change(state, phase=Phase.AWAITING_VERSION))
        return self._next(state)

    def _rest(self, state: State) -> Step:
        """No version is under way: be where the champion is, or wait for a version."""
        if state.doubtful and (state.champion is None or self.plan.production in state.serving):
            return self._clear_doubt(state)
        if state.champion is None:
            return Step(begin(state, self.plan.enters.new_version, self.at, Phase.AWAITING_VERSION))
        if self.plan.steady and self.plan.production in state.serving:
            return self._settle(begin(state, self.plan.steady.name, self.at))
        return self._enter(state, self.plan.enters.suspension or self.plan.enters.new_version)

    def _clear_doubt(self, state: State) -> Step:
        """A failed step may have changed what production serves: make it what the state says."""
        if state.champion and self.plan.steady:
            state = begin(state, self.plan.steady.name, self.at)
            return self._run(state, restore(self.plan, state, _admitted(state.champion)))
        state = begin(state, self.plan.enters.new_version, self.at)
        order = own(self.plan, state, StepKind.STOP_SERVING)
        return self._run(state, replace(order, environment=self.plan.production))

    def _settle(self, state: State) -> Step:
        """In the steady stage with a champion that serves already: only what follows the promotion is done again."""
        kinds = [planned.kind for planned in state.stage_plan(self.plan).steps]
        return self._next(change(state, cursor=kinds.index(StepKind.PROMOTE) + 1))

    # --- steps

    def _next(self, state: State) -> Step:
        steps = state.stage_plan(self.plan).steps
        if state.cursor < len(steps):
            return self._run(state, order_of(self.plan, state, steps[state.cursor]))
        return self._finish(state)

    def _run(self, state: State, order: StepOrder) -> Step:
        if state.paused:
            return Step(change(state, held=order, in_flight=None, failure=None))
        if bar := waivers.lapsed(self.plan, state, order, self.at) or emergency.unreviewed(self.plan, state, order):
            return Step(change(state, phase=Phase.STUCK, failure=bar, held=order, in_flight=None))
        running = change(state, phase=_phase_of(state, order), in_flight=order, held=None, failure=None)
        return Step(running, (RunStep(order=order),))

    def _finish(self, state: State) -> Step:
        stage = state.stage_plan(self.plan)
        if stage.steady:
            return Step(change(state, phase=Phase.STEADY))
        if stage.gate:
            readings = state.subject.readings if state.subject else ()
            checks = tuple(judge(self.plan.kpi(name), readings) for name in stage.gate.checks)
            state = change(state, checks=checks)
            verdict = combine(tuple(check.verdict for check in checks))
            if stage.gate.asks_people and state.subject is None:
                return Step(change(state, phase=Phase.AWAITING_VERSION))
            if verdict is Verdict.PASS and stage.gate.asks_people:
                return self._run(state, ask(self.plan, state))
            return self._route(state, verdict)
        if stage.routes:
            return self._route(state, Verdict.PASS)
        return Step(change(state, phase=Phase.AWAITING_VERSION))

    def _succeeded(self, state: State, result: StepResult) -> Step:
        order = _admitted(state.in_flight)
        lacks = {StepKind.ASK: result.electorate, StepKind.TRAIN: result.submission}
        if lacks.get(order.kind, result) is None:
            message = f"step '{order.step}' answered without what it was asked for"
            return self._failed(state, Failure(type=INCOMPLETE, message=message, remedy="retry"))
        before = state.champion
        state = book(change(state, in_flight=None), order, result, self.plan.production)
        if state.champion and (before is None or before.number != state.champion.number):
            state = change(state, reviewed=self.at)
        if may_take(self.plan, state):
            return self._take(state)
        match order.kind:
            case StepKind.ASK:
                return self._open(state, result)
            case StepKind.TRAIN:
                return self._next(admit(state, _admitted(result.submission)))
            case StepKind.RESTORE:
                return self._settle(state)
            case StepKind.TIGHTEN:
                return self._finish(state)
            case StepKind.STOP_SERVING if state.stage == self.plan.enters.new_version:
                return self._rest(state)
            case _ if result.verdict is not Verdict.PASS:
                return self._route(state, result.verdict, result.summary)
            case _:
                return self._next(change(state, cursor=state.cursor + 1))

    def _failed(self, state: State, failure: Failure) -> Step:
        order = _admitted(state.in_flight)
        changes = order.kind in _CHANGING and order.environment == self.plan.production
        state = change(state, held=order, in_flight=None, doubtful=state.doubtful or changes)
        if may_take(self.plan, state):
            return self._take(state)
        return Step(change(state, phase=Phase.STUCK, failure=failure))

    # --- gates

    def _open(self, state: State, result: StepResult) -> Step:
        electorate = _admitted(result.electorate)
        visit = state.gate or GateVisit(opened=self.at, electorate=electorate)
        state = change(state, phase=Phase.DECIDING, gate=visit)
        gone = fallen(_admitted(state.gate_plan(self.plan)), visit, electorate)
        return self._ask_anew(state, replace(visit, electorate=electorate), gone)

    def _ask_anew(self, state: State, visit: GateVisit, gone: tuple[Decision, ...]) -> Step:
        state = change(state, gate=without(visit, gone, self.at) if gone else visit)
        told = tuple(
            self._notify(
                state,
                f"anew:{state.seq}:{made.person}",
                (made.role,) if made.role else (),
                f"the approval of {made.person} does not count any more: a decision for {made.role} is due again",
            )
            for made in gone
        )
        return Step(state, told)

    def _decided(self, state: State, decision: Decision) -> Step:
        gate, visit = _admitted(state.gate_plan(self.plan)), _admitted(state.gate)
        made = with_role(gate, visit, decision)
        visit = replace(visit, decisions=(*visit.decisions, made), decided=visit.decided | {made.person: self.at})
        state = raise_findings(change(state, gate=visit), _admitted(state.subject), made)
        verdict = tally(gate, visit)
        if verdict is None:
            return Step(state)
        word = "approved" if verdict is Verdict.PASS else "rejected"
        return self._route(state, verdict, f"{decision.person} {word} it: {decision.reason}")

    def _timer(self, state: State, timer: str) -> Step:
        if rung := ring(self.plan, state, timer, self.at):
            return Step(rung.state, (rung.notice,))
        gate, visit = _admitted(state.gate_plan(self.plan)), _admitted(state.gate)
        if gone := lapsed(visit, timer):
            return self._ask_anew(state, visit, gone)
        state = change(state, gate=replace(visit, fired=(*visit.fired, timer)))
        if timer == "sla" and gate.on_timeout == "reject":
            return self._route(state, Verdict.FAIL, f"nobody decided at '{gate.id}' in time")
        kind, _, index = timer.partition(":")
        roles = (gate.escalate[int(index)].to,) if kind == "escalate" else tuple(open_roles(gate, visit))
        word = {"remind": "reminder", "escalate": "escalation"}.get(kind, "overdue")
        return Step(state, (self._notify(state, timer, roles, f"{word}: gate '{gate.id}' waits for a decision"),))

    def _notify(self, state: State, topic: str, roles: tuple[str, ...], subject: str) -> Notify:
        return Notify(visit=state.visit, topic=topic, roles=roles, subject=f"{state.model}: {subject}")

    def _route(self, state: State, verdict: Verdict, why: str = "") -> Step:
        if may_take(self.plan, state):
            return self._take(state)
        stage, version = state.stage_plan(self.plan), state.candidate
        reasons = why or "; ".join(f"{c.kpi}: {c.reason}" for c in state.checks if c.verdict is verdict)
        number = version.number if version else None
        passage = Passage(stage=stage.name, version=number, verdict=verdict, at=self.at, reason=reasons[:REASON_LIMIT])
        state = change(state, passages=(*state.passages[1 - REMEMBERED :], passage))
        target = stage.routes.of(verdict) if stage.routes else None
        if verdict is Verdict.PASS and target:
            return self._enter(close_findings(pass_gate(state, stage.gate.id)) if stage.gate else state, target)
        if verdict is Verdict.FAIL and version:
            return self._reject(state, target)
        if verdict is Verdict.INCONCLUSIVE and version and target == self.plan.enters.new_version:
            return self._reject(state, target)
        if target and (verdict is Verdict.FAIL or (stage.trial and self.plan.stage(target).asks_people)):
            return self._enter(state, target)
        if verdict is Verdict.FAIL and stage.steady and self.plan.production not in state.serving:
            return self._rest(state)
        failure = Failure(type=UNROUTED, message=f"{stage.name}: {verdict}: {reasons}", remedy="retry or abandon")
        stuck = begin(state, target, self.at) if target else state
        return Step(change(stuck, phase=Phase.STUCK, failure=failure, in_flight=None, held=None, gate=None))

    def _reject(self, state: State, target: str | None) -> Step:
        state = drop(state, VersionStatus.REJECTED)
        if target is None or target == self.plan.enters.new_version:
            return self._rest(state)
        return self._enter(state, target)

    # --- turns

    def _turn(self, state: State, intent: Intent) -> Step:
        both = joined(state.intent, intent)
        state = change(state, intent=both, paused=state.paused and both.turn < Turn.ROLLBACK)
        return Step(state, (CancelStep(),) if state.in_flight and may_take(self.plan, state) else ())

    def _take(self, state: State) -> Step:
        intent = _admitted(state.intent)
        left = Intent(turn=Turn.NEW_VERSION, submission=intent.submission) if intent.submission else None
        state = change(drop(state, VersionStatus.WITHDRAWN), intent=left)
        match intent.turn:
            case Turn.NEW_VERSION:
                return self._enter(state, self.plan.enters.new_version)
            case Turn.RETIRE:
                return self._enter(state, self.plan.enters.retirement)
            case Turn.SUSPEND:
                return self._enter(state, self.plan.enters.suspension or self.plan.entry)
            case Turn.ABANDON:
                return self._rest(state)
            case Turn.ROLLBACK:
                steady = self.plan.steady
                state = begin(state, steady.name if steady else state.stage, self.at)
                return self._run(state, restore(self.plan, state, _admitted(state.previous)))

    def _breached(self, state: State, breach: Breach) -> Step:
        monitor = _admitted(self.plan.monitor(breach.monitor))
        chosen = choose_remedy(self.plan, state, monitor, breach.window, self.at)
        notify = told(state, monitor, breach, chosen)
        state = change(state, remedies=used(state, monitor, chosen.remedy, breach.window, self.at))
        match chosen.remedy:
            case Remedy.ESCALATE | Remedy.INVESTIGATE:
                taken = Step(state)
            case Remedy.TIGHTEN:
                state = change(state, phase=Phase.WORKING)
                taken = self._run(state, tighten(self.plan, state, monitor, self.at))
            case Remedy.RETRAIN:
                taken = self._retrain(state)
            case Remedy.ROLLBACK:
                taken = self._turn(state, Intent(turn=Turn.ROLLBACK))
            case Remedy.SUSPEND:
                taken = self._turn(state, Intent(turn=Turn.SUSPEND))
        return Step(taken.state, (notify, *taken.commands))

    def _retrain(self, state: State) -> Step:
        state = begin(change(state, passages=()), self.plan.enters.new_version, self.at)
        return self._run(state, own(self.plan, state, StepKind.TRAIN))

    def _requested(self, state: State, asked: Requested) -> Step:
        if turn := turn_of(asked.action):
            taken = self._turn(state, Intent(turn=turn))
            return self._break_glass(taken, asked) if asked.emergency else taken
        match asked.action:
            case Action.PAUSE:
                return Step(change(state, paused=True))
            case Action.RESUME:
                state = change(state, paused=False)
                waiting = state.held is not None and state.phase is not Phase.STUCK
                return self._run(state, state.held) if waiting and state.held else Step(state)
            case Action.RETRAIN:
                return self._retrain(state)
            case Action.CONFIRM:
                return Step(emergency.confirmed(state, asked.request))
            case Action.REVIEW:
                return Step(emergency.reviewed(state))
            case _:
                return self._retry(state)

    def _break_glass(self, taken: Step, asked: Requested) -> Step:
        state = emergency.broken(taken.state, asked, self.at)
        return Step(state, (emergency.notice(self.plan, state), *taken.commands))

    def _retry(self, state: State) -> Step:
        if state.phase is Phase.DECIDING:
            return self._run(state, ask(self.plan, state))
        if state.held:
            return self._run(change(state, phase=Phase.WORKING), state.held)
        return self._enter(state, state.stage)


def _phase_of(state: State, order: StepOrder) -> Phase:
    return Phase.DECIDING if order.kind is StepKind.ASK and state.gate else Phase.WORKING


def _admitted(value: T | None) -> T:
    """What admission has made sure of."""
    if value is None:
        raise AssertionError("the kernel applied an event that admission should have refused")
    return value
