"""People of the tests who can sign: everybody's key follows from their name."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from client.signer import Signer
from client.wallet import Wallet
from models.evidence import Electorate
from models.keys import EnrolledKey, Keyring

AUDIENCE = "modelops"
PASSPHRASE = "only for the tests"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def private_key(name: str) -> Ed25519PrivateKey:
    """The key that follows from a name."""
    return Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())


def signer(person: str, clock: Callable[[], datetime] | None = None, key: str = "") -> Signer:
    """Signs for a person, with the person's own key or another one."""
    private = private_key(key or person)
    return Signer(person, private, clock) if clock else Signer(person, private)


def keyring(people: Iterable[str]) -> Keyring:
    """Everybody's key, enrolled long ago."""
    keys = (EnrolledKey(person=one, public=signer(one).public, enrolled=LONG_AGO) for one in people)
    return Keyring(keys=tuple(keys))


def electorate(people: dict[str, tuple[str, ...]]) -> Electorate:
    """Holders of roles whose keys are known."""
    holders = sorted({person for held in people.values() for person in held})
    return Electorate(people=people, audience=AUDIENCE, keys={one: (signer(one).public,) for one in holders})


def fill(wallet: Path, *people: str) -> None:
    """Put people's keys into a wallet, under the passphrase."""
    kind, encoding = serialization.PrivateFormat.OpenSSH, serialization.Encoding.PEM
    for person in people:
        locked = kind.encryption_builder().kdf_rounds(1).build(PASSPHRASE.encode())
        Wallet(wallet).path(person).parent.mkdir(parents=True, exist_ok=True)
        Wallet(wallet).path(person).write_bytes(private_key(person).private_bytes(encoding, kind, locked))
