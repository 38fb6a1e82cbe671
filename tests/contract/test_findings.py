"""Findings on both databases: opened once, told once, resolved once; and the record that verifies with them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from activities.adapters.sql_findings import SqlFindings
from activities.adapters.sql_inventory import SqlInventory
from client.catalog import Catalog
from client.story import tell as tell_lines
from client.verification import verify
from models.audit import AuditKind
from models.inventory import Environment
from models.reconciliation import Finding, FindingKind, Place, Served
from tests.contract.backdoor import execute
from tests.contract.story import Record, Tell, events, until

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
GONE = Finding(kind=FindingKind.EXECUTION_GONE, model="loan", about="loan", text="'loan' has no execution")
STRANGER = Finding(kind=FindingKind.UNKNOWN_WORKER, model=None, about="1@x", text="'1@x' takes promotions")
OTHER = Finding(kind=FindingKind.STATE_DIFFERS, model="churn", about="churn", text="'churn' is elsewhere")


@pytest.fixture
def clock() -> list[datetime]:
    """What the time is: the last of the list."""
    return [NOON]


@pytest.fixture
def found(inventory_url: str, clock: list[datetime]) -> Iterator[SqlFindings]:
    """The adapter, under that clock."""
    opened = SqlFindings(inventory_url, clock=lambda: clock[-1])
    yield opened
    opened.close()


def test_what_the_record_says(found: SqlFindings, record: Record, tell: Tell) -> None:
    """Where every lifecycle is, also one that has ended; and what serves, in every environment."""
    record(until(tell("loan"), 10))
    record(tell("churn"))
    places = found.places()
    said = events(until(tell("loan"), 10))[-1]
    assert places["loan"] == Place(said.snapshot.stage, said.snapshot.visit, said.seq, False)
    assert (places["churn"].stage, places["churn"].ended) == ("retired", True)
    serving = found.serving()
    assert set(serving) == set(Environment)
    assert {model: served.version for model, served in serving[Environment.PROD].items()} == {"loan": 1}
    assert isinstance(serving[Environment.DEV]["loan"], Served)


def test_a_finding_opens_and_is_resolved_once(
    found: SqlFindings, record: Record, tell: Tell, inventory_url: str, clock: list[datetime]
) -> None:
    """Looks that see the same move the last sight alone; each opening and each end is one entry, in words."""
    record(until(tell("loan"), 9))
    assert found.commit_findings(frozenset({GONE, STRANGER})).opened == {GONE, STRANGER}
    clock.append(NOON + timedelta(minutes=15))
    assert found.commit_findings(frozenset({GONE, STRANGER})).still == {GONE, STRANGER}
    with Catalog(inventory_url) as catalog:
        ((one),) = catalog.findings("loan")
        assert (one.first_seen, one.last_seen, one.resolved) == (NOON, clock[-1], None)
        assert [each.text for each in catalog.findings()] == [GONE.text, STRANGER.text]
    clock.append(NOON + timedelta(minutes=30))
    assert found.commit_findings(frozenset({STRANGER})).resolved == {GONE}
    assert found.findings() == [STRANGER]
    assert found.commit_findings(frozenset({GONE, STRANGER})).opened == {GONE}
    with Catalog(inventory_url) as catalog:
        assert [each.resolved for each in catalog.findings("loan", resolved=True)] == [clock[-1], None]
        entries = [entry for entry in catalog.trail() if entry.kind == AuditKind.FINDING]
        assert [entry.model for entry in entries] == ["loan", None, "loan", "loan"]
        lines = [line.text for line in tell_lines(entries)]
        assert lines[0] == "Found: 'loan' has no execution."
        assert lines[2] == "No longer so: 'loan' has no execution."


def test_a_record_with_findings_verifies(
    found: SqlFindings, record: Record, tell: Tell, inventory_url: str, clock: list[datetime]
) -> None:
    """Of each model its own findings and those of none are what the trail makes of them."""
    record(until(tell("loan"), 9))
    record(until(tell("churn"), 3))
    for seen in ({GONE, STRANGER}, {GONE, OTHER}, {OTHER}, {GONE, STRANGER}):
        clock.append(clock[-1] + timedelta(minutes=15))
        found.commit_findings(frozenset(seen))
    for model in ("loan", "churn"):
        with Catalog(inventory_url) as catalog:
            verified = verify(catalog, catalog.record(model))
        assert verified.holds, verified


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "DELETE FROM finding WHERE model = 'loan'",
            "finding row execution_gone, loan, 2026-03-02 12:00:00+00:00: this",
        ),
        ("DELETE FROM finding WHERE model IS NULL", "finding row unknown_worker, 1@x, "),
        (
            "UPDATE finding SET resolved_at = first_seen",
            ": resolved_at holds 2026-03-02 12:00:00+00:00, the trail says",
        ),
        ("UPDATE finding SET text = 'x'", ": text holds 'x', the trail says 'loan"),
        ("UPDATE finding SET model = 'churn' WHERE model = 'loan'", "finding row execution_gone, loan, "),
        ("UPDATE finding SET kind = 'silent'", "finding row silent, loan, "),
    ],
)
def test_an_edited_finding_is_named(
    found: SqlFindings, record: Record, tell: Tell, inventory_url: str, statement: str, words: str
) -> None:
    """Whoever removes a finding or says that it is over is found by the trail."""
    record(until(tell("loan"), 9))
    found.commit_findings(frozenset({GONE, STRANGER}))
    execute(inventory_url, statement)
    with Catalog(inventory_url) as catalog:
        verified = verify(catalog, catalog.record("loan"))
    assert any(words.replace("'loan", "''loan") in one or words in one for one in verified.rows), verified.rows
    assert (verified.problems, verified.replay) == ((), ())


def test_findings_do_not_disturb_events(
    found: SqlFindings, inventory: SqlInventory, record: Record, tell: Tell
) -> None:
    """Between the events of a lifecycle a finding may open: the count of events and the chain go on."""
    story = tell("loan")
    record(story[:5])
    found.commit_findings(frozenset({GONE}))
    record(story[5:])
    assert [entry.kind for entry in inventory.trail("loan")].count("finding") == 1
