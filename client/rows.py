"""Rows as a database holds them, whoever wrote them: a value that its column should not have is no error here."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, Text, cast, select, type_coerce
from sqlalchemy.types import NullType
from sqlmodel import Session, SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from models.audit import AuditEntry
from models.rows import Row

_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def read_rows(
    session: Session, table: type[SQLModel], *where: ColumnElement[bool], limit: int | None = None
) -> Sequence[Row]:
    """The rows of a table in the order of their keys."""
    columns = list(SQLModel.metadata.tables[str(table.__tablename__)].columns)
    query = select(*map(_raw, columns)).where(*where).order_by(*(c for c in columns if c.primary_key)).limit(limit)
    found = session.connection().execute(query)
    return [
        Row(str(table.__tablename__), {c.name: _read(c, value) for c, value in zip(columns, values, strict=True)})
        for values in found
    ]


def entry_of(row: Row) -> AuditEntry:
    """A row of the trail as an entry. Something that no hash vouches for stands for what cannot be read."""
    at = row.values["at"]
    words = {name: str(row.values[name]) for name in ("kind", "body", "previous", "hash")}
    model = row.values["model"]
    return AuditEntry(
        position=int(str(row.values["position"])),
        model=None if model is None else str(model),
        at=at if isinstance(at, datetime) else _NO_TIME,
        **words,
    )


def _raw(column: Column[Any]) -> ColumnElement[Any]:
    """What is there, before any type makes a value or an error of it; drivers make errors of some times."""
    if isinstance(column.type, UTCDateTime | JSON):
        return cast(column, Text).label(column.name)
    return type_coerce(column, NullType()).label(column.name)


def _read(column: Column[Any], value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        if isinstance(column.type, UTCDateTime):
            at = datetime.fromisoformat(value)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        return json.loads(value) if isinstance(column.type, JSON) else value
    except (ValueError, OverflowError, RecursionError):
        return value
