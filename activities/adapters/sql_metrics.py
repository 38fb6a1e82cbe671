"""Metrics from a database, by one SELECT in a transaction that is given up."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError, StatementError

from activities.adapters.sql_select import demand_one_statement, open_engine, read_only
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


class SqlMetrics:
    """Fits `MetricsSource`. Any database that SQLAlchemy has a dialect for; the driver has to be installed."""

    def __init__(self, source: Slug, secret: Callable[[], str]) -> None:
        """`secret` reads the URL each time that it is used."""
        self._source = source
        self._secret = secret

    def read(self, name: Slug, metric: Metric, model: Slug, version: int, period: Period) -> Measurement:
        """The answer; InvalidInputError, UnavailableError. No error shows the URL."""
        demand_one_statement(metric.query, f"metric '{name}' of source '{self._source}'")
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
        engine = open_engine(self._secret, f"source '{self._source}'", metric.within)
        try:
            with engine.connect() as connection:
                read_only(connection, metric.within)
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
