"""How a model's answers to a window are spread, beside those to the data that it was trained on."""

from collections.abc import Callable, Iterable

from activities.adapters.column_counters import DECILES, Sample, Values, count_numbers, edges_of
from activities.adapters.window_parts import Part
from models.errors import InvalidInputError
from models.statistics.distance import stability
from models.statistics.figures import Figure, Unmeasured
from models.statistics.tallies import Numbers

Scored = Callable[[Part], Values]
"""The probability of the favourable outcome, one per row; InvalidInputError."""


def usual_answers(parts: Iterable[Part], scored: Scored) -> Numbers | str:
    """The answers to reference data over their own deciles, or why there are none; it holds one part and a sample."""
    sample = Sample(1)
    try:
        for part in parts:
            sample.add(scored(part)[:, None])
    except InvalidInputError as error:
        return f"of the training data: {error}"
    answers = sample.values[:, 0]
    return count_numbers(answers, edges_of(answers, DECILES))


class AnswerCounter:
    """Counts a window's answers, part by part, over the bins of the usual ones."""

    def __init__(self, usual: Numbers | str) -> None:
        self._usual = usual
        self._now: Numbers | None = None

    def add(self, scores: Values) -> None:
        """The answers to one more part."""
        if isinstance(self._usual, Numbers):
            counted = count_numbers(scores, self._usual.edges)
            self._now = self._now + counted if self._now else counted

    @property
    def drift(self) -> Figure | str:
        """The population stability index of the answers, or why it is not there."""
        if isinstance(self._usual, str):
            return self._usual
        if self._now is None:
            return Unmeasured.EMPTY.sentence
        found = stability(self._usual.counts, self._now.counts)
        return found if isinstance(found, Figure) else found.sentence
