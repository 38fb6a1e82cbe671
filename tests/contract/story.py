"""A model's story, told by the kernel: the events and effects that a workflow would have recorded."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from models.audit import EffectRecord
from models.authentication import read_decision, read_request, read_submission
from models.canonical import canonical, digest, digest_bytes
from models.challenge import challenge
from models.evidence import Evidence, StepKind, StepOrder, StepResult
from models.inventory import (
    Archived,
    Assessment,
    Change,
    Column,
    Consumer,
    DataContract,
    Deployed,
    Environment,
    ModelFacts,
    ModelKind,
    ModelRegistered,
    Notified,
    Override,
    Packaged,
    Rating,
    Reference,
    RiskTier,
    Source,
    Submission,
    UseCase,
    VersionRegistered,
    Withdrawn,
)
from models.journal import JournalEntry
from models.lifecycle import step
from models.messages import (
    Action,
    Body,
    Choice,
    Event,
    HandedIn,
    Started,
    StepSucceeded,
)
from models.plan import Brakes, Entries, GatePlan, MonitorPlan, Plan, Remedy, Routes, StagePlan, StepPlan
from models.signing import Envelope, key_id, seal
from models.state import State, snapshot
from models.statements import PAYLOAD_TYPE, Deciding, Requesting, Said, Statement, Submitting
from models.verdict import Comparison, Kpi, Reading
from tests.signers import AUDIENCE, electorate, private_key, signer

Told = JournalEntry | EffectRecord
Tell = Callable[[str], list[Told]]
Record = Callable[[list[Told]], None]

_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_CHECK = GatePlan(id="development", question="Is it good enough?", checks=("auc",))
_PEOPLE = GatePlan(id="validation", question="Is it fit for use?", approvals={"risk": 1}, sla=3_600)


_RATING = Rating(
    tier=RiskTier.HIGH,
    answered=RiskTier.CRITICAL,
    reasons=("impact grave: 8 points", "overridden to high by rita: A pilot."),
    questionnaires=("baseline@1 sha256:" + "0" * 64,),
)


def small_plan() -> Plan:
    """A small lifecycle with everything in it: checks, a gate with people, a monitor, suspension, retirement."""
    return Plan(
        template="credit",
        version="1",
        title="Credit",
        source=digest_bytes(b"template"),
        tiers=(RiskTier.HIGH,),
        roles={"risk": "model-risk"},
        separation=(),
        kpis=(Kpi(name="auc", passes=Comparison(operator=">=", bound=0.7), fails=Comparison(operator="<", bound=0.7)),),
        stages=(
            _stage("intake", "classify", then="development"),
            _stage(
                "development", "register evaluate package promote", then="validation", at=Environment.DEV, gate=_CHECK
            ),
            _stage("validation", "", then="production", gate=_PEOPLE),
            _stage("production", "promote", at=Environment.PROD),
            _stage("suspended", "stop_serving"),
            _stage("retiring", "undeploy archive", then="retired"),
            StagePlan(name="retired", terminal=True),
        ),
        enters=Entries(new_version="development", retirement="retiring", suspension="suspended"),
        monitors=(
            MonitorPlan(
                id="drift",
                checks=("auc",),
                every=86_400,
                breaches=1,
                then=Remedy.SUSPEND,
                brakes=Brakes(cooldown=60, at_most=1, per=60, otherwise=Remedy.ESCALATE),
            ),
        ),
        environment_gates={Environment.PROD: ("validation",)},
    )


def _stage(
    name: str, steps: str, *, then: str | None = None, at: Environment | None = None, gate: GatePlan | None = None
) -> StagePlan:
    return StagePlan(
        name=name,
        environment=at,
        steps=tuple(StepPlan(id=kind, kind=StepKind(kind), timeout=60) for kind in steps.split()),
        gate=gate,
        routes=Routes(passed=then, failed="development" if gate else None) if then else None,
        steady=name == "production",
    )


def _facts(model: str) -> ModelFacts:
    return ModelFacts(
        id=model,
        title=f"The model {model}",
        kind=ModelKind.ML,
        risk_tier=RiskTier.HIGH,
        assessment=Assessment(
            answers={"impact": "grave"}, override=Override(tier=RiskTier.HIGH, person="rita", reason="A pilot.")
        ),
        intended_use="Rank applications.",
        use_case=UseCase(id="lending", process="Lending", owner="olga", value_hypothesis="Fewer losses."),
        owner="olga",
        jurisdictions=("EU",),
        personal_data=True,
        automated_decision=True,
        sector="banking",
        consumers=(Consumer(name="Branch portal", contact="branch@example.org"),),
    )


def _submission(seed: str) -> Submission:
    def pinned(name: str) -> Reference:
        return Reference(uri=f"file:///data/{name}", digest=digest_bytes(f"{seed}{name}".encode()))

    return Submission(
        artifact=pinned("model.onnx"),
        source=Source(repository="https://example.org/credit.git", commit="c" * 40),
        training_data=(pinned("train.csv"),),
        holdout=pinned("holdout.csv"),
        dependencies=pinned("requirements.txt"),
        contract=DataContract(inputs=(Column(name="income"),), outputs=(Column(name="score"),), label="good"),
        developer="dora",
        submitter="sven",
    )


class _Narrator:
    """Drives the kernel as the workflow would, and tells what is to be recorded on the way."""

    def __init__(self, plan: Plan, model: str) -> None:
        self.plan = plan
        self.state = State(model=model, owner="olga")
        self.auc = 0.8

    def say(self, body: Body) -> Iterator[Told]:
        """One event, and all the steps that it leads to."""
        event = Event(at=self.now, body=body)
        answer = step(self.plan, self.state, event)
        self.state = answer.state
        yield JournalEntry(
            model=self.state.model,
            plan=digest(self.plan),
            seq=self.state.seq,
            event=event,
            refusal=answer.refusal,
            snapshot=snapshot(self.state),
        )
        order = self.state.in_flight
        if order:
            effect = EffectRecord(key=order.key, result=self._result(order), changes=self._changes(order))
            yield effect
            yield from self.say(StepSucceeded(visit=order.visit, step=order.step, result=effect.result))

    @property
    def now(self) -> datetime:
        """When the next event happens."""
        return _NOON + timedelta(minutes=self.state.seq)

    def sign(self, person: str, says: Said) -> Envelope:
        """What a person signs, always the same."""
        statement = Statement(
            person=person,
            key=key_id(signer(person).public),
            jti=f"story-{self.state.model:->16}-{self.state.seq}",
            issued_at=self.now,
            expires_at=self.now + timedelta(hours=1),
            says=says,
        )
        return seal(canonical(statement), PAYLOAD_TYPE, private_key(person))

    def ask(self, action: Action) -> Iterator[Told]:
        """A person's request."""
        says = Requesting(audience=AUDIENCE, lifecycle=self.state.model, action=action, reason="because")
        yield from self.say(
            read_request(self.state, self.sign("olga", says), electorate({"risk": ("olga",)}), self.now)
        )

    def submit(self, seed: str) -> Iterator[Told]:
        """A version, signed for."""
        submission = _submission(seed)
        says = Submitting(audience=AUDIENCE, lifecycle=self.state.model, submission=digest(submission))
        given = HandedIn(submission=submission, envelope=self.sign("sven", says))
        yield from self.say(read_submission(self.state, given, electorate({"risk": ("sven",)}), self.now))

    def approve(self) -> Iterator[Told]:
        """The one approval that the gate asks."""
        about = challenge(self.plan, digest(self.plan), self.state)
        assert about is not None
        says = Deciding(about=about, decision=Choice.APPROVE, role="risk", reason="It is sound.")
        yield from self.say(read_decision(self.plan, digest(self.plan), self.state, self.sign("rita", says), self.now))

    def _result(self, order: StepOrder) -> StepResult:
        what = f"{order.kind} of {order.key}"
        match order.kind:
            case StepKind.EVALUATE:
                report = Evidence(kind="evaluation", digest=digest_bytes(what.encode()), summary=what)
                readings = (Reading(name="auc", value=self.auc, count=400),)
                return StepResult(summary=what, evidence=(report,), readings=readings)
            case StepKind.PACKAGE:
                return StepResult(summary=what, bundle=digest_bytes(what.encode()))
            case StepKind.ASK:
                return StepResult(summary=what, electorate=electorate({"risk": ("rita",)}))
            case _:
                return StepResult(summary=what)

    def _changes(self, order: StepOrder) -> tuple[Change, ...]:
        number, environment, bundle = order.version or 0, order.environment, order.bundle
        match order.kind:
            case StepKind.CLASSIFY:
                facts = _facts(order.model)
                return (ModelRegistered(facts=facts, regulations=("EU AI Act", "SR 11-7"), rating=_RATING),)
            case StepKind.REGISTER if order.submission:
                return (VersionRegistered(version=number, submission=order.submission),)
            case StepKind.PACKAGE:
                return (Packaged(version=number, bundle=digest_bytes(f"package of {order.key}".encode())),)
            case StepKind.PROMOTE | StepKind.RESTORE if environment and bundle:
                return (Deployed(environment=environment, version=number, bundle=bundle, endpoint="http://serving"),)
            case StepKind.STOP_SERVING:
                return (Withdrawn(environments=(Environment.PROD,)),)
            case StepKind.ASK:
                return (Notified(recipient="rita", subject="Please decide", body="A version waits."),)
            case StepKind.UNDEPLOY:
                return (Withdrawn(environments=tuple(Environment)),)
            case StepKind.ARCHIVE:
                return (Archived(archive=digest_bytes(b"archive")),)
            case _:
                return ()


def tell_story(plan: Plan, model: str) -> Iterator[Told]:
    """Version 1 is promoted, version 2 fails its check, version 3 takes over, is suspended, rolled back; the end."""
    narrator = _Narrator(plan, model)
    yield from narrator.say(Started(plan=digest(plan)))
    yield from narrator.submit("one")
    yield from narrator.approve()
    yield from narrator.ask(Action.RESUME)
    narrator.auc = 0.5
    yield from narrator.submit("two")
    narrator.auc = 0.9
    yield from narrator.submit("three")
    yield from narrator.approve()
    yield from narrator.ask(Action.SUSPEND)
    yield from narrator.ask(Action.ROLLBACK)
    yield from narrator.ask(Action.RETIRE)


def events(story: list[Told]) -> list[JournalEntry]:
    """The events of a story."""
    return [told for told in story if isinstance(told, JournalEntry)]


def effects(story: list[Told]) -> list[EffectRecord]:
    """The effects of a story."""
    return [told for told in story if isinstance(told, EffectRecord)]


def until(story: list[Told], seq: int) -> list[Told]:
    """A story up to an event."""
    last = next(index for index, told in enumerate(story) if isinstance(told, JournalEntry) and told.seq == seq)
    return story[: last + 1]
