"""What was recorded of whose key is whose is not believed where there is a registry."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from client.signer import Signer
from models.audit import replay
from models.canonical import digest, replace
from models.keys import Keyring
from models.messages import Action, Choice
from models.state import State
from models.testimony import doubts
from tests.unit.signed_record import AUDIENCE, MODEL, NOON, PEOPLE, Scribe, submission_of


def against(scribe: Scribe, keyring: Keyring | None = None) -> list[str]:
    """What is to be said against what people said, by the scribe's registry or another."""
    known, plan = keyring or scribe.keyring, scribe.plan
    events = replay(plan, State(model=MODEL, owner="olga"), scribe.entries)
    return [doubt.message for event in events for doubt in doubts(plan, digest(plan), event, known)]


def told() -> Scribe:
    """A version was submitted and decided about at one gate; the owner has asked for something."""
    scribe = Scribe()
    scribe.submit(submission_of("one"))
    scribe.decide("dmitri", "data_science")
    scribe.ask(Action.PAUSE)
    return scribe


def test_what_was_said_with_enrolled_keys_holds() -> None:
    """Nothing is to be said against it; nor, where no registry is known, against what any key signed."""
    assert against(told()) == []
    assert against(told(), Keyring()) == []


@pytest.mark.parametrize(
    ("person", "event"), [("sven", "version_submitted"), ("dmitri", "decided"), ("olga", "requested")]
)
def test_a_key_that_was_revoked_as_of_before_is_named(person: str, event: str) -> None:
    """Whoever said something, whatever it was: with the event and the reason."""
    scribe = told()
    name = next(key.id for key in scribe.keyring.keys if key.person == person)
    (said,) = against(scribe, scribe.keyring.revoke(name, NOON - timedelta(days=1), "stolen"))
    assert said.startswith(f"{event} counted, although by the registry key ")
    assert said.endswith("was revoked as of 2026-03-01 12:00 UTC: stolen")


def test_a_key_that_was_never_enrolled_is_named() -> None:
    """Somebody answered in the directory's place that it is the owner's."""
    scribe = told()
    forger = scribe.signer("olga", Ed25519PrivateKey.generate())
    scribe.ask(Action.RESUME, forger, replace(scribe.electorate, keys={"olga": (forger.public,)}))
    assert scribe.state.paused is False
    (said,) = against(scribe)
    assert said.startswith("requested counted, although by the registry key ")
    assert said.endswith("of olga was never enrolled")


def test_anothers_key_is_named() -> None:
    """One that is enrolled for somebody else."""
    scribe = told()
    sven = Signer("olga", scribe.signers["sven"]._private, lambda: scribe.now)
    scribe.ask(Action.RESUME, sven, replace(scribe.electorate, keys={"olga": (sven.public,)}))
    (said,) = against(scribe)
    assert said.endswith("is sven's")


Void = Callable[[Scribe], Keyring]


@pytest.mark.parametrize(
    ("keyring", "reason"),
    [
        (lambda scribe: scribe.keyring, ""),
        (lambda scribe: Keyring(keys=tuple(k for k in scribe.keyring.keys if k.person != "rosa")), "never enrolled"),
    ],
)
def test_a_delegation_vouches_for_the_key_of_whom_it_names(keyring: Void, reason: str) -> None:
    """The deputy's key need not be enrolled; the giver's has to be."""
    scribe = told()
    tom = scribe.signer("tom", Ed25519PrivateKey.generate())
    rosa = scribe.signers["rosa"]
    grant = rosa.delegate(AUDIENCE, "tom", tom.public, "risk", scribe.now + timedelta(days=5), (MODEL,))
    scribe.say(scribe.read(tom.decide(scribe.challenge(), Choice.APPROVE, "risk", "For Rosa.", delegation=grant)))
    assert "tom" not in {name for names in PEOPLE.values() for name in names}
    said = against(scribe, keyring(scribe))
    assert len(said) == bool(reason)
    assert all(one.endswith(reason) for one in said)
