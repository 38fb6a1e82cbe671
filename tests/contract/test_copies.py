"""A copied database is the recorded one."""

from sqlmodel import SQLModel

from tests.contract.backdoor import chain_problems, execute, rows
from tests.contract.copies import Copies
from tests.contract.story import Record, Tell


def test_a_copy_has_every_row_and_takes_more(record: Record, tell: Tell, inventory_url: str, copies: Copies) -> None:
    """Into tables that count from 1 again comes what was kept; the next rows get numbers that none of those has."""
    record(tell("loan"))
    recorded = rows(inventory_url)
    copies.keep(inventory_url, "loan")
    tables = [table.name for table in SQLModel.metadata.sorted_tables]
    if inventory_url.startswith("sqlite"):
        execute(inventory_url, *(f"DELETE FROM {table}" for table in reversed(tables)))
    else:
        execute(inventory_url, f"TRUNCATE {', '.join(tables)} RESTART IDENTITY")
    assert rows(inventory_url) != recorded
    copies.put(inventory_url, "loan")
    assert rows(inventory_url) == recorded
    record(tell("churn"))
    assert chain_problems(inventory_url) == []
