"""Windows in parts: the same figures whatever they are kept in, and a name for whatever cannot be measured."""

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from activities.adapters import column_counters
from activities.adapters.column_counters import Sample, count_columns, count_reference
from activities.adapters.window_parts import Part, parquet_parts, parts_of, query_parts
from models.errors import InvalidInputError, MissingColumnError, UnmeasuredError
from models.inventory import Column
from models.statistics.figures import Unmeasured
from models.statistics.tallies import MOST_CATEGORIES, Categories, Numbers

COLUMNS = (Column(name="age"), Column(name="region", type="string"))
ROWS = [
    {"age": float(one % 37) if one % 11 else None, "region": "nesw"[one % 4] if one % 5 else None} for one in range(500)
]


def as_csv(folder: Path) -> Callable[[int], Iterable[Part]]:
    path = folder / "window.csv"
    lines = ["age,region", *(f"{'' if one['age'] is None else one['age']},{one['region'] or ''}" for one in ROWS)]
    path.write_text("\n".join(lines))
    return lambda rows: parts_of(path, ["age", "region"], rows=rows)


def as_parquet(folder: Path) -> Callable[[int], Iterable[Part]]:
    path = folder / "window.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    return lambda rows: parts_of(path, ["age", "region"], rows=rows)


def database(folder: Path) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{folder / 'window.db'}")
    with engine.begin() as connection:
        connection.execute(sa.text("create table cases (age real, region text)"))
        connection.execute(sa.text("insert into cases values (:age, :region)"), ROWS)
    return engine


def as_query(folder: Path) -> Callable[[int], Iterable[Part]]:
    engine = database(folder)
    query = "select region, age from cases where age > :least or age is null"
    return lambda rows: query_parts(engine, query, {"least": -1}, ["age", "region"], rows=rows)


def of(path: Path, **columns: pa.Array | list[object]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize("kept", [as_csv, as_parquet, as_query])
@pytest.mark.parametrize("rows", [7, 500, 10_000])
def test_parts_tally_as_the_whole(
    tmp_path: Path, kept: Callable[[Path], Callable[[int], Iterable[Part]]], rows: int
) -> None:
    """A CSV file, a Parquet file and a query give the same tallies, in parts of any size."""
    read = kept(tmp_path)
    counted = count_reference(lambda: read(rows), COLUMNS)
    ages, regions = counted.columns["age"], counted.columns["region"]
    assert isinstance(ages, Numbers)
    assert isinstance(regions, Categories)
    known = [one["age"] for one in ROWS if isinstance(one["age"], float)]
    assert (ages.rows, ages.missing) == (500, 500 - len(known))
    assert sum(ages.sums) == pytest.approx(sum(known))
    assert ages.moments.deviation == pytest.approx(np.std(known))
    assert ages.within(counted.deciles["age"])[0] == sum(one <= counted.deciles["age"][0] for one in known)
    assert (regions.missing, regions.counts["n"]) == (100, sum(one["region"] == "n" for one in ROWS))
    assert sum(part.rows for part in read(rows)) == 500
    assert max(part.rows for part in read(rows)) == min(rows, 500)


@pytest.mark.parametrize(
    ("values", "state", "found"),
    [
        ([1.0, float("nan"), None], Unmeasured.NOT_NUMBERS, "1 of 3 values"),
        ([1.0, float("inf"), None], Unmeasured.INFINITE, "1 of 3 values"),
        ([1.0, -1e39, None], Unmeasured.INFINITE, "1 of 3 values"),
        (["1", "2", None], Unmeasured.OTHER_TYPE, "of type string"),
        ([date(2026, 3, 2), None, None], Unmeasured.OTHER_TYPE, "of type date32"),
    ],
)
def test_what_is_no_number_has_a_name(tmp_path: Path, values: list[object], state: Unmeasured, found: str) -> None:
    """NaN, infinity and another type are refused by their names, never counted and never dropped."""
    (part,) = parquet_parts(of(tmp_path / "window.parquet", age=pa.array(values, from_pandas=False)), ["age"])
    with pytest.raises(UnmeasuredError, match=rf"column 'age' of .*window\.parquet: .*{found}") as refused:
        part.numbers(COLUMNS[0])
    assert refused.value.state is state


@pytest.mark.parametrize("values", [[1, 2], [True, False], [Decimal("1.0"), Decimal("2.5")], [None, None]])
def test_what_is_a_number_is_read(tmp_path: Path, values: list[object]) -> None:
    """Whole numbers, truths, decimals and a column that is missing altogether are numbers."""
    (part,) = parquet_parts(of(tmp_path / "window.parquet", age=values), ["age"])
    expected = [np.nan if value is None else float(value) for value in values]  # type: ignore[arg-type]
    np.testing.assert_array_equal(part.numbers(COLUMNS[0]), expected)


def test_unreadable_files(tmp_path: Path) -> None:
    """No rows, no Parquet file, a renamed column and one that is there twice are said to be so."""
    with pytest.raises(UnmeasuredError) as refused:
        list(parquet_parts(of(tmp_path / "empty.parquet", age=pa.array([], pa.float64())), ["age"]))
    assert refused.value.state is Unmeasured.EMPTY
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(UnmeasuredError, match=r"broken\.parquet is not a Parquet file") as refused:
        list(parts_of(tmp_path / "broken.parquet", ["age"]))
    assert refused.value.state is Unmeasured.UNREADABLE
    renamed = of(tmp_path / "renamed.parquet", years=[1.0])
    with pytest.raises(MissingColumnError, match=r"'age' is missing in .*renamed\.parquet; found: years"):
        list(parquet_parts(renamed, ["age"]))
    twice = pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0])], names=["age", "age"])
    pq.write_table(twice, tmp_path / "twice.parquet")
    with pytest.raises(InvalidInputError, match="more than one column 'age'"):
        list(parquet_parts(tmp_path / "twice.parquet", ["age"]))


@pytest.mark.parametrize(
    ("query", "state"),
    [
        ("select age from cases where age > 1e9", Unmeasured.EMPTY),
        ("select age from no_such_table", Unmeasured.UNREADABLE),
        ("select age from cases union all select 'old'", Unmeasured.OTHER_TYPE),
    ],
)
def test_queries_that_answer_nothing_of_use(tmp_path: Path, query: str, state: Unmeasured) -> None:
    """A query without rows, one that the database refuses, and a column of several types each have a name."""
    with pytest.raises(UnmeasuredError) as refused:
        list(query_parts(database(tmp_path), query, {}, ["age"]))
    assert refused.value.state is state
    assert str(refused.value)


def test_a_database_that_is_down(tmp_path: Path) -> None:
    """A database that cannot be reached is said to be down, without its password."""
    engine = sa.create_engine(
        "postgresql+psycopg://monitor:secret@127.0.0.1:1/cases", connect_args={"connect_timeout": 2}
    )
    with pytest.raises(UnmeasuredError, match="does not answer") as refused:
        list(query_parts(engine, "select 1 as age", {}, ["age"]))
    assert refused.value.state is Unmeasured.SOURCE_DOWN
    assert "secret" not in str(refused.value)


def test_a_large_reference_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its size a sample keeps the same rows every time, however they were handed in, and of every place."""
    monkeypatch.setattr(column_counters, "SAMPLE", 1_000)
    rows = np.arange(10_000, dtype=float).reshape(-1, 1)
    whole, pieces = Sample(1), Sample(1)
    whole.add(rows)
    for start in range(0, 10_000, 333):
        pieces.add(rows[start : start + 333])
    assert 400 < len(whole.values) <= 1_000
    np.testing.assert_array_equal(whole.values, pieces.values)
    assert np.quantile(whole.values, 0.5) == pytest.approx(5_000, abs=500)


def test_categories_beyond_count(tmp_path: Path) -> None:
    """A column of too many different texts is no category, and is not counted into memory without end."""
    path = of(tmp_path / "ids.parquet", region=[f"case {number}" for number in range(MOST_CATEGORIES + 1)])
    (part,) = parquet_parts(path, ["region"])
    tally = count_columns(part, COLUMNS[1:], {})["region"]
    assert tally.fault is Unmeasured.TOO_MANY_VALUES
