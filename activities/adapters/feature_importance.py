"""How much a model's score hangs on each input: by how much it changes if the input is exchanged among rows.

No outcome is needed. What it costs does not grow with the rows: a sample of them is scored anew, once for each input.
Rows are chosen by a hash of their values, so that neither their order nor how they were read matters, and the same
data gives the same figures. Sources: Breiman 2001, Machine Learning 45(1), whose loss is here the change of the score;
for the choice of rows: Bar-Yossef, Jayram, Kumar, Sivakumar and Trevisan 2002, RANDOM.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activities.adapters.column_counters import Values, scrambled
from activities.adapters.window_parts import Part
from models.inventory import Column

ROWS = 1_000
"""Different rows of a sample, at most."""

SCORED = 100_000
"""Rows that are scored for all inputs of a model, at most: of many inputs the sample is smaller."""

_CELLS = 4_000_000
_SEED = 20_260_301
_NOTHING = 1e-6
"""A model answers in 32-bit floats: a mean change smaller than this is none."""

Cells = NDArray[np.float64] | NDArray[np.object_]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Columns:
    """Rows in memory; they fit `Part`."""

    cells: Mapping[str, Cells]
    rows: int
    where: str = "rows with exchanged inputs"

    @property
    def header(self) -> Sequence[str]:
        """The names of the columns."""
        return tuple(self.cells)

    def numbers(self, column: Column) -> Values:
        """A column as numbers, missing ones NaN."""
        return self.cells[column.name].astype(float)

    def texts(self, name: str) -> Sequence[str]:
        """A column as texts, missing ones empty."""
        return [str(cell) for cell in self.cells[name]]


class RowSample:
    """Of all different rows those with the smallest hashes, each with how often it was there."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._limit = min(ROWS, SCORED // (len(columns) + 1))
        self._hashes: Hashes = np.empty(0, dtype=np.uint64)
        self._times: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._cells: Mapping[str, Cells] = {
            column.name: np.empty(0, dtype=object if column.type == "string" else float) for column in columns
        }

    def add(self, part: Part) -> None:
        """More rows; InvalidInputError."""
        cells = {column.name: cells_of(part, column) for column in self._columns}
        hashes, places, times = np.unique(_hashes(list(cells.values())), return_index=True, return_counts=True)
        chosen = slice(self._limit)
        some = {name: column[places[chosen]] for name, column in cells.items()}
        self._merge(hashes[chosen], times[chosen].astype(np.int64), some)

    def rows(self) -> Columns:
        """As many rows as there are, or a sample of them; the same for the same data."""
        if self._times.sum() <= self._limit:
            places = np.repeat(np.arange(self._times.size), self._times)
        else:
            shares = self._times / self._times.sum()
            places = np.random.default_rng(_SEED).choice(self._times.size, self._limit, p=shares)
        return Columns({name: column[places] for name, column in self._cells.items()}, places.size)

    def _merge(self, hashes: Hashes, times: NDArray[np.int64], cells: Mapping[str, Cells]) -> None:
        both = np.concatenate([self._hashes, hashes])
        self._hashes, places, whose = np.unique(both, return_index=True, return_inverse=True)
        weights = np.concatenate([self._times, times])
        self._times = np.bincount(whose, weights).astype(np.int64)[: self._limit]
        self._hashes, places = self._hashes[: self._limit], places[: self._limit]
        self._cells = {name: np.concatenate([self._cells[name], some])[places] for name, some in cells.items()}


def importances(rows: Columns, score: Callable[[Part], Values]) -> Mapping[str, float]:
    """By how much the score changes in the mean (0 to 1) if an input is exchanged among the rows, of each input.

    InvalidInputError if the model cannot answer.
    """
    random = np.random.default_rng(_SEED)
    copies = [("", np.arange(rows.rows)), *((name, random.permutation(rows.rows)) for name in rows.cells)]
    together = max(1, _CELLS // max(1, rows.rows * len(rows.cells)))
    answers = [
        some
        for start in range(0, len(copies), together)
        for some in _answers(rows, copies[start : start + together], score)
    ]
    changes = [float(np.abs(other - answers[0]).mean()) for other in answers[1:]]
    return {name: change if change > _NOTHING else 0.0 for name, change in zip(rows.cells, changes, strict=True)}


def cells_of(part: Part, column: Column) -> Cells:
    """A column as a model reads it: texts, or numbers."""
    return np.array(part.texts(column.name), dtype=object) if column.type == "string" else part.numbers(column)


def _answers(
    rows: Columns, copies: Sequence[tuple[str, NDArray[np.int64]]], score: Callable[[Part], Values]
) -> Sequence[Values]:
    """What is answered to copies of all rows, each with one input in another order."""
    cells = {
        name: np.concatenate([column[order] if exchanged == name else column for exchanged, order in copies])
        for name, column in rows.cells.items()
    }
    return np.split(score(Columns(cells, rows.rows * len(copies))), len(copies))


def _hashes(columns: Sequence[Cells]) -> Hashes:
    """One for each row, of all its values."""
    found = np.zeros(columns[0].size, dtype=np.uint64)
    for column in columns:
        found = scrambled(found ^ (_text_hashes(column) if column.dtype == object else _number_hashes(column)))
    return found


def _number_hashes(column: Cells) -> Hashes:
    """Both zeros are one value, and so are all NaN."""
    plain = np.where(np.isnan(column.astype(float)), np.nan, column.astype(float) + 0.0)
    return scrambled(plain.view(np.uint64))


def _text_hashes(column: Cells) -> Hashes:
    known = {text: _hash(text) for text in dict.fromkeys(column.tolist())}
    return np.fromiter((known[text] for text in column.tolist()), dtype=np.uint64, count=column.size)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
