"""Counts columns, batch by batch, into the tallies of `models.statistics`: memory does not grow with the rows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.statistics.scores import LEAST_PROBABILITY, Cell, Confusion, Scores
from models.statistics.tallies import Categories, Moments, Numbers, edges_at

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

DECILES = 10
FINE = 1_000
"""Bins of equal count over a reference: the finer ones bound what Kolmogorov-Smirnov and Wasserstein leave open."""

MOST_CATEGORIES = 10_000
MOST_SCORES = 100_000
GRID = 10_000


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


def count_categories(cells: Iterable[str | None], most: int = MOST_CATEGORIES) -> Categories:
    """A part of a column of texts; an empty one, or None, is missing. Of too many, some are not counted."""
    counts = Counter(cells)
    missing = counts.pop(None, 0) + counts.pop("", 0)
    kept = dict(counts.most_common(most)) if len(counts) > most else dict(counts)
    return Categories({str(name): count for name, count in kept.items()}, missing, full=len(counts) > most)


def count_scores(scores: Values, labels: Values, threshold: float) -> Scores:
    """Scores and outcomes of a part of a window; a case whose outcome is not known (NaN) does not count."""
    known = ~np.isnan(labels)
    scores, positive = scores[known], labels[known] == 1
    values, places = np.unique(scores, return_inverse=True)
    positives = np.bincount(places, weights=positive, minlength=values.size)
    cases = np.bincount(places, minlength=values.size)
    sure = np.clip(np.where(positive, scores, 1 - scores), LEAST_PROBABILITY, 1.0)
    cells = {
        score: Cell(int(those), int(of - those), score * int(of))
        for score, those, of in zip(values.tolist(), positives.tolist(), cases.tolist(), strict=True)
    }
    return Scores(
        cells=cells,
        decisions=count_decisions(scores >= threshold, positive),
        squares=float(np.sum((scores - positive) ** 2)),
        losses=float(-np.sum(np.log(sure))),
    ).bounded(MOST_SCORES, GRID)


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
