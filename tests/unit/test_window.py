"""What a monitor reads from tallies: every reading has its bounds, and one that is not there says why."""

from collections.abc import Mapping

import numpy as np
import pytest

from activities.adapters.column_counters import (
    DECILES,
    count_answered,
    count_categories,
    count_groups,
    count_numbers,
    count_scores,
    edges_of,
)
from models.evidence import QUANTITIES, READINGS, StepKind, WindowReport
from models.expectation import expect
from models.inventory import Column, DataContract, Protected
from models.service import SERVED
from models.statistics.scores import Scores
from models.statistics.tallies import Categories, Numbers
from models.verdict import Kpi, Verdict, judge
from models.window import ALONE, Beside, Importances, Tally, WindowTally, report_window

CONTRACT = DataContract(
    inputs=(Column(name="age"), Column(name="region", type="string")),
    outputs=(Column(name="p"),),
    label="repaid",
    protected=(Protected(column="sex", reference="m"),),
)
AGES = np.arange(100.0)
EDGES = edges_of(AGES, DECILES)


def ages(values: np.ndarray) -> Numbers:
    return count_numbers(values, EDGES)


REFERENCE: Mapping[str, Tally] = {"age": ages(AGES), "region": count_categories(["n"] * 60 + ["s"] * 40)}


ANSWERS = (np.arange(100) % 10 + 0.5) / 10
OUTCOMES = (np.arange(100) % 3 > 0).astype(float)
BEFORE = Beside(
    expect(count_scores(ANSWERS, (ANSWERS > 0.4).astype(float), 0.5)),
    Importances({"age": 0.3, "region": 0.1}, {"age": 0.1, "region": 0.3}, 80),
)
"""Held-out data on which scores told outcomes apart; in the window, the other input counts for more."""


def window(sex: str = "mf", shift: float = 0.0, labels: bool = True) -> WindowTally:
    scores, outcomes = ANSWERS, OUTCOMES
    selected = scores >= 0.5
    return WindowTally(
        rows=100,
        inputs={"age": ages(AGES + shift), "region": count_categories(["n"] * 50 + ["s"] * 40 + ["x"] * 10)},
        selected=int(selected.sum()),
        answered=count_answered(scores),
        scores=count_scores(scores, outcomes if labels else np.full(100, np.nan), 0.5),
        groups={"sex": count_groups(list(sex * (100 // len(sex))), selected, outcomes == 1)} if labels else {},
    )


def report(seen: WindowTally, reference: Mapping[str, Tally] = REFERENCE, beside: Beside = BEFORE) -> WindowReport:
    return report_window("march", CONTRACT, reference, seen, {"age": EDGES}, beside)


def values(found: WindowReport) -> dict[str, float]:
    return {reading.name: reading.value for reading in found.readings}


def test_every_reading_of_a_window_is_declared() -> None:
    """A whole window gives readings that a template may name, each within the bounds that templates are checked by."""
    found = report(window())
    assert found.unmeasured == {}
    told = {name for name, one in QUANTITIES.items() if one.measured_by is StepKind.MONITOR and not one.single}
    assert {reading.name for reading in found.readings} == told - SERVED - {"gates_in_time", "label_maturity"}
    assert found.chance is not None
    assert READINGS[StepKind.MONITOR] >= set(values(found))
    for name, value in values(found).items():
        assert QUANTITIES[name].least <= value <= QUANTITIES[name].most, name


def test_drift_is_the_largest_of_any_input() -> None:
    """Each distance is told of every input, and the largest is the reading."""
    found = report(window(shift=50))
    by_feature = {one.name: one.figures for one in found.features}
    assert set(by_feature) == {"age", "region"}
    assert values(found)["drift"] == by_feature["age"]["drift"].value == found.psi["age"] > found.psi["region"]
    assert values(found)["drift_kolmogorov_smirnov"] == pytest.approx(0.5, abs=0.1)
    assert values(found)["unseen_share"] == pytest.approx(0.1)


def test_parts_of_a_window_add_up() -> None:
    """Two parts of a window make the report of the whole."""
    both = window() + window(shift=50)
    found = report(both)
    assert (found.rows, both.rows, both.selected) == (200, 200, 100)
    assert {reading.count for reading in found.readings if reading.name == "live_auc"} == {200}
    group = next(one for one in found.groups if one.group == "f")
    assert group.selected[1] == 100
    assert WindowTally() + window() == window() + WindowTally() == window()


def test_groups_are_told_with_intervals() -> None:
    """Of each group how many of how many, and how far it is from the reference group; not of that group itself."""
    groups = {one.group: one for one in report(window()).groups}
    men, women = groups["m"], groups["f"]
    assert men.apart == {}
    rate, low, high = women.apart["selected"]
    assert rate == women.selected[0] / women.selected[1] - men.selected[0] / men.selected[1]
    assert women.apart.keys() == {"selected", "true_positive", "false_positive"}
    assert low < rate < high
    assert women.ratio_between
    assert women.ratio_between[0] < (women.ratio or 0) < women.ratio_between[1]


def test_what_is_not_measured_says_why() -> None:
    """Without labels, without a second group, and with a broken column there is a reason and no reading."""
    bare = report(window(labels=False))
    assert bare.unmeasured["live_auc"] == "no outcome is known yet"
    assert bare.unmeasured["live_adverse_impact"].startswith("sex: ")
    assert not {name for name in values(bare) if name.startswith("live_") and name != "live_selection_rate"}
    assert report(window(sex="m")).unmeasured["live_adverse_impact"] == "sex: there is only one group"
    broken = count_numbers(np.array([1.0, np.inf]), EDGES)
    seen = report(WindowTally(rows=2, inputs={"age": broken, "region": count_categories(["n", "s"])}))
    assert seen.unmeasured["drift"].startswith("age: some values are infinite")
    assert "drift" not in values(seen)
    assert seen.psi.keys() == {"region"}


def test_a_reason_is_told_by_the_verdict() -> None:
    """A KPI without a reading is inconclusive and says why, never a pass."""
    bare = report(window(labels=False))
    kpi = Kpi.model_validate({"name": "live_auc", "passes": ">= 0.7", "fails": "< 0.6"})
    judged = judge(kpi, bare.readings, f"no reading: {bare.unmeasured['live_auc']}")
    assert (judged.verdict, judged.reason) == (Verdict.INCONCLUSIVE, "no reading: no outcome is known yet")


def test_a_constant_input_hides_no_other() -> None:
    """An input without spread has no distance in its spread; the others have one, and it is measured otherwise."""
    flat = edges_of(np.full(50, 5.0), DECILES)
    constant = count_numbers(np.full(50, 5.0), flat)
    reference = {**REFERENCE, "flat": constant}
    seen = window()
    found = report_window(
        "march",
        CONTRACT,
        reference,
        WindowTally(rows=100, inputs={**seen.inputs, "flat": count_numbers(np.full(50, 6.0), flat)}),
        {"age": EDGES, "flat": flat},
    )
    assert values(found)["drift_wasserstein"] == pytest.approx(0)
    assert values(found)["drift"] == found.psi["flat"] > 10


def test_columns_of_two_kinds_do_not_add_up() -> None:
    """A column cannot be numbers in one part and texts in another."""
    with pytest.raises(TypeError, match="do not add up"):
        WindowTally(inputs={"age": ages(AGES)}) + WindowTally(inputs={"age": Categories({"a": 1})})


def test_a_window_is_estimated_before_its_outcomes_are_known() -> None:
    """Without any label there is an estimate of each figure, and once labels are there it stands beside what came."""
    bare, whole = report(window(labels=False)), report(window())
    for name in ("auc", "accuracy", "precision", "recall", "f1"):
        assert values(bare)[f"estimated_{name}"] == values(whole)[f"estimated_{name}"]
    figures = {one.name: one for one in whole.performance}
    assert figures["auc"].held_out == figures["auc"].estimated == 1
    assert figures["auc"].realised == values(whole)["live_auc"] == pytest.approx(0.5, abs=0.1)
    assert {one.realised for one in bare.performance} == {None}


def test_what_a_window_lost_against_the_held_out_data() -> None:
    """By outcomes, the fall of each figure; without them the reason, and never a pass."""
    found, figures = values(report(window())), {one.name: one for one in report(window()).performance}
    assert found["auc_fall"] == pytest.approx(1 - found["live_auc"])
    assert found["calibration_error_rise"] == found["live_calibration_error"] - (
        figures["calibration_error"].held_out or 0
    )
    assert found["concept_shift"] > 0.3
    bare = report(window(labels=False))
    assert {bare.unmeasured[name] for name in ("auc_fall", "concept_shift")} == {"no outcome is known yet"}


def test_other_features_that_count() -> None:
    """Two features that have changed places are a shift, and each is told; of one feature nothing can be said."""
    found = report(window())
    assert 0.1 < values(found)["importance_shift"] < 0.5
    assert {one.name: one.importance for one in found.features} == {"age": (0.3, 0.1), "region": (0.1, 0.3)}
    same = Importances({"age": 0.3, "region": 0.1}, {"age": 0.2, "region": 0.1}, 80)
    assert values(report(window(), beside=Beside("no", same)))["importance_shift"] == 0
    (counted,) = (one.count for one in found.readings if one.name == "importance_shift")
    assert counted == 80


def test_without_held_out_data_nothing_else_is_lost() -> None:
    """Whatever is wrong with it costs the readings that need it, each with the reason."""
    alone, whole = report(window(), beside=ALONE), report(window())
    gone = values(whole).keys() - values(alone).keys()
    assert gone == alone.unmeasured.keys()
    assert set(alone.unmeasured.values()) == {"there is no held-out data"}
    one_class = Beside(expect(Scores()), "why")
    assert report(window(), beside=one_class).unmeasured["estimated_auc"].startswith("of the held-out data: ")


def test_no_reading_is_infinite() -> None:
    """What comes out as no finite number is a reason."""
    strange = Beside("no", Importances({"age": 0.3, "region": np.nan}, {"age": 0.2, "region": 0.1}, 80))
    found = report(window(), beside=strange)
    assert "no finite number" in found.unmeasured["importance_shift"]
