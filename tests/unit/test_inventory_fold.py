"""The fold of a trail into rows, and the comparison of rows, without a database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from models.audit import AuditEntry, AuditHead, AuditKind, seal
from models.canonical import canonical, digest
from models.inventory_fold import Told, fold_inventory
from models.journal import JournalEntry
from models.rows import Row, differences
from tests.contract.story import small_plan, tell_story

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def trail(model: str = "loan") -> list[AuditEntry]:
    """The plan, and the whole story of a model."""
    plan = small_plan()
    bodies = [(AuditKind.PLAN, canonical(plan).decode())]
    for told in tell_story(plan, model):
        kind = AuditKind.EVENT if isinstance(told, JournalEntry) else AuditKind.EFFECT
        bodies.append((kind, canonical(told).decode()))
    entries, head = list[AuditEntry](), AuditHead()
    for kind, body in bodies:
        about = None if kind is AuditKind.PLAN else model
        entries.append(seal(head, about, kind, NOON + timedelta(seconds=head.position), body))
        head = AuditHead(position=entries[-1].position, hash=entries[-1].hash)
    return entries


def of(told: Told, table: str) -> Sequence[Row]:
    """The rows of one table."""
    return [row for row in told.rows if row.table == table]


def test_a_story_becomes_rows() -> None:
    """The trail of a retired model gives one lifecycle that ended, three versions and six deployments that are over."""
    told = fold_inventory("loan", trail())
    (lifecycle,) = of(told, "lifecycle")
    assert (lifecycle.values["stage"], lifecycle.values["champion"]) == ("retired", None)
    statuses = {row.values["number"]: row.values["status"] for row in of(told, "version")}
    assert statuses == {1: "retired", 2: "rejected", 3: "withdrawn"}
    assert len(of(told, "deployment")) == 6
    assert all(row.values["until"] for row in of(told, "deployment"))
    assert told.problems == ()
    assert told.facts is not None
    assert told.facts.owner == "olga"
    assert told.under == digest(small_plan())
    assert set(told.plans) == {told.under}


@pytest.mark.parametrize("body", ["", "{}", "not json", '{"a":' * 300, "[1e999]"])
def test_what_cannot_be_read_is_left_out_and_named(body: str) -> None:
    """An unreadable entry of any kind is a problem of its own, and the rest is folded."""
    entries = trail()
    for index in (0, 1, 2):
        kind = entries[index].kind
        edited = [*entries[:index], entries[index].model_copy(update={"body": body}), *entries[index + 1 :]]
        told = fold_inventory("loan", edited)
        assert told.problems == (f"audit row {index + 1}: its body is no {kind} of 'loan'",)
        assert len(of(told, "lifecycle")) == 1


def test_an_entry_of_another_model_is_left_out() -> None:
    """Entries that were given another model's name make no rows of it."""
    told = fold_inventory("churn", trail())
    assert {row.table for row in told.rows} == {"audit", "plan"}
    assert len(told.problems) == len(trail()) - 1
    assert told.under is None


def test_equal_rows_have_no_differences() -> None:
    """Rows of the same content do not differ, in whichever order; columns that nothing is told of do not count."""
    rows = fold_inventory("loan", trail()).rows
    assert list(differences(rows, reversed(rows))) == []
    assert list(differences([Row("audit", {"position": 1})], [Row("audit", {"position": 1, "body": "x"})])) == []


def test_differences_name_the_row() -> None:
    """A missing, a surplus and an edited row are named by what tells them apart, long values left out."""
    told = [Row("version", {"number": 1, "bundle": "a", "facts": "{}"}), Row("version", {"number": 2})]
    found = [Row("version", {"number": 1, "bundle": None, "facts": "x" * 200}), Row("version", {"number": 3})]
    assert list(differences(told, found)) == [
        "version row 1: bundle holds nothing, the trail says 'a'",
        "version row 1: facts does not hold what the trail says",
        "version row 2: this row is missing",
        "version row 3: the trail knows nothing of this row",
    ]


def test_a_row_twice_is_one_too_many() -> None:
    """A second row of the same key does not hide behind the first."""
    row = Row("evidence", {"visit": 1, "step": "scan", "kind": "scan", "digest": "x"})
    surplus = ["evidence row 1, scan, scan, x (number 2): the trail knows nothing of this row"]
    assert list(differences([row], [row, row])) == surplus
