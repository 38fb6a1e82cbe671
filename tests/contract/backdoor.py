"""The database behind the inventory's back: what is in it, and how somebody with its password would change it."""

from sqlalchemy import create_engine, text
from sqlmodel import SQLModel

from models.audit import ChainProblem, verify_chain
from tests.contract.reader import Reader


def rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Everything in every table."""
    engine = create_engine(url)
    with engine.connect() as connection:
        tables = SQLModel.metadata.sorted_tables
        found = {table.name: sorted(map(tuple, connection.execute(table.select())), key=repr) for table in tables}
    engine.dispose()
    return found


def execute(url: str, *statements: str) -> None:
    """Change rows, all at once."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        engine.dispose()


def chain_problems(url: str) -> list[ChainProblem]:
    """What the verifier says of the whole trail."""
    catalog = Reader(url)
    head = catalog.head()
    problems = verify_chain(catalog.entries(), head)
    catalog.close()
    return problems
