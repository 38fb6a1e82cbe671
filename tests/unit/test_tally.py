"""What both versions answered, joined with what became of the cases."""

from datetime import UTC, datetime, timedelta
from math import log
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.inventory import Column, DataContract, Protected
from models.observations import Observations
from models.tally import Case, Outcome, Side, Tally, observe, sums_of
from models.traffic import Answer

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
CONTRACT = DataContract(
    inputs=(Column(name="income"),),
    outputs=(Column(name="score"),),
    label="approved",
    protected=(Protected(column="sex", reference="male"),),
)


def said(unit: str, score: float = 0.9, **more: Any) -> Answer:
    """An answer to one row, selected from one half on."""
    fields = {"rows": 1, "scores": (score,), "labels": (int(score >= 0.5),), "microseconds": 1000, **more}
    return Answer(at=NOW, unit=unit, version=1, **fields)


def failed(unit: str, **more: Any) -> Answer:
    """A request that was not answered."""
    return Answer(at=NOW, unit=unit, version=1, microseconds=5, error="boom", **more)


def tally(*answers: Answer) -> Tally:
    """All of them, in their order."""
    counted = Tally()
    for answer in answers:
        counted.add(answer)
    return counted


def seen(champion: Tally, challenger: Tally, outcomes: dict[str, Outcome] | None = None) -> Observations:
    """Both, since an hour."""
    ours, theirs = side(champion, outcomes or {}), side(challenger, outcomes or {})
    return observe(ours, theirs, CONTRACT, NOW - timedelta(hours=1), NOW)


def side(counted: Tally, outcomes: dict[str, Outcome]) -> Side:
    """A version with the cases whose outcomes are known."""
    known = ((case, outcomes[unit]) for unit, case in counted.cases.items() if unit in outcomes)
    return Side(counted.counts, sums_of(known))


def test_a_unit_counts_once_by_its_last_answer() -> None:
    """A customer who asks three times is one case, whatever was said to them before."""
    both = tally(said("a", 0.1), said("a", 0.2), said("a", 0.8), said("b", 0.9))
    found = seen(both, both, {"a": Outcome(label=1), "b": Outcome(label=0)})
    assert found.measures["accuracy"].champion.value == 0.5
    assert found.measures["accuracy"].champion.count == 2
    assert found.measures["brier"].challenger.value == pytest.approx((0.2**2 + 0.9**2) / 2)
    assert (found.champion_requests, found.challenger_requests) == (4, 4)


def test_a_case_without_its_outcome_counts_as_a_request_alone() -> None:
    """What is not known yet is no case, and its group counts all the same."""
    both = tally(said("a"), said("b"), said("c"))
    found = seen(both, both, {"a": Outcome(label=1), "b": Outcome(groups={"sex": "male"})})
    assert found.measures["accuracy"].champion.count == 1
    assert found.challenger_requests == 3
    assert "adverse_impact" not in found.measures


def test_copies_count_as_decided_but_bring_no_value() -> None:
    """The value of a case is due to the version that really answered it."""
    outcomes = {name: Outcome(label=1, value=worth) for name, worth in (("a", 10.0), ("b", 30.0))}
    copies = tally(said("a", mirrored=True), said("b", 0.2, mirrored=True))
    found = seen(tally(said("a"), said("b")), copies, outcomes)
    assert found.measures["accuracy"].challenger.value == 0.5
    assert "value" not in found.measures
    assert (
        seen(tally(said("a"), said("b")), tally(said("a"), said("b")), outcomes).measures["value"].champion.value == 20
    )


def test_what_the_champion_answers_for_a_failing_challenger_counts_for_neither() -> None:
    """The failure is the challenger's, the answer is nobody's merit."""
    found = seen(tally(said("a"), said("b", instead=True)), tally(failed("b"), said("c"), said("d"), said("e")))
    assert (found.champion_requests, found.challenger_requests) == (1, 3)
    assert found.measures["errors"].challenger.value == 0.25
    readings = {reading.name: (reading.value, reading.count) for reading in found.readings}
    assert readings["trial_errors"] == (0.25, 4)


def test_the_latency_is_that_of_answers() -> None:
    """The 95th percentile in milliseconds, failures left out."""
    times = tally(failed("x"), *(said(str(i), microseconds=i * 1000) for i in range(1, 101)))
    readings = {reading.name: reading for reading in seen(times, times).readings}
    assert (readings["trial_latency"].value, readings["trial_latency"].count) == (95, 100)
    assert seen(times, times).measures["latency_ms"].champion.value == 50.5


def test_several_rows_are_as_many_cases() -> None:
    """A request of several rows has a case for each, named by its place."""
    both = tally(Answer(at=NOW, unit="batch", version=1, microseconds=1, rows=2, scores=(0.9, 0.1), labels=(1, 0)))
    found = seen(both, both, {"batch/0": Outcome(label=1), "batch/1": Outcome(label=1), "batch": Outcome(label=0)})
    assert (found.measures["accuracy"].champion.value, found.measures["accuracy"].champion.count) == (0.5, 2)


def _selecting(women: int, men: int) -> tuple[Tally, dict[str, Outcome]]:
    answers, outcomes = [], {}
    for sex, selected in (("female", women), ("male", men), ("", 100)):
        for case in range(100):
            answers.append(said(f"{sex}{case}", 0.9 if case < selected else 0.1))
            outcomes[f"{sex}{case}"] = Outcome(groups={"sex": sex})
    return tally(*answers), outcomes


@given(st.integers(0, 100), st.integers(1, 100))
def test_the_adverse_impact_is_the_ratio_of_selection_rates(women: int, men: int) -> None:
    """Whoever has no recorded group is in none; the measure is the reading's logarithm, a little shrunk."""
    both, outcomes = _selecting(women, men)
    found = seen(both, both, outcomes)
    (reading,) = (one for one in found.readings if one.name == "trial_adverse_impact")
    assert reading.value == pytest.approx(women / men)
    assert reading.count == 100
    measured = found.measures["adverse_impact"].challenger
    assert measured.value == pytest.approx(log((women + 0.5) / (men + 0.5)))


def test_without_a_reference_group_nothing_is_compared() -> None:
    """If nobody of the reference group is selected there is no reading; without the group, no measure either."""
    both, outcomes = _selecting(50, 0)
    found = seen(both, both, outcomes)
    assert [reading.name for reading in found.readings] == ["trial_errors", "trial_latency"]
    assert "adverse_impact" in found.measures
    women = {unit: one for unit, one in outcomes.items() if unit.startswith("female")}
    assert "adverse_impact" not in seen(both, both, women).measures


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1), st.booleans())))
def test_nothing_is_counted_twice(answers: list[tuple[str, float, bool]]) -> None:
    """Requests are as many as there were, cases at most as many as there are units."""
    counted = tally(*(failed(unit) if wrong else said(unit, score) for unit, score, wrong in answers))
    counts = counted.counts
    assert counts.requests == len(answers)
    assert counts.failed + counts.times.total() == counts.requests
    assert counted.cases.keys() == {unit for unit, _, wrong in answers if not wrong}


ANSWERS = st.lists(
    st.tuples(st.sampled_from("abcde"), st.floats(0, 1), st.sampled_from(["said", "mirrored", "failed", "instead"]))
)


def told(unit: str, score: float, how: str) -> Answer:
    """An answer of some kind; its time follows from the score."""
    if how == "failed":
        return failed(unit)
    return said(unit, score, mirrored=how == "mirrored", instead=how == "instead", microseconds=int(score * 1e6))


@given(st.lists(ANSWERS))
def test_merged_parts_are_the_tally_of_the_whole(parts: list[list[tuple[str, float, str]]]) -> None:
    """Wherever a log is cut, what is counted of its parts one after the other is what is counted of all at once."""
    merged = Tally()
    for part in parts:
        merged.merge(tally(*(told(*one) for one in part)))
    whole = tally(*(told(*one) for part in parts for one in part))
    assert merged == whole
    assert seen(merged, merged, OUTCOMES) == seen(whole, whole, OUTCOMES)


OUTCOMES = {
    unit: Outcome(label=float(index % 2), value=index * 1.5, groups={"sex": "male" if index % 3 else "female"})
    for index, unit in enumerate("abcd")
}


@given(st.integers(0, 60_000_000))
def test_a_time_is_kept_to_three_digits(microseconds: int) -> None:
    """What a latency is said to be is no further from it than half of its third digit; there are few different ones."""
    (kept,) = tally(said("a", microseconds=microseconds)).counts.times
    assert abs(kept - microseconds) <= microseconds / 200
    assert len(str(kept).rstrip("0")) <= 3


@given(st.permutations([(Case(index / 10, index % 2 == 0, index % 3 == 0), unit) for index, unit in enumerate("abcd")]))
def test_the_order_of_cases_is_no_matter(cases: list[tuple[Case, str]]) -> None:
    """They come as whoever keeps them hands them out."""
    sums = sums_of((case, OUTCOMES[unit]) for case, unit in cases)
    usual = sums_of((case, OUTCOMES[unit]) for case, unit in sorted(cases, key=lambda one: one[1]))
    assert (sums.right, sums.judged, sums.groups) == (usual.right, usual.judged, usual.groups)
    found, expected = sums.brier.estimate(), usual.brier.estimate()
    assert found
    assert expected
    assert (found.value, found.variance) == pytest.approx((expected.value, expected.variance))
