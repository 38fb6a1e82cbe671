"""CSV files of millions of rows: blocks that are plainly written are parsed at once, all others by `csv_table`.

Plain is what RFC 4180 writes (no line break within a cell), and what any reader takes alike. From the first block on
that is not, `csv_table` goes on row by row: it reads it, or names the row in which it cannot.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from activities.adapters.csv_table import LARGEST, Table, Values, lines_of, read_tables, tables_of, wanted_columns
from models.errors import InvalidInputError
from models.inventory import Column

BLOCK = 8 << 20
"""Bytes of a file in memory at a time."""

_HEADER_AT_MOST = 1 << 20
_QUOTE, _ENDS = ord('"'), np.frombuffer(b',\r\n"', dtype=np.uint8)
_BREAKS = np.frombuffer(b"\r\n", dtype=np.uint8)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class CsvPart:
    """Some rows of a file, every cell as text; of the rows after the first `before`."""

    path: Path
    header: Sequence[str]
    columns: Mapping[str, pa.Array]
    rows: int
    before: int

    @property
    def where(self) -> str:
        """The file."""
        return str(self.path)

    def numbers(self, column: Column) -> Values:
        """A column as numbers, missing ones NaN, `true` and `false` of a boolean 1 and 0; InvalidInputError."""
        cells = self.columns[column.name]
        known = pc.if_else(pc.equal(pc.binary_length(cells), 0), pa.scalar(None, pa.string()), cells)
        try:
            parsed = pc.cast(known, pa.float64())
        except pa.ArrowInvalid:
            return self._table(column.name).numbers(column)
        values: Values = parsed.fill_null(0.0).to_numpy(zero_copy_only=False)
        if not np.all(np.abs(values) <= LARGEST):
            return self._table(column.name).numbers(column)
        return np.where(np.asarray(pc.is_valid(parsed)), values, np.nan)

    def texts(self, name: str) -> Sequence[str]:
        """A column as it is written, missing ones empty."""
        cells: list[str] = self.columns[name].to_pylist()
        return cells

    def _table(self, name: str) -> Table:
        return Table(self.path, (name,), {name: self.texts(name)}, self.rows, self.before)


def csv_parts(path: Path, needed: Sequence[str], welcome: Sequence[str], rows: int) -> Iterator[CsvPart | Table]:
    """A file in parts of so many rows at most, as `csv_table.read_tables`, which refuses what lacks a column."""
    header, start = _opening(path)
    before, wanted = 0, None
    with suppress(InvalidInputError):
        wanted = wanted_columns(path, header, needed, welcome) if header else None
    if wanted is None:
        yield from read_tables(path, needed, welcome, rows)
        return
    for block in _blocks(path, start):
        columns = _parsed(block, header, wanted)
        if columns is None:
            break
        count = len(columns[wanted[0]]) if wanted else 0
        for first in range(0, count, rows):
            some = {name: cells.slice(first, rows) for name, cells in columns.items()}
            yield CsvPart(path, header, some, min(rows, count - first), before + first)
        before, start = before + count, start + len(block)
    with lines_of(path, start) as lines:
        yield from tables_of(path, header, wanted, lines, rows, before)


def _opening(path: Path) -> tuple[list[str], int]:
    """The header, and the byte after it; none if it is not written on one line."""
    start, line = 0, b"\n"
    with path.open("rb") as file:
        if file.read(3) != _BYTE_ORDER_MARK:
            file.seek(0)
        while line in (b"\n", b"\r\n"):
            line = file.readline(_HEADER_AT_MOST)
        start = file.tell()
    if not line.endswith(b"\n") or not _is_plain(line):
        return [], 0
    return next(csv.reader([line.decode()], strict=True)), start


def _blocks(path: Path, start: int) -> Iterator[bytes]:
    """Whole lines, some megabytes of them; none from a line on that is longer."""
    with path.open("rb") as file:
        file.seek(start)
        rest = b""
        while read := file.read(BLOCK):
            end = len(read) if len(read) < BLOCK else read.rfind(b"\n") + 1
            if not end:
                return
            whole, rest = rest + read[:end], read[end:]
            yield whole if whole.endswith(b"\n") else whole + b"\n"


def _parsed(block: bytes, header: Sequence[str], wanted: Sequence[str]) -> Mapping[str, pa.Array] | None:
    """The wanted columns of a block; None if it is not plain, or its lines are not all of the header's length."""
    if not wanted or not _is_plain(block):
        return None
    places = {name: str(header.index(name)) for name in wanted}
    try:
        table = pcsv.read_csv(
            BytesIO(block),
            read_options=pcsv.ReadOptions(
                use_threads=False, block_size=len(block) + 1, column_names=[str(place) for place in range(len(header))]
            ),
            convert_options=pcsv.ConvertOptions(
                column_types=dict.fromkeys(places.values(), pa.string()),
                include_columns=list(places.values()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return {name: table[place].combine_chunks() for name, place in places.items()}


def _is_plain(block: bytes) -> bool:
    """Whether it is UTF-8, every quoted cell is quoted from end to end, and no line breaks within one."""
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
        return False
    cells = np.frombuffer(block, dtype=np.uint8)
    quotes = np.flatnonzero(cells == _QUOTE)
    if not quotes.size:
        return True
    if quotes.size % 2 or quotes[-1] + 1 == cells.size:
        return False
    opened, closed = quotes[::2], quotes[1::2]
    inside = np.searchsorted(quotes, np.flatnonzero(np.isin(cells, _BREAKS))) % 2
    starts = cells[opened[opened > 0] - 1]
    return bool(not inside.any() and np.isin(starts, _ENDS).all() and np.isin(cells[closed + 1], _ENDS).all())
