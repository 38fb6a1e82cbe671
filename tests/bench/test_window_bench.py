"""Windows of millions of rows, measured from end to end: peak memory does not grow with the rows."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from tests.bench.table import show

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7_200)]

WIDTH = 20
PIECE = 250_000
ROWS = (1_000_000, 10_000_000)
MORE = 1.15
"""Times as much memory at its peak as for a tenth of the rows."""

NAMES = [*(f"c{place}" for place in range(WIDTH)), "score"]


def pieces(rows: int, shift: float) -> Iterator[pa.Table]:
    """Made one at a time: nobody holds all of them. The score is what a model that others run has answered."""
    random = np.random.default_rng(17)
    for start in range(0, rows, PIECE):
        values = random.normal(shift, 1.0, (min(PIECE, rows - start), WIDTH)).round(4)
        values[random.random(values.shape) < 0.02] = np.nan
        columns = [pa.array(values[:, place], from_pandas=True) for place in range(WIDTH)]
        yield pa.Table.from_arrays([*columns, pa.array(random.random(len(values)).round(3))], names=NAMES)


def as_parquet(path: Path, rows: int, shift: float = 0.1) -> Path:
    with pq.ParquetWriter(path, pa.schema([(name, pa.float64()) for name in NAMES])) as writer:
        for piece in pieces(rows, shift):
            writer.write_table(piece)
    return path


def as_csv(path: Path, rows: int) -> Path:
    with pyarrow.csv.CSVWriter(path, pa.schema([(name, pa.float64()) for name in NAMES])) as writer:
        for piece in pieces(rows, 0.1):
            writer.write_table(piece)
    return path


def as_sqlite(path: Path, rows: int) -> str:
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(sa.text(f"create table cases ({', '.join(f'{name} real' for name in NAMES)})"))
        insert = f"insert into cases values ({', '.join('?' * len(NAMES))})"
        for piece in pieces(rows, 0.1):
            connection.exec_driver_sql(insert, list(zip(*piece.to_pydict().values(), strict=True)))
    engine.dispose()
    return f"sqlite:///{path}"


def as_postgresql(dsn: str, rows: int, folder: Path) -> None:
    file = as_csv(folder / "copied.csv", rows)
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("drop table if exists cases")
        cursor.execute(f"create table cases ({', '.join(f'{name} float8' for name in NAMES)})".encode())
        with cursor.copy("copy cases from stdin (format csv, header)") as copy, file.open("rb") as read:
            while block := read.read(1 << 20):
                copy.write(block)
    file.unlink()


def took(folder: Path, reference: Path, kind: str, place: Path | str) -> dict[str, float]:
    folder.mkdir()
    command = [sys.executable, "-m", "tests.bench.window_measuring", *map(str, (folder, reference, WIDTH, kind, place))]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # type: ignore[no-any-return]


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    return as_parquet(tmp_path / "reference.parquet", 100_000, shift=0.0)


def held(what: str, found: dict[str, dict[str, float]], few: dict[str, float], many: dict[str, float]) -> None:
    """Shown, and no more memory for ten times the rows."""
    rows = [
        (f"{name}, {one['rows']:,.0f} rows", (f"{one['seconds']:.1f}", f"{one['peak'] / 2**20:.0f}"))
        for name, one in found.items()
    ]
    show(f"a look at a window of {what}, {WIDTH} inputs", ("seconds", "peak MiB"), rows)
    assert [few["rows"], many["rows"]] == list(ROWS)
    assert many["peak"] <= MORE * few["peak"]


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_peak_memory_of_files(tmp_path: Path, reference: Path, kind: str) -> None:
    """Beside pandas, which holds what it reads."""
    write = as_parquet if kind == "parquet" else as_csv
    few, many = (write(tmp_path / f"{rows}.{kind}", rows) for rows in ROWS)
    found = {
        "few": took(tmp_path / "few", reference, "file", few),
        "many": took(tmp_path / "many", reference, "file", many),
        "pandas, few": took(tmp_path / "pandas", reference, "pandas", few),
    }
    held(kind, found, found["few"], found["many"])


def test_peak_memory_of_sqlite(tmp_path: Path, reference: Path) -> None:
    """What is asked of a database is written down part by part."""
    few, many = (
        took(tmp_path / f"{rows} rows", reference, "sql", as_sqlite(tmp_path / f"{rows}.db", rows)) for rows in ROWS
    )
    held("SQLite", {"few": few, "many": many}, few, many)


def test_peak_memory_of_postgresql(tmp_path: Path, reference: Path, request: pytest.FixtureRequest) -> None:
    """By a server-side cursor."""
    server, found = request.getfixturevalue("postgres"), []
    for rows in ROWS:
        as_postgresql(server.url("postgres").replace("postgresql+psycopg", "postgresql"), rows, tmp_path)
        found.append(took(tmp_path / f"{rows} rows", reference, "sql", server.url("postgres")))
    held("PostgreSQL", {"few": found[0], "many": found[1]}, *found)
