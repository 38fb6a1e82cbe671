"""How good scores and decisions are, by the outcomes that became known. Definitions are those of scikit-learn."""

from collections.abc import Sequence

from models.statistics.figures import Figure, Result, Unmeasured
from models.statistics.scores import Confusion, Scores

BINS = 10
"""Bins of a calibration error."""


def accuracy(decisions: Confusion) -> Result:
    """The share of cases whose outcome was as decided."""
    return share(decisions.true_positives + decisions.true_negatives, decisions.cases, Unmeasured.NO_LABELS)


def precision(decisions: Confusion) -> Result:
    """The share of the selected whose outcome was 1."""
    selected = decisions.true_positives + decisions.false_positives
    return share(decisions.true_positives, selected, Unmeasured.NONE_SELECTED)


def recall(decisions: Confusion) -> Result:
    """The share of those with outcome 1 who were selected: the true positive rate."""
    positives = decisions.true_positives + decisions.false_negatives
    return share(decisions.true_positives, positives, Unmeasured.ONE_CLASS)


def specificity(decisions: Confusion) -> Result:
    """The share of those with outcome 0 who were not selected: 1 less the false positive rate."""
    negatives = decisions.true_negatives + decisions.false_positives
    return share(decisions.true_negatives, negatives, Unmeasured.ONE_CLASS)


def f1(decisions: Confusion) -> Result:
    """The harmonic mean of precision and recall; 0 if nobody with outcome 1 was selected."""
    hits = 2 * decisions.true_positives
    return share(hits, hits + decisions.false_positives + decisions.false_negatives, Unmeasured.NONE_SELECTED)


def area_under_curve(scores: Scores) -> Result:
    """Area under the receiver operating characteristic: how often a case with outcome 1 has the higher score.

    Equal scores count half. Of scores in bins, so do the pairs within a bin: `above` and `below` are half their share.
    Source: Hanley and McNeil 1982, Radiology 143(1).
    """
    whole = scores.whole
    if not whole.cases:
        return Unmeasured.NO_LABELS
    pairs = whole.positives * whole.negatives
    if not pairs:
        return Unmeasured.ONE_CLASS
    lower = won = level = 0
    for _, cell in scores.rising():
        won += cell.positives * lower
        level += cell.positives * cell.negatives
        lower += cell.negatives
    unsure = 0.0 if scores.exact else level / (2 * pairs)
    return Figure((2 * won + level) / (2 * pairs), whole.cases, above=unsure, below=unsure)


def brier(scores: Scores) -> Result:
    """Mean squared distance of the score from the outcome. Source: Brier 1950, Monthly Weather Review 78(1)."""
    return share(scores.squares, scores.whole.cases, Unmeasured.NO_LABELS)


def log_loss(scores: Scores) -> Result:
    """Mean negative logarithm of the probability given to the outcome, in nats; scores are kept 1e-15 from 0 and 1."""
    return share(scores.losses, scores.whole.cases, Unmeasured.NO_LABELS)


def calibration_error(scores: Scores) -> Result:
    """Expected calibration error over ten bins of equal width, closed below, weighted by the cases in each.

    Source: Naeini, Cooper and Hauskrecht 2015, AAAI 29.
    """
    gaps = [0.0] * BINS
    for score, cell in scores.cells.items():
        gaps[min(max(int(score * BINS), 0), BINS - 1)] += cell.gap
    return _mean_of(gaps, scores)


def calibration_error_equal_count(scores: Scores) -> Result:
    """Expected calibration error over ten bins of as many cases each, in the order of their scores.

    Cases of one score that lie in two bins are divided in the proportion of their outcomes, so that the order of rows
    does not matter. Source: Nixon and others 2019, CVPR Workshops (their adaptive calibration error).
    """
    gaps, size = [0.0] * BINS, scores.whole.cases / BINS
    before = 0
    for _, cell in scores.rising():
        for place in range(int(before / size), min(int((before + cell.cases) / size), BINS - 1) + 1):
            inside = min(before + cell.cases, (place + 1) * size) - max(before, place * size)
            gaps[place] += cell.gap * inside / cell.cases
        before += cell.cases
    return _mean_of(gaps, scores)


def share(part: float, whole: float, otherwise: Unmeasured) -> Result:
    """A part of a whole number of cases; the reason why there is none if there are no cases."""
    return Figure(part / whole, round(whole)) if whole else otherwise


def _mean_of(gaps: Sequence[float], scores: Scores) -> Result:
    return share(sum(map(abs, gaps)), scores.whole.cases, Unmeasured.NO_LABELS)
