"""The evaluator's figures against independent libraries, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper

from activities.adapters.column_counters import DECILES, count_numbers, edges_of
from activities.adapters.onnx_evaluator import OnnxEvaluator
from models.errors import InvalidInputError, MissingColumnError
from models.evidence import QUANTITIES
from models.formats import Format
from models.inventory import Column, DataContract, Protected, Reference, Source, Submission
from models.statistics.distance import bins, stability
from models.statistics.figures import Figure

VECTORS = Path(__file__).parent / "vectors"
PINNED = Reference(uri="file:///model", digest="sha256:" + "0" * 64)
DRIFT = {
    "drift",
    "drift_known",
    "drift_jensen_shannon",
    "drift_kolmogorov_smirnov",
    "drift_wasserstein",
    "missing_share",
}
RACE = Protected(column="race", reference="white")
SEX = Protected(column="sex", reference="M")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model that answers with its only input: `probabilities` [n, 1] is `input` [n, 1]."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in ("input", "probabilities")]
    graph = helper.make_graph([helper.make_node("Identity", ["input"], ["probabilities"])], "same", ends[:1], ends[1:])
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), path)
    return path


def saved(path: Path, nodes: list[onnx.NodeProto], inputs: dict[str, int], **constants: np.ndarray) -> Path:
    """A model that makes `p` [n, 1] of inputs [n, width] and constants."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width]) for name, width in inputs.items()]
    answer = helper.make_tensor_value_info("p", TensorProto.FLOAT, [None, 1])
    values = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "made", ends, [answer], values)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def needing(path: Path, side: int, products: int) -> Path:
    """A model that first fills a square matrix and multiplies it with itself, again and again."""
    nodes = [helper.make_node("ConstantOfShape", ["shape"], ["m0"])]
    nodes += [helper.make_node("MatMul", [f"m{i}", f"m{i}"], [f"m{i + 1}"]) for i in range(products)]
    nodes += [helper.make_node("ReduceSum", [f"m{products}"], ["sum"], keepdims=0)]
    nodes += [helper.make_node("Add", ["x", "sum"], ["p"])]
    return saved(path, nodes, {"x": 1}, shape=np.array([side, side]))


def submission(column: str = "score", protected: tuple[Protected, ...] = (RACE, SEX)) -> Submission:
    contract = DataContract(
        inputs=(Column(name=column),), outputs=(Column(name="probabilities"),), label="label", protected=protected
    )
    return Submission(
        artifact=PINNED,
        source=Source(repository="r", commit="a" * 40),
        training_data=(PINNED,),
        holdout=PINNED,
        dependencies=PINNED,
        contract=contract,
        developer="ana",
        submitter="ana",
    )


@pytest.fixture
def window(tmp_path: Path) -> Callable[[str], Path]:
    """Writes one window of performance.csv as a file of its own."""

    def write(name: str) -> Path:
        rows = pd.read_csv(VECTORS / "performance.csv")
        path = tmp_path / f"{name}.csv"
        rows[rows["window"] == name].to_csv(path, index=False)
        return path

    return write


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def population_stability(reference: np.ndarray, window: np.ndarray) -> float:
    """With missing values as a bin of their own."""
    edges = edges_of(reference, DECILES)
    counted = bins(count_numbers(reference, edges), count_numbers(window, edges), edges)
    assert isinstance(counted, tuple)
    found = stability(*counted)
    assert isinstance(found, Figure)
    return found.value


@pytest.mark.parametrize(("usual", "new"), [(1.0, 0.0), (0.0, 1.0), (5.0, 4.0), (5.0, np.nan), (np.nan, 5.0)])
def test_stability_of_mostly_one_value(usual: float, new: float) -> None:
    """A move away from a reference of only one value is seen, in either direction and to and from missing."""
    before, now = np.full(100, usual), np.array([usual] * 50 + [new] * 50)
    assert population_stability(before, before) == 0
    assert population_stability(before, now) > 1


def test_no_drift_is_beyond_its_range() -> None:
    """Nothing in common at all is less than what a KPI may name, and each reading has a range."""
    assert 18 < population_stability(np.zeros(1_000), np.ones(1_000)) < QUANTITIES["drift"].most


def test_evaluate(model: Path, window: Callable[[str], Path]) -> None:
    """AUC and calibration error agree with scikit-learn and scipy on the same window."""
    report = OnnxEvaluator().evaluate(model, window("current"), submission())
    readings = {reading.name: reading for reading in report.readings}
    assert report.rows == 2_000
    assert readings["auc"].value == pytest.approx(0.7875947686878616, abs=1e-6)
    assert readings["calibration_error"].value == pytest.approx(0.06232435, abs=1e-6)


def test_adverse_impact(model: Path, window: Callable[[str], Path]) -> None:
    """The smallest selection ratio, black to white here, agrees with fairlearn; its count is the smallest group's."""
    report = OnnxEvaluator().evaluate(model, window("current"), submission("prediction"))
    impact = next(reading for reading in report.readings if reading.name == "adverse_impact")
    assert impact.value == pytest.approx(0.7696345477244354)
    assert impact.count == 244
    black = next(rate for rate in report.groups if rate.group == "black")
    assert black.selected == pytest.approx(0.4353932584269663)
    assert black.count == 356


def test_measure(model: Path, window: Callable[[str], Path]) -> None:
    """A labelled window gives drift, live AUC and live adverse impact, and the index of every input."""
    report = OnnxEvaluator().measure(model, window("reference"), window("reference"), window("current"), submission())
    readings = {reading.name: reading.value for reading in report.readings}
    assert readings["drift"] == report.psi["score"] > 0
    assert readings["drift_score"] == pytest.approx(readings["drift"], rel=0.02)  # it answers with its only input
    assert readings["live_auc"] == pytest.approx(0.7875947686878616, abs=1e-6)
    assert 0 < readings["live_adverse_impact"] < 1
    chosen = pd.read_csv(window("current"))["score"] >= submission().contract.threshold
    assert readings["live_selection_rate"] == pytest.approx(chosen.mean())


def test_measure_unlabelled(model: Path, window: Callable[[str], Path], tmp_path: Path) -> None:
    """A window without labels gives what needs none, and one with some labels counts only those."""
    whole = pd.read_csv(window("current"))
    bare, partly = tmp_path / "bare.csv", tmp_path / "partly.csv"
    whole.drop(columns="label").to_csv(bare, index=False)
    whole.assign(label=whole["label"].mask(whole.index >= 500)).to_csv(partly, index=False)
    measured = OnnxEvaluator().measure(model, window("reference"), window("reference"), bare, submission())
    estimated = {f"estimated_{name}" for name in ("auc", "accuracy", "precision", "recall", "f1")}
    assert {reading.name for reading in measured.readings} == {*DRIFT, *estimated, "drift_score", "live_selection_rate"}
    assert measured.unmeasured["live_auc"] == "no outcome is known yet"
    assert measured.unmeasured["live_adverse_impact"].startswith("race: ")
    measured = OnnxEvaluator().measure(model, window("reference"), window("reference"), partly, submission())
    counts = {reading.name: reading.count for reading in measured.readings}
    assert (counts["drift"], counts["live_auc"]) == (2_000, 500)
    assert counts["live_adverse_impact"] < 250


def test_estimates(window: Callable[[str], Path], tmp_path: Path) -> None:
    """Of a window without labels, what nannyml estimates of the same scores; decisions are near what they come to."""
    expected = json.loads((VECTORS / "expected" / "nannyml.json").read_text())["_cbpe"]
    recorded = submission("prediction").model_copy(update={"format": Format.VENDOR})
    bare, before, evaluator = tmp_path / "bare.csv", window("reference"), OnnxEvaluator()
    pd.read_csv(window("current")).drop(columns="label").to_csv(bare, index=False)
    report, whole = (evaluator.measure(before, before, before, one, recorded) for one in (bare, window("current")))
    found, live = ({one.name: one.value for one in each.readings} for each in (report, whole))
    assert found["estimated_auc"] == pytest.approx(expected["roc_auc"], abs=1e-8)
    for name in ("accuracy", "precision", "recall", "f1"):
        assert found[f"estimated_{name}"] == pytest.approx(live[f"live_{name}"], abs=0.05)
    assert {reading.count for reading in report.readings if reading.name.startswith("estimated")} == {2_000}


def test_held_out_data_that_is_broken(window: Callable[[str], Path], tmp_path: Path) -> None:
    """Without it nothing can be estimated, and the reasons say so; everything else is measured."""
    recorded = submission("prediction").model_copy(update={"format": Format.VENDOR})
    broken, before = written(tmp_path / "broken.csv", "prediction,score\n1,.5\n"), window("reference")
    report = OnnxEvaluator().measure(before, before, broken, window("current"), recorded)
    assert "column 'label' is missing in" in report.unmeasured["estimated_auc"]
    assert {"drift", "live_auc"} <= {reading.name for reading in report.readings}


def test_importance_shift(tmp_path: Path) -> None:
    """Where an input no longer varies, the score hangs on another one; held-out data is scored once for all windows."""
    lines = [helper.make_node("MatMul", ["x", "weights"], ["line"]), helper.make_node("Sigmoid", ["line"], ["p"])]
    path = saved(tmp_path / "two.onnx", lines, {"x": 2}, weights=np.array([[2.0], [1.0]], dtype=np.float32))
    random = np.random.default_rng(11)
    before = pd.DataFrame(random.normal(size=(400, 2)), columns=["a", "b"]).assign(label=np.arange(400) % 2)
    files = {"before": before, "alike": before.iloc[::-1], "other": before.assign(a=0.1 * before["a"])}
    for name, frame in files.items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    contract = DataContract(inputs=(Column(name="a"), Column(name="b")), outputs=(Column(name="p"),), label="label")
    wide, evaluator = submission(protected=()).model_copy(update={"contract": contract}), OnnxEvaluator()
    data = tmp_path / "before.csv"
    alike, other = (
        {one.name: one.value for one in evaluator.measure(path, data, data, tmp_path / name, wide).readings}
        for name in ("alike.csv", "other.csv")
    )
    assert alike["importance_shift"] == 0
    assert other["importance_shift"] > 0.1
    assert evaluator._held_out.cache_info().misses == 1


def test_measure_without_protected_column(model: Path, window: Callable[[str], Path], tmp_path: Path) -> None:
    """A labelled window without a protected column is refused: silence would hide an adverse impact."""
    blind = tmp_path / "blind.csv"
    pd.read_csv(window("current")).drop(columns="race").to_csv(blind, index=False)
    with pytest.raises(MissingColumnError, match=r"'race' is missing in .*blind\.csv; found: score, prediction, label"):
        OnnxEvaluator().measure(model, window("reference"), window("reference"), blind, submission())


def test_missing_column(model: Path, tmp_path: Path) -> None:
    """A missing column is named, with the file and the columns that were found."""
    data = written(tmp_path / "data.csv", "label,race,sex\n1,white,M\n")
    with pytest.raises(MissingColumnError, match=r"'score' is missing in .*data\.csv; found: label, race, sex"):
        OnnxEvaluator().evaluate(model, data, submission())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not a CSV file"),
        ("score,label,race,sex\n", "has a header but no rows"),
        ("score,label,race,sex\n.5,2,white,M\n.5,0,white,M\n", "must be 0 or 1; found 2"),
        ("score,label,race,sex\n.5,1,white,M\n.5,1,white,M\n", "both 0 and 1"),
        ("score,label,race,sex\n.5,1,white,M\n.5,,white,M\n.5,0,white,M\n", "in every row"),
        ("score,label,race,sex\nhigh,1,white,M\n.5,0,white,M\n", "'score' of .* is not all numbers"),
        ("score,label,race,sex\n.5,1,white,M\n,0,white,M\n", "something else than a probability, first at row 2"),
        (f"score,label,race,sex\n{'9' * 400},1,white,M\n.5,0,white,M\n", "too large for a model: row 1 holds '9"),
        ("score,label,race,sex\n.5,1,black,M\n.5,0,black,M\n", "nobody in .* has 'race' = 'white'"),
    ],
)
def test_refused(model: Path, tmp_path: Path, text: str, problem: str) -> None:
    """Data that cannot be judged is refused with the reason, never scored as if it could."""
    with pytest.raises(InvalidInputError, match=problem):
        OnnxEvaluator().evaluate(model, written(tmp_path / "data.csv", text), submission())


def test_one_group(model: Path, tmp_path: Path) -> None:
    """Without a second group in every protected column there is no adverse-impact reading that a gate could pass."""
    data = written(tmp_path / "data.csv", "score,label,race,sex\n.9,1,white,M\n.8,0,white,F\n.7,1,,F\n")
    report = OnnxEvaluator().evaluate(model, data, submission())
    assert [reading.name for reading in report.readings] == ["auc", "calibration_error"]
    assert {rate.group for rate in report.groups if rate.column == "race"} == {"white"}


def test_wrong_model(model: Path, tmp_path: Path) -> None:
    """A model of another width, or a file that is no model, is refused by name."""
    data = written(tmp_path / "data.csv", "score,label\n.5,1\n.4,0\n")
    wide = submission(protected=()).model_copy(
        update={
            "contract": DataContract(
                inputs=(Column(name="score"), Column(name="label")), outputs=(Column(name="p"),), label="label"
            )
        }
    )
    with pytest.raises(InvalidInputError, match=r"model\.onnx cannot be run on 2 inputs"):
        OnnxEvaluator().evaluate(model, data, wide)
    with pytest.raises(InvalidInputError, match=r"other\.onnx cannot be run"):
        OnnxEvaluator().evaluate(written(tmp_path / "other.onnx", "no model"), data, submission(protected=()))


def test_model_of_another_form(tmp_path: Path) -> None:
    """A model with two inputs or none, or with another number of answers than rows, is refused with a way out."""
    data = written(tmp_path / "data.csv", "score,label\n.5,1\n.4,0\n")
    same = [helper.make_node("Identity", ["three"], ["p"])]
    three = np.full((3, 1), 0.5, dtype=np.float32)
    forms = {
        "it reads x: .*, y: ": saved(
            tmp_path / "two.onnx", [helper.make_node("Add", ["x", "y"], ["p"])], {"x": 1, "y": 1}
        ),
        "it reads nothing": saved(tmp_path / "none.onnx", same, {}, three=three),
        r"answers 2 rows with a tensor of shape \[3, 1\]": saved(tmp_path / "three.onnx", same, {"x": 1}, three=three),
    }
    for problem, path in forms.items():
        with pytest.raises(InvalidInputError, match=problem) as refused:
            OnnxEvaluator().evaluate(path, data, submission(protected=()))
        assert "Export one float input" in refused.value.remedy


def test_hungry_model(tmp_path: Path) -> None:
    """A model of 300 bytes that asks for 160 GB is refused; the process that measures it lives on."""
    data = written(tmp_path / "data.csv", "score,label\n.5,1\n.4,0\n")
    path = needing(tmp_path / "model.onnx", side=200_000, products=0)
    with pytest.raises(InvalidInputError, match="needs more than 4 GiB of memory to answer 2 rows") as refused:
        OnnxEvaluator().evaluate(path, data, submission(protected=()))
    assert refused.value.remedy


def test_endless_model(tmp_path: Path) -> None:
    """A model that computes for too long is ended and refused."""
    data = written(tmp_path / "data.csv", "score,label\n.5,1\n.4,0\n")
    path = needing(tmp_path / "model.onnx", side=3_000, products=400)
    with pytest.raises(InvalidInputError, match="needs more than 2 seconds to answer 2 rows") as refused:
        OnnxEvaluator(timeout_seconds=2).evaluate(path, data, submission(protected=()))
    assert refused.value.remedy
