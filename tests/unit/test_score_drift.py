"""How far scores have drifted: bounded, the same in parts as in the whole, none if nothing has changed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.column_counters import count_answered, count_scores
from models.statistics.figures import Figure, Unmeasured
from models.statistics.score_counts import ScoreCounts
from models.statistics.score_drift import answers_of, score_drift

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=80)
EVEN = (np.arange(1_000) + 0.5) / 1_000


def counted(scores: list[float]) -> ScoreCounts:
    return count_answered(np.array(scores))


@given(before=SCORES, now=SCORES, cut=st.integers(0, 80))
def test_parts_of_a_window_give_what_the_whole_gives(before: list[float], now: list[float], cut: int) -> None:
    """A finite index, 0 or more and below 20, however the window comes; of the same scores it is 0."""
    whole = score_drift(counted(before), counted(now))
    parts = [counted(part) for part in (now[:cut], now[cut:]) if part]
    assert score_drift(counted(before), sum(parts, start=ScoreCounts())) == whole
    assert isinstance(whole, Figure)
    assert 0 <= whole.value < 20
    assert whole.cases == len(now)
    assert score_drift(counted(now), counted(now)) == Figure(0, len(now))


@given(SCORES, SCORES)
def test_cells_are_compared_with_cells(before: list[float], now: list[float]) -> None:
    """Where one side had too many different scores to keep each, the other is counted in the same way."""
    exact, coarse = counted(before), counted(now).coarse()
    assert score_drift(exact, coarse) == score_drift(exact.coarse(), coarse)


def test_all_answers_in_one_decile() -> None:
    """By hand: (1 - .1) ln(1 / .1), and nine empty bins with the floor of .0001."""
    found = score_drift(counted(EVEN.tolist()), counted([0.95] * 50))
    assert isinstance(found, Figure)
    assert found.value == pytest.approx(0.9 * np.log(10) + 9 * 0.0999 * np.log(1_000))


def test_labelled_scores_without_their_labels() -> None:
    """As many of each; of none there is no index."""
    labelled = count_scores(EVEN, (EVEN > 0.5).astype(float), 0.5)
    assert answers_of(labelled).counts == counted(EVEN.tolist()).counts
    assert score_drift(ScoreCounts(), counted([0.5])) is Unmeasured.EMPTY
    assert score_drift(counted([0.5]), ScoreCounts()) is Unmeasured.EMPTY
