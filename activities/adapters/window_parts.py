"""Windows of data read part by part, whatever they are kept in: one part is in memory at a time.

CSV files are read as everywhere else; of Parquet files only the columns that are asked for; of a database what a
server-side cursor hands over. What cannot be measured has a name: `models.statistics.figures.Unmeasured`.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa
from numpy.typing import NDArray

from activities.adapters.csv_blocks import csv_parts
from activities.adapters.csv_table import LARGEST, Values, lines_of, wanted_columns
from activities.adapters.sql_select import read_only
from models.errors import UnmeasuredError
from models.inventory import Column
from models.statistics.figures import Unmeasured

ROWS = 50_000
"""Rows in memory at a time."""

_CANCELLED = "57014"
"""PostgreSQL's code of a statement that was ended, as by `statement_timeout`."""

_INTERRUPTED = "interrupted"
"""SQLite's word for the same."""

_PARQUET = (".parquet", ".pq")
_MAGIC = b"PAR1"


class Part(Protocol):
    """Some rows of a window: `where` it is kept, and the columns that are there."""

    @property
    def where(self) -> str: ...

    @property
    def header(self) -> Sequence[str]: ...

    @property
    def rows(self) -> int: ...

    def numbers(self, column: Column) -> Values:
        """A column as numbers, missing ones NaN; InvalidInputError."""

    def texts(self, name: str) -> Sequence[str]:
        """A column as texts, missing ones empty."""


@dataclass(frozen=True)
class ArrowPart:
    """Rows of typed columns."""

    where: str
    columns: Mapping[str, pa.Array]
    rows: int

    @property
    def header(self) -> Sequence[str]:
        """The columns that were asked for and are there."""
        return tuple(self.columns)

    def numbers(self, column: Column) -> Values:
        """A column as numbers, missing ones NaN; UnmeasuredError if it holds something else."""
        array = self.columns[column.name]
        if not _numeric(array.type):
            found = f"it is of type {array.type}"
            raise self._unmeasured(Unmeasured.OTHER_TYPE, column.name, found)
        values: Values = np.asarray(
            pc.cast(array, pa.float64(), safe=False).fill_null(np.nan).to_numpy(zero_copy_only=False), dtype=float
        )
        there = np.asarray(pc.is_valid(array))
        for state, wrong in ((Unmeasured.NOT_NUMBERS, np.isnan), (Unmeasured.INFINITE, _too_large)):
            those: NDArray[np.bool_] = there & wrong(values)
            if those.any():
                raise self._unmeasured(state, column.name, f"{int(those.sum())} of {self.rows} values")
        return values

    def texts(self, name: str) -> Sequence[str]:
        """A column as texts, missing ones empty."""
        return ["" if cell is None else str(cell) for cell in self.columns[name].to_pylist()]

    def _unmeasured(self, state: Unmeasured, name: str, found: str) -> UnmeasuredError:
        return UnmeasuredError(state, f"column '{name}' of {self.where}: {state.sentence} ({found})")


def is_parquet(path: Path) -> bool:
    """By its name, or by how it begins: what is kept by its digest has no other name."""
    if path.suffix.lower() in _PARQUET:
        return True
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def columns_of(path: Path) -> Sequence[str]:
    """All columns of a file, in their order; InvalidInputError."""
    if is_parquet(path):
        try:
            with pq.ParquetFile(path, pre_buffer=False) as file:
                names: list[str] = file.schema_arrow.names
                return names
        except (pa.ArrowException, OSError) as error:
            raise _no_parquet(path, error) from error
    with lines_of(path) as lines:
        return next(lines, [])


def parts_of(path: Path, needed: Sequence[str], welcome: Sequence[str] = (), rows: int = ROWS) -> Iterator[Part]:
    """The needed columns of a file, and what is there of the welcome ones; MissingColumnError, InvalidInputError."""
    if is_parquet(path):
        return parquet_parts(path, needed, welcome, rows)
    return csv_parts(path, needed, welcome, rows)


def parquet_parts(path: Path, needed: Sequence[str], welcome: Sequence[str] = (), rows: int = ROWS) -> Iterator[Part]:
    """A Parquet file; MissingColumnError, UnmeasuredError. Buffered ahead, all of it would come to be in memory."""
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            names = wanted_columns(path, file.schema_arrow.names, needed, welcome)
            found = False
            for batch in file.iter_batches(batch_size=rows, columns=names):
                found = True
                yield ArrowPart(str(path), dict(zip(batch.schema.names, batch.columns, strict=True)), batch.num_rows)
    except (pa.ArrowException, OSError) as error:
        raise _no_parquet(path, error) from error
    if not found:
        raise UnmeasuredError(Unmeasured.EMPTY, f"{path}: {Unmeasured.EMPTY.sentence}")


def query_parts(
    engine: sa.Engine,
    query: str,
    parameters: Mapping[str, object],
    needed: Sequence[str] | None = None,
    within: int = 600,
    rows: int = ROWS,
) -> Iterator[ArrowPart]:
    """What a query answers, all of it or some columns, by a server-side cursor; MissingColumnError, UnmeasuredError.

    It reads, and no part comes after as many seconds as it may take.
    """
    url = engine.url
    place = sa.URL.create(url.drivername, host=url.host, port=url.port, database=url.database)
    where, until = f"the query on {place}", time.monotonic() + within
    found = reached = False
    try:
        with engine.connect() as connection:
            reached = True
            read_only(connection, within)
            by_parts = {"stream_results": True, "max_row_buffer": rows}
            answer = connection.execute(sa.text(query), parameters, execution_options=by_parts)
            header = list(answer.keys())
            names = wanted_columns(where, header, header if needed is None else needed, ())
            places = [header.index(name) for name in names]
            for some in answer.partitions(rows):
                if time.monotonic() > until:
                    raise _slow(where, within)
                found = True
                columns = {
                    name: _array(where, name, [row[at] for row in some]) for name, at in zip(names, places, strict=True)
                }
                yield ArrowPart(where, columns, len(some))
    except sa.exc.StatementError as error:
        raise _unmeasured(where, error, reached, within) from error
    if not found:
        raise UnmeasuredError(Unmeasured.EMPTY, f"{where}: {Unmeasured.EMPTY.sentence}")


def _array(where: str, name: str, cells: Sequence[object]) -> pa.Array:
    try:
        return pa.array(cells)
    except pa.ArrowException as error:
        state = Unmeasured.OTHER_TYPE
        raise UnmeasuredError(state, f"column '{name}' of {where}: {state.sentence} ({error})") from error


def _numeric(kind: pa.DataType) -> bool:
    types = pa.types
    kinds = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_null)
    return any(fits(kind) for fits in kinds)


def _too_large(values: Values) -> NDArray[np.bool_]:
    return np.abs(values) > LARGEST


def _no_parquet(path: Path, error: Exception) -> UnmeasuredError:
    return UnmeasuredError(Unmeasured.UNREADABLE, f"{path} is not a Parquet file: {error}")


def _slow(where: str, within: int) -> UnmeasuredError:
    remedy = "ask for less, or allow it more time"
    state = Unmeasured.SOURCE_SLOW
    return UnmeasuredError(state, f"{where}: {state.sentence}: not all was there within {within} seconds", remedy)


def _unmeasured(where: str, error: sa.exc.StatementError, reached: bool, within: int) -> UnmeasuredError:
    said = next(iter(str(error.orig).splitlines()), "")
    if not reached or (isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated):
        state = Unmeasured.SOURCE_DOWN
    elif getattr(error.orig, "sqlstate", None) == _CANCELLED or said == _INTERRUPTED:
        return _slow(where, within)
    else:
        state = Unmeasured.UNREADABLE
    return UnmeasuredError(state, f"{where}: {state.sentence}: {said}")
