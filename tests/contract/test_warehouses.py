"""Metrics from Snowflake and Databricks: what their real dialects and drivers make of a question.

Neither can run here. Where an extra is installed (`pip install 'modelops[snowflake]'`, `'modelops[databricks]'`), the
driver's `connect` alone is replaced, by a connection (PEP 249) that writes down what it is given; the errors are the
driver's own. What a driver is told needs no extra.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import make_url

from activities.adapters.sql_metrics import SqlMetrics
from activities.adapters.sql_select import patience
from models.errors import InvalidInputError, UnavailableError
from models.metrics import Measurement, Metric, Period

MAY = Period(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
MARGIN = (
    "SELECT sum(margin) AS value, count(*) AS count FROM booking WHERE model = :model AND version = :version "
    "AND at >= :since AND at < :until AND note LIKE '10%'"
)
GIVEN = {"model": "loan", "version": 3, "since": MAY.since, "until": MAY.until}
SNOWFLAKE = "snowflake://olga:hunter2@acme-dwh/sales/public?warehouse=small&role=reader"
DATABRICKS = (
    "databricks://token:hunter2@adb-1.azuredatabricks.net?http_path=/sql/1.0/warehouses/1&catalog=main&schema=sales"
)


class Recording:
    """A connection that answers every question alike, or with an error; `asked` is what it was asked, `told` how it
    was opened."""

    def __init__(self, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
        self.asked: list[tuple[str, dict[str, object]]] = []
        self.told: dict[str, Any] = {}
        self.fails: Exception | None = None
        self.closed = False
        self.rowcount = -1
        self.sfqid = "query"
        self.description = [(name, None, None, None, None, None, None) for name in columns]
        self._rows = list(rows)

    def cursor(self, *_: object) -> "Recording":
        """It is its own cursor."""
        return self

    def execute(self, query: str, given: dict[str, object] | None = None, **_: object) -> "Recording":
        """Write the question down."""
        self.asked.append((query, dict(given or {})))
        if self.fails:
            raise self.fails
        return self

    def fetchone(self) -> tuple[object, ...]:
        """What the dialect asks for by itself: the version; the database and its schema."""
        return ("9.30.1", "PUBLIC")

    def fetchmany(self, size: int = 1) -> list[tuple[object, ...]]:
        """The first rows."""
        return self._rows[:size]

    def close(self) -> None:
        """The cursor, and then the connection."""
        self.closed = True

    def autocommit(self, _: bool) -> None:
        """As Snowflake has it."""

    def rollback(self) -> None:
        """Nothing was changed."""

    commit = rollback


Opened = Callable[[str, Recording], None]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Has a driver open a connection of ours."""

    def open(driver: str, connection: Recording) -> None:
        def connect(*_: object, **told: object) -> Recording:
            connection.told = told
            return connection

        monkeypatch.setattr(_module(driver), "connect", connect)

    return open


def _module(driver: str) -> ModuleType:
    """The driver's module; the test is skipped, and says so, where the extra is not installed."""
    if driver == "snowflake":
        pytest.importorskip("snowflake.sqlalchemy", reason="modelops[snowflake] is not installed")
        return pytest.importorskip("snowflake.connector")  # type: ignore[no-any-return]  # it is a module
    pytest.importorskip("databricks.sqlalchemy", reason="modelops[databricks] is not installed")
    return pytest.importorskip("databricks.sql")  # type: ignore[no-any-return]  # it is a module


def ask(url: str) -> Measurement:
    """The margin of a version in May."""
    metric = Metric(source="warehouse", query=MARGIN, unit="EUR", within=20)
    return SqlMetrics("warehouse", lambda: url).read("margin", metric, "loan", 3, MAY)


def test_snowflake_is_asked_in_its_own_way(opened: Opened) -> None:
    """Its upper-case names are ours, a Decimal is a number; the session is bounded and in UTC."""
    connection = Recording(["VALUE", "COUNT"], [(Decimal("30.50"), 2)])
    opened("snowflake", connection)
    found = ask(SNOWFLAKE)
    assert (found.value, found.count) == (30.5, 2)
    query, given = connection.asked[-1]
    assert "model = %(model)s AND version = %(version)s AND at >= %(since)s AND at < %(until)s" in query
    assert "LIKE '10%%'" in query
    assert given == GIVEN
    assert connection.told["session_parameters"]["STATEMENT_TIMEOUT_IN_SECONDS"] == 20
    assert connection.told["session_parameters"]["TIMEZONE"] == "UTC"
    place = [connection.told[name] for name in ("database", "warehouse", "role")]
    assert place == ["sales", "small", "reader"]
    assert connection.closed


def test_databricks_is_asked_in_its_own_way(opened: Opened) -> None:
    """Parameters are the server's own, moments are aware; the session is bounded and in UTC."""
    connection = Recording(["value", "count"], [(30.5, 2)])
    opened("databricks", connection)
    found = ask(DATABRICKS)
    assert (found.value, found.count) == (30.5, 2)
    ((query, given),) = connection.asked
    assert "model = :`model` AND version = :`version` AND at >= :`since` AND at < :`until`" in query
    assert given == GIVEN
    assert connection.told["session_configuration"] == {"STATEMENT_TIMEOUT": "20", "TIMEZONE": "UTC"}
    assert connection.told["_retry_stop_after_attempts_duration"] == 20
    assert connection.told["http_path"] == "/sql/1.0/warehouses/1"
    assert connection.closed


@pytest.mark.parametrize(
    ("words", "state", "said"),
    [
        ("Statement reached its statement or warehouse timeout", "57014", "was not answered within 20 seconds"),
        ("SQL compilation error: invalid identifier 'MARGIN'", "42000", "invalid identifier"),
        ("Insufficient privileges to operate on table 'BOOKING'", "42501", "privileges"),
    ],
)
def test_what_snowflake_objects_to_is_said(words: str, state: str, said: str, opened: Opened) -> None:
    """In its words; what took too long in ours."""
    connection = Recording(["VALUE", "COUNT"], [])
    opened("snowflake", connection)
    errors = pytest.importorskip("snowflake.connector.errors")
    connection.fails = errors.ProgrammingError(words, errno=630, sqlstate=state)
    with pytest.raises(InvalidInputError, match=said) as wrong:
        ask(SNOWFLAKE)
    assert "hunter2" not in f"{wrong.value} {wrong.value.remedy}"


def test_what_databricks_objects_to_is_said(opened: Opened) -> None:
    """In its words."""
    connection = Recording(["value", "count"], [])
    opened("databricks", connection)
    errors = pytest.importorskip("databricks.sql.exc")
    connection.fails = errors.ServerOperationError("[UNRESOLVED_COLUMN.WITH_SUGGESTION] `margin` cannot be resolved")
    with pytest.raises(InvalidInputError, match="UNRESOLVED_COLUMN"):
        ask(DATABRICKS)


def test_a_warehouse_that_is_down_may_come_back() -> None:
    """The real driver, at an address where nobody listens: it gives up within a metric's time, and is no mistake."""
    _module("databricks")
    metric = Metric(source="warehouse", query=MARGIN, within=1)
    url = DATABRICKS.replace("adb-1.azuredatabricks.net", "127.0.0.1:1")
    with pytest.raises(UnavailableError, match="source 'warehouse' does not answer"):
        SqlMetrics("warehouse", lambda: url).read("margin", metric, "loan", 3, MAY)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (
            SNOWFLAKE,
            {
                "login_timeout": 20,
                "network_timeout": 20,
                "session_parameters": {
                    "STATEMENT_TIMEOUT_IN_SECONDS": 20,
                    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": 20,
                    "TIMEZONE": "UTC",
                },
            },
        ),
        (
            DATABRICKS,
            {
                "_retry_stop_after_attempts_duration": 20,
                "session_configuration": {"STATEMENT_TIMEOUT": "20", "TIMEZONE": "UTC"},
            },
        ),
        ("postgresql+psycopg://olga:hunter2@dwh/sales", {"connect_timeout": 5}),
        ("postgresql+psycopg://olga:hunter2@dwh/sales?connect_timeout=60", {}),
        ("sqlite:////data/sales.db", {}),
    ],
)
def test_each_driver_is_told_how_long_to_wait(url: str, told: dict[str, object]) -> None:
    """In its own words, whether it is installed or not."""
    assert patience(make_url(url), 20) == told
