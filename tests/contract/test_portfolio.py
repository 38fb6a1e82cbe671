"""What people and charts see of all models: values over time, health, worth, and what is overdue."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import make_url
from sqlmodel import SQLModel
from typer.testing import CliRunner, Result

from activities.adapters.sql_engine import Database
from activities.adapters.sql_findings import SqlFindings
from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.sql_migration import migrate
from activities.adapters.sql_upgrade import configuration
from client.catalog import Catalog
from client.cli import app
from models.evidence import QUANTITIES, Dimension, EffectKey, StepResult
from models.inventory import Measured
from models.reconciliation import Finding, FindingKind
from models.verdict import Reading, Verdict
from tests.contract.backdoor import rows
from tests.contract.story import Record, Tell, until

SEEN: dict[str, list[float]] = {"live_selection_rate": [0.6, 0.5, 0.4], "obligations_overdue": [0, 0, 2]}
Run = Callable[..., Result]


def read(url: str) -> list[tuple[object, ...]]:
    """Every reading: model, version, monitor, name, value."""
    table = SQLModel.metadata.tables["reading"]
    columns = [column.name for column in table.columns]
    kept = [columns.index(name) for name in ("model", "version", "monitor", "name", "value")]
    return [tuple(row[place] for place in kept) for row in rows(url)["reading"]]


@pytest.fixture
def watched(inventory: SqlInventory, record: Record, tell: Tell, inventory_url: str) -> str:
    """A champion that a monitor has looked at three times; beside it a model of which nothing was measured."""
    record(until(tell("loan"), 11))
    for number, verdict in enumerate(("pass", "pass", "fail")):
        measured = Measured(
            monitor="drift", window=f"w{number}", version=1, verdict=Verdict(verdict).value, reasons=(f"look {number}",)
        )
        readings = tuple(Reading(name=name, value=values[number], count=50) for name, values in SEEN.items())
        key = EffectKey(model="loan", visit=0, step=f"measure/drift/w{number}/v1")
        inventory.commit_effect(key, StepResult(summary=verdict, readings=readings), [measured])
    record(until(tell("other"), 2))
    return inventory_url


@pytest.fixture
def run_on(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Run]:
    """Has commands run on an inventory."""

    def chosen(url: str) -> Run:
        monkeypatch.setenv("MODELOPS_DATABASE_URL", make_url(url).render_as_string(hide_password=False))
        return lambda *words: CliRunner().invoke(app, list(words), env={"COLUMNS": "300", "NO_COLOR": "1"})

    return chosen


@pytest.fixture
def run(watched: str, run_on: Callable[[str], Run]) -> Run:
    """Runs a command on that inventory."""
    return run_on(watched)


def test_what_a_monitor_read_is_kept_by_name_and_by_look(watched: str) -> None:
    """Each look has its verdict, its version and every value; the values of gates are kept beside them."""
    with Catalog(watched) as catalog:
        looks = catalog.looks("loan")
    assert [look.verdict for look in looks] == ["pass", "pass", "fail"]
    assert {look.version for look in looks} == {1}
    for name, values in SEEN.items():
        assert [one.value for look in looks for one in look.readings if one.name == name] == values
    assert ("loan", 1, None, "auc", 0.8) in read(watched)


def test_the_portfolio_has_health_worth_and_what_is_overdue(watched: str) -> None:
    """Of each model the latest look of its present champion counts; of one that nobody looked at, nothing is said."""
    with Catalog(watched) as catalog:
        loan, other = catalog.portfolio()
    assert (loan.model, loan.champion, loan.health, loan.obligations_overdue) == ("loan", 1, Verdict.FAIL, 2)
    assert loan.value == {"live_selection_rate": 0.4}
    assert loan.measured_at is not None
    assert (other.model, other.health, other.value, other.obligations_overdue) == ("other", None, {}, None)


NOTHING: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("found", "health"),
    [
        ([("upkeep", "pass", ("days_in_service",))], None),
        (
            [
                ("upkeep", "pass", ("days_in_service", "obligations_overdue")),
                ("gates", "inconclusive", ("gates_in_time",)),
            ],
            None,
        ),
        ([("upkeep", "fail", ("days_in_service",))], "fail"),
        ([("upkeep", "fail", ("days_in_service",)), ("drift", "pass", ("drift",))], "fail"),
        ([("upkeep", "inconclusive", ("gates_in_time",)), ("drift", "pass", ("drift",))], "pass"),
        ([("upkeep", "pass", ("days_in_service",)), ("worth", "pass", ("margin",))], "pass"),
        ([("both", "pass", ("days_in_service", "live_selection_rate"))], "pass"),
        ([("drift", "inconclusive", ("drift",)), ("worth", "pass", ("margin",))], "inconclusive"),
        ([("drift", "inconclusive", NOTHING), ("upkeep", "pass", ("days_in_service",))], "inconclusive"),
        ([("drift", "fail", NOTHING)], "fail"),
    ],
)
def test_health_is_told_from_readings_about_the_model(
    found: list[tuple[str, str, tuple[str, ...]]],
    health: str | None,
    inventory: SqlInventory,
    record: Record,
    tell: Tell,
    inventory_url: str,
) -> None:
    """Technical and business ones, or none at all; how it is governed counts where that fails."""
    record(until(tell("loan"), 11))
    for monitor, verdict, names in found:
        measured = Measured(monitor=monitor, window="w", version=1, verdict=verdict, reasons=("so",))
        result = StepResult(summary="so", readings=tuple(Reading(name=name, value=1, count=1) for name in names))
        inventory.commit_effect(EffectKey(model="loan", visit=0, step=f"measure/{monitor}/w/v1"), result, [measured])
    with Catalog(inventory_url) as catalog:
        (loan,) = catalog.portfolio()
    assert loan.health == health
    assert loan.measured_at is not None


@pytest.mark.parametrize(
    ("looks", "health"),
    [
        (("pass", "fail", "blind"), "fail"),
        (("fail", "pass", "blind"), "inconclusive"),
        (("fail", "blind", "blind"), "fail"),
        (("fail", "inconclusive", "blind"), "inconclusive"),
        (("fail", "blind", "pass"), "pass"),
        (("blind",), "inconclusive"),
    ],
)
def test_health_is_no_better_for_a_look_that_could_not_measure(
    looks: tuple[str, ...],
    health: str,
    inventory: SqlInventory,
    record: Record,
    tell: Tell,
    inventory_url: str,
) -> None:
    """Nobody has seen that a failure is over."""
    record(until(tell("loan"), 11))
    for day, look in enumerate(looks):
        blind = {"verdict": "inconclusive", "unmeasured": True} if look == "blind" else {"verdict": look}
        moment = datetime(2026, 3, 2 + day, tzinfo=UTC)
        said = {"monitor": "drift", "window": f"w{day}", "version": 1, "moment": moment, "reasons": ("so",), **blind}
        key = EffectKey(model="loan", visit=0, step=f"measure/drift/w{day}/v1")
        inventory.commit_effect(key, StepResult(summary="so"), [Measured.model_validate(said)])
    with Catalog(inventory_url) as catalog:
        (loan,) = catalog.portfolio()
    assert loan.health == health


def test_the_view_knows_every_reading_of_the_process() -> None:
    """Whoever adds one adds a migration, too: in the view there are names and no dimensions."""
    module = ScriptDirectory.from_config(configuration()).get_revision("0011").module
    assert set(module.PROCESS) == {name for name, one in QUANTITIES.items() if one.dimension is Dimension.PROCESS}


def test_another_champion_begins_without_health(watched: str, record: Record, tell: Tell) -> None:
    """What was found of the former champion says nothing of the one that serves now."""
    story = tell("loan")
    done = len(until(story, 11))
    record(story[done:])
    with Catalog(watched) as catalog:
        loan = next(one for one in catalog.portfolio() if one.model == "loan")
    assert loan.health is None


def test_a_contradiction_counts_while_it_holds(watched: str) -> None:
    """What the reconciliation finds stands in the portfolio until it is gone."""
    findings = SqlFindings(watched)
    found = Finding(kind=FindingKind.SERVING_DIFFERS, model="loan", about="PROD", text="what serves is unknown")
    findings.commit_findings(frozenset({found}))
    with Catalog(watched) as catalog:
        assert [one.contradictions for one in catalog.portfolio()] == [1, 0]
    findings.commit_findings(frozenset())
    with Catalog(watched) as catalog:
        assert [one.contradictions for one in catalog.portfolio()] == [0, 0]
    findings.close()


def test_the_commands_show_it(run: Run) -> None:
    """For people in a table, for programs as JSON; a monitor that is not there is named with those that are."""
    shown = run("portfolio").stdout
    assert "2 obligations" in shown
    assert "live_selection_rate 0.4" in shown
    assert [one["health"] for one in json.loads(run("portfolio", "--json").stdout)] == ["fail", None]
    (listed,) = json.loads(run("monitor", "list", "loan", "--json").stdout)
    assert (listed["monitor"], listed["last"]["verdict"]) == ("drift", "fail")
    assert "suspend" in run("monitor", "list", "loan").stdout
    drawn = run("monitor", "show", "loan").stdout
    assert "█▄▁" in drawn or "█▅▁" in drawn
    assert len(json.loads(run("monitor", "show", "loan", "drift", "--json").stdout)) == 3
    unknown = run("monitor", "show", "loan", "nothing")
    assert (unknown.exit_code, "it has drift" in unknown.stderr) == (6, True)


def look(
    inventory: SqlInventory, monitor: str, moment: datetime, outcomes: str, readings: tuple[Reading, ...], number: int
) -> None:
    """A look at one window, as things had become known by then."""
    measured = Measured(
        monitor=monitor, window="w", version=1, verdict="pass", reasons=(outcomes,), moment=moment, outcomes=outcomes
    )
    key = EffectKey(model="loan", visit=0, step=f"measure/{monitor}/w/v1/{number}")
    inventory.commit_effect(key, StepResult(summary="pass", readings=readings), [measured])


def test_a_window_is_shown_by_its_newest_measurement(
    inventory: SqlInventory, record: Record, tell: Tell, run_on: Callable[[str], Run], inventory_url: str
) -> None:
    """Whatever an older one has read: of the same monitor, of another; at the moment that the looks stand for."""
    record(until(tell("loan"), 11))
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    early, late = (Reading(name="live_auc", value=value, count=n) for value, n in ((0.5, 20), (0.75, 61)))
    gone = Reading(name="estimated_auc", value=0.123, count=90)
    look(inventory, "drift", moment, "sha256:" + "a" * 64, (early, gone), 1)
    look(inventory, "worth", moment, "sha256:" + "a" * 64, (early,), 1)
    look(inventory, "drift", moment, "sha256:" + "b" * 64, (late,), 2)
    run = run_on(inventory_url)
    shown = run("monitor", "show", "loan").stdout
    (line,) = [line.split() for line in shown.splitlines() if line.startswith("live_auc")]
    assert (len(line[1]), *line[2:4]) == (1, "0.75", "61")
    assert "estimated_auc" not in shown
    (found,) = json.loads(run("monitor", "show", "loan", "drift", "--json").stdout)
    assert datetime.fromisoformat(found["at"]) == moment
    assert datetime.fromisoformat(found["looked"]) > moment
    assert [(one["name"], one["value"], one["count"]) for one in found["readings"]] == [("live_auc", 0.75, 61)]
    (listed,) = json.loads(run("monitor", "list", "loan", "--json").stdout)
    assert datetime.fromisoformat(listed["last"]["at"]) == moment
    look(inventory, "drift", moment, "sha256:" + "c" * 64, (), 3)
    (found,) = json.loads(run("monitor", "show", "loan", "drift", "--json").stdout)
    assert found["readings"] == []
    assert "Over time" not in run("monitor", "show", "loan", "drift").stdout


@pytest.mark.parametrize(
    ("value", "said"),
    [(1250.4, "margin 1,250"), (0.12345, "margin 0.123"), (-54321.0, "margin -54,321"), (999, "margin 999")],
)
def test_what_a_model_brings_is_written_as_people_write_it(
    value: float,
    said: str,
    inventory: SqlInventory,
    record: Record,
    tell: Tell,
    run_on: Callable[[str], Run],
    inventory_url: str,
) -> None:
    """Without powers of ten."""
    record(until(tell("loan"), 11))
    measured = Measured(monitor="worth", window="w", version=1, verdict="pass", reasons=("so",))
    result = StepResult(summary="so", readings=(Reading(name="margin", value=value, count=1),))
    inventory.commit_effect(EffectKey(model="loan", visit=0, step="measure/worth/w/v1"), result, [measured])
    assert f" {said} " in run_on(inventory_url)("portfolio").stdout


def test_readings_of_before_are_found_in_the_ledger(watched: str) -> None:
    """A database from before there were readings gets all that was ever read, as the trail tells of it."""
    before = read(watched)
    database, config = Database(watched), configuration()
    with database.changing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0004")
    database.close()
    migrate(watched)
    assert [row[2:] for row in read(watched)] == [row[2:] for row in before]
    assert len(before) == 2 * len(SEEN["obligations_overdue"]) + 1


def test_a_report_is_a_page_about_one_model(run: Run, tmp_path: Path) -> None:
    """It is written where it is asked for; of a model that nobody registered there is none."""
    written = run("report", "loan", "--output", str(tmp_path / "loan.html"))
    assert (written.exit_code, written.stdout) == (0, f"Written: {tmp_path / 'loan.html'}\n")
    page = (tmp_path / "loan.html").read_text()
    assert page.count("<svg") == 3
    assert "2 obligations" in page
    assert run("report", "nobody").exit_code == 6
    assert run("report", "loan", "--output", str(tmp_path)).exit_code == 4
