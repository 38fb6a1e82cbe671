"""The commands that read the inventory, on a database with a whole story in it."""

import json
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from activities.adapters.sql_findings import SqlFindings
from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.sql_migration import migrate
from client.cli import app
from client.render import models
from client.views import Listed
from models.inventory import ModelKind, RiskTier
from models.journal import JournalEntry
from models.reconciliation import Finding, FindingKind
from models.state import Phase
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


@pytest.mark.parametrize("width", [40, 80, 120])
def test_list_in_a_narrow_terminal(width: int) -> None:
    """Where there is no room columns are left out; ids, stages and phases are never broken."""
    drawn = Console(width=width, no_color=True)
    awaiting = Listed(
        model="loan-approval-next",
        title="Mortgage approval recommendation",
        kind=ModelKind.ML,
        tier=RiskTier.HIGH,
        owner="credit-data-science",
        template="credit-high-risk",
        stage="validation",
        phase=Phase.AWAITING_VERSION,
        candidate=12,
        champion=11,
        updated=datetime(2026, 3, 2, tzinfo=UTC),
    )
    with drawn.capture() as capture:
        drawn.print(models([awaiting, awaiting.model_copy(update={"model": "churn", "title": "Churn"})]))
    header, first, *_ = capture.get().splitlines()
    assert {"loan-approval-next", "awaiting version"} <= set(re.split(r" {2,}", first.strip()))
    assert ("Champion" in header, "Owner" in header) == (width >= 80, width >= 120)
    assert max(map(len, capture.get().splitlines())) <= width


@pytest.mark.usefixtures("database")
def test_list_in_a_wide_terminal() -> None:
    """Where there is room nothing is left out."""
    header = run("list").stdout.splitlines()[0]
    columns = ["Model", "Title", "Tier", "Owner", "Template", "Stage", "Phase", "Version", "Champion", "Updated"]
    assert header.split() == columns


@pytest.mark.usefixtures("database")
def test_show() -> None:
    """A model is shown with its regulations and versions."""
    shown = json.loads(run("model", "show", "loans", "--json").stdout)
    assert shown["facts"]["id"] == "loans"
    assert [version["number"] for version in shown["versions"]] == [1, 2, 3]
    assert shown["rating"]["answered"] == "critical"
    said = run("model", "show", "loans").stdout
    assert "SR 11-7" in said
    assert "overridden to high by rita: A pilot." in said


def test_findings(database: Path) -> None:
    """What contradicts the record is listed, is one line where the model is shown, and `--all` has the past, too."""
    assert "Nothing contradicted the record when the worker compared last" in run("findings").stdout
    found = SqlFindings(f"sqlite:///{database}")
    gone = Finding(kind=FindingKind.EXECUTION_GONE, model="loans", about="loans", text="'loans' has no execution")
    stranger = Finding(kind=FindingKind.UNKNOWN_WORKER, model=None, about="1@x", text="'1@x' takes promotions")
    found.commit_findings(frozenset({gone, stranger}))
    lines = run("findings").stdout.splitlines()
    assert any("execution gone" in line and "'loans' has no execution" in line for line in lines)
    assert [one["kind"] for one in json.loads(run("findings", "--json").stdout)] == ["execution_gone", "unknown_worker"]
    assert "Contradicts the record: 'loans' has no execution" in run("model", "show", "loans").stdout
    found.commit_findings(frozenset({stranger}))
    found.close()
    assert "loans" not in run("findings").stdout
    assert "loans" in run("findings", "--all").stdout
    assert "Contradicts" not in run("model", "show", "loans").stdout
    assert "No longer so: 'loans' has no execution." in run("history", "loans").stdout


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
    assert any("rita approved at gate 'validation' for risk: It is sound." in line for line in lines)
    assert "holds, up to sha256:" in lines[-3]
    assert "are what the trail makes of them" in lines[-2]
    assert "agree with the record" in lines[-1]


@pytest.mark.usefixtures("database")
def test_history_in_full() -> None:
    """What a step did and what it answered are one line, unless all entries are asked for."""
    short, full = (run("history", "loans", *words).stdout for words in ((), ("--all",)))
    assert "Step 'register' passed." not in short
    assert "Step 'register' passed." in full
    assert full.count("Facts of version 1 recorded.") == short.count("Facts of version 1 recorded.") == 1
    assert len(full.splitlines()) == len(json.loads(run("history", "loans", "--json").stdout)["entries"]) + 3


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


TAMPERINGS = [
    ("DELETE FROM audit_head", "audit_head row 1: this row is missing"),
    ("DELETE FROM lifecycle", "lifecycle row loans: this row is missing"),
    ("DELETE FROM model", "model row loans: this row is missing"),
    ("UPDATE model SET facts = '{}'", "model row loans: facts does not hold what the trail says"),
    ("UPDATE plan SET content = '{}'", "content does not hold what the trail says"),
    ("DELETE FROM audit", "lifecycle row loans: the trail knows nothing of this row"),
    ("UPDATE audit SET model = 'churn'", "lifecycle row loans: the trail knows nothing of this row"),
    ("UPDATE audit SET at = 'garbage' WHERE position = 5", "entry 5: its content is not what was recorded"),
    ("UPDATE audit SET at = '9999-12-31 23:59:59' WHERE position = 5", "entry 5: its content is not what was recorded"),
    ("UPDATE audit SET body = x'ff00' WHERE position = 5", "audit row 5: its body is no event of 'loans'"),
    (
        "UPDATE audit SET body = cast(x'ff41' AS TEXT) WHERE position = 5",
        "audit row 5: its body is no event of 'loans'",
    ),
    ("UPDATE audit SET body = 'x'", "no recorded event of 'loans' can be read"),
    ("UPDATE audit SET position = 9007199254740999 WHERE position = 5", "entry 5: missing"),
    ("UPDATE audit_head SET position = 'x'", "audit_head row 1: position holds 'x'"),
    ("UPDATE version SET gates = 'x'", "version row 1: gates holds 'x'"),
    ("UPDATE deployment SET since = 'x'", "deployment row PROD, x: the trail knows nothing of this row"),
]


@pytest.mark.parametrize(("statement", "problem"), TAMPERINGS)
@pytest.mark.usefixtures("tokyo")
def test_every_tampering_is_said(database: Path, statement: str, problem: str) -> None:
    """Whatever was edited, deleted or made unreadable, a sentence names the row, and the exit status is 7."""
    with sqlite3.connect(database) as connection:
        connection.execute(statement)
    connection.close()
    found = run("history", "loans")
    assert (found.exit_code, found.stderr) == (7, "")
    assert problem in found.stdout
    assert run("history", "loans", "--json").exit_code == 7


@pytest.mark.parametrize("table", ["lifecycle", "audit"])
def test_nothing_replayed_is_no_agreement(database: Path, table: str) -> None:
    """Without events nobody claims that the rules agree, nor without the rows that they lead to that these do."""
    with sqlite3.connect(database) as connection:
        connection.execute(f"DELETE FROM {table}")
    connection.close()
    said = run("history", "loans").stdout
    assert "are what the trail makes of them" not in said
    assert ("agree with the record" in said) == (table == "lifecycle")
    assert ("the rules were not run" in said) == (table == "audit")


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
    found = run("monitor", "run", "nobody")
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRAINERS", "foo"),
        ("SOURCES", "/data"),
        ("DATABASE_URL", "postgresql://modelops:hunter2@db:xx/inventory"),
        ("DATABASE_URL", "mysql://modelops:hunter2@127.0.0.1:1/inventory"),
        ("DATABASE_URL", "sqlite://"),
    ],
)
def test_mistakes(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A mistake in a variable ends with status 4 and the variable's name, and shows no password."""
    monkeypatch.setenv(f"MODELOPS_{name}", value)
    found = run("list")
    assert found.exit_code == 4, found.exception
    assert f"MODELOPS_{name}" in found.stderr
    assert "hunter2" not in found.output


def test_not_an_inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is no database is named, and stays as it is."""
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path))
    (tmp_path / "inventory.db").write_text("a shopping list" * 100)
    found = run("list")
    assert found.exit_code == 4, found.exception
    assert f"{tmp_path / 'inventory.db'} is not an inventory" in found.stderr
    assert (tmp_path / "inventory.db").read_text() == "a shopping list" * 100


def test_password_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that does not answer is named without its password."""
    monkeypatch.setenv("MODELOPS_DATABASE_URL", "postgresql://modelops:hunter2@127.0.0.1:1/inventory")
    found = run("list")
    assert found.exit_code == 5
    assert "127.0.0.1:1/inventory" in found.stderr
    assert "hunter2" not in found.output


@pytest.mark.usefixtures("database")
def test_the_impact_of_a_pack() -> None:
    """For each lifecycle, also an ended one: whether its plan would compile under a pack, and what it lacks."""
    (found,) = json.loads(run("policy", "impact", "baseline", "--json").stdout)
    assert (found["model"], found["running"], found["applies"]) == ("loans", False, True)
    assert any("clean-artifact" in lack["message"] for lack in found["lacks"])
    said = run("policy", "impact", "us-sr-11-7", "--on", "2026-11-25")
    assert said.exit_code == 0
    assert "does not apply" in said.stdout


def test_a_running_lifecycle_that_would_not_compile(database: Path) -> None:
    """The exit status says that a pack would break what runs."""
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE lifecycle SET phase = 'steady'")
    said = run("policy", "impact", "baseline@1")
    assert said.exit_code == 4
    assert "would not compile" in said.stdout
    assert "[baseline@1, NIST AI RMF MEASURE 2.7]" in said.stdout
