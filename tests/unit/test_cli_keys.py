"""`modelops key` and `modelops delegate`: people make keys, an administrator enrols and revokes them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from client.cli import app
from client.documents import read_envelope
from models.canonical import canonical
from models.keys import Keyring
from models.signing import key_id, seal, signer_of
from models.statements import PAYLOAD_TYPE, Delegating, read_statement
from tests.signers import PASSPHRASE, private_key, signer

WIDE = {"COLUMNS": "400", "TERM": "dumb"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own, with a wallet in it."""
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path))
    monkeypatch.setenv("MODELOPS_WALLET", str(tmp_path / "wallet"))
    monkeypatch.setenv("MODELOPS_PASSPHRASE", PASSPHRASE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    """A command."""
    return CliRunner().invoke(app, list(words), env=WIDE)


def registry(home: Path) -> Keyring:
    """What is enrolled."""
    return Keyring.model_validate_json((home / "keys.json").read_text())


def test_a_key_from_its_making_to_its_end(home: Path) -> None:
    """Made, enrolled (twice is as good as once), listed, revoked as of an earlier moment, and not to be had again."""
    made = run("key", "create", "--as", "rosa")
    assert made.exit_code == 0, made.output
    assert "modelops key enroll rosa.enrolment.json" in made.output
    for _ in range(2):
        assert run("key", "enroll", "rosa.enrolment.json").exit_code == 0
    (key,) = registry(home).keys
    assert key.person == "rosa"
    assert key.id[7:23] in run("key", "list").output
    assert json.loads(run("key", "list", "--json").output)["keys"][0]["person"] == "rosa"
    gone = run("key", "revoke", key.id[7:15], "--reason", "stolen", "--since", "2026-11-20T09:00+01:00")
    assert gone.exit_code == 0, gone.output
    assert registry(home).keys[0].revoked == datetime(2026, 11, 20, 8, tzinfo=UTC)
    again = run("key", "enroll", "rosa.enrolment.json")
    assert (again.exit_code, "was revoked: stolen" in again.output) == (3, True)
    assert run("key", "revoke", "ffffffff", "--reason", "x").exit_code == 6
    assert run("key", "create", "--as", "rosa").exit_code == 3


def test_a_request_that_proves_nothing(home: Path) -> None:
    """Somebody else's public key, a stale request, or no request at all enrols nothing."""
    asked = signer("rosa").possess()
    stolen = read_statement(asked).model_copy(update={"person": "mallory"})
    files = {
        "stolen": (seal(canonical(stolen), PAYLOAD_TYPE, private_key("mallory")).model_dump_json(), 3),
        "late": (signer("rosa", lambda: datetime(2020, 1, 1, tzinfo=UTC)).possess().model_dump_json(), 3),
        "other": (signer("rosa").delegate("x", "t", signer("t").public, "r", datetime.now(UTC)).model_dump_json(), 4),
        "text": ('{"payload": "", "payloadType": "x", "signatures": [{"keyid": "", "sig": ""}]}', 4),
        "broken": ("{", 4),
    }
    for name, (text, status) in files.items():
        (home / f"{name}.json").write_text(text)
        found = run("key", "enroll", f"{name}.json")
        assert (name, found.exit_code) == (name, status), found.output
    assert not (home / "keys.json").exists()
    assert "No key is enrolled" in run("key", "list").output


def test_a_registry_that_cannot_be_read(home: Path) -> None:
    """It is said, and nothing is written over it."""
    (home / "keys.json").write_text("{")
    run("key", "create", "--as", "rosa")
    found = run("key", "enroll", "rosa.enrolment.json")
    assert (found.exit_code, "is no registry of keys" in found.output) == (4, True)
    assert (home / "keys.json").read_text() == "{"


def test_deciding_without_a_key() -> None:
    """Whoever has no key here is told how to make one, before anything is asked of a server."""
    found = run("decide", "loans", "release", "approve", "--as", "rosa", "--reason", "x")
    assert (found.exit_code, "modelops key create --as rosa" in found.output) == (6, True)


def test_a_delegation(home: Path) -> None:
    """It is signed by who gives it, names the other's key, and ends."""
    run("key", "create", "--as", "rosa")
    run("key", "create", "--as", "tom")
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    words = ("--to", "tom.enrolment.json", "--role", "risk", "--until", until, "--output", "d.json", "--model", "loans")
    found = run("delegate", "--as", "rosa", *words)
    assert found.exit_code == 0, found.output
    assert "tom may decide for risk in rosa's place" in found.output
    signed = read_envelope(home / "d.json")
    statement = read_statement(signed)
    assert isinstance(statement.says, Delegating)
    public = json.loads((home / "rosa.enrolment.json").read_text())["signatures"][0]["keyid"]
    assert statement.key == public
    assert statement.says.lifecycles == ("loans",)
    assert key_id(statement.says.to_public) == statement.says.to_key
    assert signer_of(signed, (statement.says.to_public,)) is None
