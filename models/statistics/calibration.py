"""Probabilities from scores: isotonic calibration on cases whose outcome is known."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from models.statistics.figures import Unmeasured
from models.statistics.scores import Cell, Scores


@dataclass(frozen=True)
class Calibration:
    """A function that never falls, from a score to the probability of outcome 1: straight between rising knots, level
    beyond them.
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def __call__(self, score: float) -> float:
        """The probability of outcome 1."""
        place = bisect_right(self.scores, score)
        if place in (0, len(self.scores)):
            return self.probabilities[min(place, len(self.scores) - 1)]
        low, high = self.scores[place - 1], self.scores[place]
        first, second = self.probabilities[place - 1], self.probabilities[place]
        return first + (second - first) * (score - low) / (high - low)


def calibrate(scores: Scores) -> Calibration | Unmeasured:
    """The rising step function nearest to the outcomes by squared distance: adjacent violators are pooled.

    A pool has the mean score of a cell at each of its ends. Sources: Barlow, Bartholomew, Bremner and Brunk 1972,
    Statistical Inference under Order Restrictions; Zadrozny and Elkan 2002, KDD.
    """
    whole = scores.whole
    if not whole.cases:
        return Unmeasured.NO_LABELS
    if not (whole.positives and whole.negatives):
        return Unmeasured.ONE_CLASS
    knots: dict[float, float] = {}
    for pool in _pools([cell for _, cell in scores.rising()]):
        for end in (pool.first, pool.last):
            knots.setdefault(end, pool.cell.positives / pool.cell.cases)
    return Calibration(tuple(knots), tuple(knots.values()))


@dataclass(frozen=True)
class _Pool:
    cell: Cell
    first: float
    last: float

    def over(self, other: "_Pool") -> bool:
        ours, theirs = self.cell, other.cell
        return ours.positives * theirs.cases >= theirs.positives * ours.cases


def _pools(cells: Sequence[Cell]) -> Sequence[_Pool]:
    pools: list[_Pool] = []
    for cell in cells:
        mean = cell.total / cell.cases
        pool = _Pool(cell, mean, mean)
        while pools and pools[-1].over(pool):
            before = pools.pop()
            pool = _Pool(before.cell.plus(pool.cell), before.first, pool.last)
        pools.append(pool)
    return pools
