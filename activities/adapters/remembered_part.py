"""Rows whose columns are read once, however often they are asked for: of a text file, that is what takes long."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from activities.adapters.csv_table import Values
from activities.adapters.window_parts import Part
from models.inventory import Column


@dataclass(frozen=True)
class RememberedPart:
    """Fits `Part`; whoever is given a column must not change it."""

    part: Part
    _numbers: dict[Column, Values] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """Where the rows are kept."""
        return self.part.where

    @property
    def header(self) -> Sequence[str]:
        """The columns that are there."""
        return self.part.header

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.part.rows

    def numbers(self, column: Column) -> Values:
        """A column as numbers, missing ones NaN; InvalidInputError."""
        if column not in self._numbers:
            self._numbers[column] = self.part.numbers(column)
        return self._numbers[column]

    def texts(self, name: str) -> Sequence[str]:
        """A column as texts, missing ones empty."""
        return self.part.texts(name)
