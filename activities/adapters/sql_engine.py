"""One database of the inventory: how it is opened, how transactions begin, and what its errors mean to us."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

from models.errors import ConflictError, InvalidInputError, NotPermittedError, UnavailableError

_BUSY_SECONDS = 20
_AGAIN_SECONDS = 0.02
_PRAGMAS = (f"busy_timeout={_BUSY_SECONDS * 1000}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")
_CONNECT_SECONDS = 5
_WRITES = "modelops_writes"
_NO_SCHEMA = ("42P01", "42703", "no such table", "no such column", "has no column")
"""SQLSTATE of an undefined table and column, and SQLite's words for them."""
_NOT_GRANTED = "42501"


class Database:
    """Sessions on `sqlite:///path` or `postgresql+psycopg://user:password@host/name`.

    Raises UnavailableError if the database does not answer, InvalidInputError if it is not one of ours or
    cannot hold a value, ConflictError if a constraint refuses a row, NotPermittedError if its account may not do it.
    """

    def __init__(self, url: str) -> None:
        parsed = _parse(url)
        self.place = parsed.set(query={}).render_as_string(hide_password=True)
        self._engine = _open_sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _open_postgresql(parsed)
        self._writer = self._engine.execution_options(**{_WRITES: True})

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent look; rows stay readable afterwards."""
        with self._translated(), Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction, committed unless an error leaves the block. On SQLite nobody else writes meanwhile."""
        with self._translated(), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """A writing transaction without a session, for changes of the schema."""
        with self._translated(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            self._translate(error)

    def _translate(self, error: SQLAlchemyError) -> NoReturn:
        said = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        where = f"The inventory at {self.place}"
        if isinstance(error, DBAPIError) and _lacks_schema(error, said):
            raise InvalidInputError(
                f"{where} lacks tables or columns: {said}.", remedy="Run `modelops up`, which migrates it."
            ) from error
        if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _NOT_GRANTED:
            raise NotPermittedError(
                f"{where} does not grant this: {said}.", remedy="Which account may do what is in deploy/roles.sql."
            ) from error
        match error:
            case IntegrityError():
                raise ConflictError(
                    f"{where} refused a row: {said}.", remedy="Look up what is recorded under this name."
                ) from error
            case DataError():
                raise InvalidInputError(f"{where} cannot hold a value: {said}.", remedy="Correct the text.") from error
            case OperationalError() | InterfaceError() | NoConnectionLeft():
                raise UnavailableError(
                    f"{where} does not answer: {said}.", remedy=f"Check that {self.place} can be reached and written."
                ) from error
            case DatabaseError() if type(error) is DatabaseError:
                raise InvalidInputError(
                    f"{where} cannot be read as a database: {said}.",
                    remedy="Restore it from a backup, or move it away and run `modelops up`, which makes a new one.",
                ) from error
            case _:
                raise error


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is not None and parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    in_file = parsed is not None and parsed.database not in (None, "", ":memory:")
    if parsed is None or not in_file or parsed.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise InvalidInputError(
            "The address of the inventory is not one of a SQLite file or a PostgreSQL database.",
            remedy="Set MODELOPS_DATABASE_URL like sqlite:////data/modelops.db or postgresql+psycopg://user:password@host/db.",
        )
    return parsed


def _open_sqlite(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # The driver would begin transactions by itself, and never IMMEDIATE ones.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            _patiently(cursor, f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _patiently(cursor: DBAPICursor, statement: str) -> None:
    """SQLite waits for other writers by itself, except when several turn on the write-ahead log at once."""
    give_up = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            cursor.execute(statement)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(_AGAIN_SECONDS)
        else:
            return


def _open_postgresql(url: URL) -> Engine:
    patience = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_SECONDS}
    return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=patience)


def _lacks_schema(error: DBAPIError, said: str) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return any(sign == state or (state is None and sign in said) for sign in _NO_SCHEMA)
