"""The audit trail in a real database: it verifies, it folds to the inventory, and whoever edits it is found."""

import pytest

from activities.adapters.sql_inventory import SqlInventory
from models.audit import Tampering, fold
from models.inventory import Environment
from models.journal import JournalEntry
from models.plan import Plan
from models.state import State, snapshot
from tests.contract.backdoor import chain_problems, execute
from tests.contract.reader import Reader
from tests.contract.story import Record, Tell

SWAP = (
    "UPDATE audit SET position = -1 WHERE position = 5",
    "UPDATE audit SET position = 5 WHERE position = 6",
    "UPDATE audit SET position = 6 WHERE position = -1",
)
INSERT = (
    "UPDATE audit SET position = -position WHERE position >= 5",
    "UPDATE audit SET position = 1 - position WHERE position < 0",
    "INSERT INTO audit (position, model, kind, at, body, previous, hash) "
    "SELECT 5, model, kind, at, body, previous, 'sha256:forged' FROM audit WHERE position = 6",
)
RENUMBER = (
    "DELETE FROM audit WHERE position = 5",
    "UPDATE audit SET position = -position WHERE position > 5",
    "UPDATE audit SET position = -position - 1 WHERE position < 0",
)


def found(url: str) -> set[tuple[int, Tampering]]:
    """What the verifier says, by position."""
    problems = chain_problems(url)
    assert all(str(problem.position) in problem.message for problem in problems)
    return {(problem.position, problem.kind) for problem in problems}


@pytest.mark.parametrize(
    ("statement", "position", "kind"),
    [
        ("UPDATE audit SET body = replace(body, 'intake', 'retired') WHERE position = 2", 2, Tampering.CHANGED),
        ("UPDATE audit SET model = 'churn' WHERE position = 5", 5, Tampering.CHANGED),
        ("UPDATE audit SET kind = 'effect' WHERE position = 2", 2, Tampering.CHANGED),
        ("UPDATE audit SET at = '2020-01-01 00:00:00.000000' WHERE position = 5", 5, Tampering.CHANGED),
        ("DELETE FROM audit WHERE position = 1", 1, Tampering.REMOVED),
        ("DELETE FROM audit WHERE position = 5", 5, Tampering.REMOVED),
        ("DELETE FROM audit WHERE position > 50", 51, Tampering.REMOVED),
        ("UPDATE audit SET hash = 'sha256:00' WHERE position = 5", 5, Tampering.BROKEN),
        ("UPDATE audit SET previous = 'sha256:00' WHERE position = 5", 5, Tampering.BROKEN),
    ],
)
def test_one_edited_row_is_named(
    statement: str, position: int, kind: Tampering, record: Record, tell: Tell, inventory_url: str
) -> None:
    """Whatever is done to one row of the trail, the verifier names that row, the deed, and nothing else."""
    record(tell("loan"))
    assert found(inventory_url) == set()
    execute(inventory_url, statement)
    assert found(inventory_url) == {(position, kind)}


@pytest.mark.parametrize(
    ("statements", "deeds"),
    [
        (SWAP, {(5, Tampering.REORDERED), (6, Tampering.REORDERED)}),
        (INSERT, {(5, Tampering.INSERTED)}),
        (RENUMBER, {(5, Tampering.REMOVED)}),
    ],
)
def test_a_covered_up_deed_is_named(
    statements: tuple[str, ...],
    deeds: set[tuple[int, Tampering]],
    record: Record,
    tell: Tell,
    inventory_url: str,
) -> None:
    """Rows that were swapped, put in or taken out with the numbers mended are named, and nothing before them is."""
    record(tell("loan"))
    execute(inventory_url, *statements)
    problems = found(inventory_url)
    assert deeds <= problems
    assert min(position for position, _ in problems) == 5


def test_a_trail_longer_than_a_batch_is_read_whole(inventory: SqlInventory, inventory_url: str, plan: Plan) -> None:
    """The catalog reads in batches and leaves out no entry, at whatever position."""
    for number in range(505):
        inventory.commit_plan(plan.model_copy(update={"version": str(number)}))
    assert found(inventory_url) == set()
    execute(inventory_url, "UPDATE audit SET position = -7 WHERE position = 503")
    assert {position for position, _ in found(inventory_url)} >= {-7, 503}


def test_the_inventory_is_the_fold_of_its_trail(
    record: Record, inventory: SqlInventory, inventory_url: str, tell: Tell, plan: Plan
) -> None:
    """After every event, the kernel run over the trail leads to what the tables say."""
    story = tell("loan")
    catalog = Reader(inventory_url)
    for index, told in enumerate(story):
        record([told])
        if not isinstance(told, JournalEntry):
            continue
        state, problems, _ = fold(plan, State(model="loan", owner="olga"), inventory.trail("loan"))
        said, row = snapshot(state), catalog.lifecycle("loan")
        assert problems == (), f"after {index} entries"
        assert said == told.snapshot
        assert (row.seq, row.visit, row.stage, row.phase) == (state.seq, said.visit, said.stage, said.phase)
        assert (row.candidate, row.champion, row.previous) == (said.version, said.champion, said.previous)
        assert (row.paused, row.failure, row.template) == (said.paused, said.failure, plan.template)
        assert {version.number: version.status for version in catalog.versions("loan")} == said.statuses
        assert {place: serving.version for place, serving in inventory.deployments("loan").items()} == said.serving
    catalog.close()
    assert story[-1] == told


def test_a_forged_outcome_is_found_even_in_a_chain_made_anew(
    record: Record, inventory: SqlInventory, tell: Tell, plan: Plan
) -> None:
    """An event whose recorded outcome the kernel would not give is named by its seq, without help of any hash."""
    story = tell("loan")
    index = next(i for i, told in enumerate(story) if isinstance(told, JournalEntry) and told.seq == 8)
    forged = story[index]
    assert isinstance(forged, JournalEntry)
    serving = forged.snapshot.model_copy(update={"serving": {Environment.PROD: 1}})
    record([*story[:index], forged.model_copy(update={"snapshot": serving})])
    _, problems, _ = fold(plan, State(model="loan", owner="olga"), inventory.trail("loan"))
    assert len(problems) == 1
    assert problems[0].startswith("seq 8: recorded serving")
