"""Golden predictions: what a version answered to real rows where it was made, to be answered alike wherever it runs."""

from collections.abc import Sequence
from math import fsum, isfinite

from models.canonical import Frozen

SCORE = "score"
"""The column of golden predictions that holds the answers, beside one column for each input."""


class Parity(Frozen):
    """Answers beside the golden ones: how many rows, how many of them are `unlike`, and how far they are apart.

    A row is unlike when it differs by more than the tolerance, or is no number. `largest` and `mean` are absolute
    differences over the rows that are numbers.
    """

    rows: int
    unlike: int
    largest: float
    mean: float
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether every row is answered alike; nothing is proved by no rows."""
        return self.rows > 0 and self.unlike == 0

    def __str__(self) -> str:
        apart = f"at most {self.largest:.2e} apart, {self.tolerance:.0e} is allowed"
        return f"{self.rows - self.unlike} of {self.rows} golden predictions are answered alike, {apart}"


def compare(golden: Sequence[float], answers: Sequence[float], tolerance: float) -> Parity:
    """Answers compared with golden ones, row by row; ValueError if there are more of one than of the other."""
    apart = [abs(one - other) for one, other in zip(golden, answers, strict=True)]
    known = [difference for difference in apart if isfinite(difference)]
    return Parity(
        rows=len(apart),
        unlike=len(apart) - sum(difference <= tolerance for difference in known),
        largest=max(known, default=0.0),
        mean=fsum(known) / len(known) if known else 0.0,
        tolerance=tolerance,
    )
