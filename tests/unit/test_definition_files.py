"""What a definition names is looked at with it: texts that are data, and nothing else."""

import dataclasses
import json
from pathlib import Path

from temporalio.testing import ActivityEnvironment

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.static_scanner import StaticScanner
from activities.scanning import ScanningActivities
from models.canonical import digest_bytes
from models.evidence import StepKind, StepOrder, StepResult
from models.formats import Format
from models.inventory import Submission
from models.journal import Assignment
from models.verdict import Verdict
from tests.contract.test_model_bundle import pinned, submission
from tests.packing import MODEL
from tests.temporal.doubles import NothingAgainst
from tests.unit.corpus.definitions import definitions
from tests.unit.test_packaging import OneVersion

__all__ = ["submission"]

SOUND = {
    "agent/prompt.txt": b"Decide about the loan.\n",
    "agent/tools.json": b'[{"name": "look_up", "parameters": {"id": "string"}}]',
    "agent/policy.yaml": b"never: [promise a rate]\n",
}


UNSOUND = {
    "agent/code.json": (b"import os", "The file is plain text"),
    "agent/twice.json": (b'{"a": 1, "a": 2}', "a key is there twice"),
    "agent/object.yaml": (b"!!python/object/apply:os.system [id]\n", "make Python objects"),
    "agent/prompt.py": (b"print()\n", "The file is plain text"),
    "agent/script.txt": (b"#!/bin/sh\ntrue\n", "The file is a script"),
    "agent/pickle.txt": (b"cos\nsystem\n(S'true'\ntR.", "would import 'os.system'"),
    "agent/binary.txt": (b"%PDF-1.7\n\0", "of no kind that is known here"),
    "agent/nameless": (b"Decide.\n", "The file is plain text"),
    "agent/template.jinja": (b"{{ x.__class__ }}", "reaches the attribute '__class__'"),
}


def test_a_part_that_is_no_data_is_blocked(tmp_path: Path) -> None:
    """Whatever it claims to be, by its content and by its name; nothing is said against those that are."""
    model = tmp_path / "agent.json"
    model.write_bytes(definitions()["agent"])
    parts = {}
    for number, (name, data) in enumerate((SOUND | {name: data for name, (data, _) in UNSOUND.items()}).items()):
        parts[name] = tmp_path / str(number)
        parts[name].write_bytes(data)
    report = StaticScanner().scan(model, digest_bytes(definitions()["agent"]), parts)
    said = {name: [reason for reason in report.reasons if reason.startswith(f"{name}: ")] for name in parts}
    assert report.verdict == "malicious"
    assert {name: words for name, (_, words) in UNSOUND.items() if words not in " ".join(said[name])} == {}
    assert [name for name in SOUND if said[name]] == []
    assert "data by their names, too" in report.reasons[-1]


def scanned(folder: Path, version: Submission) -> StepResult:
    """What the step finds, with the real gate."""
    store = FileArtifactStore(folder / "store", [folder])
    store.fetch(version.artifact)
    activities = ScanningActivities(OneVersion(version), store, StaticScanner(), NothingAgainst())  # type: ignore[arg-type]
    artifact = version.artifact.digest
    order = StepOrder(model=MODEL, visit=1, step="scan", kind=StepKind.SCAN, stage="dev", version=3, artifact=artifact)
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, workflow_id=f"model/{MODEL}")
    result: StepResult = environment.run(activities.scan_artifact, Assignment(order=order, journal=()))
    return result


def agent(folder: Path, version: Submission) -> Submission:
    """A version that is an agent of sound parts."""
    parts = {
        Path(name).stem: pinned(folder, Path(name).name, data).model_dump(mode="json") for name, data in SOUND.items()
    }
    text = json.dumps({"format": "modelops/agent/1", "language_model": "large-1", **parts}).encode()
    more = {"format": Format.AGENT, "golden": None, "artifact": pinned(folder, "agent.json", text)}
    return version.model_copy(update=more)


def test_an_agent_and_its_parts_are_clean(tmp_path: Path, submission: Submission) -> None:
    """All bytes of all parts were looked at."""
    version = agent(tmp_path, submission)
    result = scanned(tmp_path, version)
    assert (result.verdict, result.summary.split(";")[0]) == (Verdict.PASS, "agent: clean")
    (report,) = [one for one in result.evidence if one.kind == "scan"]
    kept = json.loads(FileArtifactStore(tmp_path / "store", []).path(report.digest).read_bytes())
    assert kept["scanned_bytes"] == (tmp_path / "agent.json").stat().st_size + sum(map(len, SOUND.values()))


def test_another_format_than_the_submission_says_is_blocked(tmp_path: Path, submission: Submission) -> None:
    """A clean file is used as what it was found to be, and as nothing else: two loaders may read two models in it."""
    version = submission.model_copy(update={"format": Format.PICKLE})
    result = scanned(tmp_path, version)
    assert (result.verdict, result.readings[0].value) == (Verdict.FAIL, 1)
    assert "The artifact is onnx, not pickle. Correct the format of the submission" in result.summary
