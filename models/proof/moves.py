"""Everything that could happen next to a lifecycle: answers, people, clocks, breaches, versions; and what is stale.

A move is the event, in words for the story of a counter-example. A step that is performed again after a crash answers
as it may answer the first time; a message delivered twice comes as a stale one.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from itertools import product
from typing import NamedTuple

from models.approval import open_roles
from models.canonical import Slug, replace
from models.deadlines import pending
from models.evidence import Electorate, StepKind, StepOrder, StepResult
from models.inventory import Column, DataContract, Reference, Source, Submission
from models.messages import (
    Action,
    Body,
    Breach,
    Breached,
    Choice,
    Decided,
    Decision,
    Event,
    Failure,
    Request,
    Requested,
    Started,
    StepFailed,
    StepSucceeded,
    TimerFired,
    VersionSubmitted,
)
from models.plan import GatePlan, MonitorPlan, Plan, Remedy, reachable, targets
from models.proof.graph import KEEPS_VERSION
from models.proof.symmetry import (
    ANYBODY,
    BREAKER,
    CANDIDATE,
    CHAMPION,
    DEVELOPER,
    EPOCH,
    PREVIOUS,
    SECOND,
    TIGHT,
    TRAINER,
    VISIT,
    artifact,
    barred,
    electorate,
)
from models.state import Finding, GateVisit, RemedyUse, State, change
from models.verdict import Comparison, Kpi, Reading, Verdict, combine, judge

FRESH = 4
"""The artifact of a version that nobody has seen."""

_REASON = "explored"
_DONE = StepResult(summary=_REASON)
_FAILED = Failure(type="Explored", message="the step failed for good")
_PINNED = Reference(uri="file:///explored", digest=artifact(FRESH))
_SUBMISSION = Submission(
    artifact=_PINNED,
    source=Source(repository="explored", commit="0" * 40),
    training_data=(_PINNED,),
    holdout=_PINNED,
    dependencies=_PINNED,
    contract=DataContract(inputs=(Column(name="x"),), outputs=(Column(name="y"),), label="y"),
    developer=DEVELOPER,
    submitter=DEVELOPER,
    trained_by=TRAINER,
)


class Move(NamedTuple):
    """An event, and what it is in words."""

    words: str
    event: Event


def _move(words: str, body: Body) -> Move:
    return Move(words, Event(at=EPOCH, body=body))


BEGIN = _move("the lifecycle begins", Started(plan=artifact(0)))


def _ask(action: Action, person: str, emergency: bool = False) -> Move:
    words = f"somebody asks to {action}{' in an emergency' * emergency}"
    request = Request(person=person, reason=_REASON)
    return _move(words, Requested(action=action, request=request, emergency=emergency))


_ASKED = {action: _ask(action, SECOND) for action in Action}
REQUESTS = (
    *_ASKED.values(),
    *(_ask(action, SECOND, emergency=True) for action in (Action.SUSPEND, Action.ROLLBACK)),
    _move("a new version is submitted", VersionSubmitted(submission=_SUBMISSION)),
)
_DOUBLES = (
    BEGIN,
    *(
        _move(f"a stale answer of {step} comes", body)
        for visit, step in ((VISIT - 1, "scan"), (VISIT + 1, "ask"), (VISIT, "no-step"))
        for body in (
            StepSucceeded(visit=visit, step=step, result=_DONE),
            StepFailed(visit=visit, step=step, failure=_FAILED),
        )
    ),
    _move("a timer of another visit is due", TimerFired(visit=VISIT - 1, timer="sla")),
    _move("a timer that does not run is due", TimerFired(visit=VISIT, timer="no-timer")),
    *(_ask(action, BREAKER) for action in (Action.CONFIRM, Action.REVIEW)),
    _ask(Action.ABANDON, BREAKER, emergency=True),
)


def request(action: Action) -> Event:
    """Somebody asks for something."""
    return _ASKED[action].event


class Moves:
    """What can happen under one plan. The states are renamed ones; equal events are made once.

    Of monitors that start the same within the same brakes one is heard: its name and its figures change nothing else.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan, self._barred = plan, barred(plan)
        self._answers: dict[tuple[str, StepKind, str, int | None], tuple[Move, ...]] = {}
        alike = {(monitor.then, monitor.brakes): monitor for monitor in reversed(plan.monitors)}
        self._tightens = any(monitor.then is Remedy.TIGHTEN for monitor in plan.monitors)
        self._breaches = [(_breach(monitor), tuple(_held_back(monitor))) for monitor in alike.values()]

    def possible(self, state: State) -> Iterator[tuple[Move, State]]:
        """Every event that could change a state, and which: a breach comes with the brakes on, and in a loop, too."""
        if state.in_flight:
            yield from ((move, state) for move in self._answers_of(state.in_flight))
        if state.gate:
            yield from self._decisions(state, state.gate)
        yield from ((move, state) for move in (*self._timers(state), *REQUESTS))
        for move, uses in self._breaches:
            yield move, state
            yield from ((move, change(state, remedies=made)) for made in uses)
            if self._tightens:
                yield move, change(state, tightened=TIGHT)

    def stale(self, state: State) -> Iterator[tuple[Move, State]]:
        """What must change nothing, and in which state: doubles, what is over, decisions about something else."""
        yield from ((move, state) for move in (*_DOUBLES, *self._about_something_else(state)))
        yield from self._over_findings(state)

    def _about_something_else(self, state: State) -> Iterator[Move]:
        gate, subject = state.gate_plan(self._plan), state.subject
        if gate is None or state.gate is None or subject is None:
            return
        role = next(iter(gate.approvals))
        yield _decide(gate, f"{role}-1", role, subject.artifact, visit=VISIT - 1)
        yield _decide(gate, f"{role}-1", role, artifact(FRESH))
        yield _decide(gate, "stranger", None, subject.artifact)
        for made in state.gate.decisions:
            yield from (_decide(gate, made.person, role, subject.artifact) for role in gate.approvals)
        for person in self._barred:
            yield from (_decide(gate, person, role, subject.artifact) for role in gate.approvals)

    def _over_findings(self, state: State) -> Iterator[tuple[Move, State]]:
        """Approvals that pass over what a role has found, and those that close what another one has."""
        gate, subject = state.gate_plan(self._plan), state.subject
        if gate is None or state.gate is None or subject is None:
            return
        for role in open_roles(gate, state.gate):
            for person in self._voters(role, state.gate)[:1]:
                yield _decide(gate, person, role, subject.artifact), change(state, findings=(_finding(gate.id, role),))
                yield _decide(gate, person, role, subject.artifact, closes=("F1",)), state

    def _answers_of(self, order: StepOrder) -> tuple[Move, ...]:
        key = (order.stage, order.kind, order.step, order.version)
        if key not in self._answers:
            self._answers[key] = tuple(self._make_answers(order))
        return self._answers[key]

    def _make_answers(self, order: StepOrder) -> Iterator[Move]:
        what = order.step.replace("_", " ").replace("-", " ")
        for words, result in self._results(order):
            yield _move(f"{what} answers{words}", StepSucceeded(visit=VISIT, step=order.step, result=result))
        yield _move(f"{what} fails for good", StepFailed(visit=VISIT, step=order.step, failure=_FAILED))

    def _results(self, order: StepOrder) -> Iterator[tuple[str, StepResult]]:
        match order.kind:
            case StepKind.ASK:
                voters = electorate(self._plan, tuple(order.roles))
                yield " who may decide", _DONE.model_copy(update={"electorate": voters})
                yield " that nobody may", _DONE.model_copy(update={"electorate": Electorate(people={})})
                return
            case StepKind.TIGHTEN:
                yield "", _DONE
            case StepKind.TRAIN:
                yield " with a version", _DONE.model_copy(update={"submission": _SUBMISSION})
                return
            case StepKind.PACKAGE:
                bundle = artifact(order.version or CANDIDATE)
                for words, readings in measurements(self._plan, order.stage, measured_by(self._plan, order)):
                    yield words, _DONE.model_copy(update={"bundle": bundle, "readings": readings})
                for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
                    yield f": {verdict}", _DONE.model_copy(update={"verdict": verdict})
            case _:
                found = measurements(self._plan, order.stage, measured_by(self._plan, order))
                for verdict, (words, readings) in product(Verdict, found):
                    said = "" if verdict is Verdict.PASS else f": {verdict}"
                    yield f"{words}{said}", _DONE.model_copy(update={"verdict": verdict, "readings": readings})

    def _decisions(self, state: State, visit: GateVisit) -> Iterator[tuple[Move, State]]:
        gate, subject = state.gate_plan(self._plan), state.subject
        if gate is None or subject is None:
            return
        owed = open_roles(gate, visit)
        for role in gate.approvals:
            voters = self._voters(role, visit)
            for person in voters:
                if role in owed:
                    yield _decide(gate, person, role, subject.artifact), state
                yield _decide(gate, person, role, subject.artifact, Choice.REJECT), state
            if role in owed and voters:
                found = change(state, findings=(_finding(gate.id, role),), found=1)
                yield _decide(gate, voters[0], role, subject.artifact, closes=("F1",)), found

    def _voters(self, role: str, visit: GateVisit) -> list[str]:
        """Who of a role could be next: the first who has not decided, and the one who is in every role."""
        decided = {made.person for made in visit.decisions}
        free = [person for person in visit.electorate.people.get(role, ()) if person not in decided]
        single = [person for person in free if person not in (ANYBODY, *self._barred)]
        return [*single[:1], *(person for person in free if person == ANYBODY)]

    def _timers(self, state: State) -> Iterator[Move]:
        for deadline in pending(self._plan, state):
            yield _timer(deadline.timer)


def measured_by(plan: Plan, order: StepOrder) -> frozenset[Slug]:
    """What a step measures; nothing, if it is one of the kernel's own."""
    found = [
        step.measures for step in plan.stage(order.stage).steps if (step.id, step.kind) == (order.step, order.kind)
    ]
    return frozenset[Slug]().union(*found)


def measurements(plan: Plan, stage: Slug, measured: frozenset[Slug]) -> list[tuple[str, tuple[Reading, ...]]]:
    """Readings of what is measured in a stage, one set for all those that every gate that sees them judges alike."""
    seeing = _seeing(plan, stage, measured)
    gates = [one.gate.checks for one in plan.stages if one.gate and one.name in seeing]
    checked = {name for one in plan.stages if one.gate for name in one.gate.checks}
    kpis = [kpi for kpi in plan.kpis if kpi.name in measured & checked]
    found: dict[tuple[Verdict, ...], tuple[str, tuple[Reading, ...]]] = {}
    for verdicts in product(Verdict, repeat=len(kpis)):
        judged = {kpi.name: verdict for kpi, verdict in zip(kpis, verdicts, strict=True)}
        alike = tuple(combine(tuple(judged[name] for name in checks if name in judged)) for checks in gates)
        bad = ", ".join(f"{name} {verdict}" for name, verdict in judged.items() if verdict is not Verdict.PASS)
        words = f" ({bad})" if bad else ""
        found.setdefault(alike, (words, tuple(reading_of(kpi, judged[kpi.name]) for kpi in kpis)))
    return list(found.values())


def _seeing(plan: Plan, stage: Slug, measured: frozenset[Slug]) -> frozenset[Slug]:
    """The stages whose gates may judge what is measured in a stage: those before it is measured anew, and those aside.

    Where a stage measures again, its gate sees what it has measured itself.
    """
    stages, enters = plan.by_name, plan.enters
    anew = frozenset(one.name for one in plan.stages if measured <= one.measures)
    next_ones = [reachable(stages, to, KEEPS_VERSION, anew) for _, to in targets(stages[stage], KEEPS_VERSION)]
    aside = stages.keys() - reachable(stages, enters.new_version, KEEPS_VERSION)
    return frozenset({stage}).union(aside, *next_ones)


def reading_of(kpi: Kpi, verdict: Verdict) -> Reading:
    """A reading that a KPI judges so."""
    comparison = kpi.fails if verdict is Verdict.FAIL else kpi.passes
    count = 0 if verdict is Verdict.INCONCLUSIVE else kpi.at_least
    reading = Reading(name=kpi.name, value=_within(comparison), count=count)
    if judge(kpi, (reading,)).verdict is not verdict:
        raise AssertionError(f"no reading of {kpi.name} is judged {verdict}")
    return reading


def _within(comparison: Comparison) -> float:
    return comparison.bound + {">": 1.0, "<": -1.0}.get(comparison.operator, 0.0)


@cache
def _decision(
    gate: str, person: str, role: str | None, about: str, choice: Choice, visit: int, closes: tuple[str, ...]
) -> Move:
    made = Decision(
        gate=gate,
        visit=visit,
        person=person,
        decision=choice,
        reason=_REASON,
        artifact=about,
        role=role,
        findings=(_REASON,) if choice is Choice.REJECT else (),
        closes=closes,
    )
    words = f"{person} {choice}s at '{gate}'" + (f" for {role}" if role else "")
    return _move(f"{words}, closing {', '.join(closes)}" if closes else words, Decided(decision=made))


@cache
def _finding(gate: str, role: str) -> Finding:
    """What a role has found at a gate in an earlier version."""
    return Finding(id="F1", gate=gate, role=role, text=_REASON, person=f"{role}-1", version=CANDIDATE)


@cache
def _timer(name: str) -> Move:
    return _move(f"the timer {name} is due", TimerFired(visit=VISIT, timer=name))


def _decide(
    gate: GatePlan,
    person: str,
    role: str | None,
    about: str,
    choice: Choice = Choice.APPROVE,
    visit: int = VISIT,
    closes: tuple[str, ...] = (),
) -> Move:
    return _decision(gate.id, person, role, about, choice, visit, closes)


def _breach(monitor: MonitorPlan) -> Move:
    breach = Breach(monitor=monitor.id, window="explored", reasons=(_REASON,))
    return _move(f"{monitor.id} is breached", Breached(breach=breach))


def _held_back(monitor: MonitorPlan) -> Iterator[tuple[RemedyUse, ...]]:
    """Uses after which a monitor may not act by itself; none where it never does.

    As many as its brakes allow at most, one within its cooldown, and a retraining which its own remedy would repeat or
    undo.
    """
    if monitor.then is Remedy.ESCALATE:
        return
    seconds, brakes = timedelta(seconds=1), monitor.brakes
    use = RemedyUse(at=EPOCH - seconds, monitor=monitor.id, remedy=monitor.then, window="earlier")
    yield (use,)
    if brakes.per > brakes.cooldown and brakes.at_most > 1:
        past = replace(use, at=EPOCH - brakes.cooldown * seconds)
        yield tuple(replace(past, window=f"earlier-{number}") for number in range(brakes.at_most))
    if monitor.then in (Remedy.RETRAIN, Remedy.ROLLBACK):
        undone = PREVIOUS if monitor.then is Remedy.ROLLBACK else CHAMPION
        yield (replace(use, monitor="another", remedy=Remedy.RETRAIN, window="explored", version=undone),)
