"""What held-out data lets one expect of a window: how good scores and decisions are while nothing has changed.

Until outcomes are known, the performance of a window is estimated of its scores alone; once they are, it is compared
with what it was on the held-out data.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from models.statistics import estimation, performance
from models.statistics.calibration import Calibration, calibrate
from models.statistics.figures import Figure, Found, Result, Unmeasured, told
from models.statistics.score_counts import ScoreCounts
from models.statistics.score_drift import answers_of
from models.statistics.scores import Confusion, Scores

Results = Mapping[str, Result]

DECISIONS: Mapping[str, Callable[[Confusion], Result]] = {
    "accuracy": performance.accuracy,
    "precision": performance.precision,
    "recall": performance.recall,
    "f1": performance.f1,
}
"""How good decisions are, by name."""

SCORES: Mapping[str, Callable[[Scores], Result]] = {
    "auc": performance.area_under_curve,
    "brier": performance.brier,
    "log_loss": performance.log_loss,
    "calibration_error": performance.calibration_error,
    "calibration_error_equal_count": performance.calibration_error_equal_count,
}
"""How good scores are, by name."""

_WORSE = {
    "auc_fall": ("auc", -1),
    "accuracy_fall": ("accuracy", -1),
    "calibration_error_rise": ("calibration_error", 1),
}
"""Of which figure each reading tells that it is worse, and whether that means more of it (1) or less (-1)."""

ESTIMATED = ("auc", *DECISIONS)
"""What is estimated without outcomes."""

COMPARED = (*_WORSE, "concept_shift")
"""What is read of outcomes beside the held-out data."""


class Expectation(NamedTuple):
    """Of held-out data: the probability of outcome 1 that a score stands for, every figure by its name, its scores."""

    calibration: Calibration | Unmeasured
    figures: Results
    answered: ScoreCounts


def expect(held_out: Scores) -> Expectation:
    """What labelled scores of held-out data let one expect."""
    return Expectation(calibrate(held_out), figures_of(held_out), answers_of(held_out))


def figures_of(scores: Scores) -> Results:
    """Every figure of labelled scores, by its name."""
    return {
        **{name: figure(scores) for name, figure in SCORES.items()},
        **{name: figure(scores.decisions) for name, figure in DECISIONS.items()},
    }


def estimate(expectation: Expectation, answered: ScoreCounts, threshold: float) -> Found:
    """`auc`, `accuracy`, `precision`, `recall`, `f1` of a window as its scores alone promise them (CBPE).

    Each rests on all cases. It sees what changes in who is scored, and not what changes in how outcomes follow scores.
    """
    calibration = expectation.calibration
    if isinstance(calibration, Unmeasured):
        return dict.fromkeys(ESTIMATED, _held_out(calibration))
    if not answered.levels:
        return dict.fromkeys(ESTIMATED, Unmeasured.EMPTY.sentence)
    counts = answered.counts
    decisions = estimation.expected_decisions(counts, threshold, calibration)
    found = {
        "auc": estimation.expected_area(counts, calibration),
        **{name: figure(decisions) for name, figure in DECISIONS.items()},
    }
    cases = sum(counts.values())
    return {name: told(one._replace(cases=cases) if isinstance(one, Figure) else one) for name, one in found.items()}


def compare(expectation: Expectation, realised: Results, scores: Scores) -> Found:
    """How much worse a window is than the held-out data, by the outcomes that are known.

    `auc_fall`, `accuracy_fall`, `calibration_error_rise`: negative if it is better, resting on the smaller of both
    numbers of cases. `concept_shift`: how far outcomes are from what their scores used to mean.
    """
    worse = {name: _worse(expectation.figures[one], realised[one], sign) for name, (one, sign) in _WORSE.items()}
    calibration = expectation.calibration
    if isinstance(calibration, Unmeasured):
        return {**worse, "concept_shift": _held_out(calibration)}
    return {**worse, "concept_shift": told(estimation.concept_shift(scores, calibration))}


def shift_by_chance(expectation: Expectation, scores: Scores) -> float | None:
    """The concept shift that chance alone shows in the mean on these cases; None if it cannot be told."""
    if isinstance(expectation.calibration, Unmeasured):
        return None
    found = estimation.shift_by_chance(scores, expectation.calibration)
    return found.value if isinstance(found, Figure) else None


def _worse(held_out: Result, realised: Result, sign: int) -> Figure | str:
    if isinstance(held_out, Unmeasured):
        return _held_out(held_out)
    if isinstance(realised, Unmeasured):
        return realised.sentence
    less, more = (realised, held_out) if sign < 0 else (held_out, realised)
    cases = min(held_out.cases, realised.cases)
    return Figure(more.value - less.value, cases, above=more.above + less.below, below=more.below + less.above)


def _held_out(why: Unmeasured) -> str:
    return f"of the held-out data: {why.sentence}"
