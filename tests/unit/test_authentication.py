"""Whether what somebody signed is believed: every bound field changed once, every time, key and delegation."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from client.signer import Signer
from models.authentication import SKEW, read_decision, read_request, read_submission
from models.canonical import canonical, digest, digest_bytes
from models.challenge import challenge
from models.evidence import Electorate
from models.inventory import VersionStatus
from models.lifecycle import step
from models.messages import Action, Attempted, Choice, Decided, Event, HandedIn, Requested, VersionSubmitted
from models.signing import Envelope, key_id, payload_of, seal
from models.state import Phase, change
from models.statements import DELEGATED_FOR, LIFETIME, PAYLOAD_TYPE, Challenge, Deciding, Statement, read_statement
from tests.signers import AUDIENCE, keyring, private_key, signer
from tests.unit.kernel_world import World, plan_of, submission

CREDIT = plan_of("credit-high-risk")
OTHER = digest_bytes(b"something else")


@pytest.fixture
def world() -> World:
    """A version waits at the validation gate."""
    world = World(CREDIT)
    world.start()
    world.run("development")
    world.submit()
    world.run("validation")
    assert world.state.phase is Phase.DECIDING
    return world


def asked(world: World) -> Challenge:
    """What is to be decided."""
    found = challenge(world.plan, digest(world.plan), world.state)
    assert found is not None
    return found


def signed(world: World, person: str = "rosa", role: str = "risk", key: str = "", **given: Any) -> Envelope:
    """An approval of what waits, signed a moment ago."""
    return signer(person, lambda: world.now, key).decide(asked(world), Choice.APPROVE, role, "sound", **given)


def read(world: World, envelope: Envelope, after: timedelta = timedelta(seconds=1)) -> Decided:
    """As the lifecycle reads it."""
    found = read_decision(world.plan, digest(world.plan), world.state, envelope, world.now + after)
    assert isinstance(found, Decided)
    return found


def again(envelope: Envelope, changes: Mapping[str, Any], key: str = "rosa") -> Envelope:
    """The statement with some of it changed, signed again by a key."""
    statement = read_statement(envelope)
    changed = Statement.model_validate({**statement.model_dump(), **changes})
    return seal(canonical(changed), PAYLOAD_TYPE, private_key(key))


def outcome(world: World, envelope: Envelope) -> str | None:
    """Why the kernel refuses a decision; None if it counts."""
    body = read(world, envelope)
    return step(world.plan, world.state, Event(at=world.now, body=body)).refusal


def test_what_is_signed_counts(world: World) -> None:
    """Signed by the person, about what waits, in time: no objection, and the kernel takes it."""
    body = read(world, signed(world))
    assert body.objection == ""
    assert (body.decision.person, body.decision.role) == ("rosa", "risk")
    assert outcome(world, signed(world)) is None


@pytest.mark.parametrize("field", sorted(Challenge.model_fields))
def test_each_bound_field_changed_once(world: World, field: str) -> None:
    """A statement that is about anything else than what waits counts for nothing, even if its person signed it."""
    envelope = signed(world)
    says = read_statement(envelope).says
    assert isinstance(says, Deciding)
    other = {"audience": "elsewhere", "lifecycle": "others", "gate": "release", "visit": 99}.get(field, OTHER)
    about = says.about.model_copy(update={field: other})
    forged = again(envelope, {"says": says.model_copy(update={"about": about}).model_dump()})
    assert read(world, forged).objection.startswith("the decision is about another ")
    assert outcome(world, forged)


@pytest.mark.parametrize(
    ("changes", "key", "said"),
    [
        ({}, "ana", "is not that of rosa's key"),
        ({"person": "dmitri"}, "rosa", "dmitri has no key"),
        ({"key": OTHER}, "rosa", "rosa has no key"),
        ({"person": "mallory", "key": key_id(signer("mallory").public)}, "mallory", "mallory has no key"),
        ({"person": "rosa", "key": key_id(signer("mallory").public)}, "mallory", "rosa has no key"),
    ],
)
def test_signed_by_somebody_else(world: World, changes: dict[str, Any], key: str, said: str) -> None:
    """An identity that somebody gave themselves, or another's, is not believed."""
    forged = again(signed(world), changes, key)
    assert said in read(world, forged).objection
    assert outcome(world, forged)


def test_every_byte_counts(world: World) -> None:
    """Whatever byte of payload or signature is flipped, nothing is left that counts."""
    envelope = signed(world)
    for index in range(0, len(envelope.payload), 37):
        letter = "A" if envelope.payload[index] != "A" else "B"
        payload = f"{envelope.payload[:index]}{letter}{envelope.payload[index + 1 :]}"
        flipped = envelope.model_copy(update={"payload": payload})
        found = read_decision(world.plan, digest(world.plan), world.state, flipped, world.now)
        assert found.objection
    assert payload_of(envelope, PAYLOAD_TYPE)


@pytest.mark.parametrize(
    ("issued", "holds", "said"),
    [
        (SKEW + timedelta(seconds=5), timedelta(days=1), "still to come"),
        (-timedelta(days=2), timedelta(days=6), "before the gate was open"),
        (timedelta(0), timedelta(seconds=1), "has run out"),
        (timedelta(0), LIFETIME + timedelta(seconds=1), "longer than 7 days"),
    ],
)
def test_out_of_time(world: World, issued: timedelta, holds: timedelta, said: str) -> None:
    """A clock that is ahead, an old signature, one that has run out, and one that never would."""
    at = world.now + issued
    late = again(signed(world), {"issued_at": at, "expires_at": at + holds})
    assert said in read(world, late, timedelta(seconds=2)).objection


def test_clocks_may_differ_a_little(world: World) -> None:
    """A signer whose clock is a minute ahead is believed."""
    at = world.now + SKEW / 2
    assert read(world, again(signed(world), {"issued_at": at})).objection == ""


def test_another_opening_of_the_same_gate(world: World) -> None:
    """What was signed at one visit is void at the next, though everything else may be the same."""
    envelope = signed(world)
    world.say(read(world, signer_rejects(world)))
    world.submit()
    world.run("validation")
    assert "is about another" in read(world, envelope).objection


def signer_rejects(world: World) -> Envelope:
    """Rosa turns it away."""
    return signer("rosa", lambda: world.now).decide(asked(world), Choice.REJECT, "risk", "unfair")


def test_the_evidence_is_part_of_it(world: World) -> None:
    """When something else was found out about the version, what was signed before is void."""
    envelope, version = signed(world), world.state.candidate
    assert version is not None
    world.state = change(world.state, candidate=version.model_copy(update={"readings": version.readings[:-1]}))
    assert "another set of evidence" in read(world, envelope).objection


def test_no_statement_at_all(world: World) -> None:
    """Something that is signed and no decision is an attempt, refused whatever the state."""
    for envelope in (seal(b"{}", PAYLOAD_TYPE, private_key("rosa")), signer("rosa").possess()):
        body = read_decision(world.plan, digest(world.plan), world.state, envelope, world.now)
        assert isinstance(body, Attempted)
        answer = step(world.plan, world.state, Event(at=world.now, body=body))
        assert answer.refusal == body.objection
        assert answer.state == change(world.state, seq=world.state.seq + 1)


# --- delegation


def handed_over(world: World, giver: str = "rosa", until: timedelta = timedelta(days=2), **given: Any) -> Envelope:
    """Rosa lets Tom decide for risk."""
    wanted = {"audience": AUDIENCE, "to": "tom", "to_public": signer("tom").public, "role": "risk", **given}
    return signer(giver, lambda: world.now).delegate(until=world.now + until, **wanted)


def test_a_delegate_decides_for_the_holder(world: World) -> None:
    """In rosa's place, once: neither of the two can decide again."""
    envelope = signed(world, "tom", delegation=handed_over(world))
    body = read(world, envelope)
    assert body.objection == ""
    assert (body.decision.person, body.decision.counts_for) == ("tom", "rosa")
    assert world.say(body).refusal is None
    assert "rosa has already decided" in (outcome(world, signed(world)) or "")
    ravis = handed_over(world, "ravi")
    assert "tom has already decided" in (outcome(world, signed(world, "tom", delegation=ravis)) or "")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"to": "eve"}, "not to tom"),
        ({"to_public": signer("eve").public}, "tom has no key"),
        ({"role": "data_science"}, "delegated the role 'data_science'"),
        ({"audience": "elsewhere"}, "for the installation 'elsewhere'"),
        ({"lifecycles": ("cards", "deposits")}, "delegated for cards, deposits, not for loans"),
        ({"until": timedelta(seconds=1)}, "the delegation holds until"),
        ({"until": DELEGATED_FOR + timedelta(days=1)}, "longer than 30 days"),
        ({"giver": "lena"}, "lena does not hold the role 'risk' at this gate"),
        ({"giver": "mallory"}, "mallory does not hold the role"),
    ],
)
def test_a_delegation_holds_for_what_it_says(world: World, given: dict[str, Any], said: str) -> None:
    """For one person with one key, one role, some lifecycles, some time, and from a holder of the role."""
    envelope = signed(world, "tom", delegation=handed_over(world, **given))
    body = read(world, envelope, timedelta(seconds=2))
    answer = step(world.plan, world.state, Event(at=world.now, body=body)).refusal
    assert said in f"{body.objection} {answer}"
    assert answer


def test_a_delegation_is_not_handed_on(world: World) -> None:
    """Tom cannot hand on what rosa handed him, nor can a delegation be made of another's statement."""
    rosas = handed_over(world)
    chain = again(
        signer("tom", lambda: world.now).delegate(AUDIENCE, "eve", signer("eve").public, "risk", world.now + LIFETIME),
        {"delegation": rosas.model_dump()},
        "tom",
    )
    assert "cannot be handed on" in read(world, signed(world, "eve", delegation=chain)).objection
    forged = again(rosas, {"person": "rosa"}, "eve")
    assert "is not that of rosa's key" in read(world, signed(world, "tom", delegation=forged)).objection
    assert "tom has no key" in read(world, signed(world, "tom", delegation=signed(world))).objection


def test_the_developer_decides_through_nobody(world: World) -> None:
    """Neither as a delegate nor through one."""
    own = signed(world, "ana", delegation=handed_over(world, to="ana", to_public=signer("ana").public))
    assert "ana is the developer" in (outcome(world, own) or "")
    through = handed_over(world, "ana", role="data_science")
    assert "ana is the developer" in (outcome(world, signed(world, "tom", "data_science", delegation=through)) or "")


# --- requests and submissions


def known(person: str, *roles: str) -> Electorate:
    """What the directory says of a person."""
    keys = {person: (signer(person).public,)} if keyring((person,)).keys else {}
    return Electorate(people={role: (person,) for role in roles}, audience=AUDIENCE, keys=keys)


def ask(world: World, action: Action, by: Signer, who: Electorate, at: datetime | None = None) -> Requested:
    """A request, as the lifecycle reads it."""
    found = read_request(world.state, by.request(AUDIENCE, "loans", action, "x"), who, at or world.now)
    assert isinstance(found, Requested)
    return found


def test_who_may_ask(world: World) -> None:
    """To turn it takes somebody who answers for the model, or handed the version in that is abandoned."""
    here = world.now
    for person, roles, action, allowed in (
        ("olga", (), Action.RETIRE, True),
        ("rosa", ("risk",), Action.SUSPEND, True),
        ("sam", (), Action.RETIRE, False),
        ("sam", (), Action.ROLLBACK, False),
        ("sam", (), Action.PAUSE, True),
        ("ana", (), Action.ABANDON, True),
        ("ana", (), Action.RETRAIN, False),
        ("rosa", ("risk",), Action.RETRAIN, True),
        ("ana", (), Action.RETIRE, False),
    ):
        body = ask(world, action, signer(person, lambda: here), known(person, *roles))
        assert (body.objection == "") is allowed, (person, action, body.objection)
    stranger = Electorate(people={}, audience=AUDIENCE)
    assert "has no key" in ask(world, Action.PAUSE, signer("eve", lambda: here), stranger).objection
    forged = signer("olga", lambda: here, key="eve")
    assert "has no key" in ask(world, Action.RETIRE, forged, known("olga")).objection


def test_a_request_counts_once(world: World) -> None:
    """Sent again while its signature holds it is refused; afterwards it has run out, and is forgotten."""
    body = ask(world, Action.PAUSE, signer("olga", lambda: world.now), known("olga"))
    assert world.say(body).refusal is None
    assert world.ask(Action.RESUME).refusal is None
    assert "carried out already" in (world.say(body).refusal or "")
    late = world.now + timedelta(hours=2)
    assert body.envelope is not None
    found = read_request(world.state, body.envelope, known("olga"), late)
    assert "has run out" in found.objection
    world.say(ask(world, Action.PAUSE, signer("olga", lambda: late), known("olga"), late), timedelta(hours=2))
    assert len(world.state.spent) == 1


def test_addressed_to_another(world: World) -> None:
    """What was signed for another lifecycle or installation is not carried out here."""
    by = signer("olga", lambda: world.now)
    for audience, model in (("elsewhere", "loans"), (AUDIENCE, "cards")):
        envelope = by.request(audience, model, Action.RETIRE, "x")
        assert "it was signed for" in read_request(world.state, envelope, known("olga"), world.now).objection


def test_a_version_is_signed_for_by_its_submitter(world: World) -> None:
    """By nobody else, and for just this version: separation of duties rests on who it was."""
    by = signer("ana", lambda: world.now)
    good = by.submit(AUDIENCE, "loans", submission(9))
    body = read_submission(world.state, good, known("ana"), world.now)
    assert isinstance(body, VersionSubmitted)
    assert body.objection == ""
    other = HandedIn(submission=submission(8), envelope=good.envelope)
    assert "for another version" in read_submission(world.state, other, known("ana"), world.now).objection
    bos = by.submit(AUDIENCE, "loans", submission(9, "bo"))
    assert "that bo is to have submitted" in read_submission(world.state, bos, known("ana"), world.now).objection
    request = HandedIn(submission=submission(9), envelope=by.request(AUDIENCE, "loans", Action.PAUSE, "x"))
    assert isinstance(read_submission(world.state, request, known("ana"), world.now), Attempted)
    assert world.say(body).refusal is None
    world.run("development")
    assert world.state.statuses[1] is VersionStatus.WITHDRAWN
    assert "carried out already" in (world.say(body).refusal or "")
