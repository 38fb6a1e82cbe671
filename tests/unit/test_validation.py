"""What a version must show before it serves: rules that a wrong answer cannot pass."""

import json
from collections.abc import Sequence
from math import inf, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.answers import Asked, distance, misfits, read_answer
from models.inventory import Column, DataContract
from models.observations import percentile
from models.validation import Golden, Sample, Shown, Validation, validate

CONTRACT = DataContract(inputs=(Column(name="income"),), outputs=(Column(name="score"),), label="approved")
probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def answered(scores: Sequence[object], seconds: float = 0.001, **output: object) -> Asked:
    """An answer with these scores."""
    tensor = {"name": "score", "datatype": "FP32", "shape": [len(scores)], "data": list(scores), **output}
    return Asked(json.dumps({"outputs": [tensor]}).encode(), seconds)


def judged(shown: Shown, sample: Sample, **asks: object) -> tuple[dict[str, float], list[str]]:
    """The readings by name, and the failures."""
    readings, failures = validate(Validation.model_validate(asks), CONTRACT, sample, shown)
    return {one.name: one.value for one in readings}, failures


def two_rows(golden: Golden | None = None) -> Sample:
    """A sample of two rows."""
    return Sample(request="{}", rows=2, golden=golden)


def test_what_answers_as_it_must_passes() -> None:
    """Every reading is told, with the rows that it rests on."""
    golden = Golden(request="{}", scores=(0.2, 0.7), tolerance=1e-6)
    answers = [answered([0.2, 0.6])] * 3
    shown = Shown(answers, answered([0.2, 0.7]), (answered([0.3, 0.6]), answered([0.2, 0.4])))
    readings, failures = judged(shown, two_rows(golden))
    assert failures == []
    assert readings == {
        "latency_p95": pytest.approx(1.0),
        "golden_difference": 0,
        "agreement": 0.75,
        "score_difference": pytest.approx(0.3),
    }


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Asked(b"not JSON", 0.001), "is no prediction"),
        (Asked(b'{"outputs": []}', 0.001), "has no 'score'"),
        (answered([0.5]), "2 rows are answered with 1 values"),
        (answered([0.5, None]), "without a value of 'score'"),
        (answered([0.5, 1.5]), "the score 1.5, which is not a probability"),
        (answered([0.5, -0.1]), "not a probability"),
        (answered(["yes", "no"]), "not a probability"),
        (answered([0.5, 0.5], datatype="BYTES"), "'score' is BYTES, the schema says number"),
        (answered([0.5, 0.5], name="other"), "has no 'score'"),
    ],
)
def test_an_answer_that_does_not_fit_the_schema_fails(answer: Asked, said: str) -> None:
    """In form, in number of rows, in type, in range."""
    assert said in "; ".join(judged(Shown([answer]), two_rows())[1])


def test_a_number_without_a_name_of_its_own_is_the_score() -> None:
    """A class that is not answered is missed; probabilities are answered as the score."""
    outputs = (Column(name="probabilities"), Column(name="label", type="integer"))
    contract = CONTRACT.model_copy(update={"outputs": outputs})
    assert list(misfits(contract, read_answer(answered([0.1]).body), 1)) == ["the answer has no 'label'"]


@given(st.lists(st.floats(0.0001, 10), min_size=1, max_size=300))
def test_95_of_100_do_not_exceed_the_percentile(seconds: list[float]) -> None:
    """By its definition: at least 95 % are no greater, and of every smaller one fewer are."""
    value = percentile(seconds, 95)
    assert sum(one <= value for one in seconds) >= 0.95 * len(seconds)
    assert all(sum(one <= less for one in seconds) < 0.95 * len(seconds) for less in seconds if less < value)


def test_the_first_request_is_not_timed_and_the_budget_is() -> None:
    """What loads at first does not count; what is slow then does."""
    cold = [answered([0.5, 0.5], seconds=9.0), *[answered([0.5, 0.5], seconds=0.02)] * 20]
    readings, failures = judged(Shown(cold), two_rows(), latency_ms=50)
    assert failures == []
    assert readings["latency_p95"] == pytest.approx(20)
    failures = judged(Shown(cold), two_rows(), latency_ms=10)[1]
    assert failures == ["95 of 100 requests were answered within 20 ms, the budget is 10 ms"]


@given(probabilities, st.data(), st.floats(1e-6, 0.5))
def test_golden_predictions_hold_within_the_tolerance_alone(
    scores: list[float], data: st.DataObject, apart: float
) -> None:
    """One row further away than is allowed is enough, and none is too few."""
    row = data.draw(st.integers(0, len(scores) - 1))
    moved = [*scores]
    moved[row] = scores[row] + apart if scores[row] < 0.5 else scores[row] - apart
    golden = Golden(request="{}", scores=tuple(scores), tolerance=apart / 2)
    sample = Sample(request="{}", rows=len(scores), golden=golden)
    assert judged(Shown([answered(scores)], answered(scores)), sample)[1] == []
    assert "from its golden prediction" in judged(Shown([answered(scores)], answered(moved)), sample)[1][0]
    for wrong in (answered(scores[:-1]), answered([*scores, 0.5]), Asked(b"", 0)):
        assert "not answered with a score for each row" in judged(Shown([answered(scores)], wrong), sample)[1][0]


def test_golden_predictions_may_be_demanded() -> None:
    """A bundle without any is turned away where the environment asks for them."""
    shown = Shown([answered([0.5, 0.5])])
    assert judged(shown, two_rows())[1] == []
    assert judged(shown, two_rows(), golden=True)[1] == ["the bundle has no golden predictions to compare with"]


@given(probabilities, probabilities)
def test_agreement_is_a_share_and_distance_a_metric(these: list[float], those: list[float]) -> None:
    """Alike in both directions, 1 and 0 of oneself, nothing of answers that do not match row by row."""
    sample = Sample(request="{}", rows=len(these))
    readings = judged(Shown([answered(these)], None, (answered(those),)), sample)[0]
    if len(these) != len(those):
        assert "agreement" not in readings
        assert distance(these, those) == inf
        return
    back = judged(Shown([answered(those)], None, (answered(these),)), sample)[0]
    assert isclose(readings["agreement"], back["agreement"])
    assert 0 <= readings["agreement"] <= 1
    assert readings["score_difference"] == distance(these, those) == distance(those, these)
    itself = judged(Shown([answered(these)], None, (answered(these),)), sample)[0]
    assert (itself["agreement"], itself["score_difference"]) == (1, 0)


def test_a_stated_threshold_needs_the_champions_answer() -> None:
    """Too little agreement fails, and so does a champion that cannot be compared; without one nothing is asked."""
    answer, other = [answered([0.2, 0.6])], (answered([0.7, 0.6]),)
    assert judged(Shown(answer, None, other), two_rows(), agreement=0.5)[1] == []
    assert "50.0% of rows" in judged(Shown(answer, None, other), two_rows(), agreement=0.6)[1][0]
    assert "0.5 from the champion's" in judged(Shown(answer, None, other), two_rows(), difference=0.1)[1][0]
    assert "cannot be compared" in judged(Shown(answer, None, ()), two_rows(), agreement=0.1)[1][0]
    assert judged(Shown(answer, None, ()), two_rows())[1] == []
    assert judged(Shown(answer, None, None), two_rows(), agreement=1)[1] == []
