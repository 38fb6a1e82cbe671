"""The database behind the inventory's back: what is in it, and how somebody with its password would change it."""

from collections.abc import Callable

from sqlalchemy import create_engine, text
from sqlmodel import SQLModel

from models.audit import AuditHead, AuditKind, ChainProblem, seal, verify_chain
from models.records import AuditRecord
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


def rewrite(url: str, edit: Callable[[list[AuditRecord]], list[AuditRecord]]) -> None:
    """Make the whole trail anew after an edit, as the owner of the database can: chain and head are sound again."""
    engine, audit, end = create_engine(url), SQLModel.metadata.tables["audit"], SQLModel.metadata.tables["audit_head"]
    with engine.begin() as connection:
        rows = [AuditRecord(**row._asdict()) for row in connection.execute(audit.select().order_by(audit.c.position))]
        head, remade = AuditHead(), list[dict[str, object]]()
        for row in edit(rows):
            entry = seal(head, row.model, AuditKind(row.kind), row.at, row.body)
            remade.append({**entry.model_dump(), "seq": row.seq})
            head = AuditHead(position=entry.position, hash=entry.hash)
        connection.execute(audit.delete())
        connection.execute(audit.insert(), remade)
        connection.execute(end.update().values(position=head.position, hash=head.hash))
    engine.dispose()
