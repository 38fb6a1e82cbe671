"""Metrics from a database, by one SELECT in a transaction that is given up."""

import time
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import URL, Connection, RowMapping, create_engine, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)

from models.canonical import Slug
from models.errors import InvalidInputError, ModelopsError, UnavailableError
from models.metrics import Measurement, Metric, Period, measured
from models.uplift import COLUMNS, compared

_CANCELLED = frozenset({"57014"})
"""`query_canceled` (SQLSTATE) of PostgreSQL and Snowflake."""
_INTERRUPTED = "interrupted"
"""SQLite's word for it."""
_CONNECTING = (DatabaseError, InterfaceError, OperationalError)
_PLAIN = ("value", "count")
_CONNECT_SECONDS = 5
_STEPS = 10_000


class SqlMetrics:
    """Fits `MetricsSource`. Any database that SQLAlchemy has a dialect for; the driver has to be installed."""

    def __init__(self, source: Slug, secret: Callable[[], str]) -> None:
        """`secret` reads the URL each time that it is used."""
        self._source = source
        self._secret = secret

    def read(self, name: Slug, metric: Metric, model: Slug, version: int, period: Period) -> Measurement:
        """The answer; InvalidInputError, UnavailableError. No error shows the URL."""
        if ";" in metric.query.rstrip("; \n"):
            raise InvalidInputError(
                f"metric '{name}' of source '{self._source}' is more than one statement",
                "write one SELECT without ';': what stands behind it could end the transaction, and write",
            )
        given = {"model": model, "version": version, "since": period.since, "until": period.until}
        rows = self._rows(name, metric, given)
        wanted = COLUMNS[metric.holdout] if metric.holdout else _PLAIN
        if len(rows) > 1 or (rows and not set(wanted) <= set(rows[0])):
            what = "one row of two groups" if metric.holdout else "one value and count"
            raise InvalidInputError(
                f"metric '{name}' of source '{self._source}' answers with something else than {what}",
                f"write a SELECT with the columns {', '.join(f'`{column}`' for column in wanted)} and one row",
            )
        if rows and metric.holdout:
            return compared(name, metric, period, dict(rows[0]))
        return measured(name, metric, period, *((rows[0]["value"], rows[0]["count"]) if rows else (None, 0)))

    def _rows(self, name: Slug, metric: Metric, given: Mapping[str, object]) -> Sequence[RowMapping]:
        """The first two."""
        try:
            url = make_url(self._secret())
            engine = create_engine(url, hide_parameters=True, connect_args=patience(url, metric.within))
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
            raise InvalidInputError(
                f"source '{self._source}' cannot be opened: its URL is none, or its driver is not installed",
                "write the URL as SQLAlchemy does, postgresql+psycopg://...; install what its dialect needs",
            ) from error
        try:
            with engine.connect() as connection:
                _bound(connection, metric.within)
                rows = connection.execute(text(metric.query), given).mappings().fetchmany(2)
                connection.rollback()
        except SQLAlchemyError as error:
            raise self._translated(name, metric, error) from error
        finally:
            engine.dispose()
        return rows

    def _translated(self, name: Slug, metric: Metric, error: SQLAlchemyError) -> ModelopsError:
        what = f"metric '{name}' of source '{self._source}'"
        cause = error.orig if isinstance(error, StatementError) else error
        said = str(cause).strip().splitlines()[0][:200] if str(cause).strip() else type(error).__name__
        if getattr(cause, "sqlstate", None) in _CANCELLED or said == _INTERRUPTED:
            return InvalidInputError(
                f"{what} was not answered within {metric.within} seconds", "ask for less, or wait longer"
            )
        if type(error) in _CONNECTING and not _asked(error):
            return UnavailableError(
                f"source '{self._source}' does not answer", "is it up, and may this account connect?"
            )
        remedy = "correct the query: a column or table may have been renamed"
        return InvalidInputError(f"{what} cannot be read: {said}", remedy)


def _asked(error: SQLAlchemyError) -> bool:
    """Whether a statement was on its way, and the connection stands."""
    return isinstance(error, DBAPIError) and error.statement is not None and not error.connection_invalidated


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


def _bound(connection: Connection, within: int) -> None:
    """A question that writes is refused and one that takes longer is given up, where the database has a way to."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text(f"SET LOCAL statement_timeout = {within * 1_000}"))
    elif connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA query_only = ON"))
        give_up = time.monotonic() + within
        driver = connection.connection.driver_connection
        if driver is not None:
            driver.set_progress_handler(lambda: time.monotonic() > give_up, _STEPS)
