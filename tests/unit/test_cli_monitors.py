"""What people say to the schedules of monitors: refused in words before any server is asked."""

import json
from pathlib import Path

import pytest

from client.commands.monitors import needing_windows
from models.plan import Plan
from models.verdict import Comparison, Kpi
from tests.contract.backdoor import execute
from tests.unit.kernel_world import plan_of
from tests.unit.test_cli_inventory import database, recorded, run

__all__ = ["database", "recorded"]

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No server answers, and nobody has a key."""
    monkeypatch.setenv("MODELOPS_TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("MODELOPS_WALLET", str(tmp_path / "wallet"))


def test_monitors_are_listed_without_a_server() -> None:
    """What the record says is shown; what the schedules say is not known."""
    (found, *_) = json.loads(run("monitor", "list", "loans", "--json").stdout)
    assert found["schedule"] is None
    assert found["monitor"] in run("monitor", "list", "loans").stdout


def test_a_look_that_could_not_measure_says_so(database: Path) -> None:
    """With its reason, in the list and where looks are shown; for programs as a fact of its own."""
    monitor = json.loads(run("monitor", "list", "loans", "--json").stdout)[0]["monitor"]
    why = "not measured: the source does not answer"
    columns = 'model, monitor, "window", reign, verdict, reasons, at, moment, looks, unmeasured'
    given = f"'loans', '{monitor}', 'w', 0, 'inconclusive', '[\"{why}\"]', '2030-03-02', '2030-03-02', 1, 1"
    execute(f"sqlite:///{database}", f"INSERT INTO measurement ({columns}) VALUES ({given})")
    found = json.loads(run("monitor", "list", "loans", "--json").stdout)[0]["last"]
    assert (found["verdict"], found["unmeasured"]) == ("inconclusive", True)
    assert f"inconclusive; {why}" in run("monitor", "list", "loans").stdout
    assert why in run("monitor", "show", "loans").stdout


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("backfill", "loans", "--from", "2026-03-01"), 4, "time zone"),
        (("backfill", "loans", "--from", "2026-03-01T00:00"), 4, "time zone"),
        (("backfill", "loans", "--from", "2026-03-02T00:00Z", "--until", "2026-03-01T00:00Z"), 4, "is not after"),
        (("backfill", "loans", "--from", "2001-03-01T00:00Z"), 4, "in parts"),
        (("backfill", "loans", "nothing", "--from", "2026-03-01T00:00Z"), 6, "no monitor 'nothing'"),
        (("backfill", "nobody", "--from", "2026-03-01T00:00Z"), 6, "nobody"),
        (("pause", "loans", "--as", "rosa", "--reason", " "), 4, "a reason"),
        (("resume", "loans", "--as", "rosa", "--reason", "x" * 501), 4, "a reason"),
        (("pause", "loans", "--as", "rosa", "--reason", "Moved."), 6, "rosa"),
    ],
)
def test_what_is_refused(words: tuple[str, ...], status: int, said: str) -> None:
    """With the exit status of its kind, and what to do."""
    ran = run("monitor", *words)
    assert (ran.exit_code, said in ran.output) == (status, True), ran.output


@pytest.mark.parametrize("text", ["yesterday", "2026-11-20", "2026-11-20T08:00"])
@pytest.mark.parametrize(
    "words",
    [
        ("report", "loans", "--since"),
        ("monitor", "backfill", "loans", "--from"),
        ("monitor", "backfill", "loans", "--from", "2026-03-01T00:00Z", "--until"),
        ("key", "revoke", "3fa9c1", "--reason", "Stolen.", "--since"),
        ("delegate", "--as", "rosa", "--to", "tom.json", "--role", "risk", "--output", "given.json", "--until"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_every_command_says_what_a_moment_looks_like(words: tuple[str, ...], text: str) -> None:
    """By the one rule, which option it is about, and nothing is written."""
    ran = run(*words, text)
    assert ran.exit_code == 4, ran.output
    assert f"{words[-1]}: '{text}' is no moment with its time zone" in ran.stderr
    assert "What to do: write 2026-03-01T00:00+01:00, or 2026-03-01T00:00Z" in ran.stderr


def test_who_needs_no_window_is_not_told_that_there_is_none() -> None:
    """Monitors of metrics, of the record and of what serves read no window; those of windows are named."""
    plan = plan_of("credit-high-risk")
    assert needing_windows(plan) == ["drift", "value"]
    assert needing_windows(only(plan, "upkeep")) == []
    margin = Kpi(
        name="margin",
        passes=Comparison(operator=">=", bound=1),
        fails=Comparison(operator="<", bound=1),
        metric="margin",
    )
    worth = plan.monitors[0].model_copy(update={"id": "worth", "checks": ("margin", "days_in_service")})
    assert needing_windows(plan.model_copy(update={"monitors": (worth,), "kpis": (*plan.kpis, margin)})) == []


def only(plan: Plan, monitor: str) -> Plan:
    """A plan with one monitor of its own."""
    return plan.model_copy(update={"monitors": tuple(one for one in plan.monitors if one.id == monitor)})
