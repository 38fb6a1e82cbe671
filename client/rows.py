"""Rows as a database holds them, whoever wrote them: a value that its column should not have is no error here."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, Text, cast, select, type_coerce
from sqlalchemy.types import NullType
from sqlmodel import Session, SQLModel, col
from sqlmodel.sql.sqltypes import UTCDateTime

from models.audit import AuditEntry
from models.records import AuditRecord
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


def read_entries(session: Session, *where: ColumnElement[bool], limit: int) -> Sequence[AuditEntry]:
    """Entries of the trail in their order; as `entry_of`, without a row for each between."""
    query = select(*_ENTRY).where(*where).order_by(col(AuditRecord.position)).limit(limit)
    return [_entry(*values) for values in session.connection().execute(query).all()]


def entry_of(row: Row) -> AuditEntry:
    """A row of the trail as an entry. Something that no hash vouches for stands for what cannot be read."""
    return _entry(*(row.values[name] for name in AuditEntry.model_fields))


def _entry(
    position: object, model: object, kind: object, at: object, body: object, previous: object, hash: object
) -> AuditEntry:
    moment = _moment(at) if isinstance(at, str) else at
    return AuditEntry(
        position=int(str(position)),
        model=None if model is None else str(model),
        kind=str(kind),
        at=moment if isinstance(moment, datetime) else _NO_TIME,
        body=str(body),
        previous=str(previous),
        hash=str(hash),
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
            return _moment(value)
        return json.loads(value) if isinstance(column.type, JSON) else value
    except (ValueError, RecursionError):
        return value


def _moment(text: str) -> datetime | str:
    """A time as databases write it, in UTC; the text if it is none."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return text


_ENTRY = [_raw(SQLModel.metadata.tables["audit"].columns[name]) for name in AuditEntry.model_fields]
