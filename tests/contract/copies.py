"""Databases as they are once a story is recorded: recorded once, and copied row by row for whoever wants it again."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url
from sqlmodel import SQLModel

from models.records import AuditHeadRecord

_NUMBERED = "SELECT setval(pg_get_serial_sequence({name}, 'id'), max(id)) FROM {table} HAVING max(id) > 0"


class Copies:
    """What is kept of each system by the story, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[tuple[str, str], Path] = {}

    def holds(self, url: str, story: str) -> bool:
        """Whether somebody has kept such a database of a story."""
        return (make_url(url).get_backend_name(), story) in self._kept

    def keep(self, url: str, story: str) -> None:
        """Keep all rows as those of the story."""
        kept = self._folder / str(len(self._kept))
        if make_url(url).get_backend_name() == "sqlite":
            _copy_file(_file(url), kept)
        else:
            kept.mkdir()
            with psycopg.connect(_conninfo(url)) as connection:
                for table in _tables():
                    with connection.cursor().copy(_of("COPY {table} TO STDOUT", table)) as rows:
                        (kept / table).write_bytes(b"".join(rows))
        self._kept[make_url(url).get_backend_name(), story] = kept

    def put(self, url: str, story: str) -> None:
        """Put those rows in the place of all that are there."""
        kept = self._kept[make_url(url).get_backend_name(), story]
        if kept.is_file():
            _copy_file(kept, _file(url))
            return
        with psycopg.connect(_conninfo(url)) as connection:
            connection.execute("SET session_replication_role = replica")
            for table in _tables():
                connection.execute(_of("DELETE FROM {table}", table))
                with connection.cursor().copy(_of("COPY {table} FROM STDIN", table)) as rows:
                    rows.write((kept / table).read_bytes())
                if _is_numbered(table):
                    connection.execute(_of(_NUMBERED, table))


def is_empty(url: str) -> bool:
    """Whether nothing has been recorded yet, and nobody has opened a channel or looked for findings either."""
    tables = [name for name in _tables() if name != AuditHeadRecord.__tablename__]
    counts = " + ".join(f'(SELECT count(*) FROM "{name}")' for name in tables)
    if make_url(url).get_backend_name() == "sqlite":
        with closing(sqlite3.connect(_file(url))) as connection:
            return bool(connection.execute(f"SELECT {counts}").fetchone() == (0,))
    with psycopg.connect(_conninfo(url)) as connection:
        return connection.execute(sql.SQL(f"SELECT {counts}")).fetchone() == (0,)


def _copy_file(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
        read.backup(written)


def _tables() -> Sequence[str]:
    return [table.name for table in SQLModel.metadata.sorted_tables]


def _is_numbered(table: str) -> bool:
    found = SQLModel.metadata.tables[table]
    return found.autoincrement_column is not None


def _of(statement: str, table: str) -> sql.Composed:
    return sql.SQL(statement).format(table=sql.Identifier(table), name=sql.Literal(table))


def _file(url: str) -> Path:
    return Path(str(make_url(url).database))


def _conninfo(url: str) -> str:
    """The address as the driver itself wants it."""
    return url.replace("postgresql+psycopg", "postgresql")
