"""What business KPIs are read from: every source answers with a number, or says why not."""

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from activities.adapters.csv_metrics import CsvMetrics
from activities.adapters.prometheus_metrics import PrometheusMetrics
from activities.adapters.sql_metrics import SqlMetrics
from activities.metric_ports import MetricsSource
from models.canonical import digest_bytes
from models.errors import InvalidInputError, ModelopsError, UnavailableError
from models.metrics import Measurement, Metric, Period
from tests.contract.serving import free_port
from tests.monitoring import program, running

DAY = Period(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC))
MARGIN = """
SELECT sum(margin) AS value, count(*) AS count FROM booking
WHERE model = :model AND version = :version AND at >= :since AND at < :until
"""
SLEEP = "SELECT 1 AS value, count(*) AS count FROM pg_sleep(20)"
ENDLESS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)
SELECT sum(i) AS value, count(*) AS count FROM n
"""
Read = Callable[..., Measurement]


@pytest.fixture
def booked(empty_url: str) -> str:
    """A warehouse with three bookings of a day, one of the day after, and one of another model."""
    engine = create_engine(empty_url)
    rows = [("loan", 1, 10.5, 3), ("loan", 1, 20, 9), ("loan", 2, 40, 12), ("loan", 1, 80, 30), ("other", 1, 160, 3)]
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE booking (model TEXT, version INT, margin FLOAT, at TIMESTAMP)"))
        for model, version, margin, hour in rows:
            at = DAY.since + timedelta(hours=hour)
            given = {"model": model, "version": version, "margin": margin, "at": at.replace(tzinfo=None)}
            connection.execute(text("INSERT INTO booking VALUES (:model, :version, :margin, :at)"), given)
    engine.dispose()
    return empty_url


def ask(source: MetricsSource, query: str, within: int = 30, model: str = "loan") -> Measurement:
    """The answer about version 1 over the day."""
    metric = Metric(source="warehouse", query=query, unit="EUR", within=within)
    return source.read("margin", metric, model, 1, DAY)


def test_a_query_is_answered_for_one_model_one_version_and_one_period(booked: str) -> None:
    """With its value, what it rests on, and the digest of the question."""
    found = ask(SqlMetrics("warehouse", lambda: booked), MARGIN)
    assert (found.value, found.count) == (30.5, 2)
    assert (found.query, found.since, found.until) == (digest_bytes(MARGIN.strip().encode()), *DAY)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (MARGIN.replace("model = :model", "model = 'nobody'"), "has no value from 2026-05-01 00:00"),
        (MARGIN + " LIMIT 0", "has no value from"),
        (MARGIN.replace("sum(margin)", "sum(profit)"), "column"),
        ("SELECT 1 AS value", "something else than one value and count"),
        ("SELECT margin AS value, 1 AS count FROM booking", "something else than one value and count"),
        ("SELECT 'many' AS value, 1 AS count", "a value that is no number: 'many'"),
        ("SELECT 1e308 * 10 AS value, 1 AS count", "finite|range"),
        ("SELECT 1 AS value, 1.5 AS count", "1.5 observations"),
        ("SELECT 1 AS value, -1 AS count", "-1 observations"),
        ("DELETE FROM booking", "read-?only"),
        ("SELECT 1 AS value, 1 AS count; COMMIT; DELETE FROM booking", "more than one statement"),
        ("SET TRANSACTION READ WRITE; DELETE FROM booking; COMMIT", "more than one statement"),
        ("this is no SQL", "syntax error"),
        ("SELECT NULL AS value, 1 AS count", "has no value from"),
        ("SELECT 1 AS value, NULL AS count", "a count that is no number: 'None'"),
        ("SELECT 1 AS value, 1 AS count FROM nowhere", "nowhere"),
    ],
)
def test_what_is_no_answer_is_said(query: str, said: str, booked: str) -> None:
    """Empty, renamed, of another type, infinite, more than one: each an error in words, and nothing is changed."""
    with pytest.raises(InvalidInputError, match=said):
        ask(SqlMetrics("warehouse", lambda: booked), query)
    assert ask(SqlMetrics("warehouse", lambda: booked), MARGIN).count == 2


@pytest.mark.parametrize("number", ["'NaN'", "'Infinity'"])
def test_a_number_that_is_none_is_said(number: str, request: pytest.FixtureRequest) -> None:
    """Of PostgreSQL, which has such numbers."""
    server = request.getfixturevalue("postgres")
    with pytest.raises(InvalidInputError, match="a value that is no finite number"):
        ask(SqlMetrics("warehouse", lambda: server.url("postgres")), f"SELECT {number}::float AS value, 1 AS count")


@pytest.mark.parametrize("query", [SLEEP, ENDLESS], ids=["asleep", "at work"])
def test_a_query_that_takes_too_long_is_given_up(query: str, empty_url: str) -> None:
    """By the database itself, after as long as the metric says."""
    if empty_url.startswith("sqlite"):
        query = ENDLESS
    with pytest.raises(InvalidInputError, match="was not answered within 1 seconds"):
        ask(SqlMetrics("warehouse", lambda: empty_url), query, within=1)


ARMS = """
SELECT avg(CASE WHEN version = 1 THEN {value} END) AS value, sum(CASE WHEN version = 1 THEN 1 ELSE 0 END) AS count,
  avg(CASE WHEN version = 2 THEN {value} END) AS holdout_value,
  sum(CASE WHEN version = 2 THEN 1 ELSE 0 END) AS holdout_count
FROM booking WHERE model = :model AND at >= :since AND at < :until
"""


def test_a_model_is_compared_with_its_hold_out(booked: str) -> None:
    """Shares by Newcombe's interval; the sizes of both groups are kept, and the smaller one is what it rests on."""
    metric = Metric(
        source="warehouse", query=ARMS.format(value="CASE WHEN margin > 15 THEN 1.0 ELSE 0 END"), holdout="share"
    )
    found = SqlMetrics("warehouse", lambda: booked).read("uplift", metric, "loan", 1, DAY)
    assert found.compared is not None
    assert (found.compared.treated.value, found.compared.treated.count) == (0.5, 2)
    assert (found.compared.holdout.value, found.compared.holdout.count) == (1, 1)
    assert (found.value, found.count) == (-0.5, 1)
    low, high = found.reading("uplift").span
    assert -1 < low < -0.5 < high < 1


@pytest.mark.parametrize(
    ("holdout", "query", "said"),
    [
        ("share", MARGIN, "something else than one row of two groups"),
        ("mean", ARMS.format(value="margin"), "something else than one row of two groups"),
        ("share", ARMS.format(value="margin"), "no share of 2 cases"),
        ("share", ARMS.format(value="NULLIF(margin, margin)"), "has no value from"),
    ],
)
def test_what_is_no_comparison_is_said(holdout: str, query: str, said: str, booked: str) -> None:
    """Columns that are not there, amounts in the place of shares, a group without a value."""
    metric = Metric.model_validate({"source": "warehouse", "query": query, "holdout": holdout})
    with pytest.raises(InvalidInputError, match=said):
        SqlMetrics("warehouse", lambda: booked).read("uplift", metric, "loan", 1, DAY)


def test_a_source_that_is_down_may_come_back() -> None:
    """It is named, its address and password are not."""
    with pytest.raises(UnavailableError, match="source 'warehouse' does not answer") as down:
        ask(SqlMetrics("warehouse", lambda: "postgresql+psycopg://olga:hunter2@127.0.0.1:1/dwh"), MARGIN)
    assert "hunter2" not in f"{down.value} {down.value.remedy}"


@pytest.mark.parametrize("url", ["a shopping list", "oracle://olga:hunter2@acme/dwh", "nosuch://olga:hunter2@h/d"])
def test_a_source_that_cannot_be_opened_is_said(url: str) -> None:
    """An address that is none, or a dialect that is not installed."""
    with pytest.raises(InvalidInputError, match="source 'warehouse' cannot be opened") as wrong:
        ask(SqlMetrics("warehouse", lambda: url), MARGIN)
    assert "hunter2" not in f"{wrong.value} {wrong.value.remedy}"


@pytest.fixture
def drop(tmp_path: Path) -> Callable[[str], CsvMetrics]:
    """Has a file of the metric arrive."""

    def arrive(rows: str) -> CsvMetrics:
        (tmp_path / "margin").mkdir(exist_ok=True)
        (tmp_path / "margin" / "loan.csv").write_text("at,value,count\n" + rows)
        return CsvMetrics("warehouse", tmp_path)

    return arrive


ROWS = (
    "2026-04-30T23:59:59+00:00,1,1\n2026-05-01T00:00:00+00:00,2,10\n2026-05-01T20:00:00-02:00,8,20\n"
    "2026-05-02T00:00:00+00:00,32,1\n2026-05-01T00:00:00+00:00,4,11\n"
)


@pytest.mark.parametrize(("way", "value"), [("sum", 12), ("mean", 6), ("last", 8)])
def test_a_file_is_summed_up_over_the_period(way: str, value: float, drop: Callable[[str], CsvMetrics]) -> None:
    """From its first moment on, without its last, in whatever zone; a later row of a moment corrects an earlier one."""
    found = ask(drop(ROWS), way)
    assert (found.value, found.count) == (value, 31)


TWO_GROUPS = """at,value,count,holdout_value,holdout_count
2026-04-30T00:00:00+00:00,1,10,0,10
2026-05-01T00:00:00+00:00,0.9,10,0.1,10
2026-05-01T12:00:00+00:00,0.06,1000,0.05,200
2026-05-02T00:00:00+00:00,0,10,1,10
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TWO_GROUPS, ""),
        (TWO_GROUPS.replace("2026-05-01", "2026-04-29"), "has no value from 2026-05-01"),
        (TWO_GROUPS.replace("holdout_count", "others"), "column 'holdout_count' is missing"),
        (TWO_GROUPS.replace("0.05,200", "0.05,"), "a holdout_count that is no finite number"),
    ],
)
def test_a_file_may_tell_of_a_hold_out(tmp_path: Path, text: str, said: str) -> None:
    """By the last row of the period, with both groups; what is none is said."""
    (tmp_path / "margin").mkdir()
    (tmp_path / "margin" / "loan.csv").write_text(text)
    metric = Metric(source="warehouse", query="last", holdout="share")
    source = CsvMetrics("warehouse", tmp_path)
    if said:
        with pytest.raises(InvalidInputError, match=said):
            source.read("margin", metric, "loan", 1, DAY)
        return
    found = source.read("margin", metric, "loan", 1, DAY)
    assert found.compared is not None
    assert (found.compared.treated.count, found.compared.holdout.count, found.count) == (1_000, 200, 200)
    assert found.value == pytest.approx(0.01)
    assert found.compared.between[0] < found.value < found.compared.between[1]


@pytest.mark.parametrize(
    ("rows", "way", "said"),
    [
        ("2026-05-03T00:00:00+00:00,1,1\n", "sum", "has no value from"),
        ("yesterday,1,1\n", "sum", "'yesterday' in .* is no moment"),
        ("2026-05-01T00:00:00,1,1\n", "sum", "says no time zone"),
        ("2026-05-01T00:00:00+00:00,much,1\n", "sum", "much"),
        ("2026-05-01T00:00:00+00:00,,1\n", "sum", "no finite number"),
        ("2026-05-01T00:00:00+00:00,NaN,1\n", "sum", "NaN"),
        ("2026-05-01T00:00:00+00:00,1,\n", "sum", "a count that is no finite number"),
        ("", "sum", "has a header but no rows"),
        ("2026-05-01T00:00:00+00:00,1,1\n", "median", "ask"),
    ],
)
def test_a_file_that_is_no_answer_is_said(rows: str, way: str, said: str, drop: Callable[[str], CsvMetrics]) -> None:
    """Empty, of another type, without a zone, asked in a way that there is not."""
    with pytest.raises(ModelopsError, match=said) as wrong:
        ask(drop(rows), way)
    assert isinstance(wrong.value, InvalidInputError)


def test_a_file_with_other_columns_is_said(tmp_path: Path) -> None:
    """The missing one is named, and those that are there."""
    (tmp_path / "margin").mkdir()
    (tmp_path / "margin" / "loan.csv").write_text("day,value,count\n2026-05-01,1,1\n")
    with pytest.raises(InvalidInputError, match=r"column 'at' is missing in .*; found: day, value, count"):
        ask(CsvMetrics("warehouse", tmp_path), "sum")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Where it should be, too."""
    with pytest.raises(InvalidInputError, match=r"there is no .*margin/loan\.csv"):
        ask(CsvMetrics("warehouse", tmp_path), "sum")


class Oracle(BaseHTTPRequestHandler):
    """Whoever answers where Prometheus should be."""

    said = b""

    def log_message(self, format: str, *given: object) -> None:
        """Nothing."""

    status = 200
    late = 0.0

    def do_POST(self) -> None:
        """The same to everybody."""
        time.sleep(self.late)
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.said)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"[" * 100_000, "something else than Prometheus does"),
        (b"1" + b"0" * 400, "a value that is no number"),
        (b'"NaN"', "no finite number"),
        (b'"2.5"', ""),
    ],
)
def test_prometheus_or_whoever_answers_in_its_place(value: bytes, said: str) -> None:
    """A number is one observation; whatever else is said, the error is one of ours."""
    kind = type("Once", (Oracle,), {"said": b'{"data": {"resultType": "scalar", "result": [1, %b]}}' % value})
    server = HTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
    source = PrometheusMetrics("warehouse", f"http://127.0.0.1:{server.server_port}")
    try:
        with pytest.raises(InvalidInputError, match=said) if said else nullcontext():
            found = ask(source, "up")
            assert (found.value, found.count) == (2.5, 1)
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("how", "said"),
    [({"status": 503}, "answers with status 503"), ({"late": 3.0}, "does not answer: ReadTimeout")],
    ids=["broken", "slow"],
)
def test_a_prometheus_that_is_not_well_may_be_so_later(how: dict[str, object], said: str) -> None:
    """A status of its own fault, or no answer within the metric's time."""
    kind = type("Unwell", (Oracle,), how)
    server = HTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
    try:
        with pytest.raises(UnavailableError, match=said):
            ask(PrometheusMetrics("warehouse", f"http://127.0.0.1:{server.server_port}"), "up", within=1)
    finally:
        server.shutdown()
        server.server_close()


def test_a_real_prometheus_answers(tmp_path: Path) -> None:
    """One value at the period's end, with model, version and period filled in; none, several or a mistake are said."""
    url = f"http://127.0.0.1:{free_port()}"
    (tmp_path / "prometheus.yaml").write_text("scrape_configs: []\n")
    command = (
        program("prometheus"),
        *("--config.file=prometheus.yaml", "--storage.tsdb.path=data", f"--web.listen-address={url[7:]}"),
    )
    source = PrometheusMetrics("warehouse", url)
    with running(command, f"{url}/-/ready", tmp_path / "prometheus.log"):
        found = ask(source, 'sum(label_replace(vector($version + 0.5), "model", "$model", "", ""))')
        assert (found.value, found.count, found.until) == (1.5, 1, DAY.until)
        assert ask(source, "time()").value == DAY.until.timestamp()
        with pytest.raises(InvalidInputError, match="has no value from"):
            ask(source, 'sum(rate(margin{model="$model"}[$seconds]))')
        with pytest.raises(InvalidInputError, match="has 2 values at once"):
            ask(source, 'vector(1) or label_replace(vector(2), "side", "other", "", "")')
        with pytest.raises(InvalidInputError, match=r"is refused: .*parse error"):
            ask(source, "sum(")
        with pytest.raises(InvalidInputError, match="no finite number"):
            ask(source, "vector(1) / 0")
    with pytest.raises(UnavailableError, match="source 'warehouse' does not answer"):
        ask(source, "time()")
