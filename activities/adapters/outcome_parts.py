"""The parts of a window, each with what became of its cases: it stands for what the window itself says of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from activities.adapters.csv_table import Values
from activities.adapters.window_parts import ROWS, Part
from models.inventory import Column, DataContract


@dataclass(frozen=True)
class MaturedPart:
    """Fits `Part`: the label, and the groups that the window does not tell itself, are of the outcomes."""

    part: Part
    outcomes: pa.Table
    label: str

    @property
    def where(self) -> str:
        """Where the rows are kept."""
        return self.part.where

    @property
    def header(self) -> Sequence[str]:
        """The window's columns and those of the outcomes."""
        return tuple(dict.fromkeys((*self.part.header, *self.outcomes.column_names)))

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.part.rows

    def numbers(self, column: Column) -> Values:
        """A column as numbers; of a label that is not known yet, what the window says."""
        if column.name != self.label:
            return self.part.numbers(column)
        known = np.asarray(self.outcomes[self.label].to_numpy(), dtype=float)
        if self.label not in self.part.header:
            return known
        return np.where(np.isnan(known), self.part.numbers(column), known)

    def texts(self, name: str) -> Sequence[str]:
        """A column as texts; a group that the outcomes do not tell is the window's."""
        if name == self.label or name not in self.outcomes.column_names:
            return self.part.texts(name)
        told: Sequence[str] = self.outcomes[name].to_pylist()
        if name not in self.part.header:
            return told
        return [one or other for one, other in zip(told, self.part.texts(name), strict=True)]


def with_outcomes(parts: Iterable[Part], known: Path | None, contract: DataContract) -> Iterator[Part]:
    """Parts of a window with as many rows of a file of outcomes as each has; as they are without such a file."""
    if known is None:
        yield from parts
        return
    with pq.ParquetFile(known, pre_buffer=False) as file:
        batches, rest = file.iter_batches(batch_size=ROWS), file.schema_arrow.empty_table()
        for part in parts:
            while rest.num_rows < part.rows and (batch := next(batches, None)) is not None:
                rest = pa.concat_tables([rest, pa.Table.from_batches([batch])])
            yield MaturedPart(part, rest.slice(0, part.rows).combine_chunks(), contract.label)
            rest = rest.slice(part.rows)
