"""What performance must be if outcomes follow scores as they did: an estimate until the outcomes become known.

Confidence-based performance estimation on calibrated probabilities: with the probability p of outcome 1, a case counts
as p cases with outcome 1 and 1 - p with outcome 0. It does not see concept drift, by which outcomes follow scores in
another way: so it stands beside the realised figures as soon as they are there, and `concept_shift` is the difference.
Source: Kivimäki, Białek, Kuberski and Nurminen 2025, Performance Estimation in Binary Classification Using Calibrated
Confidence.
"""

from collections.abc import Iterable, Mapping
from math import pi, sqrt

from models.statistics.calibration import Calibration
from models.statistics.figures import Figure, Result, Unmeasured
from models.statistics.performance import BINS, share
from models.statistics.scores import Confusion, Scores


def expected_decisions(scores: Mapping[float, int], threshold: float, calibration: Calibration) -> Confusion:
    """The expected numbers of right and wrong decisions. `scores` says how many cases each score has."""
    selected = [(calibration(score), cases) for score, cases in scores.items() if score >= threshold]
    others = [(calibration(score), cases) for score, cases in scores.items() if score < threshold]
    hits, misses = _positives(selected), _positives(others)
    return Confusion(
        true_positives=hits,
        false_positives=sum(cases for _, cases in selected) - hits,
        false_negatives=misses,
        true_negatives=sum(cases for _, cases in others) - misses,
    )


def expected_area(scores: Mapping[float, int], calibration: Calibration) -> Result:
    """The expected area under the receiver operating characteristic, equal scores half: a ratio of expectations."""
    lower = won = 0.0
    positives = 0.0
    for score, cases in sorted(scores.items()):
        probability = calibration(score)
        hits, alarms = probability * cases, (1 - probability) * cases
        won += hits * (lower + alarms / 2)
        lower += alarms
        positives += hits
    if not scores:
        return Unmeasured.EMPTY
    pairs = positives * lower
    return Figure(min(won / pairs, 1.0), sum(scores.values())) if pairs else Unmeasured.ONE_CLASS


def concept_shift(scores: Scores, calibration: Calibration) -> Result:
    """How far outcomes are from what their scores used to mean, in probability, from 0 to 1; 0 is no concept drift.

    The calibration error of the reference's probabilities, over ten bins of them of equal width.
    """
    gaps = [0.0] * BINS
    for cell in scores.cells.values():
        probability = calibration(cell.total / cell.cases)
        gaps[_bin(probability)] += probability * cell.cases - cell.positives
    return share(sum(map(abs, gaps)), scores.whole.cases, Unmeasured.NO_LABELS)


def shift_by_chance(scores: Scores, calibration: Calibration) -> Result:
    """The concept shift that chance alone shows in the mean when nothing has changed: of half-normal gaps."""
    spreads = [0.0] * BINS
    for cell in scores.cells.values():
        probability = calibration(cell.total / cell.cases)
        spreads[_bin(probability)] += probability * (1 - probability) * cell.cases
    return share(sqrt(2 / pi) * sum(map(sqrt, spreads)), scores.whole.cases, Unmeasured.NO_LABELS)


def _bin(probability: float) -> int:
    return min(int(probability * BINS), BINS - 1)


def _positives(cases: Iterable[tuple[float, int]]) -> float:
    return sum(probability * count for probability, count in cases)
