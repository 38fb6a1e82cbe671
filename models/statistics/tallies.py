"""Columns, counted. Tallies of two parts of a window add up to the tally of the whole."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf, nextafter

from models.statistics.figures import Unmeasured


@dataclass(frozen=True)
class Moments:
    """Count, mean, sum of squared distances from the mean, least and greatest value."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    least: float = inf
    most: float = -inf

    def __add__(self, other: "Moments") -> "Moments":
        """Of both. Source: Chan, Golub and LeVeque 1983, The American Statistician 37(3)."""
        count = self.count + other.count
        if not count:
            return self
        apart, part = other.mean - self.mean, other.count / count
        return Moments(
            count=count,
            mean=self.mean + apart * part,
            squares=self.squares + other.squares + apart * apart * self.count * part,
            least=min(self.least, other.least),
            most=max(self.most, other.most),
        )

    @property
    def deviation(self) -> float:
        """The standard deviation of these values themselves (ddof 0); 0 of none."""
        return (self.squares / self.count) ** 0.5 if self.count else 0.0


@dataclass(frozen=True)
class Numbers:
    """A column of numbers over bins, each closed above, both ends open: `(-inf, e0], (e0, e1] ... (en, inf)`.

    `sums` are of the values in each bin. Missing values, NaN and infinite values are in no bin.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    sums: tuple[float, ...]
    moments: Moments = field(default_factory=Moments)
    missing: int = 0
    not_numbers: int = 0
    infinite: int = 0

    def __post_init__(self) -> None:
        if any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError("the edges of bins rise")
        if not len(self.counts) == len(self.sums) == len(self.edges) + 1:
            raise ValueError(f"{len(self.edges)} edges make {len(self.edges) + 1} bins")

    def __add__(self, other: "Numbers") -> "Numbers":
        """Of both; ValueError if they were not counted over the same bins."""
        if self.edges != other.edges:
            raise ValueError("tallies over different bins do not add up")
        return Numbers(
            edges=self.edges,
            counts=tuple(map(sum, zip(self.counts, other.counts, strict=True))),
            sums=tuple(map(sum, zip(self.sums, other.sums, strict=True))),
            moments=self.moments + other.moments,
            missing=self.missing + other.missing,
            not_numbers=self.not_numbers + other.not_numbers,
            infinite=self.infinite + other.infinite,
        )

    @property
    def known(self) -> int:
        """How many values are in a bin."""
        return self.moments.count

    @property
    def rows(self) -> int:
        """How many rows there were."""
        return self.known + self.missing + self.not_numbers + self.infinite

    @property
    def fault(self) -> Unmeasured | None:
        """Why nothing is to be said of the column; a missing value is no fault."""
        if not self.rows:
            return Unmeasured.EMPTY
        if self.not_numbers:
            return Unmeasured.NOT_NUMBERS
        return Unmeasured.INFINITE if self.infinite else None

    def within(self, edges: Sequence[float]) -> tuple[int, ...]:
        """The counts over fewer edges; ValueError if one of them is not an edge here."""
        chosen = set(edges)
        if not chosen <= set(self.edges):
            raise ValueError("bins can be put together, not cut")
        counts = [0]
        for count, edge in zip(self.counts, (*self.edges, inf), strict=True):
            counts[-1] += count
            if edge in chosen:
                counts.append(0)
        return tuple(counts)


MOST_CATEGORIES = 10_000


@dataclass(frozen=True)
class Categories:
    """A column of categories: how often each was there.

    If there are more than `MOST_CATEGORIES` different ones, none is counted by itself: all rows are `others`.
    """

    counts: Mapping[str, int]
    missing: int = 0
    others: int = 0

    def __add__(self, other: "Categories") -> "Categories":
        """Of both."""
        counts = Counter(self.counts)
        counts.update(other.counts)
        return Categories(dict(counts), self.missing + other.missing, self.others + other.others).bounded()

    def bounded(self) -> "Categories":
        """The same, with all as `others` if there are too many different ones."""
        if not self.others and len(self.counts) <= MOST_CATEGORIES:
            return self
        return Categories({}, self.missing, self.known)

    @property
    def known(self) -> int:
        """How many rows have a category."""
        return sum(self.counts.values()) + self.others

    @property
    def rows(self) -> int:
        """How many rows there were."""
        return self.known + self.missing

    @property
    def fault(self) -> Unmeasured | None:
        """Why nothing is to be said of the column; a missing value is no fault."""
        if self.others:
            return Unmeasured.TOO_MANY_VALUES
        return None if self.rows else Unmeasured.EMPTY


def edges_at(quantiles: Sequence[float]) -> tuple[float, ...]:
    """Edges at the quantiles of a reference, in rising order.

    A value that holds several quantiles is a bin of its own, so that a column of mostly one value is not blind.
    """
    times = Counter(quantiles)
    below = [nextafter(value, -inf) for value, held in times.items() if held > 1]
    return tuple(sorted({*times, *below}))


def side_by_side(reference: Categories, window: Categories) -> tuple[list[int], list[int]]:
    """The counts of both over all categories that either has, in the same order."""
    names = sorted({*reference.counts, *window.counts})
    return [reference.counts.get(name, 0) for name in names], [window.counts.get(name, 0) for name in names]
