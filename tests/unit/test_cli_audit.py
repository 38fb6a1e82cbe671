"""`modelops audit`, on a sealed inventory: what it says, and how it ends."""

import json
import shutil
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.file_notary import FileNotary
from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.sql_migration import migrate
from client.cli import app
from models.journal import JournalEntry
from tests.contract.story import small_plan, tell_story
from worker.keeping import checkpoints_of
from worker.settings import Settings

WIDE = {"COLUMNS": "400", "NO_COLOR": "1"}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the story of `loans`, sealed in the middle and at the end."""
    home, plan = tmp_path_factory.mktemp("home"), small_plan()
    chosen = Settings(home=home)
    migrate(chosen.database)
    inventory, store = SqlInventory(chosen.database), FileArtifactStore(chosen.store, [])
    notary = FileNotary(inventory, checkpoints_of(chosen), chosen.notary, chosen.audience)
    inventory.commit_plan(plan)
    for number, told in enumerate(tell_story(plan, "loans")):
        if isinstance(told, JournalEntry):
            inventory.commit_event(told)
        else:
            inventory.commit_effect(told.key, told.result, told.changes)
            for one in told.result.evidence:
                store.put(one.summary.encode())
        if number == 20:
            notary.checkpoint()
    store.put(b"archive")
    notary.checkpoint()
    inventory.close()
    return home


@pytest.fixture
def home(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, and a Temporal server that does not answer."""
    shutil.copytree(recorded, tmp_path / "home")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MODELOPS_TEMPORAL_ADDRESS", f"127.0.0.1:{probe.getsockname()[1]}")
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*words: str) -> Result:
    """A command."""
    return CliRunner().invoke(app, ["audit", *words], env=WIDE)


def deed(home: Path, statement: str) -> None:
    """An edit of the inventory."""
    with sqlite3.connect(home / "inventory.db") as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.usefixtures("home")
def test_a_record_that_holds() -> None:
    """Offline it says that Temporal was not asked; asked in vain, it is unavailable."""
    for words in (("verify", "loans", "--offline"), ("verify", "--offline")):
        result = run(*words)
        assert result.exit_code == 0, result.output
        assert "The record holds." in result.stdout
        assert "Temporal was not asked" in result.stdout
        assert "2 checkpoints; the last that holds is of entry 53" in result.stdout
    result = run("verify", "loans")
    assert (result.exit_code, "no Temporal server answers" in result.stderr) == (5, True)
    assert run("verify", "nobody", "--offline").exit_code == 6


@pytest.mark.parametrize(
    ("statement", "kind", "row", "dated"),
    [
        ("UPDATE audit SET body = body || ' ' WHERE position = 30", "changed", "audit row 30", True),
        ("DELETE FROM audit WHERE position = 30", "removed", "audit row 30", True),
        ("UPDATE lifecycle SET champion = 9", "changed", "lifecycle row loans", True),
        ("DELETE FROM ledger WHERE step = 'classify'", "removed", "ledger row 1, classify", True),
        ("INSERT INTO model_regulation VALUES ('loans', 'SR 99')", "inserted", "model_regulation row SR 99", False),
    ],
)
def test_what_was_done_is_named(statement: str, kind: str, row: str, dated: bool, home: Path) -> None:
    """The row, the deed, and between which moments; the exit status says that it does not hold, Temporal or not."""
    deed(home, statement)
    for words, status in ((("--offline",), 7), ((), 7)):
        result = run("verify", "loans", "--json", *words)
        found = [one for one in json.loads(result.stdout)["findings"] if (one["row"], one["kind"]) == (row, kind)]
        assert result.exit_code == status
        assert found, result.stdout
        assert (found[0]["since"] is not None) == dated
    text = run("verify", "loans", "--offline", "--utc")
    assert f"{kind.upper()}  " in text.stdout
    assert " UTC and " in text.stdout or not dated


def test_an_export_verifies_without_us(home: Path, tmp_path: Path) -> None:
    """The folder says how it is verified, and does; without Temporal the histories have to be left out knowingly."""
    folder = tmp_path / "evidence"
    assert run("export", "loans", "--output", str(folder)).exit_code == 5
    assert not folder.exists()
    result = run("export", "loans", "--output", str(folder), "--offline")
    assert result.exit_code == 0, result.output
    notary = (home / "notary.pub").read_text().strip()
    assert f"{folder / 'verify.py'} --notary {notary}" in result.stdout
    done = subprocess.run(
        [sys.executable, "-I", folder / "verify.py", "--notary", notary], capture_output=True, cwd="/"
    )
    assert done.returncode == 0, done.stdout
    assert run("export", "loans", "--output", str(home), "--offline").exit_code == 3
