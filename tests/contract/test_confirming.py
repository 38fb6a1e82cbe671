"""A worker confirms what a rebuilt lifecycle claims from the record alone, on both databases."""

import pytest

from activities.adapters.sql_inventory import SqlInventory
from activities.audit import AuditActivities
from models.canonical import replace
from models.errors import NotPermittedError
from models.journal import LifecycleInput
from models.plan import Plan
from models.rebuilding import resumed
from models.state import State, change
from tests.contract.backdoor import execute
from tests.contract.story import Record, Tell, until
from tests.temporal.doubles import TrustingProver

RELINK = "UPDATE audit_head SET position = 10, hash = (SELECT hash FROM audit WHERE position = 10)"
DEEDS = {
    ("UPDATE audit SET body = replace(body, 'sven', 'eve') WHERE seq = 3",): "the audit trail does not hold: entry",
    ("DELETE FROM audit WHERE position = 5",): "the audit trail does not hold: entry 5: missing",
    ("DELETE FROM audit WHERE position > 10",): "the audit trail does not hold: entry 11: missing",
    ("DELETE FROM audit WHERE position > 10", RELINK): "the trail leads to stage 'development', visit 3",
    ("UPDATE lifecycle SET stage = 'production', visit = 9",): "the inventory says 'production', visit 9",
    ("UPDATE plan SET content = replace(content, '0.7', '0.1')",): "was changed",
    ("DELETE FROM lifecycle",): "no lifecycle of 'loan'",
}
"""What is done to a record, and what the worker says to a claim that was true before."""


@pytest.fixture
def claim(record: Record, tell: Tell, inventory: SqlInventory, plan: Plan) -> LifecycleInput:
    """What the record of a version in production leads to."""
    record(until(tell("loan"), 9))
    record(tell("churn")[:4])
    return resumed("loan", plan, inventory.trail("loan"))


@pytest.fixture
def audit(inventory: SqlInventory) -> AuditActivities:
    """The activities of the worker."""
    return AuditActivities(inventory, TrustingProver())


def test_a_true_claim_is_confirmed(claim: LifecycleInput, audit: AuditActivities) -> None:
    """It is confirmed as it is, and as it comes out of a history."""
    audit.confirm_state(claim)
    audit.confirm_state(LifecycleInput.model_validate_json(claim.model_dump_json()))


def test_a_false_claim_is_not(claim: LifecycleInput, audit: AuditActivities) -> None:
    """Another stage, another count of events, another model, or the beginning: whatever differs is named."""
    for state, said in (
        (change(claim.state, stage="validation"), "stage is 'validation', the record says 'production'"),
        (change(claim.state, seq=99), "seq is 99"),
        (change(claim.state, model="churn"), "owner|seq|stage"),
        (State(model="loan", owner="olga"), "stage is ''"),
        (State(model="fraud", owner="olga"), "no lifecycle of 'fraud'"),
    ):
        with pytest.raises(NotPermittedError, match=said):
            audit.confirm_state(replace(claim, state=state))


@pytest.mark.parametrize("statements", DEEDS)
def test_a_record_that_does_not_hold_confirms_nothing(
    claim: LifecycleInput, audit: AuditActivities, inventory_url: str, statements: tuple[str, ...]
) -> None:
    """Whoever edits the trail, the row or the plan, or cuts the trail's end off, gets no confirmation."""
    execute(inventory_url, *statements)
    with pytest.raises(NotPermittedError, match=DEEDS[statements]):
        audit.confirm_state(claim)


def test_what_has_ended_is_not_gone_on_from(
    claim: LifecycleInput, record: Record, tell: Tell, audit: AuditActivities
) -> None:
    """Also where the server remembers nothing of it."""
    record(tell("loan"))
    with pytest.raises(NotPermittedError, match="has ended"):
        audit.confirm_state(claim)
