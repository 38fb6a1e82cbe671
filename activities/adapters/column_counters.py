"""Counts columns, batch by batch, into the tallies of `models.statistics`: memory does not grow with the rows."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activities.adapters.window_parts import Part
from models.inventory import Column
from models.statistics.score_counts import Level, ScoreCounts
from models.statistics.scores import GRID, LEAST_PROBABILITY, Cell, Confusion, Scores
from models.statistics.tallies import Categories, Moments, Numbers, edges_at
from models.window import add_columns

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

DECILES = 10
FINE = 1_000
"""Bins of equal count over a reference: the finer ones bound what Kolmogorov-Smirnov and Wasserstein leave open."""


SAMPLE = 1_000_000
"""Rows of a reference that its edges are made of: all of them, or those that a hash of their number chooses."""


@dataclass(frozen=True)
class Reference:
    """The tallies of a reference's columns, the edges that they were counted over, and the deciles among those."""

    columns: Mapping[str, Numbers | Categories]
    edges: Mapping[str, Sequence[float]]
    deciles: Mapping[str, Sequence[float]]


def count_reference(parts: Callable[[], Iterable[Part]], columns: Sequence[Column]) -> Reference:
    """Two passes over a reference: one for the edges of its columns of numbers, one to count over them.

    Memory holds one part and the sample. Errors: InvalidInputError.
    """
    plain = [column for column in columns if column.type != "string"]
    sample = Sample(len(plain))
    for part in parts() if plain else ():
        sample.add(np.column_stack([part.numbers(column) for column in plain]))
    values = sample.values
    edges = {column.name: edges_of(values[:, place], FINE) for place, column in enumerate(plain)}
    deciles = {column.name: edges_of(values[:, place], DECILES) for place, column in enumerate(plain)}
    counted: Mapping[str, Numbers | Categories] = {}
    for part in parts():
        counted = add_columns(counted, count_columns(part, columns, edges))
    return Reference(counted, edges, deciles)


def count_columns(
    part: Part, columns: Sequence[Column], edges: Mapping[str, Sequence[float]]
) -> Mapping[str, Numbers | Categories]:
    """Tallies of some rows: texts as categories, everything else as numbers; InvalidInputError."""
    return {
        column.name: count_categories(part.texts(column.name))
        if column.type == "string"
        else count_numbers(part.numbers(column), edges[column.name])
        for column in columns
    }


class Sample:
    """Rows of numbers, all of them or, beyond `SAMPLE`, those whose number a hash chooses: the same ones every time."""

    def __init__(self, width: int) -> None:
        self._kept = [np.empty((0, width))]
        self._hashes = [np.empty(0, dtype=np.uint64)]
        self._seen = self._size = 0
        self._below = np.uint64(2**64 - 1)

    def add(self, rows: Values) -> None:
        """More rows."""
        hashes = scrambled(np.arange(self._seen, self._seen + len(rows), dtype=np.uint64))
        self._seen += len(rows)
        chosen = hashes <= self._below
        self._kept.append(rows[chosen])
        self._hashes.append(hashes[chosen])
        self._size += int(chosen.sum())
        while self._size > SAMPLE:
            self._below //= np.uint64(2)
            self._halve()

    @property
    def values(self) -> Values:
        """Shape [rows, columns]."""
        return np.concatenate(self._kept)

    def _halve(self) -> None:
        chosen = [hashes <= self._below for hashes in self._hashes]
        self._kept = [rows[some] for rows, some in zip(self._kept, chosen, strict=True)]
        self._hashes = [hashes[some] for hashes, some in zip(self._hashes, chosen, strict=True)]
        self._size = sum(map(len, self._hashes))


def edges_of(reference: Values, bins: int) -> tuple[float, ...]:
    """Edges of bins with as many known values of a reference each; of more bins, those of fewer are among them."""
    known = reference[np.isfinite(reference)]
    return edges_at(np.quantile(known, np.arange(1, bins) / bins).tolist()) if known.size else ()


def count_numbers(values: Values, edges: Sequence[float], missing: Mask | None = None) -> Numbers:
    """A part of a column. `missing` says which values are not there; NaN is missing if it is left out."""
    absent = np.isnan(values) if missing is None else missing
    there = values[~absent]
    known = there[np.isfinite(there)]
    bins = np.searchsorted(np.asarray(edges, dtype=float), known)
    return Numbers(
        edges=tuple(edges),
        counts=tuple(np.bincount(bins, minlength=len(edges) + 1).tolist()),
        sums=tuple(np.bincount(bins, weights=known, minlength=len(edges) + 1).tolist()),
        moments=_moments(known),
        missing=int(absent.sum()),
        not_numbers=int(np.isnan(there).sum()),
        infinite=int(np.isinf(there).sum()),
    )


def count_categories(cells: Iterable[str]) -> Categories:
    """A part of a column of texts; an empty one is missing."""
    counts = Counter(cells)
    missing = counts.pop("", 0)
    return Categories(dict(counts), missing).bounded()


def count_scores(scores: Values, labels: Values, threshold: float, exact: bool = True) -> Scores:
    """Scores and outcomes of a part of a window; a case whose outcome is not known (NaN) does not count.

    What is added to scores that are not exact any more need not be: that takes a fraction of the time.
    """
    known = ~np.isnan(labels)
    scores, positive = scores[known], labels[known] == 1
    keys, places, cases, totals = _levels(scores, exact)
    positives = np.bincount(places, weights=positive, minlength=keys.size)
    sure = np.clip(np.where(positive, scores, 1 - scores), LEAST_PROBABILITY, 1.0)
    cells = {
        score: Cell(int(those), int(of - those), total)
        for score, those, of, total in zip(
            keys.tolist(), positives.tolist(), cases.tolist(), totals.tolist(), strict=True
        )
    }
    return Scores(
        cells=cells,
        decisions=count_decisions(scores >= threshold, positive),
        squares=float(np.sum((scores - positive) ** 2)),
        losses=float(-np.sum(np.log(sure))),
        exact=exact,
    ).bounded()


def count_answered(scores: Values, exact: bool = True) -> ScoreCounts:
    """The scores of a part of a window, whether or not outcomes are known; `exact` as in `count_scores`."""
    keys, _, cases, totals = _levels(scores, exact)
    levels = zip(keys.tolist(), cases.tolist(), totals.tolist(), strict=True)
    return ScoreCounts({score: Level(count, total) for score, count, total in levels}, exact).bounded()


def _levels(scores: Values, exact: bool) -> tuple[Values, NDArray[np.intp], NDArray[np.intp], Values]:
    """Scores, or cells of `GRID` by the least score in each; who is in which, how many are in each, and their sums."""
    cells = scores if exact else np.minimum((scores * GRID).astype(np.int64), GRID - 1) / GRID
    keys, places = np.unique(cells, return_inverse=True)
    cases = np.bincount(places, minlength=keys.size)
    totals: Values = keys * cases
    return keys, places, cases, totals if exact else np.bincount(places, scores, keys.size).astype(float)


def count_decisions(selected: Mask, positive: Mask) -> Confusion:
    """Cases by decision and outcome."""
    return Confusion(
        true_positives=int(np.sum(selected & positive)),
        false_positives=int(np.sum(selected & ~positive)),
        false_negatives=int(np.sum(~selected & positive)),
        true_negatives=int(np.sum(~selected & ~positive)),
    )


def count_groups(groups: Sequence[str], selected: Mask, positive: Mask) -> Mapping[str, Confusion]:
    """Decisions and outcomes of every group; who has no recorded group is in none."""
    names = np.array(groups, dtype=object)
    there = sorted({name for name in groups if name})
    return {name: count_decisions(selected[names == name], positive[names == name]) for name in there}


def scrambled(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers that look like chance, the same for the same. Source: Steele, Lea and Flood 2014, OOPSLA (SplitMix)."""
    mixed = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _moments(known: Values) -> Moments:
    if not known.size:
        return Moments()
    mean = float(known.mean())
    return Moments(
        count=known.size,
        mean=mean,
        squares=float(np.sum((known - mean) ** 2)),
        least=float(known.min()),
        most=float(known.max()),
    )
