"""Windows of millions of rows, read in one pass: peak memory does not grow with the rows."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from tests.bench.table import show

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3_600)]

WIDTH = 20
PIECE = 250_000
ROWS = {"parquet": (1_000_000, 10_000_000), "csv": (250_000, 1_000_000), "query": (250_000, 1_000_000)}
MORE = 1.15
"""Times as much memory at its peak as a window of a quarter or a tenth of the rows."""


def pieces(rows: int, shift: float) -> Iterator[pa.Table]:
    """Made one at a time: nobody holds all of them."""
    random = np.random.default_rng(17)
    for start in range(0, rows, PIECE):
        values = random.normal(shift, 1.0, (min(PIECE, rows - start), WIDTH))
        values[random.random(values.shape) < 0.02] = np.nan
        columns = [pa.array(values[:, place], from_pandas=True) for place in range(WIDTH)]
        yield pa.Table.from_arrays(columns, names=[f"c{place}" for place in range(WIDTH)])


def written(folder: Path, kind: str, rows: int, shift: float = 0.1) -> str:
    path = folder / f"{rows}.{kind}"
    if kind == "query":
        engine = sa.create_engine(f"sqlite:///{path}")
        names = [f"c{place}" for place in range(WIDTH)]
        with engine.begin() as connection:
            connection.execute(sa.text(f"create table cases ({', '.join(f'{name} real' for name in names)})"))
            insert = f"insert into cases values ({', '.join('?' * WIDTH)})"
            for piece in pieces(rows, shift):
                connection.exec_driver_sql(insert, list(zip(*piece.to_pydict().values(), strict=True)))
        return f"sqlite:///{path}"
    schema = pa.schema([(f"c{place}", pa.float64()) for place in range(WIDTH)])
    with pq.ParquetWriter(path, schema) if kind == "parquet" else pyarrow.csv.CSVWriter(path, schema) as writer:
        for piece in pieces(rows, shift):
            writer.write_table(piece)
    return str(path)


def read(kind: str, reference: str, window: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.window_reading", kind, reference, window, str(WIDTH)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", ROWS)
def test_peak_memory(tmp_path: Path, kind: str) -> None:
    """A window of more rows takes longer and no more memory."""
    reference = written(tmp_path, "parquet", 100_000, shift=0.0)
    found = [read(kind, reference, written(tmp_path, kind, rows)) for rows in ROWS[kind]]
    rows = [
        (f"{kind}, {one['rows']:,.0f} rows x {WIDTH}", (f"{one['seconds']:.1f}", f"{one['peak'] / 2**20:.0f}"))
        for one in found
    ]
    show("one pass over a window", ("seconds", "peak MiB"), rows)
    assert [one["rows"] for one in found] == list(ROWS[kind])
    assert found[1]["peak"] <= MORE * found[0]["peak"]
