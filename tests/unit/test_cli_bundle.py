"""`modelops bundle`: build, look, verify, take out and take in."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from client.cli import app
from models.canonical import digest_bytes
from models.inventory import Submission
from tests.contract.test_model_bundle import submission

__all__ = ["submission"]

DEMO = Path(__file__).parents[2] / "examples" / "loan_approval" / "model.yaml"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation that may read what was trained."""
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MODELOPS_SOURCES", json.dumps([str(tmp_path / "trained")]))
    return tmp_path


def run(*words: str | Path) -> Result:
    """A command of the group."""
    return CliRunner().invoke(app, ["bundle", *map(str, words)])


def test_a_bundle_is_built_verified_and_taken_in(
    home: Path, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Built in a folder, it verifies by a key; an installation takes it in only if it counts that key."""
    unprotected = submission.contract.model_copy(update={"protected": ()})
    version = home / "version.json"
    version.write_text(submission.model_copy(update={"contract": unprotected}).model_dump_json())
    built = run("build", version, "--model", DEMO, "--number", "7", "--output", home / "bundle", "--json")
    assert built.exit_code == 0, built.output
    found = json.loads(built.stdout)
    assert (found["model"], found["version"], set(found["evidence"])) == (
        "loan-approval",
        7,
        {"submission", "scan", "evaluation", "parity"},
    )
    shown = run("inspect", home / "bundle")
    assert f"signed by {found['signer']}" in shown.stdout
    assert "model-card.md" in shown.stdout
    assert run("verify", home / "bundle", "--key", "0" * 64).exit_code == 4
    monkeypatch.setenv("MODELOPS_HOME", str(home / "other"))
    assert run("verify", home / "bundle").exit_code == 4
    assert run("import", home / "bundle").exit_code == 4
    assert "signed by nobody whose key counts here" in run("inspect", home / "bundle").stdout
    assert run("verify", home / "bundle", "--key", found["signer"]).exit_code == 0
    (home / "other").mkdir(exist_ok=True)
    (home / "other" / "bundle.pub").write_text(found["signer"] + "\n")
    assert run("import", home / "bundle").exit_code == 0
    out = run("export", found["digest"], "--output", home / "again", "--json")
    assert json.loads(out.stdout) == found
    assert run("export", found["digest"], "--output", home / "again").exit_code == 3


def test_mistakes_are_named(home: Path, submission: Submission) -> None:
    """A folder that is no bundle, a digest that is none, a key that is none, an artifact that is not clean."""
    assert run("inspect", home).exit_code == 6
    assert run("export", "sha256:1", "--output", home / "out").exit_code == 4
    assert "is no public key" in run("verify", home, "--key", "abc").stderr
    evil = home / "trained" / "evil.pkl"
    evil.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    changed = json.loads(submission.model_dump_json())
    changed["artifact"] = {"uri": evil.as_uri(), "digest": _digest(evil)}
    (home / "version.json").write_text(json.dumps(changed))
    refused = run("build", home / "version.json", "--model", DEMO, "--output", home / "bundle")
    assert (refused.exit_code, "is malicious" in refused.stderr) == (4, True)
    assert not (home / "bundle").exists()


def _digest(path: Path) -> str:
    return digest_bytes(path.read_bytes())
