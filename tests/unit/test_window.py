"""What a monitor reads from tallies: every reading has its bounds, and one that is not there says why."""

from collections.abc import Mapping

import numpy as np
import pytest

from activities.adapters.column_counters import (
    DECILES,
    count_categories,
    count_groups,
    count_numbers,
    count_scores,
    edges_of,
)
from models.evidence import QUANTITIES, READINGS, StepKind, WindowReport
from models.inventory import Column, DataContract, Protected
from models.statistics.tallies import Categories, Numbers
from models.verdict import Kpi, Verdict, judge
from models.window import Tally, WindowTally, report_window

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


def window(sex: str = "mf", shift: float = 0.0, labels: bool = True) -> WindowTally:
    scores = (np.arange(100) % 10 + 0.5) / 10
    outcomes = (np.arange(100) % 3 > 0).astype(float)
    selected = scores >= 0.5
    return WindowTally(
        rows=100,
        inputs={"age": ages(AGES + shift), "region": count_categories(["n"] * 50 + ["s"] * 40 + ["x"] * 10)},
        selected=int(selected.sum()),
        scores=count_scores(scores, outcomes if labels else np.full(100, np.nan), 0.5),
        groups={"sex": count_groups(list(sex * (100 // len(sex))), selected, outcomes == 1)} if labels else {},
    )


def report(seen: WindowTally, reference: Mapping[str, Tally] = REFERENCE) -> WindowReport:
    return report_window("march", CONTRACT, reference, seen, {"age": EDGES})


def values(found: WindowReport) -> dict[str, float]:
    return {reading.name: reading.value for reading in found.readings}


def test_every_reading_of_a_window_is_declared() -> None:
    """A whole window gives readings that a template may name, each within the bounds that templates are checked by."""
    found = report(window())
    assert found.unmeasured == {}
    told = {name for name, one in QUANTITIES.items() if one.measured_by is StepKind.MONITOR and not one.single}
    assert {reading.name for reading in found.readings} == told - {"gates_in_time", "drift_score"}
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
    assert WindowTally() + window() == window()


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
