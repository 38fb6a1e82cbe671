"""A SELECT on somebody else's database: one statement, which reads, and is given up when it takes too long."""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from models.errors import InvalidInputError

_STEPS = 10_000
"""Instructions of SQLite's machine between two looks at the clock."""

_CONNECT_SECONDS = 5


def demand_one_statement(query: str, what: str) -> None:
    """InvalidInputError if it is more than one."""
    if ";" in query.rstrip("; \n"):
        raise InvalidInputError(
            f"{what} is more than one statement",
            "write one SELECT without ';': what stands behind it could end the transaction, and write",
        )


def open_engine(secret: Callable[[], str], what: str, within: int) -> Engine:
    """Any database that SQLAlchemy has a dialect for, which gives a statement up after so many seconds, if it can.

    InvalidInputError, which does not show the URL.
    """
    try:
        url = make_url(secret())
        return create_engine(url, hide_parameters=True, connect_args=patience(url, within))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        raise InvalidInputError(
            f"{what} cannot be opened: its URL is none, or its driver is not installed",
            "write the URL as SQLAlchemy does, postgresql+psycopg://...; install what its dialect needs",
        ) from error


def patience(url: URL, within: int) -> dict[str, object]:
    """What a driver is told when it connects: how many seconds to wait, and that times are in UTC.

    Sources: the parameters of libpq; `snowflake.connector.connect`; `databricks.sql.connect`.
    """
    match url.get_backend_name():
        case "postgresql":
            return {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_SECONDS}
        case "snowflake":
            session = {
                "STATEMENT_TIMEOUT_IN_SECONDS": within,
                "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": within,
                "TIMEZONE": "UTC",
            }
            return {"login_timeout": within, "network_timeout": within, "session_parameters": session}
        case "databricks":
            session = {"STATEMENT_TIMEOUT": str(within), "TIMEZONE": "UTC"}
            return {"_retry_stop_after_attempts_duration": within, "session_configuration": session}
        case _:
            return {}


def read_only(connection: Connection, within: int) -> None:
    """What is asked next writes nothing, and is given up by the database after so many seconds, if it knows how to."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text(f"SET LOCAL statement_timeout = {within * 1_000}"))
    elif connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA query_only = ON"))
        until = time.monotonic() + within
        driver: Any = connection.connection.dbapi_connection
        driver.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
