"""The demo's model on real data: 1,989 mortgage decisions, trained and measured as in the demo."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from activities.adapters.onnx_evaluator import OnnxEvaluator
from activities.adapters.process_trainer import ProcessTrainer
from client.documents import read_facts
from client.library import policy_of
from models.canonical import digest_bytes
from models.evidence import EffectKey
from models.inventory import Submission
from models.windows import SaidWindows
from worker.settings import Settings
from worker.windows import NamedWindows

FOLDER = Path(__file__).parents[2] / "examples" / "loan_approval"
COMMIT = "ab" * 20

KEY = EffectKey(model="loans", visit=1, step="train")


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(FOLDER / program), *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The four files and two requests."""
    folder = tmp_path_factory.mktemp("loans")
    done = run("data.py", "--output", str(folder), "--commit", COMMIT)
    assert done.returncode == 0, done.stderr
    assert "quiet.csv, drifted.csv, plain.json and mitigated.json to" in done.stdout
    return folder


@pytest.fixture(scope="module")
def versions(data: Path) -> dict[str, Submission]:
    """The plain and the mitigated version, and the mitigated one retrained with the drifted window."""
    made = {}
    for strategy in ("plain", "mitigated"):
        done = run("train.py", "--request", str(data / f"{strategy}.json"), "--output", str(data / strategy))
        assert done.returncode == 0, done.stderr
        assert f"{strategy}/model.onnx (AUC 0.8" in done.stdout
        made[strategy] = Submission.model_validate_json((data / strategy / "result.json").read_bytes())
    trainer = ProcessTrainer({"loan-trainer": FOLDER / "train.py"}, data / "runs", sys.executable, 120)
    made["retrained"] = trainer.train(
        "loan-trainer", made["mitigated"], data / "drifted.csv", EffectKey(model="loans", visit=1, step="train")
    )
    return made


def path(submission: Submission) -> Path:
    return Path(submission.artifact.uri.removeprefix("file://"))


def evaluate(data: Path, submission: Submission) -> dict[str, float]:
    report = OnnxEvaluator().evaluate(path(submission), data / "holdout.csv", submission)
    return {reading.name: reading.value for reading in report.readings}


def measure(data: Path, submission: Submission, window: str) -> dict[str, float]:
    training, held_out = data / "training.csv", data / "holdout.csv"
    report = OnnxEvaluator().measure(path(submission), training, held_out, data / f"{window}.csv", submission)
    return {reading.name: reading.value for reading in report.readings}


def test_plain(data: Path, versions: dict[str, Submission]) -> None:
    """The plain version tells good from bad applications, but fails the four-fifths rule."""
    readings = evaluate(data, versions["plain"])
    assert readings["auc"] >= 0.80
    assert readings["adverse_impact"] < 0.78


@pytest.mark.parametrize("version", ["mitigated", "retrained"])
def test_mitigated(data: Path, versions: dict[str, Submission], version: str) -> None:
    """The mitigated version, and its successor retrained with the drifted window, pass it with room and still tell."""
    readings = evaluate(data, versions[version])
    assert readings["auc"] >= 0.80
    assert readings["adverse_impact"] >= 0.85


def test_quiet_window(data: Path, versions: dict[str, Submission]) -> None:
    """A random draw of later applications is no drift."""
    readings = measure(data, versions["mitigated"], "quiet")
    assert readings["drift"] <= 0.15
    assert readings["live_auc"] >= 0.75


def test_drifted_window(data: Path, versions: dict[str, Submission]) -> None:
    """The window of stretched applicants is drift by the usual bound of .25, with room."""
    assert measure(data, versions["mitigated"], "drifted")["drift"] >= 0.40


def test_real_rows(data: Path) -> None:
    """No application is in two files, none was altered from file to file, and none was invented."""
    parts = [pd.read_csv(data / f"{name}.csv") for name in ("training", "holdout", "quiet", "drifted")]
    cases = pd.concat(parts)["case"]
    assert cases.is_unique
    assert set(cases) <= set(range(1_989))


@pytest.mark.parametrize("version", ["plain", "mitigated", "retrained"])
def test_inputs(versions: dict[str, Submission], version: str) -> None:
    """Race, sex, age and marital status are no inputs of any version; race and sex are what it is judged by."""
    contract = versions[version].contract
    assert not {column.name for column in contract.inputs} & {
        "race",
        "sex",
        "black",
        "hispan",
        "white",
        "male",
        "married",
        "old",
        "min30",
        "approve",
        "case",
    }
    assert [(one.column, one.reference) for one in contract.protected] == [("race", "white"), ("sex", "male")]


def test_parity(data: Path, versions: dict[str, Submission]) -> None:
    """The exported model answers as the trained one did, on data that neither has seen."""
    report = json.loads((path(versions["plain"]).parent / "report.json").read_text(encoding="utf-8"))
    assert 0 < report["parity_max_abs_difference"] < 1e-5
    assert report["rows"] == len(pd.read_csv(data / "training.csv"))


def test_retrained(data: Path, versions: dict[str, Submission]) -> None:
    """The retrained version's data are the old rows and the window's, under the old contract, in the trainer's name."""
    retrained = versions["retrained"]
    rows = pd.read_csv(retrained.training_data[0].uri.removeprefix("file://"))
    both = pd.concat(
        [
            pd.read_csv(data / "training.csv"),
            pd.read_csv(data / "drifted.csv"),
        ],
        ignore_index=True,
    )
    pd.testing.assert_frame_equal(rows, both)
    assert (retrained.developer, retrained.submitter, retrained.trainer) == ("ana", "loan-trainer", "loan-trainer")
    assert retrained.source.commit == COMMIT
    assert retrained.contract == versions["mitigated"].contract


def test_lock(versions: dict[str, Submission]) -> None:
    """The lock pins every package exactly and names no address."""
    lines = Path(versions["plain"].dependencies.uri.removeprefix("file://")).read_text(encoding="utf-8").splitlines()
    assert {"onnxruntime", "numpy"} <= {line.split("==")[0] for line in lines}
    assert all(line.count("==") == 1 and "/" not in line for line in lines)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"source": {"repository": "r", "commit": "0" * 40}}, "give the 40 digits of a real commit"),
        ({"strategy": "magic"}, "strategy is 'magic'; known are plain, mitigated"),
        ({"training": [{"uri": "s3://bucket/x", "digest": "sha256:0"}]}, "only file:// references"),
    ],
)
def test_bad_request(data: Path, tmp_path: Path, change: dict[str, object], problem: str) -> None:
    """A request without a real commit, a known strategy or readable data is refused before anything is trained."""
    request = tmp_path / "request.json"
    request.write_text(json.dumps(json.loads((data / "plain.json").read_text()) | change), encoding="utf-8")
    done = run("train.py", "--request", str(request), "--output", str(tmp_path / "output"))
    assert done.returncode == 1
    assert problem in done.stderr


def test_facts() -> None:
    """The registered facts of the model are those of a high-risk decision about persons in the US and the EU."""
    facts = read_facts(FOLDER / "model.yaml", policy_of(Settings()))
    assert (facts.id, facts.risk_tier, facts.jurisdictions) == ("loan-approval", "high", ("US", "EU"))
    assert facts.personal_data
    assert facts.automated_decision
    assert len(facts.consumers) == 2


def test_retrained_with_what_became_of_a_window(data: Path, versions: dict[str, Submission], tmp_path: Path) -> None:
    """A window that tells neither label nor groups: the trainer gets both of the cases whose outcome is known."""
    known = pd.read_csv(data / "drifted.csv").rename(columns={"case": "unit"})
    folder, outcomes = tmp_path / "windows" / "loans", tmp_path / "outcomes" / "loans"
    folder.mkdir(parents=True)
    outcomes.mkdir(parents=True)
    told = ["approve", "race", "sex"]
    known.drop(columns=told).to_csv(folder / "w.csv", index=False)
    some = known.iloc[::-2]
    some[["unit", *told]].to_csv(outcomes / "o.csv", index=False)
    windows = NamedWindows(SaidWindows(), tmp_path / "windows", tmp_path / "outcomes", tmp_path / "kept")
    champion = versions["mitigated"]
    given = windows.of("loans").for_training(champion.contract)
    assert given is not None
    trainer = ProcessTrainer({"loan-trainer": FOLDER / "train.py"}, tmp_path / "runs", sys.executable, 120)
    made = trainer.train("loan-trainer", champion, given.path, EffectKey(model="loans", visit=1, step="train"))
    rows = pd.read_csv(made.training_data[0].uri.removeprefix("file://")).drop(columns="case")
    first = pd.read_csv(data / "training.csv").drop(columns="case")
    pd.testing.assert_frame_equal(rows.iloc[: len(first)], first)
    expected = some.iloc[::-1].drop(columns="unit").reset_index(drop=True)
    pd.testing.assert_frame_equal(rows.iloc[len(first) :].reset_index(drop=True), expected)
    assert digest_bytes(given.path.read_bytes()) in made.notes
