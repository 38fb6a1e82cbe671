"""What a model answers to a window, beside what it answered to the data that it was trained on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.answer_counter import AnswerCounter, Scored, usual_answers
from activities.adapters.window_parts import Part, parts_of
from models.errors import InvalidInputError
from models.inventory import Column
from models.statistics.figures import Figure

SCORES = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=60)


def as_it_is(part: Part) -> np.ndarray:
    return part.numbers(Column(name="score"))


def usual(folder: Path, scores: Sequence[float], scored: Scored = as_it_is) -> AnswerCounter:
    """A counter whose training data were answered so."""
    file = folder / "training.csv"
    file.write_text("score\n" + "".join(f"{score!r}\n" for score in scores))
    return AnswerCounter(usual_answers(parts_of(file, ["score"]), scored))


@given(before=SCORES, now=SCORES, cut=st.integers(0, 60))
def test_parts_of_a_window_give_what_the_whole_gives(
    tmp_path_factory: pytest.TempPathFactory, before: list[float], now: list[float], cut: int
) -> None:
    """A finite index, 0 or more, however the window comes."""
    folder = tmp_path_factory.mktemp("answers")
    whole, parts = usual(folder, before), usual(folder, before)
    whole.add(np.array(now))
    for part in (now[:cut], now[cut:]):
        parts.add(np.array(part))
    assert whole.drift == parts.drift
    assert isinstance(whole.drift, Figure)
    assert 0 <= whole.drift.value < 20
    assert whole.drift.cases == len(now)


def test_other_answers_are_drift_and_the_same_are_none(tmp_path: Path) -> None:
    """All answers in one decile of ten: (1 - .1) ln(1 / .1) and nine empty bins with the floor of .0001."""
    scores = ((np.arange(1_000) + 0.5) / 1_000).tolist()
    same, other = usual(tmp_path, scores), usual(tmp_path, scores)
    same.add(np.array(scores))
    other.add(np.full(50, 0.95))
    assert isinstance(same.drift, Figure)
    assert isinstance(other.drift, Figure)
    assert same.drift.value == 0
    assert other.drift.value == pytest.approx(0.9 * np.log(10) + 9 * 0.0999 * np.log(1_000), rel=1e-6)


def test_what_is_not_there_says_why(tmp_path: Path) -> None:
    """Training data without answers, a window without rows."""

    def fails(part: Part) -> np.ndarray:
        raise InvalidInputError("it has no answer of the model in 'score'")

    blind = usual(tmp_path, [0.5], fails)
    blind.add(np.array([0.5]))
    assert blind.drift == "of the training data: it has no answer of the model in 'score'"
    assert usual(tmp_path, [0.5]).drift == "there are no rows"
