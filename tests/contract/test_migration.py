"""The schema: what the migrations make is what the records say."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, inspect

from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.sql_migration import migrate, newest
from activities.adapters.sql_upgrade import configuration
from models.errors import InvalidInputError, UnavailableError
from models.evidence import EffectKey, StepResult
from models.records import AuditRecord

PROJECT = Path(__file__).parents[2]
MIGRATE = """
import sys
from activities.adapters.sql_migration import migrate
print("ready", flush=True)
sys.stdin.readline()
migrate(sys.argv[1])
"""
KEY = EffectKey(model="loan", visit=1, step="scan")


def tables(url: str) -> set[str]:
    engine = create_engine(url)
    names = set(inspect(engine).get_table_names())
    engine.dispose()
    return names


def test_the_migrated_schema_is_that_of_the_records(inventory_url: str) -> None:
    """Alembic finds no difference between the migrated tables and the declared ones."""
    engine = create_engine(inventory_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), AuditRecord.metadata)
    engine.dispose()
    assert differences == []


def test_migrating_again_changes_nothing(empty_url: str) -> None:
    """A database that is up to date is left alone, with all that is in it."""
    migrate(empty_url)
    inventory = SqlInventory(empty_url)
    inventory.commit_effect(KEY, StepResult(summary="done"), ())
    migrate(empty_url)
    assert inventory.effect(KEY) == StepResult(summary="done")
    inventory.close()


def test_the_newest_revision_is_the_one_that_alembic_would_upgrade_to() -> None:
    """Else a database would be taken for up to date that is not."""
    assert ScriptDirectory.from_config(configuration()).get_heads() == [newest()]


def test_nothing_is_loaded_to_change_a_schema_that_is_up_to_date(empty_url: str) -> None:
    """A process that starts on a migrated database starts without Alembic."""
    migrate(empty_url)
    again = f"{MIGRATE}print('alembic' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", again, empty_url], cwd=PROJECT, capture_output=True, check=True, input=b""
    )
    assert said.stdout == b"ready\nFalse\n"


def test_processes_may_migrate_at_the_same_time(empty_url: str) -> None:
    """Four processes find an empty database at the same moment: all succeed, the schema is made once."""
    command = [sys.executable, "-c", MIGRATE, empty_url]
    pipe = subprocess.PIPE
    racers = [subprocess.Popen(command, cwd=PROJECT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(4)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda racer: racer.communicate("go\n", timeout=60), racers))
    assert [racer.returncode for racer in racers] == [0, 0, 0, 0], said
    assert tables(empty_url) == {*AuditRecord.metadata.tables, "alembic_version"}


def test_a_migration_that_dies_leaves_no_half_schema(empty_url: str) -> None:
    """Tables are made in one transaction: all of them or none."""

    def die(*arguments: object) -> None:
        if "CREATE TABLE lifecycle" in str(arguments[2]):
            raise KeyboardInterrupt

    event.listen(Engine, "before_cursor_execute", die)
    try:
        with pytest.raises(KeyboardInterrupt):
            migrate(empty_url)
    finally:
        event.remove(Engine, "before_cursor_execute", die)
    assert tables(empty_url) == set()
    migrate(empty_url)
    assert "lifecycle" in tables(empty_url)


def test_a_database_that_does_not_answer_cannot_be_migrated() -> None:
    """The error says so, and trying again may help."""
    with pytest.raises(UnavailableError):
        migrate("postgresql+psycopg://olga:hunter2@127.0.0.1:1/modelops")


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    """What is no database is named as that, not written over, and not tried again."""
    (tmp_path / "list.db").write_text("a shopping list" * 100)
    with pytest.raises(InvalidInputError, match="cannot be read as a database"):
        migrate(f"sqlite:///{tmp_path / 'list.db'}")
    assert (tmp_path / "list.db").read_text() == "a shopping list" * 100


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@h:xx/db", "mysql://u:hunter2@h/db", "a shopping list"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """The error says how an address is written, and shows no password."""
    with pytest.raises(InvalidInputError, match="address of the inventory") as refused:
        migrate(url)
    assert "hunter2" not in f"{refused.value} {refused.value.remedy}"
