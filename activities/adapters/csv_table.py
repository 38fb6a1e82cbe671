"""A CSV file as every adapter reads it, so that no two see different data in the same bytes.

UTF-8 (a byte order mark is passed over), a header, decimal numbers that a 32-bit float can hold; an empty cell is a
missing value. Rows are counted from 1, without the header.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.diagnostics import quote
from models.errors import InvalidInputError, MissingColumnError
from models.inventory import Column, DataContract

Values = NDArray[np.float64]

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
LARGEST = float(np.finfo(np.float32).max)
_TRUTHS = {"true": "1", "false": "0"}
_NAMED_AT_MOST = 10
_NUMBERS_ALONE = "Write plain decimal numbers, and leave the cell of a missing value empty."


@dataclass(frozen=True)
class Table:
    """The columns that were asked for, every cell as text; of the rows after the first `before`."""

    path: Path
    header: tuple[str, ...]
    cells: Mapping[str, Sequence[str]]
    rows: int
    before: int = 0
    """Rows of the file before the first of these."""

    def numbers(self, column: Column) -> Values:
        """A column as numbers, missing ones NaN, `true` and `false` of a boolean 1 and 0; InvalidInputError."""
        texts = self.cells[column.name]
        values = {text: self._number(text, column) for text in dict.fromkeys(texts)}
        return np.fromiter((values[text] for text in texts), dtype=float, count=self.rows)

    def inputs(self, contract: DataContract) -> Values:
        """The inputs of a model; InvalidInputError."""
        return tensor(self, contract)

    def texts(self, name: str) -> Sequence[str]:
        """A column as it is written, missing ones empty."""
        return self.cells[name]

    @property
    def where(self) -> str:
        """The file."""
        return str(self.path)

    def _number(self, text: str, column: Column) -> float:
        bare = text.strip()
        plain = _TRUTHS.get(bare.lower(), bare) if column.type == "boolean" else bare
        if not plain:
            return np.nan
        what = f"column '{column.name}' of {self.path}"
        if not _NUMBER.fullmatch(plain):
            raise InvalidInputError(
                f"{what} is not all numbers: row {self._row(column, text)} holds {quote(text)}", _NUMBERS_ALONE
            )
        if abs(value := float(plain)) > LARGEST:
            raise InvalidInputError(
                f"{what} holds a number too large for a model: row {self._row(column, text)} holds {quote(text)}",
                f"A model reads 32-bit floats, at most {LARGEST:.3g}.",
            )
        return value

    def _row(self, column: Column, text: str) -> int:
        return self.before + self.cells[column.name].index(text) + 1


class Numbered(Protocol):
    """Whatever has columns of numbers."""

    def numbers(self, column: Column) -> Values:
        """Missing ones NaN; InvalidInputError."""


def tensor(table: Numbered, contract: DataContract) -> Values:
    """Shape [rows, inputs], in the contract's order; missing values are NaN, for the model's own imputer."""
    texts = [column.name for column in contract.inputs if column.type == "string"]
    if texts:
        raise InvalidInputError(f"input '{texts[0]}' is a string: a model is fed one tensor of numbers")
    return np.column_stack([table.numbers(column) for column in contract.inputs])


def read_table(path: Path, needed: Sequence[str], welcome: Sequence[str] = (), at_most: int | None = None) -> Table:
    """The needed columns and what is there of the welcome ones; all rows, or the first. MissingColumnError,
    InvalidInputError.
    """
    return next(read_tables(path, needed, welcome, at_most))


def read_tables(
    path: Path, needed: Sequence[str], welcome: Sequence[str] = (), rows: int | None = None
) -> Iterator[Table]:
    """The same in parts of so many rows at most, in their order, at least one; one part is in memory at a time."""
    with lines_of(path) as lines:
        header = next(lines, None)
        if header is None:
            raise InvalidInputError(f"{path} is not a CSV file with a header: it is empty")
        yield from tables_of(path, header, wanted_columns(path, header, needed, welcome), lines, rows)


def wanted_columns(
    where: Path | str, header: Sequence[str], needed: Sequence[str], welcome: Sequence[str]
) -> list[str]:
    """The needed columns, and those of the welcome ones that are there; MissingColumnError, InvalidInputError."""
    for name in needed:
        if name not in header:
            raise missing_column(where, header, name, "Add it, or correct the data contract of the version.")
    wanted = [name for name in dict.fromkeys((*needed, *welcome)) if name in header]
    for name in wanted:
        if header.count(name) > 1:
            raise InvalidInputError(f"{where} has more than one column '{name}'", "Give each column its own name.")
    return wanted


def tables_of(
    path: Path,
    header: Sequence[str],
    wanted: Sequence[str],
    lines: Iterator[list[str]],
    rows: int | None = None,
    before: int = 0,
) -> Iterator[Table]:
    """The lines of a file after its header and so many rows, in parts; InvalidInputError if the file has no rows."""
    table = _fill(path, header, wanted, islice(lines, rows), before)
    if not before + table.rows:
        raise InvalidInputError(f"{path} has a header but no rows")
    while table.rows:
        yield table
        table = _fill(path, header, wanted, islice(lines, rows), table.before + table.rows)


def missing_column(where: Path | str, header: Sequence[str], name: str, remedy: str) -> MissingColumnError:
    """The error that a file (or whatever it is) has no such column, with some of those that it has."""
    shown = [quote(found)[1:-1] for found in header[:_NAMED_AT_MOST]]
    more = [f"and {len(header) - _NAMED_AT_MOST} more"] if len(header) > _NAMED_AT_MOST else []
    return MissingColumnError(f"column '{name}' is missing in {where}; found: {', '.join(shown + more)}", remedy)


@contextmanager
def lines_of(path: Path, start: int = 0) -> Iterator[Iterator[list[str]]]:
    """The lines that are not blank, from a byte on at which one starts; InvalidInputError."""
    try:
        with path.open("rb") as raw, TextIOWrapper(raw, encoding="utf-8-sig", newline="") as file:
            raw.seek(start)
            yield (line for line in csv.reader(file, strict=True) if line)
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path} is not a CSV file with a header: {error}") from error


def _fill(
    path: Path, header: Sequence[str], wanted: Sequence[str], lines: Iterator[list[str]], before: int = 0
) -> Table:
    """A line may leave cells out at its end; one that holds more than the header names is refused."""
    places = [header.index(name) for name in wanted]
    cells: list[list[str]] = [[] for _ in wanted]
    rows = 0
    for rows, line in enumerate(lines, 1):
        if any(line[len(header) :]):
            raise InvalidInputError(
                f"row {before + rows} of {path} has {len(line)} cells, the header {len(header)}",
                "Write as many cells into every row as there are columns.",
            )
        for column, place in zip(cells, places, strict=True):
            column.append(line[place] if place < len(line) else "")
    return Table(path, tuple(header), dict(zip(wanted, cells, strict=True)), rows, before)
