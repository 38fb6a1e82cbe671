"""How far scores have drifted, whether or not outcomes are known."""

from bisect import bisect_left
from collections.abc import Mapping

from models.statistics.distance import stability
from models.statistics.figures import Result, Unmeasured
from models.statistics.score_counts import Level, ScoreCounts
from models.statistics.scores import Scores

DECILES = 10


def answers_of(scores: Scores) -> ScoreCounts:
    """Labelled scores without their labels."""
    return ScoreCounts({score: Level(cell.cases, cell.total) for score, cell in scores.cells.items()}, scores.exact)


def score_drift(before: ScoreCounts, now: ScoreCounts) -> Result:
    """Population stability index of scores over ten bins, at the deciles of those before, with open ends.

    Where one side is counted in cells, both are. A score that many cases have makes a bin of more than a tenth.
    """
    if before.exact is not now.exact:
        before, now = before.coarse(), now.coarse()
    if not before.levels:
        return Unmeasured.EMPTY
    edges = _edges(before.levels)
    return stability(_binned(before.levels, edges), _binned(now.levels, edges))


def _edges(levels: Mapping[float, Level]) -> list[float]:
    """The least scores with at least one tenth, two tenths and so on of the cases at or below them."""
    wanted = sum(level.cases for level in levels.values())
    edges, seen, share = list[float](), 0, 1
    for score, level in sorted(levels.items()):
        seen += level.cases
        if share < DECILES and seen * DECILES >= share * wanted:
            edges.append(score)
            share = seen * DECILES // wanted + 1
    return edges


def _binned(levels: Mapping[float, Level], edges: list[float]) -> list[int]:
    """Each bin closed above."""
    counts = [0] * (len(edges) + 1)
    for score, level in levels.items():
        counts[bisect_left(edges, score)] += level.cases
    return counts
