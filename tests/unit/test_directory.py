"""Editions of the directory: what a signature covers, what follows what, and what is never taken back."""

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.canonical import canonical, digest, digest_bytes
from models.directory import (
    PAYLOAD_TYPE,
    DirectoryEdition,
    breaks,
    changes,
    following,
    open_edition,
    read_edition,
)
from models.errors import InvalidInputError, NotPermittedError
from models.keys import EnrolledKey, Keyholder, Keyring
from models.people import load_people
from models.signing import PublicKey, key_id, payload_of, seal_document
from tests.editions import ADA, BEA, MORNING, edition, people, signed
from tests.signers import AUDIENCE, LONG_AGO, keyring, private_key, signer

FIRST = edition({"ana": ["credit"], "rosa": ["risk"]})
SECOND = edition({"ana": ["credit"], "rosa": ["risk", "legal"]}, before=FIRST)
ROSA = key_id(signer("rosa").public)

WITHOUT_ZONE = Keyring(
    keys=(FIRST.keys.keys[0].model_copy(update={"enrolled": LONG_AGO.replace(tzinfo=None)}), *FIRST.keys.keys[1:])
)

OTHERS: dict[str, object] = {
    "format": "modelops/directory/2",
    "audience": "another installation",
    "number": 3,
    "before": digest_bytes(b"x"),
    "at": MORNING + timedelta(microseconds=1),
    "by": "eve",
    "people": people({"eve": ["risk"]}),
    "keys": keyring(("eve",)),
}
"""Another value of every field."""


@pytest.mark.parametrize("field", DirectoryEdition.model_fields)
def test_every_field_is_signed(field: str) -> None:
    """With any one changed, the signature is of something else."""
    envelope = signed(SECOND)
    changed = SECOND.model_copy(update={field: OTHERS[field]})
    assert changed != SECOND
    payload = base64.b64encode(canonical(changed)).decode()
    assert read_edition(envelope, (BEA, ADA), AUDIENCE) == SECOND
    with pytest.raises(NotPermittedError, match="no administrator has signed"):
        read_edition(envelope.model_copy(update={"payload": payload}), (BEA, ADA), AUDIENCE)
    with pytest.raises(NotPermittedError, match="no administrator has signed"):
        read_edition(envelope.model_copy(update={"payloadType": "application/x"}), (BEA, ADA), AUDIENCE)


@pytest.mark.parametrize("administrators", [(), (BEA,), (signer("rosa").public,)])
def test_nobody_else_signs(administrators: tuple[PublicKey, ...]) -> None:
    """Who is no administrator publishes nothing, also not with a key that is enrolled."""
    with pytest.raises(NotPermittedError, match="no administrator has signed"):
        read_edition(signed(FIRST), administrators, AUDIENCE)


def test_an_edition_is_for_one_installation() -> None:
    """One that is published for tests counts for nothing in production."""
    with pytest.raises(NotPermittedError, match="another installation, 'modelops', not of 'production'"):
        read_edition(signed(FIRST), (ADA,), "production")


@pytest.mark.parametrize(
    "payload",
    [
        b" " + payload_of(signed(FIRST), PAYLOAD_TYPE),
        FIRST.model_dump_json(indent=1).encode(),
        b"{}",
        canonical(FIRST.model_copy(update={"at": MORNING.replace(tzinfo=None)})),
        canonical(FIRST.model_copy(update={"keys": WITHOUT_ZONE})),
    ],
)
def test_one_encoding_alone(payload: bytes) -> None:
    """What an administrator signs is canonical JSON, with zones; else two readers could differ."""
    with pytest.raises(NotPermittedError, match="is no edition of the directory"):
        read_edition(seal_document(payload, PAYLOAD_TYPE, private_key("ada")), (ADA,), AUDIENCE)


def test_a_directory_of_a_whole_bank_is_an_edition() -> None:
    """Ten thousand people fit; what is longer than any directory is refused before it is signed."""
    many = edition({f"p{number}": ["credit", "risk"] for number in range(10_000)}, Keyring())
    assert open_edition(signed(many)) == many
    with pytest.raises(InvalidInputError, match="longer than 6 MB"):
        signed(edition({f"p{number}": ["g" * 60] * 10 for number in range(10_000)}, Keyring()))


def test_people_who_are_away_are_read_back() -> None:
    """Absences are in an edition as they are in the file."""
    away = b"[{from: 2026-12-01, until: 2026-12-09, cover: bo}]"
    ana, bo = b"{name: A, email: a@x, groups: [g], absences: %s}" % away, b"{name: B, email: b@x, groups: []}"
    known = load_people(b"people: {ana: %s, bo: %s}" % (ana, bo), Path("people.yaml"))
    content = following(None, AUDIENCE, "ada", known, Keyring(), MORNING)
    assert open_edition(signed(content)).people == known


def test_what_follows() -> None:
    """The next number, the digest of the one before, a time that does not go back; a slow clock is helped."""
    assert list(breaks(None, FIRST)) == list(breaks(FIRST, SECOND)) == []
    assert (SECOND.number, SECOND.before) == (2, digest(FIRST))
    early = following(SECOND, AUDIENCE, "bea", SECOND.people, SECOND.keys, MORNING)
    assert early.at == SECOND.at
    assert early.says_what(SECOND)
    assert not SECOND.says_what(FIRST)


@pytest.mark.parametrize(
    ("before", "change", "reason"),
    [
        (None, {"number": 2}, "edition 1 would be next"),
        (None, {"before": digest_bytes(b"x")}, "follows another edition 0"),
        (FIRST, {"number": 3}, "edition 2 would be next"),
        (FIRST, {"number": 1}, "edition 2 would be next"),
        (FIRST, {"before": digest_bytes(b"x")}, "follows another edition 1"),
        (FIRST, {"at": MORNING - timedelta(microseconds=1)}, "older than the one before"),
        (FIRST, {"keys": Keyring(keys=FIRST.keys.keys + FIRST.keys.keys[:1])}, "a key is in it twice"),
        (FIRST, {"keys": Keyring(keys=FIRST.keys.keys[:1])}, "of rosa is missing"),
        (SECOND, {}, "edition 3 would be next"),
    ],
)
def test_what_does_not_follow(before: DirectoryEdition | None, change: dict[str, object], reason: str) -> None:
    """Each way to leave something out or to go back is named."""
    content = (SECOND if before else FIRST).model_copy(update=change)
    assert any(reason in one for one in breaks(before, content))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"revoked": None}, "would count again"),
        ({"revoked": MORNING + timedelta(microseconds=1)}, "would count again"),
        ({"person": "eve"}, "somebody else's now"),
        ({"kind": Keyholder.GATEWAY}, "somebody else's now"),
        ({"enrolled": LONG_AGO - timedelta(days=1)}, "enrolled at another time"),
        ({"revoked": MORNING - timedelta(days=1)}, None),
        ({"reason": "It was stolen on the train."}, None),
    ],
)
def test_a_revoked_key_does_not_come_back(change: dict[str, object], reason: str | None) -> None:
    """Nor is it handed on; only the moment of its revocation moves back, and the reason is told better."""
    gone = edition({"rosa": ["risk"]}, keyring(("rosa",)).revoke(ROSA, MORNING, "stolen"))
    (key,) = gone.keys.keys
    after = edition({"rosa": ["risk"]}, Keyring(keys=(key.model_copy(update=change),)), gone)
    found = list(breaks(gone, after))
    assert [reason in one for one in found] == [True] if reason else found == []


NAMES = st.sampled_from(("ana", "bo", "rosa", "tom"))
DEEDS = st.lists(st.tuples(st.booleans(), NAMES, st.integers(0, 9)), max_size=8)


@given(DEEDS, DEEDS)
def test_what_administrators_can_do_with_a_registry_follows(first: Any, later: Any) -> None:
    """Whatever is enrolled and revoked by the rules of the registry can be published next; never in the other order."""

    def done(registry: Keyring, deeds: list[tuple[bool, str, int]]) -> Keyring:
        for enrols, name, hour in deeds:
            known = key_id(signer(name).public) in {key.id for key in registry.keys}
            if enrols and not known:
                key = EnrolledKey(person=name, public=signer(name).public, enrolled=MORNING + timedelta(hours=hour))
                registry = registry.enrol(key)
            elif known and not enrols:
                registry = registry.revoke(key_id(signer(name).public), MORNING + timedelta(hours=hour), "x")
        return registry

    before = edition({}, done(Keyring(), first))
    after = edition({}, done(before.keys, later), before)
    assert list(breaks(before, after)) == []
    back = edition({}, before.keys, after)
    assert bool(list(breaks(after, back))) == (before.keys.keys != after.keys.keys)


def test_changes_in_words() -> None:
    """Who came and went, which groups, which keys."""
    registry = keyring(("ana", "rosa"))
    before = edition({"ana": ["credit"], "rosa": ["risk"]}, registry)
    more = EnrolledKey(person="tom", public=signer("tom").public, enrolled=MORNING)
    after = edition({"rosa": ["legal"], "tom": []}, registry.revoke(ROSA, MORNING, "stolen").enrol(more), before)
    renamed = after.people.people["rosa"].model_copy(update={"email": "r@example.com"})
    after.people.people["rosa"] = renamed
    assert list(changes(before, after)) == [
        "ana is gone",
        "rosa joins legal",
        "rosa leaves risk",
        "rosa: email changed",
        "tom is new, in no group",
        f"key {ROSA[7:23]} of rosa is revoked as of 2026-03-02 08:00 UTC: stolen",
        f"key {key_id(more.public)[7:23]} of tom is enrolled",
    ]
    assert list(changes(after, after)) == []
    assert "ana is new, in credit" in changes(None, before)
