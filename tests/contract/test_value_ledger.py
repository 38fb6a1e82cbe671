"""The value ledger on both databases: entries and corrections, told by the trail, summed up by views and commands."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, make_url, text
from typer.testing import CliRunner, Result

from activities.adapters.sql_inventory import SqlInventory
from client.catalog import Catalog
from client.cli import app
from client.verification import verify
from models.evidence import EffectKey, StepResult
from models.inventory import Booked, Environment, Worth
from models.value import standing, sums
from models.verdict import Reading
from tests.contract.backdoor import execute
from tests.contract.story import Record, Tell, until

MAY = datetime(2026, 5, 1, tzinfo=UTC)
Book = Callable[..., None]


def booked(amount: float, day: int = 0, worth: Worth = Worth.VALUE, unit: str = "EUR", version: int = 1) -> Booked:
    """What a version has brought or cost on a day of May."""
    return Booked(
        metric="margin" if worth is Worth.VALUE else "compute",
        worth=worth,
        version=version,
        unit=unit,
        since=MAY + timedelta(days=day),
        until=MAY + timedelta(days=day + 1),
        amount=amount,
        count=3,
        answer="sha256:" + "0" * 64,
    )


@pytest.fixture
def book(inventory: SqlInventory, record: Record, tell: Tell) -> Book:
    """Books something about a champion, as a look of its monitor; another model is registered beside it."""
    record(until(tell("loan"), 11))
    record(until(tell("other"), 2))
    looks = iter(range(1_000))

    def look(*entries: Booked, model: str = "loan", readings: tuple[Reading, ...] = ()) -> None:
        key = EffectKey(model=model, visit=0, step=f"measure/value/w{next(looks)}/v1")
        inventory.commit_effect(key, StepResult(summary="looked", readings=readings), entries)

    return look


def test_a_correction_is_an_entry_more(book: Book, inventory: SqlInventory) -> None:
    """It says which one it corrects; the same answer again is none, and nothing is ever taken out."""
    book(booked(10), booked(20, day=1))
    book(booked(10), booked(25, day=1))
    book(booked(20, day=1))
    entries = inventory.booked("loan")
    told = [(one.since.day, one.amount, one.revision) for one in entries]
    assert told == [(1, 10, 0), (2, 20, 0), (2, 25, 1), (2, 20, 2)]
    assert [one.amount for one in standing(entries)] == [10, 20]
    assert inventory.booked("other") == []


def test_the_trail_tells_of_every_entry(book: Book, inventory_url: str) -> None:
    """What somebody has changed in the ledger, or put into it, is named."""
    book(booked(10), booked(4, worth=Worth.COST))
    book(booked(12))
    with Catalog(inventory_url) as catalog:
        assert verify(catalog, catalog.record("loan")).holds
    execute(
        inventory_url,
        "UPDATE value_entry SET amount = 1000000 WHERE revision = 1",
        "UPDATE value_entry SET revision = 7 WHERE metric = 'compute'",
    )
    with Catalog(inventory_url) as catalog:
        found = verify(catalog, catalog.record("loan")).rows
    (edited,) = (one for one in found if "value_entry row margin, 1" in one)
    assert "amount holds 1000000.0, the trail says 12.0" in edited
    assert any("compute" in one and "this row is missing" in one for one in found)
    assert any("compute" in one and "the trail knows nothing of this row" in one for one in found)


def view(url: str, name: str, columns: str) -> list[tuple[object, ...]]:
    """What a view says."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {name} ORDER BY 1, 2, 3"))]
    engine.dispose()
    return found


def test_views_sum_up_what_stands(book: Book, inventory_url: str) -> None:
    """By model and currency; the portfolio has a sum where there is one currency, and none where nothing is booked."""
    book(booked(10), booked(4, worth=Worth.COST), booked(20, day=1))
    book(booked(25, day=1))
    assert view(inventory_url, "model_value", "model, unit, value, cost, net_value") == [("loan", "EUR", 35, 4, 31)]
    held = "model, net_value, value_unit"
    assert view(inventory_url, "portfolio", held) == [("loan", 31, "EUR"), ("other", None, None)]
    nets = view(inventory_url, "current_value", "model, metric, since, net_value")
    assert [row[-1] for row in nets] == [-4, 10, 25]
    book(booked(7, unit="USD", day=2))
    assert view(inventory_url, "portfolio", held)[0] == ("loan", None, None)
    with Catalog(inventory_url) as catalog:
        loan, other = catalog.portfolio()
        assert loan.worth == sums(catalog.booked("loan"))
        assert [(one.unit, one.net) for one in loan.worth] == [("EUR", 31), ("USD", 7)]
    assert other.worth == ()


def test_an_estimated_reading_is_kept_with_its_bounds(book: Book, inventory_url: str) -> None:
    """Also in the view; of one that was counted there are none."""
    uplift = Reading(name="uplift", value=0.5, count=100, between=(-0.25, 1.25))
    book(readings=(uplift, Reading(name="auc", value=0.75, count=10)))
    with Catalog(inventory_url) as catalog:
        assert verify(catalog, catalog.record("loan")).holds
    execute(inventory_url, "UPDATE reading SET monitor = 'value'")
    assert view(inventory_url, "current_reading", "name, low, high") == [("auc", None, None), ("uplift", -0.25, 1.25)]


def test_who_served_when_is_on_record(book: Book, inventory: SqlInventory) -> None:
    """Oldest first; what serves has no end yet."""
    (one,) = inventory.stints("loan", Environment.PROD)
    assert (one.version, one.until) == (1, None)
    assert inventory.stints("other", Environment.PROD) == []


def run(url: str, *words: str) -> Result:
    """A command on that inventory."""
    place = make_url(url).render_as_string(hide_password=False)
    variables = {"COLUMNS": "300", "NO_COLOR": "1", "MODELOPS_DATABASE_URL": place}
    return CliRunner().invoke(app, list(words), env=variables)


def test_the_commands_show_it(book: Book, inventory_url: str) -> None:
    """Every entry with what became of it, sums by version and in all; before anything is booked, what to do."""
    assert "after a period in which a version served" in run(inventory_url, "value", "loan").stdout
    book(booked(1234.5), booked(400, worth=Worth.COST), booked(20, day=1, version=2))
    book(booked(1334.5))
    shown = run(inventory_url, "value", "loan").stdout
    assert "Value hypothesis: " in shown
    for line in ("1,234.50", "corrects the one before", "corrected", "1,354.50", "954.50", "version 2"):
        assert line in shown
    told = json.loads(run(inventory_url, "value", "loan", "--json").stdout)
    assert told["sums"] == [{"unit": "EUR", "value": 1354.5, "cost": 400.0, "net": 954.5}]
    assert [(one["version"], one["sums"][0]["value"]) for one in told["versions"]] == [(1, 1334.5), (2, 20)]
    assert len(told["entries"]) == 4
    assert "954.50 EUR" in run(inventory_url, "portfolio").stdout
    assert "'margin' says" in run(inventory_url, "history", "loan").stdout
    assert run(inventory_url, "value", "nobody").exit_code == 6
