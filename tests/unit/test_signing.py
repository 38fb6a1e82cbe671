"""Signed statements: what one key says nobody else can, and another implementation reads it the same."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from securesystemslib.dsse import Envelope as OtherEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from client.wallet import Wallet, passphrase_of
from models.canonical import digest_bytes
from models.errors import ConflictError, InvalidInputError, UnknownNameError
from models.keys import EnrolledKey, Keyholder, Keyring
from models.messages import Action
from models.signing import Envelope, key_id, payload_of, seal, signer_of
from models.statements import PAYLOAD_TYPE, Possessing, Statement, read_statement
from tests.signers import AUDIENCE, keyring, private_key, signer
from worker.settings import Settings

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
KIND = "application/vnd.test+json"


def other_key(person: str) -> SSlibKey:
    """A public key as securesystemslib knows it."""
    public = signer(person).public
    return SSlibKey(key_id(public), "ed25519", "ed25519", {"public": public})


def test_another_implementation_verifies_ours() -> None:
    """securesystemslib, by whom DSSE is, accepts our envelope, and no longer when it was changed or by another key."""
    envelope = signer("rosa").request(AUDIENCE, "loans", Action.PAUSE, "maintenance")
    theirs = OtherEnvelope.from_dict(envelope.model_dump(mode="json"))
    assert set(theirs.verify([other_key("rosa")], 1)) == {key_id(signer("rosa").public)}
    with pytest.raises(VerificationError):
        theirs.verify([other_key("ana")], 1)
    theirs.payload += b" "
    with pytest.raises(VerificationError):
        theirs.verify([other_key("rosa")], 1)


def test_ours_verifies_another_implementation() -> None:
    """What securesystemslib signs with the same kind of key, we accept."""
    private = private_key("rosa")
    theirs = OtherEnvelope(b'{"a":1}', KIND, {})
    theirs.sign(CryptoSigner(private, other_key("rosa")))
    ours = Envelope.model_validate(theirs.to_dict())
    assert payload_of(ours, KIND) == b'{"a":1}'
    assert signer_of(ours, (signer("ana").public, signer("rosa").public)) == signer("rosa").public


@given(st.binary(max_size=300), st.binary(max_size=300), st.sampled_from(["a/b", "a/c"]))
def test_a_signature_is_of_its_payload_and_type_alone(payload: bytes, other: bytes, kind: str) -> None:
    """Under another payload or type, or with another key, it is nobody's."""
    sealed = seal(payload, "a/b", private_key("rosa"))
    known = signer("rosa").public
    changed = sealed.model_copy(update={"payload": base64.b64encode(other).decode(), "payloadType": kind})
    same = (payload, "a/b") == (other, kind)
    assert signer_of(sealed, (known,)) == known
    assert (signer_of(changed, (known,)) == known) is same
    assert signer_of(sealed, (signer("ana").public,)) is None


@pytest.mark.parametrize("key", ["00" * 32, "ff" * 32, "01" + "00" * 31])
def test_keys_that_are_no_keys(key: str) -> None:
    """A point that is not on the curve, or of small order, verifies nothing."""
    assert signer_of(seal(b"x", KIND, private_key("rosa")), (key,)) is None


def test_one_encoding_alone() -> None:
    """A statement is read only as canonical JSON, of its own type, with zones; else two readers could differ."""
    envelope = signer("rosa").possess()
    statement = read_statement(envelope)
    assert isinstance(statement.says, Possessing)
    for payload in (
        b" " + payload_of(envelope, PAYLOAD_TYPE),
        b"{}",
        b"\xff",
        statement.model_dump_json(indent=1).encode(),
    ):
        with pytest.raises((ValueError, ValidationError)):
            read_statement(seal(payload, PAYLOAD_TYPE, private_key("rosa")))
    with pytest.raises(ValueError, match="holds 'x'"):
        read_statement(envelope.model_copy(update={"payloadType": "x"}))


def test_a_key_is_its_holders_from_enrolment_to_revocation() -> None:
    """Revoked as of an earlier moment it counts for nothing since then; the moment can be moved back, not on."""
    known, name = keyring(("rosa", "ana")), key_id(signer("rosa").public)
    assert known.of("rosa", NOW) == (signer("rosa").public,)
    stolen = known.revoke(name[:20], NOW, "stolen")
    assert stolen.of("rosa", NOW) == ()
    assert stolen.of("rosa", NOW - timedelta(microseconds=1)) == (signer("rosa").public,)
    earlier = stolen.revoke(name, NOW - timedelta(days=3), "")
    assert earlier.revoke(name, NOW, "").find(name).revoked == NOW - timedelta(days=3)
    assert earlier.find(name).reason == "stolen"
    assert stolen.of("ana", NOW) == (signer("ana").public,)


def test_nobody_shares_a_key() -> None:
    """A key that is somebody's cannot become another's, nor one that was revoked come back."""
    known = keyring(("rosa",))
    mine = known.keys[0]
    assert known.enrol(mine) == known
    for person, kind in (("ana", Keyholder.PERSON), ("rosa", Keyholder.GATEWAY)):
        with pytest.raises(ConflictError, match="is rosa's"):
            known.enrol(EnrolledKey(person=person, public=mine.public, kind=kind, enrolled=NOW))
    with pytest.raises(ConflictError, match="was revoked: stolen"):
        known.revoke(mine.id, NOW, "stolen").enrol(mine)
    for name in ("", "sha256:", digest_bytes(b"x")):
        with pytest.raises(UnknownNameError):
            Keyring(keys=known.keys).find(name)


def test_a_wallet_opens_with_its_passphrase_alone(tmp_path: Path) -> None:
    """The file is the owner's alone and encrypted; a key is made once; `ssh-keygen`'s format."""
    wallet = Wallet(tmp_path / "keys")
    made = wallet.create("rosa", "correct horse")
    file = wallet.path("rosa")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_bytes().startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")
    assert made.private_bytes_raw() not in base64.b64decode(b"".join(file.read_bytes().splitlines()[1:-1]))
    assert wallet.open("rosa", "correct horse").private_bytes_raw() == made.private_bytes_raw()
    for wrong in ("", "battery staple"):
        with pytest.raises(InvalidInputError, match="cannot be opened"):
            wallet.open("rosa", wrong)
    with pytest.raises(ConflictError):
        wallet.create("rosa", "another")
    with pytest.raises(InvalidInputError, match="needs a passphrase"):
        wallet.create("ana", "")
    with pytest.raises(UnknownNameError, match="no private key of ana"):
        wallet.open("ana", "x")


def test_nobody_is_asked_where_nobody_can_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal and without a variable the passphrase is an error with what to do."""
    with pytest.raises(InvalidInputError, match="is not known"):
        passphrase_of(Settings(), "rosa")
    monkeypatch.setenv("MODELOPS_PASSPHRASE", "given")
    assert passphrase_of(Settings(), "rosa") == "given"


def test_a_statement_says_what_it_says() -> None:
    """Read back, a statement is the one that was signed."""
    envelope = signer("rosa", lambda: NOW).request(AUDIENCE, "loans", Action.RETIRE, "over")
    statement = read_statement(envelope)
    assert (statement.person, statement.issued_at, statement.key) == ("rosa", NOW, key_id(signer("rosa").public))
    assert Statement.model_validate_json(payload_of(envelope, PAYLOAD_TYPE)) == statement
