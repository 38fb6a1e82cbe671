"""`modelops may`: exit status 0 is yes, anything else is no, and an answer can be kept and verified."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner, Result

from client.cli import app
from models.canonical import digest_bytes
from tests.contract.listening import listening
from tests.contract.test_clearances import Office, office, told

__all__ = ["office", "told"]

WIDE = {"COLUMNS": "400", "NO_COLOR": "1"}


@pytest.fixture
def asked(office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Office]:
    """The installation answers, and its public key is in the home."""
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path))
    monkeypatch.setenv("MODELOPS_AUDIENCE", "tests")
    with listening(office.app) as address:
        monkeypatch.setenv("MODELOPS_CLEARANCE", address)
        yield office


def run(*arguments: str) -> Result:
    """The command, for production."""
    return CliRunner().invoke(app, ["may", *arguments, "--environment", "PROD"], env=WIDE)


def test_yes_and_no(asked: Office) -> None:
    """What was approved may, and what nobody knows may not."""
    yes = run(asked.artifact)
    assert yes.exit_code == 0, yes.output
    assert "may enter PROD" in yes.stdout
    assert "passed release: lena, paul" in yes.stdout
    no = run(digest_bytes(b"never seen"))
    assert (no.exit_code, "may not enter PROD" in no.stdout) == (3, True)
    assert run("sha256:00").exit_code == 4


def test_an_answer_is_kept_and_verified(asked: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has the key needs neither us nor a network; another digest, or another key, is no."""
    kept = tmp_path / "clearance.json"
    given = {"digest": asked.artifact, "environment": "PROD"}
    kept.write_bytes(httpx2.get(f"{os.environ['MODELOPS_CLEARANCE']}/v1/clearance", params=given).content)
    monkeypatch.setenv("MODELOPS_CLEARANCE", "http://127.0.0.1:9")
    assert run(asked.artifact, "--verify", str(kept), "--key", asked.keys[0]).exit_code == 0
    assert run(asked.artifact, "--verify", str(kept), "--key", "00" * 32).exit_code == 4
    assert run(digest_bytes(b""), "--verify", str(kept)).exit_code == 4


def test_an_answer_that_another_key_signed_is_no(asked: Office) -> None:
    """Whoever stands at the address of the installation and has not its key says nothing that counts."""
    found = run(asked.artifact, "--key", "00" * 32)
    assert (found.exit_code, "may enter" in found.stdout) == (4, False)


def test_silence_is_no(asked: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers: 5."""
    monkeypatch.setenv("MODELOPS_CLEARANCE", "http://127.0.0.1:9")
    assert run(asked.artifact).exit_code == 5
