"""What the record leads to, without a database or a server: into the same gate visit, with its decisions."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from models import signing
from models.approval import open_roles
from models.audit import AuditEntry, AuditHead, AuditKind, EffectRecord, seal
from models.authentication import read_decision
from models.canonical import Frozen, canonical, digest, replace
from models.challenge import challenge
from models.errors import InvalidInputError, RefusedError
from models.evidence import EffectKey, Electorate, StepOrder, StepResult
from models.inventory import ModelRegistered, RiskTier
from models.journal import JournalEntry, LifecycleInput
from models.lifecycle import step
from models.messages import Attempted, Choice, Decided, Event, Notify, VersionSubmitted
from models.rebuilding import Heard, disagreements, message_of, resumed, unrecorded
from models.signing import Envelope, key_id, public_of
from models.state import Phase, State, change, snapshot
from models.statements import PAYLOAD_TYPE, Deciding, Statement
from tests.signers import AUDIENCE, signer
from tests.temporal.house import facts_of
from tests.unit.kernel_world import EPOCH, PEOPLE, World, happening, plan_of, submission

CREDIT = plan_of("credit-high-risk")
KEYS = {person: Ed25519PrivateKey.generate() for people in PEOPLE.values() for person in people}
OWNER = facts_of("loans", RiskTier.HIGH).model_copy(update={"owner": "olga"})
REGISTERED = EffectRecord(
    key=EffectKey(model="loans", visit=0, step="register-model"),
    result=StepResult(summary="registered"),
    changes=(ModelRegistered(facts=OWNER, regulations=()),),
)


def journal(events: Iterable[Event]) -> list[JournalEntry]:
    """What the workflow would have recorded of some events."""
    state, told = State(model="loans", owner="olga"), list[JournalEntry]()
    for event in events:
        answer = step(CREDIT, state, event)
        state = answer.state
        told.append(
            JournalEntry(
                model="loans",
                plan=digest(CREDIT),
                seq=state.seq,
                event=event,
                refusal=answer.refusal,
                snapshot=snapshot(state),
            )
        )
    return told


def sealed(*bodies: Frozen) -> list[AuditEntry]:
    """A trail of them."""
    entries, head = list[AuditEntry](), AuditHead()
    for body in bodies:
        kind = AuditKind.EVENT if isinstance(body, JournalEntry) else AuditKind.EFFECT
        entries.append(seal(head, "loans", kind, EPOCH, canonical(body).decode()))
        head = AuditHead(position=entries[-1].position, hash=entries[-1].hash)
    return entries


def trail(world: World) -> list[AuditEntry]:
    """What is recorded of a world."""
    return sealed(REGISTERED, *journal(world.events))


class Office(World):
    """A world whose people have keys."""

    def result(self, order: StepOrder, **given: object) -> StepResult:
        """As any world's; who is asked has a key."""
        found = super().result(order, **given)
        if found.electorate is None:
            return found
        keys = {person: (public_of(key),) for person, key in KEYS.items()}
        return found.model_copy(update={"electorate": Electorate(people=PEOPLE, audience="test", keys=keys)})

    def signed(self, person: str, role: str, choice: Choice = Choice.APPROVE) -> Envelope:
        """A decision about the open gate, signed now."""
        about = challenge(self.plan, digest(self.plan), self.state)
        assert about is not None
        statement = Statement(
            person=person,
            key=key_id(public_of(KEYS[person])),
            jti=f"{person}-{self.state.seq}-0123456789abcdef",
            issued_at=self.now,
            expires_at=self.now + timedelta(days=1),
            says=Deciding(about=about, decision=choice, role=role, reason="looked at the evidence"),
        )
        return signing.seal(canonical(statement), PAYLOAD_TYPE, KEYS[person])

    def send(self, envelope: Envelope) -> str | None:
        """An envelope arrives."""
        return self.say(read_decision(self.plan, digest(self.plan), self.state, envelope, self.now)).refusal


def at_validation() -> Office:
    """A version waits at the first gate, and one of its two approvals is given, signed."""
    world = Office(CREDIT)
    world.start()
    world.run("development")
    world.submit()
    world.run("validation")
    assert world.state.phase is Phase.DECIDING
    assert world.send(world.signed("dmitri", "data_science")) is None
    return world


def test_into_the_same_gate_visit_with_its_decisions() -> None:
    """What was signed still stands, what is owed may be given, and the same envelope does not count twice."""
    world = at_validation()
    given = resumed("loans", CREDIT, trail(world))
    assert given == LifecycleInput.model_validate_json(given.model_dump_json())
    assert given.rebuilt
    assert given.state == world.state
    gate = given.state.gate_plan(CREDIT)
    assert gate is not None
    assert given.state.gate is not None
    assert list(open_roles(gate, given.state.gate)) == ["risk"]
    assert challenge(CREDIT, digest(CREDIT), given.state) == challenge(CREDIT, digest(CREDIT), world.state)
    again = message_of(world.events[-1].body)
    assert isinstance(again, Envelope)
    assert "has already decided" in (world.send(again) or "")
    assert world.send(world.signed("rosa", "risk")) is None
    assert world.state.stage == "staging"


def test_a_lost_envelope_counts_when_it_is_sent_again() -> None:
    """The gate's opening is on record, so what was signed about it is still about the same."""
    world = at_validation()
    recorded = trail(world)
    lost = world.signed("rosa", "risk")
    rebuilt = Office(CREDIT)
    rebuilt.state, rebuilt.now = resumed("loans", CREDIT, recorded).state, world.now + timedelta(hours=1)
    assert list(unrecorded([Heard(world.now, lost, True)], recorded, EPOCH)) == [Heard(world.now, lost, True)]
    assert rebuilt.send(lost) is None
    assert rebuilt.state.stage == "staging"


@given(st.data())
def test_the_record_leads_to_where_the_kernel_was(data: st.DataObject) -> None:
    """After any events the record leads to the very state, and to all that people were to be told and were not."""
    world = World(CREDIT)
    told: list[Notify] = [c for c in world.start().commands if isinstance(c, Notify)]
    for _ in range(data.draw(st.integers(0, 25))):
        told += [c for c in world.say(happening(data, world)).commands if isinstance(c, Notify)]
    done = told[: data.draw(st.integers(0, 1))]
    delivered = [EffectRecord(key=one.key("loans"), result=StepResult(summary="told")) for one in done]
    entries = sealed(REGISTERED, *journal(world.events), *delivered)
    if world.state.phase is Phase.ENDED:
        with pytest.raises(RefusedError):
            resumed("loans", CREDIT, entries)
        return
    found = resumed("loans", CREDIT, entries)
    assert found.state == world.state
    assert list(found.notices) == [one for one in told if one not in done]
    assert list(disagreements(found, found)) == []


@given(st.data())
def test_what_was_heard_and_not_recorded(data: st.DataObject) -> None:
    """Of all that was said, just what came after the record's end is unrecorded, also of what is said twice."""
    world = World(CREDIT)
    world.start()
    for number in range(data.draw(st.integers(0, 25))):
        envelope = signer(f"p{number % 3}", lambda: EPOCH).possess()
        world.say(data.draw(st.sampled_from((Attempted(envelope=envelope, objection="x"), happening(data, world)))))
    known = data.draw(st.integers(1, len(world.events)))
    heard = [Heard(one.at, message, True) for one in world.events if (message := message_of(one.body))]
    later = [one for one in heard if one.at > world.events[known - 1].at]
    found = list(unrecorded(heard, sealed(REGISTERED, *journal(world.events[:known])), EPOCH))
    assert sorted(str(one.message) for one in found) == sorted(str(one.message) for one in later)


def test_what_cannot_be_gone_on_from() -> None:
    """No event, no owner, an event that the rules contradict, an unreadable effect: each is named."""
    world = at_validation()
    events = journal(world.events)
    forged = replace(events[-1], snapshot=replace(events[-1].snapshot, stage="production"))
    for entries, said in (
        (sealed(REGISTERED), "nothing to rebuild"),
        (sealed(*events), "does not say who owns"),
        (sealed(REGISTERED, *events[:-1], forged), "recorded stage is 'production'"),
        (sealed(REGISTERED, *events[:3], *events[4:]), "the kernel counts"),
        ([sealed(REGISTERED)[0].model_copy(update={"body": "{}"})], "cannot be read"),
    ):
        with pytest.raises(InvalidInputError, match=said):
            resumed("loans", CREDIT, entries)


def test_every_difference_is_named() -> None:
    """Whatever of a claim is not so, the plan, any field of the state, or what is to be told, is said by its name."""
    true = resumed("loans", CREDIT, trail(at_validation()))
    for claim, said in (
        (replace(true, plan=plan_of("low-risk")), "plan is "),
        (replace(true, state=change(true.state, stage="production")), "stage is 'production', the record says"),
        (replace(true, state=change(true.state, owner="eve")), "owner is 'eve'"),
        (replace(true, state=change(true.state, gate=None)), "gate is None"),
        (replace(true, notices=(Notify(visit=1, topic="x", roles=(), subject="x"),)), "notices is "),
        (replace(true, journal=tuple(journal(at_validation().events)[:1])), "journal is "),
    ):
        (found,) = disagreements(claim, true)
        assert found.startswith(said)


def test_a_message_is_what_was_sent() -> None:
    """A version with its envelope; of what nobody sent there is none."""
    world = World(CREDIT)
    world.start()
    handed_in = signer("ana", lambda: world.now).submit(AUDIENCE, "loans", submission(1))
    world.say(VersionSubmitted(submission=handed_in.submission, envelope=handed_in.envelope))
    assert message_of(world.events[-1].body) == handed_in
    assert not isinstance(world.events[0].body, Decided)
    assert message_of(world.events[0].body) is None
