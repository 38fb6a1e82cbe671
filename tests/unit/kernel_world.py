"""A small world to run the kernel in: people, versions, and every event that could happen next."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

from hypothesis import strategies as st

from models.canonical import digest, digest_bytes
from models.compiler import compile_template
from models.deadlines import pending
from models.evidence import StepKind, StepOrder, StepResult
from models.inventory import Column, DataContract, Reference, Source, Submission
from models.lifecycle import Step, step
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
from models.plan import Plan
from models.state import State
from models.verdict import Reading, Verdict
from tests.signers import electorate

Drawn = TypeVar("Drawn")
EPOCH = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TEMPLATES = Path(__file__).parents[2] / "workflows" / "templates"
PEOPLE = {"data_science": ("ana", "dmitri"), "risk": ("rosa", "ravi"), "legal": ("lena",), "product": ("paul",)}
GOOD = (
    Reading(name="threats", value=0, count=1),
    Reading(name="vulnerabilities", value=0, count=5),
    Reading(name="secrets", value=0, count=4),
    Reading(name="auc", value=0.82, count=500),
    Reading(name="adverse_impact", value=0.9, count=80),
    Reading(name="calibration_error", value=0.03, count=500),
    Reading(name="parity_difference", value=2e-7, count=100),
)
UNFAIR = (*GOOD, Reading(name="adverse_impact", value=0.77, count=80))
THIN = (*GOOD, Reading(name="adverse_impact", value=0.9, count=3))


def plan_of(name: str) -> Plan:
    """A built-in plan."""
    path = TEMPLATES / f"{name}.yaml"
    return compile_template(path.read_text(), path.name)


def submission(number: int, developer: str = "ana") -> Submission:
    """A version whose bytes differ from every other number's."""
    reference = Reference(uri=f"file:///data/{number}", digest=digest_bytes(str(number).encode()))
    return Submission(
        artifact=reference,
        source=Source(repository="git@example.com:credit.git", commit="0123456789abcdef0123456789abcdef01234567"),
        training_data=(reference,),
        holdout=reference,
        dependencies=reference,
        contract=DataContract(inputs=(Column(name="income"),), outputs=(Column(name="score"),), label="approved"),
        developer=developer,
        submitter=developer,
        trainer="loans",
    )


class World:
    """Runs events through the kernel and keeps what was said."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.now = EPOCH
        self.state = State(model="loans", owner="olga")
        self.events: list[Event] = []
        self.last = Step(self.state)
        self.made = 0

    def say(self, body: Body, after: timedelta = timedelta(minutes=1)) -> Step:
        """One event, some time later."""
        self.now += after
        event = Event(at=self.now, body=body)
        self.events.append(event)
        self.last = step(self.plan, self.state, event)
        self.state = self.last.state
        return self.last

    def start(self) -> Step:
        """The lifecycle begins."""
        return self.say(Started(plan=digest(self.plan)))

    def submit(self, developer: str = "ana") -> Step:
        """A fresh version arrives."""
        self.made += 1
        return self.say(VersionSubmitted(submission=submission(self.made, developer)))

    def answer(self, **given: object) -> Step:
        """The step in flight answers well, or as given."""
        order = self.state.in_flight
        assert order is not None, f"nothing is in flight in {self.state.stage}/{self.state.phase}"
        return self.say(StepSucceeded(visit=order.visit, step=order.step, result=self.result(order, **given)))

    def fail(self) -> Step:
        """The step in flight fails for good."""
        order = self.state.in_flight
        assert order is not None
        return self.say(StepFailed(visit=order.visit, step=order.step, failure=Failure(type="Error", message="broken")))

    def result(self, order: StepOrder, **given: object) -> StepResult:
        """What an activity would find."""
        base = StepResult(summary="done")
        match order.kind:
            case StepKind.SCAN | StepKind.EVALUATE:
                base = StepResult(summary="measured", readings=GOOD)
            case StepKind.PACKAGE:
                base = StepResult(summary="packaged", bundle=digest_bytes(b"bundle"))
            case StepKind.ASK:
                base = StepResult(summary="asked", electorate=electorate(PEOPLE))
            case StepKind.TRAIN:
                self.made += 1
                base = StepResult(summary="trained", submission=submission(self.made, "trainer"))
        return base.model_copy(update=given)

    def run(self, until: str) -> None:
        """Answer every step until a stage's gate is open, a version is awaited, or the stage is steady."""
        while self.state.in_flight and not (self.state.stage == until and self.state.phase.value != "working"):
            self.answer()

    def decide(self, person: str, choice: Choice = Choice.APPROVE, **given: object) -> Step:
        """A person decides on what the open gate is about."""
        return self.say(Decided(decision=self.decision(person, choice, **given)))

    def decision(self, person: str, choice: Choice = Choice.APPROVE, **given: object) -> Decision:
        """A decision about the present visit and artifact, or as given."""
        gate, subject = self.state.gate_plan(self.plan), self.state.subject
        return Decision(
            gate=gate.id if gate else "no-gate",
            visit=self.state.visit,
            person=person,
            decision=choice,
            reason="looked at the evidence",
            artifact=subject.artifact if subject else digest_bytes(b"nothing"),
        ).model_copy(update=given)

    def ask(self, action: Action, person: str = "sam", emergency: bool = False) -> Step:
        """A person asks for something."""
        request = Request(person=person, reason="it is time")
        return self.say(Requested(action=action, request=request, emergency=emergency))

    def breach(self, window: str = "w1", after: timedelta = timedelta(days=30)) -> Step:
        """The first monitor reports a breach."""
        monitor = self.plan.monitors[0].id if self.plan.monitors else "drift"
        return self.say(Breached(breach=Breach(monitor=monitor, window=window, reasons=("drift 0.4",))), after)

    def to_production(self) -> None:
        """A version earns every gate of the plan and becomes champion."""
        if not self.state.stage:
            self.start()
        self.run("development")
        self.submit()
        self.earn()

    def earn(self) -> None:
        """Answer and approve until nothing is asked any more."""
        while self.state.in_flight or self.state.gate:
            if self.state.in_flight:
                self.answer()
            else:
                self.approve_one()

    def approve_one(self) -> None:
        """The next eligible person approves."""
        for role in self.plan.roles:
            for person in PEOPLE.get(role, ()):
                if self.decide(person).refusal is None:
                    return
        raise AssertionError("nobody may approve")


_ANYBODY = st.sampled_from(["ana", "dmitri", "rosa", "ravi", "lena", "paul", "olga", "mallory"])
_ACTIONS = st.sampled_from(list(Action))
_KINDS = st.integers(0, 7)
_LOTS = st.integers(0, 11)


class _Lots(NamedTuple):
    """What an event says, drawn: right more often than not. A strategy for each would cost most of a test's time."""

    data: st.DataObject
    world: World

    def one_of(self, *choices: Drawn) -> Drawn:
        return choices[self.data.draw(_LOTS) % len(choices)]

    def visit(self) -> int:
        now = self.world.state.visit
        return self.one_of(now, now, now, max(0, now - 1), now + 1)

    def step(self) -> str:
        order = self.world.state.in_flight
        return self.one_of(order.step if order else "scan", "scan", "nonsense")

    def result(self) -> StepResult:
        order = self.world.state.in_flight
        base = self.world.result(order) if order else StepResult(summary="stale")
        verdict = self.one_of(Verdict.PASS, Verdict.PASS, Verdict.PASS, *Verdict)
        readings = self.one_of(base.readings, base.readings, UNFAIR, THIN, ())
        return base.model_copy(update={"verdict": verdict, "readings": readings})

    def decision(self) -> Decision:
        choice = self.one_of(Choice.APPROVE, Choice.APPROVE, Choice.REJECT)
        return self.world.decision(self.data.draw(_ANYBODY), choice, visit=self.visit())

    def timer(self) -> str:
        due = [deadline.timer for deadline in pending(self.world.plan, self.world.state)]
        return self.one_of(*due, "sla", "remind:9")


def happening(data: st.DataObject, world: World) -> Body:
    """Any event, likely or absurd, that could reach a lifecycle in its present state."""
    lots, order = _Lots(data, world), world.state.in_flight
    match data.draw(_KINDS):
        case 0:
            return StepSucceeded(visit=lots.visit(), step=lots.step(), result=lots.result())
        case 1:
            return StepSucceeded(visit=world.state.visit, step=order.step if order else "", result=lots.result())
        case 2:
            failure = Failure(type="Error", message="broken")
            return StepFailed(visit=lots.visit(), step=lots.step(), failure=failure)
        case 3:
            return Decided(decision=lots.decision())
        case 4:
            return TimerFired(visit=lots.visit(), timer=lots.timer())
        case 5:
            return VersionSubmitted(submission=submission(lots.one_of(1, 2, 3, 4, 5, 6)))
        case 6:
            return Breached(breach=Breach(monitor="drift", window=lots.one_of("w1", "w2", "w3"), reasons=("worse",)))
        case _:
            request = Request(person=lots.one_of("sam", "rosa", "lena"), reason="asked")
            return Requested(action=data.draw(_ACTIONS), request=request, emergency=lots.one_of(False, False, True))
