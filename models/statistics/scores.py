"""Scores beside the outcomes that became known, counted by score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

LEAST_PROBABILITY = 1e-15
"""A score is not taken to be nearer to 0 or 1 than this, so that one sure mistake has no infinite log loss."""


MOST_SCORES = 100_000
"""Beyond so many different ones, scores are counted in `GRID` cells of equal width."""

GRID = 10_000


class Cell(NamedTuple):
    """The cases of one score, or of one bin of scores: how many with outcome 1 and 0, and the sum of their scores."""

    positives: int = 0
    negatives: int = 0
    total: float = 0.0

    @property
    def cases(self) -> int:
        """Of both outcomes."""
        return self.positives + self.negatives

    @property
    def gap(self) -> float:
        """How many more cases with outcome 1 the scores promised than there were."""
        return self.total - self.positives

    def plus(self, other: "Cell") -> "Cell":
        """Of both."""
        return Cell(self.positives + other.positives, self.negatives + other.negatives, self.total + other.total)


class Confusion(NamedTuple):
    """Cases by decision (selected or not) and outcome (1 or 0); of an estimate they are expected numbers."""

    true_positives: float = 0
    false_positives: float = 0
    false_negatives: float = 0
    true_negatives: float = 0

    def plus(self, other: "Confusion") -> "Confusion":
        """Of both."""
        return Confusion(*(one + another for one, another in zip(self, other, strict=True)))

    @property
    def cases(self) -> float:
        """All of them."""
        return sum(self)


@dataclass(frozen=True)
class Scores:
    """Labelled scores: cells by the least score in each, decisions, and sums of the squared distance and the log loss.

    `exact` if every cell is of one score alone; else figures that need the order of the scores state a bound.
    """

    cells: Mapping[float, Cell] = field(default_factory=dict)
    decisions: Confusion = field(default_factory=Confusion)
    squares: float = 0.0
    losses: float = 0.0
    exact: bool = True

    def __add__(self, other: "Scores") -> "Scores":
        """Of both: exact if both are, and if there are not too many scores."""
        if self.exact is not other.exact:
            return self.coarse() + other.coarse()
        cells = dict(self.cells)
        for score, cell in other.cells.items():
            cells[score] = cells.get(score, Cell()).plus(cell)
        both = Scores(
            cells=cells,
            decisions=self.decisions.plus(other.decisions),
            squares=self.squares + other.squares,
            losses=self.losses + other.losses,
            exact=self.exact,
        )
        return both.bounded()

    def bounded(self) -> "Scores":
        """The same, in cells of equal width if there are more than `MOST_SCORES`."""
        return self.coarse() if len(self.cells) > MOST_SCORES else self

    def coarse(self, grid: int = GRID) -> "Scores":
        """In so many cells of equal width from 0 to 1; the same if it is so already."""
        if not self.exact:
            return self
        cells: dict[float, Cell] = {}
        for score, cell in self.cells.items():
            key = min(int(score * grid), grid - 1) / grid
            cells[key] = cells.get(key, Cell()).plus(cell)
        return replace(self, cells=cells, exact=False)

    @property
    def whole(self) -> Cell:
        """All cases as one cell."""
        whole = Cell()
        for cell in self.cells.values():
            whole = whole.plus(cell)
        return whole

    def rising(self) -> Sequence[tuple[float, Cell]]:
        """The cells by their score."""
        return sorted(self.cells.items())
