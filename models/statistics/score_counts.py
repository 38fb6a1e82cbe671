"""How many cases have each score, whether or not their outcome is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from models.statistics.scores import GRID, MOST_SCORES


class Level(NamedTuple):
    """The cases of one score, or of one cell of scores, and the sum of their scores."""

    cases: int = 0
    total: float = 0.0

    def plus(self, other: "Level") -> "Level":
        """Of both."""
        return Level(self.cases + other.cases, self.total + other.total)


@dataclass(frozen=True)
class ScoreCounts:
    """Levels by the least score in each; `exact` if every level is of one score alone."""

    levels: Mapping[float, Level] = field(default_factory=dict)
    exact: bool = True

    def __add__(self, other: "ScoreCounts") -> "ScoreCounts":
        """Of both: exact if both are, and if there are not too many scores."""
        if self.exact is not other.exact:
            return self.coarse() + other.coarse()
        levels = dict(self.levels)
        for score, level in other.levels.items():
            levels[score] = levels.get(score, Level()).plus(level)
        return ScoreCounts(levels, self.exact).bounded()

    def bounded(self) -> "ScoreCounts":
        """The same, in cells of equal width if there are more than `MOST_SCORES`."""
        return self.coarse() if len(self.levels) > MOST_SCORES else self

    def coarse(self, grid: int = GRID) -> "ScoreCounts":
        """In so many cells of equal width from 0 to 1; the same if it is so already."""
        if not self.exact:
            return self
        levels: dict[float, Level] = {}
        for score, level in self.levels.items():
            key = min(int(score * grid), grid - 1) / grid
            levels[key] = levels.get(key, Level()).plus(level)
        return ScoreCounts(levels, exact=False)

    @property
    def counts(self) -> Mapping[float, int]:
        """How many cases have each score; those of a cell all have its mean."""
        if self.exact:
            return {score: level.cases for score, level in self.levels.items()}
        return {level.total / level.cases: level.cases for level in self.levels.values()}
