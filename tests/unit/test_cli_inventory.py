"""The commands that read the inventory, on a database with a whole story in it."""

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.sql_migration import migrate
from client.cli import app
from models.journal import JournalEntry
from tests.contract.story import small_plan, tell_story

WIDE = {"COLUMNS": "400", "NO_COLOR": "1"}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the story of `loans`."""
    path, plan = tmp_path_factory.mktemp("inventory") / "inventory.db", small_plan()
    migrate(f"sqlite:///{path}")
    inventory = SqlInventory(f"sqlite:///{path}")
    inventory.commit_plan(plan)
    for told in tell_story(plan, "loans"):
        if isinstance(told, JournalEntry):
            inventory.commit_event(told)
        else:
            inventory.commit_effect(told.key, told.result, told.changes)
    inventory.close()
    return path


@pytest.fixture
def database(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which the commands look at."""
    shutil.copy(recorded, tmp_path / "inventory.db")
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path))
    return tmp_path / "inventory.db"


def run(*words: str) -> Result:
    """A command."""
    return CliRunner().invoke(app, list(words), env=WIDE)


@pytest.mark.usefixtures("database")
def test_list() -> None:
    """The list shows each model and where its lifecycle is, for people and as JSON."""
    (listed,) = json.loads(run("list", "--json").stdout)
    assert (listed["model"], listed["stage"], listed["phase"]) == ("loans", "retired", "ended")
    assert "retired" in run("list").stdout


@pytest.mark.usefixtures("database")
def test_show() -> None:
    """A model is shown with its regulations and versions."""
    shown = json.loads(run("model", "show", "loans", "--json").stdout)
    assert shown["facts"]["id"] == "loans"
    assert [version["number"] for version in shown["versions"]] == [1, 2, 3]
    assert "SR 11-7" in run("model", "show", "loans").stdout


@pytest.mark.usefixtures("database")
def test_history() -> None:
    """The history is told in sentences, refusals included, and ends with both verifications."""
    found = run("history", "loans", "--utc")
    assert found.exit_code == 0, found.output
    lines = found.stdout.splitlines()
    assert any("2026-03-02 12:00:00 UTC" in line and "The lifecycle began" in line for line in lines)
    assert any(
        "olga asked to go on" in line and "REFUSED because the lifecycle is not paused." in line for line in lines
    )
    assert any("rita approved at gate 'validation': It is sound." in line for line in lines)
    assert "holds, up to sha256:" in lines[-2]
    assert "agree with the record" in lines[-1]


@pytest.mark.usefixtures("database")
def test_history_in_full() -> None:
    """What a step did and what it answered are one line, unless all entries are asked for."""
    short, full = (run("history", "loans", *words).stdout for words in ((), ("--all",)))
    assert "Step 'register' passed." not in short
    assert "Step 'register' passed." in full
    assert full.count("Facts of version 1 recorded.") == short.count("Facts of version 1 recorded.") == 1
    assert len(full.splitlines()) == len(json.loads(run("history", "loans", "--json").stdout)["entries"]) + 2


@pytest.mark.usefixtures("database")
def test_history_as_json() -> None:
    """The JSON of a history has every entry and the verification."""
    found = json.loads(run("history", "loans", "--json").stdout)
    assert len(found["entries"]) > 30
    assert found["verification"]["problems"] == found["verification"]["replay"] == []


@pytest.fixture
def tokyo() -> Iterator[None]:
    """The reader is in Tokyo."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "JST-9")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("database", "tokyo")
def test_local_zone() -> None:
    """Times are shown in the reader's zone unless UTC is asked for."""
    assert "2026-03-02 21:00:00 JST" in run("history", "loans").stdout


def test_tampering(database: Path) -> None:
    """An entry that was altered in the database is named, and the exit status is 7."""
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE audit SET body = replace(body, 'It is sound.', 'It is fine.')")
    connection.close()
    found = run("history", "loans")
    assert found.exit_code == 7
    assert "its content is not what was recorded" in found.stdout
    assert "of all" not in found.stdout.splitlines()[-1]
    assert json.loads(run("history", "loans", "--json").stdout)["verification"]["problems"]


def test_projection_that_lies(database: Path) -> None:
    """A recorded answer that the rules would not give is named, even where the chain was made anew around it."""
    with sqlite3.connect(database) as connection:
        connection.execute('UPDATE audit SET body = replace(body, \'"stage":"suspended"\', \'"stage":"production"\')')
    connection.close()
    found = json.loads(run("history", "loans", "--json").stdout)
    assert any("recorded stage is 'production'" in line for line in found["verification"]["replay"])


@pytest.mark.usefixtures("database")
def test_start_refuses_early() -> None:
    """A model that is not registered cannot be started, one that has a lifecycle not again; no server is asked."""
    found = run("start", "nobody", "--template", "low-risk")
    assert (found.exit_code, "no model 'nobody' is registered" in found.stderr) == (6, True)
    found = run("start", "loans", "--template", "credit-high-risk")
    assert (found.exit_code, "has a lifecycle already" in found.stderr) == (3, True)


@pytest.mark.parametrize("words", [("model", "show", "nobody"), ("history", "nobody")])
@pytest.mark.usefixtures("database")
def test_unknown_model(words: tuple[str, ...]) -> None:
    """A model that nobody registered is not found, and stdout stays empty."""
    found = run(*words, "--json")
    assert (found.exit_code, found.stdout) == (6, "")
    assert "nobody" in found.stderr


@pytest.mark.usefixtures("database")
def test_monitors_of_an_unknown_model() -> None:
    """The monitors of a model that nobody registered are not missing: the model is."""
    found = run("monitor", "nobody")
    assert (found.exit_code, "no model 'nobody' is registered" in found.stderr) == (6, True)


@pytest.mark.parametrize("words", [("list",), ("model", "show", "loans"), ("history", "loans")])
def test_no_inventory(words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an inventory the commands say how to make one, and make no file themselves."""
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path))
    found = run(*words)
    assert found.exit_code == 5
    assert "cannot be read" in found.stderr
    assert "modelops up" in found.stderr
    assert list(tmp_path.iterdir()) == []


def test_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that does not fit is named by its variable."""
    monkeypatch.setenv("MODELOPS_WORKER_METRICS_PORT", "many")
    found = run("list")
    assert found.exit_code == 4
    assert "MODELOPS_WORKER_METRICS_PORT" in found.stderr


def test_password_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that does not answer is named without its password."""
    monkeypatch.setenv("MODELOPS_DATABASE_URL", "postgresql://modelops:hunter2@127.0.0.1:1/inventory")
    found = run("list")
    assert found.exit_code == 5
    assert "127.0.0.1:1/inventory" in found.stderr
    assert "hunter2" not in found.output
