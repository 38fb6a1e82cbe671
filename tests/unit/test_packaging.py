"""A version is packed only if it answers as it did where it was trained; rules are measured and packed like models."""

import dataclasses
import json
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.onnx_evaluator import OnnxEvaluator
from activities.packaging import PackagingActivities
from activities.ports import Earned
from models.errors import InvalidInputError, MissingColumnError, UnknownNameError
from models.evidence import EffectKey, StepKind, StepOrder, StepResult
from models.formats import Format
from models.golden import Parity
from models.inventory import Change, Column, Golden, ModelFacts, Submission
from models.journal import Assignment
from models.plan import Plan
from models.verdict import Verdict
from tests.contract.test_model_bundle import golden, pinned, submission
from tests.packing import FACTS, MODEL, bundles_in, packager_in
from worker.served_model import load_model

__all__ = ["submission"]


class OneVersion:
    """An inventory of one version, in which nothing has happened yet."""

    def __init__(self, version: Submission) -> None:
        self.version = version
        self.changes: list[Change] = []

    def model(self, model: str) -> ModelFacts:
        """The facts."""
        return FACTS

    def submission(self, model: str, version: int) -> Submission:
        """The version."""
        return self.version

    def earned(self, model: str, version: int) -> Earned:
        """Its bytes."""
        return Earned(self.version.artifact.digest, None, frozenset())

    def governing_plan(self, model: str) -> Plan:
        """None."""
        raise UnknownNameError(model)

    def effect(self, key: EffectKey) -> None:
        """None."""

    def commit_effect(self, key: EffectKey, result: StepResult, changes: list[Change]) -> StepResult:
        """Remember the changes."""
        self.changes += changes
        return result


def packaged(folder: Path, version: Submission) -> tuple[StepResult, list[Change]]:
    """What the step finds, with the real store, evaluator, packager and signature."""
    store, inventory = FileArtifactStore(folder / "store", [folder]), OneVersion(version)
    store.fetch(version.artifact)
    (folder / "keys").mkdir(exist_ok=True)
    packager, bundles = packager_in(folder / "keys", store), bundles_in(folder / "keys", store)
    activities = PackagingActivities(inventory, store, OnnxEvaluator(), packager, bundles)  # type: ignore[arg-type]
    artifact = version.artifact.digest
    order = StepOrder(
        model=MODEL, visit=1, step="package", kind=StepKind.PACKAGE, stage="dev", version=3, artifact=artifact
    )
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, workflow_id=f"model/{MODEL}")
    return environment.run(activities.package_version, Assignment(order=order, journal=())), inventory.changes


def test_golden_predictions_are_answered_alike(tmp_path: Path, submission: Submission) -> None:
    """How far the answers are apart is evidence and a reading; the bundle names that evidence, too."""
    result, changes = packaged(tmp_path, submission)
    (reading,) = result.readings
    assert (result.verdict, reading.name, reading.count) == (Verdict.PASS, "parity_difference", 3)
    assert reading.value < 1e-6
    (parity,) = result.evidence
    store = FileArtifactStore(tmp_path / "store", [])
    assert Parity.model_validate_json(store.path(parity.digest).read_bytes()).holds
    assert [getattr(change, "bundle", None) for change in changes] == [result.bundle]
    assert bundles_in(tmp_path / "keys", store).read(result.bundle or "", MODEL, 3).config.evidence == {
        "parity": parity.digest
    }


def test_a_version_that_answers_otherwise_is_turned_away(tmp_path: Path, submission: Submission) -> None:
    """One golden prediction that is not met, and there is no bundle; the evidence says how many were."""
    wrong = golden().replace(b"\n1.0,2.0,3.0,0.8", b"\n1.0,2.0,3.0,0.7")
    assert wrong != golden()
    predictions = pinned(tmp_path, "wrong.csv", wrong)
    version = submission.model_copy(update={"golden": Golden(predictions=predictions, tolerance=1e-3)})
    result, changes = packaged(tmp_path, version)
    assert (result.verdict, result.bundle, changes) == (Verdict.FAIL, None, [])
    assert result.summary.startswith("2 of 3 golden predictions are answered alike, at most 1.00e-01 apart")


def test_without_golden_predictions_there_is_no_reading(tmp_path: Path, submission: Submission) -> None:
    """A gate that checks `parity_difference` has none to judge by, and never passes."""
    result, _ = packaged(tmp_path, submission.model_copy(update={"golden": None}))
    assert (result.verdict, result.readings, result.evidence) == (Verdict.PASS, (), ())


def test_golden_predictions_have_a_column_for_each_input(tmp_path: Path, submission: Submission) -> None:
    """What is missing in them is named."""
    short = Golden(predictions=pinned(tmp_path, "short.csv", b"income,debt,score\n1,2,0.5\n"), tolerance=0.01)
    with pytest.raises(MissingColumnError, match="years"):
        packaged(tmp_path, submission.model_copy(update={"golden": short}))


def rules(folder: Path, version: Submission) -> Submission:
    """A version that is a decision table on a number and a text."""
    table = {
        "format": "modelops/decision-table/1",
        "hit_policy": "UNIQUE",
        "rules": [
            {"when": {"income": {"at_least": 3}, "region": {"one_of": ["north"]}}, "then": 0.9},
            {"when": {"income": {"at_least": 3}, "region": {"missing": True}}, "then": 0.6},
        ],
        "otherwise": 0.1,
    }
    contract = version.contract.model_copy(
        update={"inputs": (Column(name="income"), Column(name="region", type="string")), "protected": ()}
    )
    data = b"income,region,good\n4,north,1\n4,,0\n1,south,0\n"
    expected = b"income,region,score\n4,north,0.9\n4,,0.6\n1,south,0.1\n,north,0.1\n"
    return version.model_copy(
        update={
            "artifact": pinned(folder, "table.json", json.dumps(table).encode()),
            "format": Format.DECISION_TABLE,
            "contract": contract,
            "holdout": pinned(folder, "rows.csv", data),
            "golden": Golden(predictions=pinned(folder, "expected.csv", expected), tolerance=1e-9),
        }
    )


def test_rules_are_measured_packed_and_served(tmp_path: Path, submission: Submission) -> None:
    """A decision table is evaluated like a model, meets its golden predictions, and answers from its bundle."""
    version = rules(tmp_path, submission)
    report = OnnxEvaluator().evaluate(tmp_path / "table.json", tmp_path / "rows.csv", version)
    assert {one.name: one.value for one in report.readings}["auc"] == 1
    result, _ = packaged(tmp_path, version)
    assert result.verdict is Verdict.PASS
    store = FileArtifactStore(tmp_path / "store", [])
    served = load_model(bundles_in(tmp_path / "keys", store), result.bundle or "", MODEL, 3)
    assert served.platform == "modelops_decision_table"
    assert served.inputs == (("income", "FP64", [-1]), ("region", "BYTES", [-1]))
    assert [tensor.name for tensor in served.sample.inputs] == ["income", "region"]


def test_a_model_that_is_not_served_is_refused_at_load(tmp_path: Path, submission: Submission) -> None:
    """It is signed and carried; where it would be loaded, the formats that are served are named."""
    version = submission.model_copy(update={"format": Format.SAFETENSORS, "golden": None})
    result, _ = packaged(tmp_path, version)
    bundles = bundles_in(tmp_path / "keys", FileArtifactStore(tmp_path / "store", []))
    with pytest.raises(InvalidInputError, match="as safetensors, which no server of ours loads") as refused:
        load_model(bundles, result.bundle or "", MODEL, 3)
    assert "onnx, skops, joblib, pickle, decision_table" in refused.value.remedy
