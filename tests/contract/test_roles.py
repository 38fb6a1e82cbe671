"""What each account of a real PostgreSQL may do: the champion table is the actuator's, the past is nobody's."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from activities.adapters.sql_directory import SqlDirectory
from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.sql_migration import migrate
from client.catalog import Catalog
from client.verification import verify
from models.audit import EffectRecord
from models.errors import NotPermittedError
from models.evidence import EffectKey, StepResult
from models.inventory import Deployed, Measured, Withdrawn
from models.journal import JournalEntry
from models.plan import Plan
from tests.contract.backdoor import execute, rows
from tests.contract.story import Tell, effects
from tests.editions import ADA, edition, signed
from tests.postgresql import Postgres
from tests.signers import AUDIENCE

Url = Callable[[str], str]
WORKER, ACTUATOR, READER = "modelops_worker", "modelops_actuator", "modelops_reader"
ADMINISTRATOR = "modelops_administrator"
TABLES = (
    *(
        "audit",
        "audit_head",
        "channel",
        "delivery",
        "deployment",
        "directory",
        "evidence",
        "finding",
        "ledger",
        "lifecycle",
        "measurement",
        "model",
    ),
    *("pushed_value", "reading", "value_entry"),
    *("model_regulation", "notification", "plan", "version", "alembic_version"),
)
GRANTED: dict[str, dict[str, set[str]]] = {
    WORKER: {
        "INSERT": set(TABLES) - {"audit_head", "deployment", "directory", "alembic_version"},
        "UPDATE": {"audit_head", "channel", "delivery", "finding", "lifecycle", "version", "model_regulation"},
        "DELETE": {"delivery", "lifecycle", "version", "model_regulation", "pushed_value"},
        "TRUNCATE": set(),
    },
    ACTUATOR: {
        "INSERT": {"audit", "deployment", "evidence", "ledger", "lifecycle", "reading", "version"},
        "UPDATE": {"audit_head", "lifecycle", "version"},
        "DELETE": set(),
        "TRUNCATE": set(),
    },
    ADMINISTRATOR: {"INSERT": {"audit", "directory"}, "UPDATE": {"audit_head"}, "DELETE": set(), "TRUNCATE": set()},
    READER: {"INSERT": set(), "UPDATE": set(), "DELETE": set(), "TRUNCATE": set()},
}


@pytest.fixture
def url(postgres: Postgres, numbers: Iterator[int]) -> Iterator[Url]:
    """The address of a database, for an account; granting twice is as good as once."""
    name = f"accounts_{next(numbers)}"
    postgres.run(f"CREATE DATABASE {name} TEMPLATE template_modelops")
    postgres.grant(name)
    postgres.grant(name)
    yield lambda account: postgres.url(name, account)
    postgres.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def open_inventory(url: Url) -> Iterator[Callable[[str], SqlInventory]]:
    """The system of record under an account."""
    opened: list[SqlInventory] = []

    def open(account: str) -> SqlInventory:
        opened.append(SqlInventory(url(account)))
        return opened[-1]

    yield open
    for inventory in opened:
        inventory.close()


def test_every_grant_is_one_that_is_meant(url: Url) -> None:
    """Table by table and account by account; a table that is new has to be thought about."""
    assert {*TABLES} == {*rows(url("postgres")), "alembic_version"}
    engine = create_engine(url("postgres"))
    with engine.connect() as owner:
        asked = text("SELECT has_table_privilege(:account, :table, :privilege)")
        for account, granted in GRANTED.items():
            for privilege, meant in granted.items():
                about = {"account": account, "privilege": privilege}
                found = {table for table in TABLES if owner.scalar(asked, {**about, "table": table})}
                assert found == meant, f"{privilege} of {account}"
    engine.dispose()


WRITES = (
    "INSERT INTO deployment (id, model, environment, version, bundle, endpoint, since) "
    "VALUES (99, 'loan', 'PROD', 1, 'sha256:00', 'http://x', now())",
    "UPDATE deployment SET until = now()",
    "UPDATE deployment SET bundle = 'sha256:00'",
    "DELETE FROM deployment",
    "TRUNCATE deployment",
    "ALTER TABLE deployment OWNER TO modelops_worker",
    "SET ROLE modelops_actuator",
)


@pytest.mark.parametrize("statement", WRITES)
@pytest.mark.parametrize("account", [WORKER, READER])
def test_nobody_else_writes_the_champion_table(url: Url, account: str, statement: str) -> None:
    """Not row by row, not as a whole, not by becoming its owner or the actuator."""
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        execute(url(account), statement)


def test_a_deployment_is_not_edited_by_the_actuator_either(url: Url) -> None:
    """It ends; what it says stays."""
    execute(url(ACTUATOR), WRITES[1])
    with pytest.raises(ProgrammingError, match="permission denied"):
        execute(url(ACTUATOR), WRITES[2])


def test_a_worker_that_records_a_deployment_is_refused(
    open_inventory: Callable[[str], SqlInventory], url: Url, plan: Plan, tell: Tell
) -> None:
    """The whole transaction is: neither the table nor the ledger nor the trail tells of it."""
    worker, story = open_inventory(WORKER), tell("loan")
    worker.commit_plan(plan)
    deploys = next(e for e in effects(story) if any(isinstance(c, Deployed) for c in e.changes))
    for told in story[: story.index(deploys)]:
        _commit(worker, told)
    before = rows(url("postgres"))
    with pytest.raises(NotPermittedError, match="permission denied for table deployment") as refused:
        _commit(worker, deploys)
    assert "deploy/roles.sql" in refused.value.remedy
    assert rows(url("postgres")) == before


def _commit(inventory: SqlInventory, told: JournalEntry | EffectRecord) -> None:
    if isinstance(told, JournalEntry):
        inventory.commit_event(told)
    else:
        inventory.commit_effect(told.key, told.result, told.changes)


def test_a_whole_life_under_these_accounts(
    open_inventory: Callable[[str], SqlInventory], url: Url, plan: Plan, tell: Tell
) -> None:
    """Each records what is its own, and the events in turn; whoever only reads finds everything in order."""
    inventories = open_inventory(WORKER), open_inventory(ACTUATOR)
    inventories[0].commit_plan(plan)
    for index, told in enumerate(tell("loan")):
        if isinstance(told, JournalEntry):
            _commit(inventories[index % 2], told)
        else:
            actuated = any(isinstance(change, Deployed | Withdrawn) for change in told.changes)
            _commit(inventories[actuated], told)
    assert inventories[1].earned("loan", 1).served
    assert len(inventories[1].ties("loan")) == len(inventories[0].trail("loan"))
    with Catalog(url(READER)) as catalog:
        found = verify(catalog, catalog.record("loan"))
    assert (*found.problems, *found.rows, *found.replay) == ()


def test_a_worker_looks_at_a_window_again(open_inventory: Callable[[str], SqlInventory], url: Url) -> None:
    """What became known since is told in its row; what it stands for, nobody changes."""
    inventory = open_inventory(WORKER)
    for number, outcomes in enumerate((None, "sha256:" + "0" * 64)):
        look = Measured(
            monitor="drift", window="w", outcomes=outcomes, unmeasured=not number, verdict="inconclusive", reasons=()
        )
        key = EffectKey(model="loan", visit=0, step=f"measure/drift/w/{number}")
        inventory.commit_effect(key, StepResult(summary="looked"), [look])
    (found,) = inventory.looks("loan", "drift")
    assert (found.looks, found.unmeasured) == (2, False)
    with pytest.raises(ProgrammingError, match="permission denied"):
        execute(url(WORKER), "UPDATE measurement SET moment = now()")


def test_a_migrated_database_needs_no_owner(url: Url) -> None:
    """A worker under its own account starts: there is nothing to migrate."""
    migrate(url(WORKER))


def test_administrators_alone_publish(url: Url) -> None:
    """Under their account an edition is written and recorded; workers and actuator read it, and write none."""
    content = edition({"ana": ["credit"]})
    for account in (WORKER, ACTUATOR, READER):
        with closing(SqlDirectory(url(account), (ADA,), AUDIENCE)) as directory:
            with pytest.raises(NotPermittedError, match="permission denied"):
                directory.publish(signed(content))
            assert directory.kept() is None
    with closing(SqlDirectory(url(ADMINISTRATOR), (ADA,), AUDIENCE)) as directory:
        directory.publish(signed(content))
    for account in (WORKER, ACTUATOR, READER):
        with closing(SqlDirectory(url(account), (ADA,), AUDIENCE)) as directory:
            assert directory.newest() == content
    for statement in ("UPDATE directory SET number = 2", "DELETE FROM directory", "DELETE FROM audit"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            execute(url(ADMINISTRATOR), statement)
