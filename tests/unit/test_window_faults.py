"""Whatever is wrong with a window, wherever it is kept: not measured, on record with what it is; twice is a failure."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from models.canonical import digest_bytes
from models.errors import UnavailableError
from models.metrics import period_before
from models.verdict import Verdict
from tests.watched_model import DAY, KPIS, WatchedModel, as_csv, cases, serving

QUERY = "SELECT unit, income, score FROM cases WHERE :model = 'loan' AND at >= :since AND at < :until"
NAN, INFINITE = float("nan"), float("inf")
Row = dict[str, object]


def changed(**cells: object) -> list[Row]:
    """The usual cases, the second of them odd."""
    rows = cases()
    return [rows[0], rows[1] | cells, *rows[2:]]


def renamed() -> list[Row]:
    return [{"unit": row["unit"], "salary": row["income"], "score": row["score"]} for row in cases()]


def parquet(cells: Sequence[Row], rows: int | None = None) -> bytes:
    """A file of that kind with all, or the first, of some cases."""
    columns = {name: pa.array([row[name] for row in cells], from_pandas=False) for name in cells[0]}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns).slice(0, rows), sink)
    return bytes(sink.getvalue())


@pytest.fixture
def model(tmp_path: Path) -> Iterator[Callable[..., WatchedModel]]:
    """Has a model serve."""
    with serving(tmp_path) as made:
        yield made


FILES = {
    "csv, empty": ("w.csv", b"", "it is empty"),
    "csv, no rows": ("w.csv", b"unit,income,score\n", "has a header but no rows"),
    "csv, renamed": ("w.csv", as_csv(renamed()).encode(), "column 'income' is missing .*found: unit, salary, score"),
    "csv, type": ("w.csv", as_csv(changed(income="2026-05-01")).encode(), "row 2 holds '2026-05-01'"),
    "csv, NaN": ("w.csv", as_csv(changed(income=NAN)).encode(), "row 2 holds 'nan'"),
    "csv, infinity": ("w.csv", as_csv(changed(income=INFINITE)).encode(), "row 2 holds 'inf'"),
    "csv, no text": ("w.csv", b"unit,income,score\n\xff,1,1\n", "is not a CSV file"),
    "csv, cut": ("w.csv", as_csv(cases())[:-6].encode(), "no answer of the model in 'score', first at row 200"),
    "parquet, no rows": (
        "w.parquet",
        parquet(cases(1), rows=0),
        "there are no rows",
    ),
    "parquet, renamed": ("w.parquet", parquet(renamed()), "column 'income' is missing"),
    "parquet, type": ("w.parquet", parquet([{"income": "10", "score": 0.5}]), "of another type .* of type string"),
    "parquet, NaN": ("w.parquet", parquet(changed(income=NAN)), "some values are NaN.*1 of 200 values"),
    "parquet, infinity": ("w.parquet", parquet(changed(income=INFINITE)), "infinite.*1 of 200 values"),
    "parquet, half": ("w.parquet", parquet(cases())[:2000], "is not a Parquet file"),
}


@pytest.mark.parametrize(("name", "data", "said"), FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_measured(name: str, data: bytes, said: str, model: Callable[..., WatchedModel]) -> None:
    """It is no pass: what is wrong is said, recorded once, and is no failure yet; after it, silence is one."""
    watched = model()
    (watched.folder / name).write_bytes(data)
    outcome = watched.look()
    assert (outcome.result.verdict, outcome.breach) == (Verdict.INCONCLUSIVE, None)
    assert outcome.result.summary.startswith("not measured: ")
    assert re.search(said, outcome.result.summary)
    assert watched.look().result == outcome.result
    (look,) = watched.parts.inventory.looks("loan", "drift")
    assert (look.window, look.verdict, look.unmeasured) == (digest_bytes(data), "inconclusive", True)
    silent = watched.look(after=3 * DAY)
    assert silent.result.summary.startswith("no new window of data")
    assert silent.breach is not None
    assert watched.verdicts() == ["inconclusive", "fail"]


def broken(watched: WatchedModel, day: int, data: bytes = b"") -> None:
    """A file that arrives so many days after the version began to serve."""
    path = watched.folder / f"{day}.csv"
    path.write_bytes(data or f"unit,wages,score\n{day},1,1\n".encode())
    moment = (watched.began + day * DAY).timestamp()
    os.utime(path, (moment, moment))


def test_a_second_broken_window_is_a_failure(model: Callable[..., WatchedModel]) -> None:
    """A broken one after a good one is borne, two in a row are not; what is whole again passes at once."""
    watched, whole = model(kpis=KPIS[:1]), as_csv(cases()).encode()
    for day, data, verdict in (
        (0, b"", "inconclusive"),
        (1, whole, "pass"),
        (2, b"", "inconclusive"),
        (3, b"", "fail"),
        (4, b"", "fail"),
        (5, as_csv(cases(seed=9)).encode(), "pass"),
        (6, b"", "inconclusive"),
    ):
        broken(watched, day, data)
        outcome = watched.look(after=day * DAY)
        assert (outcome.result.verdict, outcome.breach is not None) == (verdict, verdict == "fail")
        assert outcome.result.summary.startswith("not measured, nor at the look before: ") == (verdict == "fail")
    assert [look.unmeasured for look in watched.parts.inventory.looks("loan", "drift")] == [
        *(True, False, True, True, True, False, True)
    ]


@pytest.mark.parametrize("arriving", [(0,), (0, 1), (0, 2), (0, 1, 2)], ids=str)
def test_whoever_never_measures_again_is_in_breach(arriving: Sequence[int], model: Callable[..., WatchedModel]) -> None:
    """At the latest after three periods, whether other broken windows come or none does; and then it stays so."""
    watched = model()
    heard = []
    for day in range(6):
        if day in arriving:
            broken(watched, day)
        heard.append(watched.look(after=day * DAY + timedelta(minutes=1)).breach is not None)
    assert (heard[0], all(heard[3:])) == (False, True)


def test_a_failing_window_is_two_of_three_only_when_it_fails(model: Callable[..., WatchedModel]) -> None:
    """Of `2 of 3`, a look that cannot measure is none of the three, until it is the second in a row."""
    watched = model(kpis=KPIS[:1], breaches=2, of=3)
    heard = []
    good = as_csv(cases(seed=9)).encode(), as_csv(cases(seed=10)).encode()
    for day, data in enumerate((as_csv(cases(mean=20)).encode(), b"", *good, b"", b"", b"")):
        broken(watched, day, data)
        heard.append(watched.look(after=day * DAY).breach is not None)
    assert watched.verdicts() == ["fail", "inconclusive", "pass", "pass", "inconclusive", "fail", "fail"]
    assert heard == [False] * 6 + [True]


def test_windows_that_fail_are_a_breach_though_every_second_one_is_broken(model: Callable[..., WatchedModel]) -> None:
    """Who writes a broken file after each that fails hides nothing; one of the broken ones tells of no breach."""
    watched = model(kpis=KPIS[:1], breaches=2)
    heard = []
    for day in range(5):
        broken(watched, day, b"" if day % 2 else as_csv(cases(seed=day, mean=20)).encode())
        heard.append(watched.look(after=day * DAY).breach is not None)
    assert watched.verdicts() == ["fail", "inconclusive"] * 2 + ["fail"]
    assert heard == [False, False, True, False, True]


@pytest.mark.parametrize(("name", "write"), [("w.csv", as_csv), ("w.parquet", parquet)])
def test_a_file_that_changes_while_it_is_read(
    name: str, write: Callable[[Sequence[Row]], str | bytes], model: Callable[..., WatchedModel]
) -> None:
    """Nobody knows which of its rows were counted: it is not measured, and the next look is at what it has become."""
    changes: list[Callable[[], object]] = []
    watched = model(beat=lambda progress: changes.pop()() if changes else None)
    path = watched.folder / name

    def put(rows: Sequence[Row]) -> None:
        data = write(rows)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())

    put(cases())
    changes.append(lambda: put(cases(300)))
    outcome = watched.look()
    assert outcome.result.verdict is Verdict.INCONCLUSIVE
    assert "changed while they were read" in outcome.result.summary
    assert "rename it into the folder" in outcome.result.summary
    assert watched.look().result.readings[0].count == 300
    assert [look.unmeasured for look in watched.parts.inventory.looks("loan", "drift")] == [True, False]


def warehouse(folder: Path, rows: Sequence[Row], at: object) -> str:
    """A database with some cases of a moment."""
    url = f"sqlite:///{folder / 'warehouse.db'}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE IF NOT EXISTS cases (unit, income, score, at TIMESTAMP)"))
        for row in rows:
            connection.execute(sa.text("INSERT INTO cases VALUES (:unit, :income, :score, :at)"), row | {"at": at})
    engine.dispose()
    return url


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) AS income FROM n"
QUERIES = {
    "no rows": (QUERY + " AND income > 1e9", cases(), "there are no rows"),
    "renamed": (QUERY.replace("income", "salary"), cases(), "cannot be read: no such column: salary"),
    "renamed in the answer": (QUERY.replace("income", "income AS salary"), cases(), "column 'income' is missing"),
    "type": (QUERY, changed(income="n/a"), "row 2 holds 'n/a'|another type"),
    "infinity": (QUERY, changed(income=INFINITE), "row 2 holds 'inf'"),
    "slow": (ENDLESS, cases(), "took too long .* within 1 seconds"),
    "no SQL": ("this is no SQL", cases(), "syntax error"),
    "two statements": ("SELECT 1; DELETE FROM cases", cases(), "more than one statement"),
    "a statement that writes": ("DELETE FROM cases", cases(), "readonly database"),
}


@pytest.mark.parametrize(("query", "rows", "said"), QUERIES.values(), ids=QUERIES)
def test_a_query_that_cannot_be_measured(
    query: str,
    rows: Sequence[Row],
    said: str,
    model: Callable[..., WatchedModel],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is no pass: what is wrong is said, recorded once for its period, and in the next period a breach."""
    watched = model(said={"kind": "sql", "url": {"env": "WAREHOUSE"}, "query": query, "within": 1})
    since = period_before(86_400, watched.began + DAY).since
    monkeypatch.setenv("WAREHOUSE", warehouse(tmp_path, rows, since + timedelta(hours=1)))
    outcome = watched.look(after=DAY)
    assert (outcome.result.verdict, outcome.breach) == (Verdict.INCONCLUSIVE, None)
    assert re.search(said, outcome.result.summary)
    assert watched.look(after=DAY).result == outcome.result
    assert watched.verdicts() == ["inconclusive"]
    assert watched.look(after=2 * DAY).breach is not None
    assert watched.verdicts() == ["inconclusive", "fail"]


def test_a_source_that_is_down(model: Callable[..., WatchedModel], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked again for a while; if it stays away for two periods, that is a breach; nothing shows its password."""
    watched = model(said={"kind": "sql", "url": {"env": "WAREHOUSE"}, "query": QUERY})
    monkeypatch.setenv("WAREHOUSE", "postgresql+psycopg://olga:hunter2@127.0.0.1:1/dwh")
    with pytest.raises(UnavailableError, match="the source does not answer") as down:
        watched.look(after=DAY, attempt=1)
    assert "hunter2" not in f"{down.value} {down.value.remedy}"
    assert watched.verdicts() == []
    outcome = watched.look(after=DAY, attempt=5)
    assert (outcome.result.verdict, outcome.breach) == (Verdict.INCONCLUSIVE, None)
    assert "the source does not answer" in outcome.result.summary
    assert "hunter2" not in outcome.result.summary
    assert watched.verdicts() == ["inconclusive"]
    later = watched.look(after=2 * DAY, attempt=5)
    assert (later.result.verdict, later.breach is not None) == (Verdict.FAIL, True)
