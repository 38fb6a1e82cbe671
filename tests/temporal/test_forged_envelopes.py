"""Decisions that nobody made, sent as update and as signal: none counts at the real gate, and the true ones do."""

from datetime import timedelta
from pathlib import Path

import pytest

from models.canonical import canonical, digest_bytes
from models.messages import Choice
from models.signing import Envelope, Signature, seal
from models.state import Phase
from models.statements import PAYLOAD_TYPE, Challenge, Deciding, read_statement
from tests.signers import private_key, signer
from tests.temporal.attackers import DEV, ONE, PROD, TEST, rightful
from tests.temporal.house import Acknowledged, House, plan_of

pytestmark = pytest.mark.long

CREDIT = plan_of("credit-high-risk")
MALLORY = private_key("mallory")
OTHER: dict[str, object] = {
    "audience": "another-installation",
    "lifecycle": "another-model",
    "gate": "release",
    "visit": 2,
}
"""Another value of what a decision is bound to; of the rest, another digest."""


async def at_the_gate(house: House) -> Challenge:
    """A version waits for its first decision; what that has to be about."""
    await house.start(CREDIT)
    await house.submit()
    return await asked(house, "validation")


async def asked(house: House, stage: str) -> Challenge:
    """What a gate asks."""
    status = await house.until_phase(Phase.DECIDING, stage)
    assert status.gate is not None
    assert status.gate.about is not None
    return status.gate.about


async def refused(house: House, *envelopes: Envelope) -> list[str]:
    """Each is refused as an update, counts for nothing as a signal, and both attempts are on record."""
    before, reasons = await house.status(), []
    assert before.gate is not None
    for envelope in envelopes:
        reasons.append(await house.refusal("decide", envelope))
        await house.handle.signal("decide", envelope)
    after = await house.until(lambda status: status.seq >= before.seq + 2 * len(envelopes))
    assert after.gate is not None
    assert after.gate.decisions == before.gate.decisions
    assert (await house.recorded()).seq == after.seq
    recorded = [entry.body for entry in house.parts.inventory.trail(house.model)]
    for envelope in envelopes:
        assert sum(envelope.payload in body for body in recorded) >= 2
    return reasons


async def released(house: House, *given: Acknowledged) -> None:
    """Whatever was tried, everybody whom the gates ask decides, and that alone brings the version to production."""
    acknowledged = list(given)
    for stage, people in (("validation", ("dmitri", "rosa")), ("staging", ("lena", "paul"))):
        for person in people:
            await asked(house, stage)
            envelope = await house.decision(person)
            acknowledged.append(Acknowledged(envelope, await house.update("decide", envelope)))
    await house.until_phase(Phase.STEADY)
    await rightful(house, CREDIT, ONE, acknowledged)


def altered(envelope: Envelope, **changes: object) -> Envelope:
    """The statement with something changed, and the signature as it was."""
    statement = read_statement(envelope).model_copy(update=changes)
    return envelope.model_copy(update={"payload": seal(canonical(statement), PAYLOAD_TYPE, MALLORY).payload})


async def test_each_thing_that_a_decision_is_about(house: House) -> None:
    """Signed by the right person about something else, and altered after it was signed: neither counts."""
    about = await at_the_gate(house)
    true = await house.decision("dmitri")
    for name in Challenge.model_fields:
        other = about.model_copy(update={name: OTHER.get(name, digest_bytes(name.encode()))})
        says = read_statement(true).says
        assert isinstance(says, Deciding)
        signed = signer("dmitri").decide(other, Choice.APPROVE, "data_science", "looked at the evidence")
        edited = altered(true, says=says.model_copy(update={"about": other}))
        await refused(house, signed, edited)
    await released(house)


async def test_each_thing_that_is_said(house: House) -> None:
    """Who, with which key, when, what, why and in whose place: one byte of it changed, and nobody has signed it."""
    await at_the_gate(house)
    true = await house.decision("rosa", Choice.REJECT)
    statement = read_statement(true)
    says = statement.says
    assert isinstance(says, Deciding)
    reasons = await refused(
        house,
        altered(true, says=says.model_copy(update={"decision": Choice.APPROVE})),
        altered(true, says=says.model_copy(update={"reason": "splendid"})),
        altered(true, person="dmitri"),
        altered(true, key=digest_bytes(b"another key")),
        altered(true, jti="another-name-of-it"),
        altered(true, issued_at=statement.issued_at - timedelta(minutes=1)),
        altered(true, expires_at=statement.expires_at + timedelta(days=1)),
        altered(true, delegation=true),
        true.model_copy(update={"payloadType": "application/json"}),
        true.model_copy(update={"signatures": (Signature(keyid="", sig=""),)}),
    )
    said = ("the signature is not that of", "has no key", "this is no signed statement")
    assert [next(one for one in said if one in reason) for reason in reasons] == [
        *[said[0]] * 2,
        *[said[1]] * 2,
        *[said[0]] * 4,
        said[2],
        said[0],
    ]
    await released(house)


async def test_somebody_who_is_nobody(house: House) -> None:
    """Under a name of their own, under somebody's name with their own key, and for a role that is not theirs."""
    about = await at_the_gate(house)
    reasons = await refused(
        house,
        signer("mallory").decide(about, Choice.APPROVE, "risk", "trust me"),
        signer("rosa", key="mallory").decide(about, Choice.APPROVE, "risk", "trust me"),
        signer("paul").decide(about, Choice.APPROVE, "risk", "I hold another role"),
        signer("olga").decide(about, Choice.APPROVE, "risk", "it is mine"),
        signer("ana").decide(about, Choice.APPROVE, "data_science", "I built it"),
    )
    assert [next(said for said in ("has no key", "ana is the developer") if said in reason) for reason in reasons] == [
        "has no key",
        "has no key",
        "has no key",
        "has no key",
        "ana is the developer",
    ]
    await released(house)


async def test_what_was_said_once_is_not_said_again(house: House) -> None:
    """At the same gate, at the next one, at the same gate for the next version, and in another lifecycle."""
    await at_the_gate(house)
    first = await house.decision("dmitri")
    acknowledged = Acknowledged(first, await house.update("decide", first))
    assert "has already decided" in (await refused(house, first))[0]
    await house.decide("rosa")
    await asked(house, "staging")
    assert "the open gate is 'release'" in (await refused(house, first))[0]
    await house.approve("staging", "lena", "paul")
    await house.until_phase(Phase.STEADY)
    await house.submit(note="better")
    await asked(house, "validation")
    assert "the decision is about visit 3" in (await refused(house, first))[0]
    await house.approve("validation", "dmitri", "rosa")
    await house.approve("staging", "lena", "paul")
    await house.until(lambda status: status.serving.get(PROD) == 2 and status.phase is Phase.STEADY)
    await rightful(house, CREDIT, (*ONE, (DEV, 2), (TEST, 2), (PROD, 2)), [acknowledged])


async def test_what_was_said_in_another_lifecycle(house: House, tmp_path: Path) -> None:
    """Two models of the same plan, at the same visit of the same gate, with the same artifact: two decisions."""
    there = tmp_path / "other"
    there.mkdir()
    async with House(house.client, there, f"{house.model[:30]}-other") as other:
        await at_the_gate(house)
        about = await at_the_gate(other)
        envelope = await house.decision("dmitri")
        says = read_statement(envelope).says
        assert isinstance(says, Deciding)
        assert (says.about.visit, says.about.gate, says.about.artifact) == (about.visit, about.gate, about.artifact)
        assert "the decision is about another lifecycle" in (await refused(other, envelope))[0]
        await released(other)
    await released(house)
