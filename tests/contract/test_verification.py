"""What `modelops history` verifies, on both databases: a true record holds, and whoever edits any row is found."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from activities.adapters.sql_inventory import SqlInventory
from client.catalog import Catalog
from client.story import tell as tell_lines
from client.verification import Verification, verify
from models.evidence import EffectKey, StepResult
from models.inventory import Measured, ModelRegistered
from models.inventory_fold import fold_inventory
from models.rows import differences
from tests.contract.backdoor import execute
from tests.contract.story import Record, Tell, until

CUT = "UPDATE audit_head SET position = 40, hash = (SELECT hash FROM audit WHERE position = 40)"

ROWS = {
    "UPDATE lifecycle SET stage = 'production'": "lifecycle row loan: stage holds 'production'",
    "UPDATE lifecycle SET phase = 'steady'": "lifecycle row loan: phase holds 'steady', the trail says 'ended'",
    "UPDATE lifecycle SET phase = 'asleep'": "lifecycle row loan: phase holds 'asleep', the trail says 'ended'",
    "UPDATE lifecycle SET champion = 99": "lifecycle row loan: champion holds 99, the trail says nothing",
    "UPDATE lifecycle SET candidate = 2": "lifecycle row loan: candidate holds 2, the trail says nothing",
    "UPDATE lifecycle SET previous = 3": "lifecycle row loan: previous holds 3, the trail says nothing",
    "UPDATE lifecycle SET paused = NOT paused": "lifecycle row loan: paused holds ",
    "UPDATE lifecycle SET seq = seq + 1": "lifecycle row loan: seq holds ",
    "UPDATE lifecycle SET visit = 0": "lifecycle row loan: visit holds 0",
    "UPDATE lifecycle SET crowned = 1": "lifecycle row loan: crowned holds 1",
    "UPDATE lifecycle SET failure = 'x'": "lifecycle row loan: failure holds 'x'",
    "UPDATE lifecycle SET template = 'x'": "lifecycle row loan: template holds 'x', the trail says 'credit'",
    "UPDATE lifecycle SET updated_at = '2020-01-01 00:00:00.000000'": "lifecycle row loan: updated_at holds 2020-01-01",
    "DELETE FROM lifecycle": "lifecycle row loan: this row is missing",
    "UPDATE version SET status = 'champion' WHERE number = 2": "version row 2: status holds 'champion'",
    "UPDATE version SET gates = '[\"validation\"]' WHERE number = 2": "version row 2: gates holds ['validation']",
    "UPDATE version SET gates = '{}' WHERE number = 2": "version row 2: gates holds {}, the trail says []",
    "UPDATE version SET facts = replace(facts, 'dora', 'eve')": "version row 1: facts does not hold ",
    "UPDATE version SET facts = '{}' WHERE number = 3": "version row 3: facts does not hold what the trail says",
    "UPDATE version SET artifact = NULL WHERE number = 3": "version row 3: artifact holds nothing",
    "UPDATE version SET bundle = 'x' WHERE number = 3": "version row 3: bundle holds 'x'",
    "INSERT INTO version (model, number, status, gates) VALUES ('loan', 4, 'champion', '[]')": (
        "version row 4: the trail knows nothing of this row"
    ),
    "UPDATE deployment SET environment = 'TEST' WHERE environment = 'DEV'": "deployment row TEST, ",
    "UPDATE deployment SET version = 2 WHERE version = 3": ": version holds 2, the trail says 3",
    "UPDATE deployment SET bundle = 'x'": ": bundle holds 'x', the trail says 'sha256:",
    "UPDATE deployment SET endpoint = 'http://x'": ": endpoint holds 'http://x', the trail says 'http://serving'",
    "UPDATE deployment SET until = NULL WHERE version = 2": ": until holds nothing, the trail says 20",
    "DELETE FROM deployment WHERE version = 3": "deployment row PROD, ",
    "UPDATE ledger SET result = replace(result, 'classify', 'x')": (
        "ledger row 1, classify: result does not hold what the trail says"
    ),
    "UPDATE ledger SET at = '2020-01-01 00:00:00.000000'": "ledger row 1, classify: at holds 2020-01-01",
    "DELETE FROM ledger WHERE step = 'classify'": "ledger row 1, classify: this row is missing",
    "INSERT INTO ledger (model, visit, step, result, at) SELECT model, 99, 'scan', result, at FROM ledger LIMIT 1": (
        "ledger row 99, scan: the trail knows nothing of this row"
    ),
    "UPDATE measurement SET verdict = 'pass'": ": verdict holds 'pass', the trail says 'fail'",
    "UPDATE measurement SET reasons = '[]'": ": reasons holds [], the trail says ['psi 0.4']",
    "DELETE FROM measurement": ": this row is missing",
    "UPDATE evidence SET digest = 'x' WHERE kind = 'archive'": "archive, x: the trail knows nothing of this row",
    "UPDATE evidence SET version = 3": ": version holds 3, the trail says 1",
    "UPDATE notification SET recipient = 'eve'": ": recipient holds 'eve', the trail says 'rita'",
    "DELETE FROM model_regulation WHERE regulation = 'SR 11-7'": "model_regulation row SR 11-7: this row is missing",
    "UPDATE model SET facts = '{}'": "model row loan: facts does not hold what the trail says",
    "UPDATE model SET rating = replace(rating, 'A pilot', 'A test')": "model row loan: rating does not hold ",
    "UPDATE model SET rating = NULL": "model row loan: rating ",
    "UPDATE model SET tier = 'low'": "model row loan: tier holds 'low', the trail says 'high'",
    "UPDATE plan SET content = '{}'": "content does not hold what the trail says",
    "UPDATE plan SET template = 'x'": "template holds 'x', the trail says 'credit'",
    "DELETE FROM audit_head": "audit_head row 1: this row is missing",
    CUT: "audit_head row 1: position holds 40, the trail says ",
    "UPDATE audit SET seq = seq + 100 WHERE seq = 5": "audit row 9: seq holds 105, the trail says 5",
}
"""A statement that edits the inventory of `loan`, and what is said of the row."""

TRAIL = {
    (CUT, "DELETE FROM audit WHERE position > 40"): "lifecycle row loan: seq holds ",
    ("DELETE FROM audit_head", "DELETE FROM audit WHERE position > 40"): "lifecycle row loan: seq holds ",
    ("DELETE FROM audit",): "lifecycle row loan: the trail knows nothing of this row",
    ("DELETE FROM lifecycle", "DELETE FROM plan"): "plan row sha256:",
    ("DELETE FROM model_regulation", "DELETE FROM model"): "model row loan: this row is missing",
    (
        "UPDATE audit SET model = 'fraud' WHERE model = 'loan'",
    ): "lifecycle row loan: the trail knows nothing of this row",
    ("UPDATE audit SET body = '{}' WHERE position = 5",): "audit row 5: its body is no ",
    ("UPDATE audit SET body = 'x'",): "no recorded event of 'loan' can be read",
    ("UPDATE audit SET body = 'x' WHERE kind = 'plan'",): "the trail does not keep plan sha256:",
    ("UPDATE audit SET body = '{}' WHERE body LIKE '%model_registered%'",): "the trail does not register 'loan'",
    ("UPDATE audit SET kind = 'gossip' WHERE position = 5",): "audit row 5: its body is no gossip of 'loan'",
    (
        "UPDATE audit SET body = replace(body, '\"seq\"\\:1,', '\"seq\"\\:1e99,') WHERE seq = 1",
    ): "audit row 2: its body",
    (
        "UPDATE audit SET body = replace(body, '12\\:00\\:00Z', '12\\:00\\:00') WHERE seq = 1",
    ): "position 2, after seq 0: the body",
    (
        "UPDATE audit SET at = '1066-10-14 09:00:00' WHERE position = 2",
    ): "entry 2: its content is not what was recorded",
}
"""Deeds upon the trail, and what is said of them."""


@pytest.fixture
def recorded(record: Record, inventory: SqlInventory, tell: Tell, inventory_url: str) -> str:
    """The whole life of `loan`, with a measurement in the middle, and the beginning of `churn`."""
    story = tell("loan")
    beginning = until(story, 12)
    record(beginning)
    found = Measured(monitor="drift", window="monday", verdict="fail", reasons=("psi 0.4",))
    inventory.commit_effect(EffectKey(model="loan", visit=0, step="measure/drift"), StepResult(summary="x"), [found])
    record(story[len(beginning) :])
    record(tell("churn")[:4])
    return inventory_url


def verified(url: str, model: str = "loan") -> Verification:
    """What is found."""
    with Catalog(url) as catalog:
        record = catalog.record(model)
        assert not record.is_empty
        assert len(list(tell_lines(record.history))) == len(record.history)
        return verify(catalog, record)


def said(found: Verification) -> Sequence[str]:
    """All that is wrong."""
    return (*found.problems, *found.rows, *found.replay)


@contextmanager
def edited(url: str, *statements: str) -> Iterator[None]:
    """A database with some edits, which are undone."""
    engine, tables = create_engine(url), SQLModel.metadata.sorted_tables
    with engine.connect() as connection:
        kept = {table: [row._asdict() for row in connection.execute(table.select())] for table in tables}
    try:
        execute(url, *statements)
        yield
    finally:
        with engine.begin() as connection:
            for table in reversed(tables):
                connection.execute(table.delete())
            for table in tables:
                if kept[table]:
                    connection.execute(table.insert(), kept[table])
        engine.dispose()


BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)]
"""Every row and column takes its time: on PostgreSQL with what takes minutes."""


@pytest.mark.parametrize("inventory_url", BOTH, indirect=True)
def test_every_edited_row_is_named(recorded: str) -> None:
    """Whatever is done to a row that the trail tells of, the row, its column and both values are named."""
    for statement, words in ROWS.items():
        with edited(recorded, statement):
            found = verified(recorded)
        assert any(words in problem for problem in found.rows), (statement, found.rows)
        assert (found.problems, found.replay) == ((), ()), statement
    assert verified(recorded).holds


def test_every_deed_upon_the_trail_is_named(recorded: str) -> None:
    """A trail that was cut, emptied, renamed or made unreadable is told by what it should say; nothing fails."""
    for statements, words in TRAIL.items():
        with edited(recorded, *statements):
            found = verified(recorded)
        assert any(words in problem for problem in said(found)), (statements, said(found))
    assert verified(recorded).holds


def test_a_true_record_holds_at_every_moment(record: Record, inventory_url: str, tell: Tell) -> None:
    """After each entry of the story the rows are what the trail makes of them; in the end everything holds."""
    record(tell("churn"))
    with Catalog(inventory_url) as catalog:
        for index, told in enumerate(tell("loan")):
            record([told])
            kept = catalog.record("loan")
            wrong = differences(fold_inventory("loan", kept.entries).rows, kept.rows)
            assert [one for one in wrong if "audit_head" not in one] == [], index
    assert verified(inventory_url).holds
    assert verified(inventory_url, "churn").holds


def test_a_model_without_a_lifecycle_holds(recorded: str, inventory: SqlInventory) -> None:
    """Of a model that was only registered no event is run, and its rows are those of the trail."""
    facts = inventory.model("loan").model_copy(update={"id": "fraud"})
    inventory.commit_effect(
        EffectKey(model="fraud", visit=0, step="register-model"),
        StepResult(summary="registered"),
        [ModelRegistered(facts=facts, regulations=("EU AI Act", "EU AI Act"))],
    )
    found = verified(recorded, "fraud")
    assert (found.holds, found.events) == (True, 0)


def test_a_model_that_is_classified_again_holds(recorded: str, inventory: SqlInventory) -> None:
    """The regulations of a later classification take the place of those found before, in the rows and in the trail."""
    again = ModelRegistered(facts=inventory.model("loan"), regulations=("SR 11-7", "SR 26-2"))
    inventory.commit_effect(EffectKey(model="loan", visit=99, step="classify"), StepResult(summary="found"), [again])
    assert verified(recorded).holds


def test_unknown_models_are_empty(recorded: str) -> None:
    """Of a model that nobody ever named there is nothing to verify."""
    with Catalog(recorded) as catalog:
        assert catalog.record("fraud").is_empty
