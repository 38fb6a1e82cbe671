"""Keys, people and clocks: what one person could make of them, tried at the real gate and at the real actuator."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from models.keys import EnrolledKey, Keyring
from models.messages import Action, Choice
from models.signing import Envelope, key_id
from models.state import Phase
from models.statements import Challenge, Delegating
from tests.signers import AUDIENCE, LONG_AGO, signer
from tests.temporal.attackers import DEV, ONE, PROD, TEST, rightful
from tests.temporal.house import House, plan_of

pytestmark = pytest.mark.long

CREDIT = plan_of("credit-high-risk")
TWO = ((DEV, 2), (TEST, 2), (PROD, 2))


def registry(house: House, change: Callable[[Keyring], Keyring]) -> None:
    """An administrator changes the registry of keys."""
    file = house.root / "keys.json"
    file.write_text(change(Keyring.model_validate_json(file.read_bytes())).model_dump_json())


def enrolled(person: str, name: str) -> Callable[[Keyring], Keyring]:
    """One key more of a person, the one that follows from a name."""
    key = EnrolledKey(person=person, public=signer(person, key=name).public, enrolled=LONG_AGO)
    return lambda keyring: keyring.enrol(key)


def revoked(person: str, since: datetime, reason: str) -> Callable[[Keyring], Keyring]:
    """A person's key counts no more from some moment on."""
    return lambda keyring: keyring.revoke(key_id(signer(person).public), since, reason)


async def asked(house: House, stage: str) -> Challenge:
    """What a gate asks."""
    status = await house.until_phase(Phase.DECIDING, stage)
    assert status.gate is not None
    assert status.gate.about is not None
    return status.gate.about


async def at_the_gate(house: House) -> Challenge:
    """A version waits for its first decision; what that has to be about."""
    await house.start(CREDIT)
    await house.submit()
    return await asked(house, "validation")


async def released(house: House) -> None:
    """Whatever was tried, everybody whom the gates ask decides, and that alone brings the version to production."""
    await house.approve("validation", "dmitri", "rosa")
    await house.approve("staging", "lena", "paul")
    await house.until_phase(Phase.STEADY)
    await rightful(house, CREDIT, ONE)


@pytest.mark.parametrize("person", ["dmitri", "lena"])
async def test_a_key_that_was_stolen_before_it_decided(house: House, person: str) -> None:
    """Revoked as of an earlier moment, between decision and promotion: the version stays out until it is decided anew.

    To give it up, production is told to serve nothing of it, in case the promotion got further than anybody knows.
    """
    stolen = datetime.now(UTC)
    await at_the_gate(house)
    await house.approve("validation", "dmitri", "rosa")
    await house.approve("staging", "lena")
    registry(house, revoked(person, stolen, "it was stolen"))
    await house.decide("paul")
    stuck = await house.until_phase(Phase.STUCK, "production")
    assert stuck.failure is not None
    assert f"{person} at '" in stuck.failure.message
    assert f"was revoked as of {stolen:%Y-%m-%d %H:%M} UTC: it was stolen" in stuck.failure.message
    await house.request(Action.RETRY)
    again = await house.until(lambda status: status.phase is Phase.STUCK and status.seq > stuck.seq + 1)
    assert again.failure == stuck.failure
    await rightful(house, CREDIT, ONE[:2])
    registry(house, enrolled(person, f"{person}-2"))
    await house.request(Action.ABANDON)
    await house.submit()
    for stage, people in (("validation", ("dmitri", "rosa")), ("staging", ("lena", "paul"))):
        for one in people:
            about = await asked(house, stage)
            signing = signer(one, key=f"{one}-2") if one == person else signer(one)
            role = {"dmitri": "data_science", "rosa": "risk", "lena": "legal", "paul": "product"}[one]
            await house.update("decide", signing.decide(about, Choice.APPROVE, role, "looked at the evidence"))
    await house.until_phase(Phase.STEADY)
    await rightful(house, CREDIT, (*ONE[:2], (PROD, None), *TWO))


async def test_a_key_that_was_stolen_after_it_decided(house: House) -> None:
    """What a person decided before stays decided; the stolen key decides nothing more, at a gate that opens then."""
    await at_the_gate(house)
    await house.approve("validation", "dmitri", "rosa")
    await asked(house, "staging")
    registry(house, revoked("dmitri", datetime.now(UTC), "it was stolen"))
    await house.approve("staging", "lena", "paul")
    await house.until_phase(Phase.STEADY)
    await rightful(house, CREDIT, ONE)
    await house.submit(note="better")
    await asked(house, "validation")
    assert "has no key" in await house.refusal("decide", await house.decision("dmitri"))
    await house.decide("rosa")
    await rightful(house, CREDIT, (*ONE, (DEV, 2)))


async def test_a_stolen_key_at_a_gate_that_is_open_already(house: House) -> None:
    """Who may decide was read when the gate opened; what the thief then signs comes to nothing where it matters."""
    await at_the_gate(house)
    registry(house, revoked("dmitri", datetime.now(UTC), "it was stolen"))
    await house.approve("validation", "dmitri", "rosa")
    stuck = await house.until_phase(Phase.STUCK, "staging")
    assert stuck.failure is not None
    assert "dmitri at 'independent-validation', visit 3: key sha256:" in stuck.failure.message
    await rightful(house, CREDIT, ONE[:1])


async def test_one_person_of_two_roles(house: House) -> None:
    """Who holds both roles of a gate, and two keys, is one person: of each pair, one decision counts."""
    people = house.root / "directory.yaml"
    both = people.read_text().replace("[model-risk]", "[model-risk, credit-data-science-leads]")
    people.write_text(both)
    registry(house, enrolled("rosa", "rosa-2"))
    about = await at_the_gate(house)
    second = signer("rosa", key="rosa-2")
    await house.update("decide", second.decide(about, Choice.APPROVE, "data_science", "looked at it"))
    for signing in (second, signer("rosa")):
        for role in ("risk", "data_science"):
            envelope = signing.decide(about, Choice.APPROVE, role, "looked at it again")
            assert "rosa has already decided" in await house.refusal("decide", envelope)
            await house.handle.signal("decide", envelope)
    await house.until(lambda status: status.seq > 4)
    people.write_text(both.replace("[credit-data-science-leads]", "[model-risk]", 2))
    await house.request(Action.RETRY)
    await house.until(lambda status: status.gate is not None and "dmitri" in status.gate.holders["risk"])
    await house.update("decide", signer("dmitri").decide(about, Choice.APPROVE, "risk", "looked at it"))
    await house.approve("staging", "lena", "paul")
    stuck = await house.until(lambda status: status.phase in (Phase.STUCK, Phase.STEADY))
    assert stuck.phase is Phase.STEADY
    await rightful(house, CREDIT, ONE)


def delegation(giver: str, to: str, role: str, key: str = "", **changes: object) -> Envelope:
    """Somebody may decide in somebody's place."""
    until = datetime.now(UTC) + timedelta(days=2)
    return signer(giver).delegate(AUDIENCE, to, signer(to, key=key).public, role, until)


async def test_nobody_approves_their_own_work(house: House) -> None:
    """Not with a second key, not through a delegate, and not as one."""
    registry(house, enrolled("ana", "ana-2"))
    about = await at_the_gate(house)
    tried = {
        "with a second key": signer("ana", key="ana-2").decide(about, Choice.APPROVE, "data_science", "it is good"),
        "through a delegate": signer("sam").decide(
            about, Choice.APPROVE, "data_science", "for ana", delegation=delegation("ana", "sam", "data_science")
        ),
        "as a delegate": signer("ana").decide(
            about, Choice.APPROVE, "data_science", "for dmitri", delegation=delegation("dmitri", "ana", "data_science")
        ),
        "through the owner": signer("olga").decide(
            about, Choice.APPROVE, "risk", "for rosa", delegation=delegation("rosa", "olga", "risk")
        ),
    }
    for how, envelope in tried.items():
        assert "(separation of duties)" in await house.refusal("decide", envelope), how
        await house.handle.signal("decide", envelope)
    await released(house)


async def test_what_was_handed_over_is_not_handed_on(house: House) -> None:
    """Chains, delegations of others, and one person in the place of two."""
    about = await at_the_gate(house)
    for_rosa, for_dmitri = delegation("rosa", "sam", "risk"), delegation("dmitri", "sam", "data_science")
    grant = Delegating(
        audience=AUDIENCE,
        to="paul",
        to_key=key_id(signer("paul").public),
        to_public=signer("paul").public,
        role="risk",
    )
    chain = signer("sam").sign(grant, timedelta(days=1), for_rosa)
    tried = {
        "a delegation cannot be handed on": signer("paul").decide(
            about, Choice.APPROVE, "risk", "for sam for rosa", delegation=chain
        ),
        "paul has no key": signer("paul").decide(about, Choice.APPROVE, "risk", "for rosa", delegation=for_rosa),
        "sam does not hold the role 'risk' at this gate": signer("paul").decide(
            about, Choice.APPROVE, "risk", "for sam", delegation=delegation("sam", "paul", "risk")
        ),
        "rosa delegated the role 'risk'": signer("sam").decide(
            about, Choice.APPROVE, "data_science", "for rosa", delegation=for_rosa
        ),
    }
    for reason, envelope in tried.items():
        assert reason in await house.refusal("decide", envelope)
        await house.handle.signal("decide", envelope)
    await house.update("decide", signer("sam").decide(about, Choice.APPROVE, "risk", "for rosa", delegation=for_rosa))
    spent = {
        "sam has already decided": signer("sam").decide(
            about, Choice.APPROVE, "data_science", "for dmitri", delegation=for_dmitri
        ),
        "rosa has already decided": signer("rosa").decide(about, Choice.APPROVE, "risk", "myself"),
    }
    for reason, envelope in spent.items():
        assert reason in await house.refusal("decide", envelope)
        await house.handle.signal("decide", envelope)
    await house.decide("dmitri")
    await house.approve("staging", "lena", "paul")
    await house.until_phase(Phase.STEADY)
    await rightful(house, CREDIT, ONE)


CLOCKS = {
    timedelta(minutes=5): "still to come",
    timedelta(days=30): "still to come",
    -timedelta(minutes=5): "before the gate was open",
    -timedelta(days=2): "before the gate was open",
}


async def test_clocks_that_go_wrong(house: House) -> None:
    """A little fast or slow counts; more does not, in either direction."""
    about = await at_the_gate(house)

    def at(person: str, apart: timedelta, role: str) -> Envelope:
        late = signer(person, clock=lambda: datetime.now(UTC) + apart)
        return late.decide(about, Choice.APPROVE, role, "looked at the evidence")

    for apart, reason in CLOCKS.items():
        envelope = at("dmitri", apart, "data_science")
        assert reason in await house.refusal("decide", envelope)
        await house.handle.signal("decide", envelope)
    await house.update("decide", at("dmitri", timedelta(minutes=1), "data_science"))
    await house.update("decide", at("rosa", -timedelta(minutes=1), "risk"))
    await house.approve("staging", "lena", "paul")
    await house.until_phase(Phase.STEADY)
    await rightful(house, CREDIT, ONE)
