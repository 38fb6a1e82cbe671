"""The record of a model whose approvals are signed, as it is and as a rogue worker would forge it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from client.signer import Signer
from models.audit import GENESIS, AuditEntry, AuditHead, AuditKind, EffectRecord, seal
from models.authentication import read_decision, read_request, read_submission
from models.canonical import Frozen, canonical, digest, digest_bytes
from models.challenge import challenge
from models.clearance import Known, Minimum, Tied
from models.compiler import compile_template
from models.evidence import EffectKey, Electorate, Evidence, StepKind, StepOrder, StepResult
from models.inventory import Change, Deployed, ModelRegistered, Packaged, RiskTier, Submission, VersionRegistered
from models.journal import JournalEntry
from models.keys import EnrolledKey, Keyring
from models.lifecycle import step
from models.messages import Action, Body, Choice, Decided, Event, Started, StepSucceeded
from models.plan import Plan
from models.signing import Envelope
from models.state import Phase, State, snapshot
from models.statements import Challenge
from models.verdict import Reading
from tests.temporal.house import facts_of

MODEL = "loans"
AUDIENCE = "tests"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CREDIT = compile_template(
    (Path(__file__).parents[2] / "workflows" / "templates" / "credit-high-risk.yaml").read_text(), "credit"
)
PEOPLE = {"data_science": ("ana", "dmitri"), "risk": ("rosa",), "legal": ("lena",), "product": ("paul",)}
READINGS = {
    "threats": 0.0,
    "vulnerabilities": 0.0,
    "secrets": 0.0,
    "auc": 0.9,
    "calibration_error": 0.01,
    "adverse_impact": 0.95,
    "parity_difference": 0.0,
}
APPROVALS = (("dmitri", "data_science"), ("rosa", "risk"), ("lena", "legal"), ("paul", "product"))


class Scribe:
    """Drives the kernel as the workflow does, and keeps the audit trail of it."""

    def __init__(
        self,
        plan: Plan = CREDIT,
        tier: RiskTier = RiskTier.HIGH,
        people: Mapping[str, tuple[str, ...]] = PEOPLE,
        begun: datetime = NOON,
    ) -> None:
        self.plan = plan
        self.people = dict(people)
        self.state = State(model=MODEL, owner="olga")
        self.entries: list[AuditEntry] = []
        self.now = begun
        held = {name for names in people.values() for name in names}
        self.signers = {name: self.signer(name) for name in sorted({"olga", "sven", *held})}
        self.keyring = Keyring(keys=tuple(map(self.enrolled, self.signers.values())))
        facts = ModelRegistered(facts=facts_of(MODEL, tier), regulations=())
        self.perform(EffectKey(model=MODEL, visit=0, step="register-model"), StepResult(summary="known"), facts)
        self.say(Started(plan=digest(plan)))

    # --- who there is

    def signer(self, person: str, private: Ed25519PrivateKey | None = None) -> Signer:
        """Somebody with a key, their own or a given one, whose clock is the record's."""
        return Signer(person, private or Ed25519PrivateKey.generate(), lambda: self.now)

    def enrolled(self, signer: Signer) -> EnrolledKey:
        """The entry of a key in the registry."""
        return EnrolledKey(person=signer.person, public=signer.public, enrolled=NOON - timedelta(days=9))

    @property
    def electorate(self) -> Electorate:
        """As the ordinary worker reads it."""
        keys = {person: self.keyring.of(person, self.now) for person in self.signers}
        return Electorate(people=self.people, audience=AUDIENCE, keys={p: k for p, k in keys.items() if k})

    def known(self, minimum: Minimum | None = None) -> Known:
        """What the actuator knows."""
        return Known(Electorate(people=self.people, audience=AUDIENCE), self.keyring, minimum)

    # --- what happens

    def say(self, body: Body) -> None:
        """An event, recorded with what it led to."""
        self.now += timedelta(minutes=1)
        self.tell(Event(at=self.now, body=body))

    def tell(self, event: Event) -> None:
        """An event is recorded, whenever it happened."""
        answer = step(self.plan, self.state, event)
        self.state = answer.state
        self.append(
            AuditKind.EVENT,
            JournalEntry(
                model=MODEL,
                plan=digest(self.plan),
                seq=self.state.seq,
                event=event,
                refusal=answer.refusal,
                snapshot=snapshot(self.state),
            ),
        )

    def perform(self, key: EffectKey, result: StepResult, *changes: Change) -> None:
        """An effect, recorded."""
        self.append(AuditKind.EFFECT, EffectRecord(key=key, result=result, changes=changes))

    def append(self, kind: AuditKind, body: Frozen) -> None:
        """One entry more."""
        last = self.entries[-1] if self.entries else None
        head = AuditHead(position=last.position, hash=last.hash) if last else AuditHead()
        self.entries.append(seal(head, MODEL, kind, self.now, canonical(body).decode()))

    def work(self) -> None:
        """Every step is done, until people are asked or production is ordered."""
        while self.state.in_flight and self.state.in_flight.stage != "production":
            self.do(self.state.in_flight)

    def do(self, order: StepOrder) -> None:
        """A step is done."""
        result, changes = self.answer(order)
        self.perform(order.key, result, *changes)
        self.say(StepSucceeded(visit=order.visit, step=order.step, result=result))

    def answer(self, order: StepOrder) -> tuple[StepResult, tuple[Change, ...]]:
        """What a step finds, and changes."""
        what, number = f"{order.key}", order.version or 0
        bundle = digest_bytes(what.encode())
        match order.kind:
            case StepKind.REGISTER if order.submission:
                return StepResult(summary=what), (VersionRegistered(version=number, submission=order.submission),)
            case StepKind.SCAN | StepKind.EVALUATE:
                report = Evidence(kind=order.kind.value, digest=bundle, summary=what)
                readings = tuple(Reading(name=name, value=value, count=500) for name, value in READINGS.items())
                return StepResult(summary=what, evidence=(report,), readings=readings), ()
            case StepKind.PACKAGE:
                return StepResult(summary=what, bundle=bundle), (Packaged(version=number, bundle=bundle),)
            case StepKind.ASK:
                return StepResult(summary=what, electorate=self.electorate), ()
            case StepKind.PROMOTE | StepKind.RESTORE if order.environment and order.bundle:
                deployed = Deployed(
                    environment=order.environment, version=number, bundle=order.bundle, endpoint="http://serving"
                )
                return StepResult(summary=what), (deployed,)
            case _:
                return StepResult(summary=what), ()

    def serve(self) -> None:
        """Production does all that it is ordered to do."""
        while order := self.state.in_flight:
            self.do(order)

    def submit(self, submission: Submission) -> None:
        """A version enters, and gets as far as it can without anybody."""
        self.work()
        given = self.signers[submission.submitter].submit(AUDIENCE, MODEL, submission)
        self.say(read_submission(self.state, given, self.electorate, self.now + timedelta(minutes=1)))
        self.work()

    # --- what people say

    def challenge(self) -> Challenge:
        """What the open gate asks."""
        found = challenge(self.plan, digest(self.plan), self.state)
        assert found is not None
        return found

    def sign(self, person: str, role: str, choice: Choice = Choice.APPROVE) -> Envelope:
        """A decision about what is asked now."""
        return self.signers[person].decide(self.challenge(), choice, role, "I looked at the evidence.")

    def read(self, envelope: Envelope) -> Decided:
        """As the honest workflow reads it."""
        told = read_decision(self.plan, digest(self.plan), self.state, envelope, self.now + timedelta(minutes=1))
        assert isinstance(told, Decided)
        return told

    def decide(self, person: str, role: str, choice: Choice = Choice.APPROVE) -> None:
        """A signed decision arrives."""
        self.say(self.read(self.sign(person, role, choice)))
        self.work()

    def ask(self, action: Action, signer: Signer | None = None, known: Electorate | None = None) -> None:
        """A signed request arrives: the owner's, or whoever's, whom the lifecycle takes for whom it is told."""
        envelope = (signer or self.signers["olga"]).request(AUDIENCE, MODEL, action, "It has to be.")
        self.say(read_request(self.state, envelope, known or self.electorate, self.now + timedelta(minutes=1)))

    def approve_all(self, approvals: Sequence[tuple[str, str]] = APPROVALS) -> None:
        """Everybody approves, at one gate after the other."""
        for person, role in approvals:
            self.decide(person, role)

    @property
    def order(self) -> StepOrder:
        """What production is ordered to do."""
        assert self.state.phase is Phase.WORKING
        assert self.state.in_flight is not None
        return self.state.in_flight

    @property
    def record(self) -> list[Tied]:
        """The trail, as the inventory hands it out."""
        return tie(self.entries)


def tie(entries: Sequence[AuditEntry]) -> list[Tied]:
    """Entries with what those beside them say; the head of the trail is the last one's hash."""
    hashes = [GENESIS, *(entry.hash for entry in entries)]
    follows = [*(entry.previous for entry in entries[1:]), entries[-1].hash]
    return [Tied(*tied) for tied in zip(entries, hashes, follows, strict=False)]


def rechain(entries: Sequence[AuditEntry]) -> list[AuditEntry]:
    """The entries sealed anew: what an owner of the database can make of them."""
    head, sealed = AuditHead(), list[AuditEntry]()
    for entry in entries:
        sealed.append(seal(head, entry.model, AuditKind(entry.kind), entry.at, entry.body))
        head = AuditHead(position=sealed[-1].position, hash=sealed[-1].hash)
    return sealed


def submission_of(name: str, developer: str = "dora", submitter: str = "sven") -> Submission:
    """A version that nobody of the electorate made."""
    pinned = {"uri": f"file:///{name}", "digest": digest_bytes(name.encode())}
    return Submission.model_validate(
        {
            "artifact": pinned,
            "source": {"repository": "git@example.com:loans.git", "commit": "c" * 40},
            "training_data": [pinned],
            "holdout": pinned,
            "dependencies": pinned,
            "contract": {"inputs": [{"name": "income"}], "outputs": [{"name": "score"}], "label": "good"},
            "developer": developer,
            "submitter": submitter,
        }
    )


def released(scribe: Scribe | None = None, first: Submission | None = None) -> Scribe:
    """A version that everybody has approved, and that production is ordered to serve."""
    told = scribe or Scribe()
    told.submit(first or submission_of("one"))
    told.approve_all()
    return told
