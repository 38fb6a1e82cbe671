"""Training as a job of SageMaker: what it is told and what it leaves, and what goes wrong, in words."""

import gzip
import io
import json
import re
import tarfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters import sagemaker_job
from activities.adapters.aws_clients import AwsClients
from activities.adapters.ci_runs import CiRuns, Fate, Run, name_of
from activities.adapters.ci_training import CiTrainer
from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.sagemaker_job import SageMakerJobs
from models.canonical import canonical, digest_bytes
from models.errors import InvalidInputError, NotPermittedError, PipelineError, TrainingError
from models.evidence import EffectKey
from models.inventory import Submission
from models.training import TrainingRequest
from tests.contract import cloud as moto
from tests.contract.ci_runs import KEY, Host, host
from tests.contract.test_ci_trainers import MADE, PREVIOUS
from tests.contract.training_jobs import BUCKET, REGION, SageMakerRegion, clients_of, packed, settings
from tests.unit.signed_record import submission_of
from worker.settings import Settings, read_settings
from worker.trainers import trainers_of

__all__ = ["host"]

WINDOW = b"income,good\n1,0\n"


class Rig(NamedTuple):
    """A region, our way to it, and where things are kept."""

    system: SageMakerRegion
    jobs: SageMakerJobs
    store: FileArtifactStore
    folder: Path

    def train(self, *beats: str, outcome: str = "success", result: bytes = canonical(MADE)) -> Submission:
        """As the activity has it, with a window; the run ends at the third look."""
        heard = list[str]()

        def beat(run: str) -> None:
            heard.append(run)
            if len(heard) == 3:
                self.system.builds[-1].outcome, self.system.builds[-1].result = outcome, result

        window = self.folder / "window.csv"
        window.write_bytes(WINDOW)
        made = CiTrainer(CiRuns(self.jobs, beat, lambda: False, 0.001), 5).train("loan-aws", PREVIOUS, window, KEY)
        assert all(part in said for part, said in zip(beats, heard, strict=False))
        return made


@pytest.fixture
def rig(host: Host, tmp_path: Path) -> Rig:
    """A region that is new, and a store with what the version before was made of."""
    system, store = SageMakerRegion(), FileArtifactStore(tmp_path / "store", [tmp_path])
    host.app = system.app()
    store.put(b"one")
    return Rig(system, SageMakerJobs(settings(), clients_of(host.url), store, tmp_path / "training"), store, tmp_path)


def test_what_a_job_is_told_lies_where_it_reads_it(rig: Rig) -> None:
    """Every file of ours is there under its digest, the request says so, and the program is called as one here is."""
    rig.train("Starting Starting it is", "Downloading Downloading it is")
    (job,) = rig.system.jobs
    said = job.asked["AlgorithmSpecification"]
    assert (said["ContainerEntrypoint"], said["ContainerArguments"]) == (
        ["python", "/program/train.py"],
        ["--request", "/opt/ml/input/data/modelops/request.json", "--output", "/opt/ml/model"],
    )
    told = TrainingRequest.model_validate_json(rig.system.files["request.json"])
    assert told.window
    for reference in (*told.training, told.holdout, told.window):
        inside = reference.uri.removeprefix("file:///opt/ml/input/data/modelops/")
        assert digest_bytes(rig.system.files[inside]) == reference.digest
    assert rig.system.files[told.window.uri.rpartition("/")[2]] == WINDOW
    assert job.asked["EnableNetworkIsolation"]
    assert rig.system.broken == []


def test_what_it_leaves_is_ours(rig: Rig) -> None:
    """The artifact is fetched by its digest from what was unpacked; data keep the addresses that they had before."""
    artifact = b"the weights"
    inside = {"uri": "file:///opt/ml/model/model.onnx", "digest": digest_bytes(artifact)}
    result = json.loads(canonical(MADE)) | {"artifact": inside, "holdout": json.loads(canonical(PREVIOUS))["holdout"]}
    result["holdout"]["uri"] = "file:///opt/ml/input/data/modelops/somewhere"
    rig.system.left = {"model.onnx": artifact}
    made = rig.train(result=json.dumps(result).encode())
    assert rig.store.fetch(made.artifact).read_bytes() == artifact
    assert made.holdout == PREVIOUS.holdout
    assert made.trainer == "loan-aws"


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("failure", "Failed: AlgorithmError: ExecuteUserScriptError: ExitCode 1"),
        ("cancelled", "Stopped"),
        ("too long", "MaxRuntimeExceeded"),
    ],
)
def test_why_a_job_failed(rig: Rig, outcome: str, said: str) -> None:
    """As SageMaker says it, and where its log is."""
    with pytest.raises(TrainingError, match=f"trainer 'loan-aws': run .* failed: {said}") as failed:
        rig.train(outcome=outcome)
    assert "console.aws.amazon.com" in failed.value.remedy


def _archive(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, link
        archive.addfile(member, io.BytesIO())
    return file.getvalue()


@pytest.mark.parametrize(
    ("archive", "said"),
    [
        (b"no archive", "can be unpacked"),
        (gzip.compress(b"no tar"), "can be unpacked"),
        (packed({"result.json": b"{}"})[:-20], "can be unpacked"),
        (_archive("../../evil"), "can be unpacked"),
        (_archive("result.json", tarfile.SYMTYPE, "/etc/passwd"), "can be unpacked"),
        (_archive("fifo", tarfile.FIFOTYPE), "can be unpacked"),
        (packed({"other.json": b"{}"}), "left no result.json"),
        (packed({"result.json": b"{"}), "left no result.json"),
        (packed({"result.json": b" " * 2_000}), "a result.json of 2000 bytes"),
        (packed({"result.json": b"{}", "weights": bytes(20_000)}), "left more than 10000 bytes"),
        (bytes(20_000), "left more than 10000 bytes"),
    ],
    ids=count(),
)
def test_an_archive_that_cannot_be_trusted(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, archive: bytes, said: str
) -> None:
    """Nothing leaves its folder, nothing fills the disk, and whoever trained is told what is wrong."""
    monkeypatch.setattr(sagemaker_job, "_LONG", 1_000)
    monkeypatch.setattr(sagemaker_job, "_LARGEST", 10_000)
    monkeypatch.setattr("tests.contract.training_jobs.packed", lambda files: archive)
    with pytest.raises(TrainingError, match=said):
        rig.train()
    assert not (rig.folder.parent / "evil").exists()
    assert not (rig.folder / "evil").exists()
    assert list((rig.folder / "training").iterdir()) == []


def test_somebody_else_is_quicker(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two who begin the same job have one: SageMaker takes a name once."""
    first = rig.jobs.dispatch("run", canonical(PREVIOUS).decode())
    with monkeypatch.context() as blind:
        blind.setattr(rig.jobs, "find", lambda name: None)
        assert rig.jobs.dispatch("run", canonical(PREVIOUS).decode()).id == first.id
    assert len(rig.system.builds) == 1


def test_to_end_what_has_ended_is_no_error(rig: Rig) -> None:
    """SageMaker refuses it, and it is what was wanted."""
    run = rig.jobs.dispatch("run", "{}")
    rig.system.builds[-1].outcome = "failure"
    rig.jobs.cancel(run)
    assert (rig.jobs.look(run).fate, rig.system.cancelled) == (Fate.FAILED, [])


def test_a_stranger_trains_nothing(rig: Rig, host: Host) -> None:
    """Who may not is told so, and nobody is told the secret."""
    stranger = SageMakerJobs(settings(), clients_of(host.url, "AKIASTRANGER"), rig.store, rig.folder)
    with pytest.raises(NotPermittedError) as caught:
        stranger.find("run")
    assert "canary" not in f"{caught.value}{caught.value.remedy}"


PUBLISHED = get_session().get_service_model("sagemaker").shape_for("TrainingJobName").metadata
RUNS = st.builds(
    EffectKey,
    model=st.from_regex(r"[a-z][a-z0-9]{0,8}([-_][a-z0-9]{1,9}){0,4}", fullmatch=True),
    visit=st.integers(1, 10**6),
    step=st.sampled_from(["train", "train-2"]),
).map(name_of)


@given(RUNS, RUNS, st.integers(1, 999))
def test_a_job_has_a_name_that_sagemaker_takes(one: str, other: str, number: int) -> None:
    """Whatever the model is called; another run or attempt has another one."""
    name = sagemaker_job._job_name(one, number)
    assert re.fullmatch(PUBLISHED["pattern"], name)
    assert len(name) <= PUBLISHED["max"]
    assert (name == sagemaker_job._job_name(other, number)) == (one == other)
    assert name != sagemaker_job._job_name(one, number + 1)


@pytest.fixture(scope="module")
def cloud() -> Iterator[moto.Cloud]:
    """Another one's SageMaker and S3."""
    opened = moto.Cloud()
    opened.start()
    yield opened
    opened.stop()


def test_another_ones_sagemaker(cloud: moto.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job in moto, which ends at once: it is found, described, and what it left is collected, but not too much."""
    store = FileArtifactStore(tmp_path / "store", [tmp_path])
    store.put(b"one")
    secret = json.dumps({"Version": 1, "AccessKeyId": moto.KEY, "SecretAccessKey": "secret"})
    clients = AwsClients(REGION, lambda: secret, cloud.url)
    folder = f"s3://{moto.BUCKET}/jobs"
    jobs = SageMakerJobs(settings(folder=folder), clients, store, tmp_path / "training")
    assert jobs.find(name_of(KEY)) is None
    job = sagemaker_job._job_name(name_of(KEY), 1)
    archive = packed({"result.json": canonical(MADE), "model.onnx": b"weights"})
    cloud.put(f"{folder}/{job}/output/{job}/output/model.tar.gz", archive)
    trainer = CiTrainer(CiRuns(jobs, lambda run: None, lambda: False, 0.01), 5)
    for _ in range(2):
        assert trainer.train("loan-aws", PREVIOUS, None, KEY).artifact.digest == MADE.artifact.digest
    assert list(cloud.backend.training_jobs) == [job]
    run = Run(job, Fate.SUCCEEDED, jobs.look(Run(job, Fate.RUNNING, "")).page)
    assert jobs.find(name_of(KEY)) == run
    monkeypatch.setattr(sagemaker_job, "_LARGEST", len(archive) - 1)
    with pytest.raises(PipelineError, match=f"left more than {len(archive) - 1} bytes"):
        jobs.collect(run)
    jobs.close()


def test_an_archive_that_does_not_end(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more of it is taken than a job may leave, nothing of that is kept, and the next request is answered."""
    monkeypatch.setattr(sagemaker_job, "_LARGEST", 3 << 20)
    run = rig.jobs.dispatch("run", canonical(PREVIOUS).decode())
    rig.system.builds[-1].outcome, rig.system.builds[-1].result = "success", canonical(MADE)
    rig.system.endless = True
    with pytest.raises(PipelineError, match="left more than 3145728 bytes") as told:
        rig.jobs.collect(run)
    assert "console.aws.amazon.com" in told.value.remedy
    assert list((rig.folder / "training").iterdir()) == []
    rig.system.endless = False
    assert json.loads(rig.jobs.collect(run))["developer"] == MADE.developer


SAID = {
    "system": "sagemaker",
    "region": REGION,
    "role": "arn:aws:iam::123456789012:role/modelops",
    "image": "image:1",
    "command": ["python", "/program/train.py"],
    "instance": "ml.m5.large",
    "folder": f"s3://{BUCKET}/jobs",
}


def test_it_is_configured_beside_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A name is a program's path or a job; each trainer is asked under its own name."""
    monkeypatch.setenv("MODELOPS_TRAINERS", json.dumps({"here": "/programs/train.py", "there": SAID}))
    chosen = read_settings()
    assert chosen.trainers["here"] == Path("/programs/train.py")
    trainers = trainers_of(Settings(home=tmp_path, trainers=chosen.trainers), FileArtifactStore(tmp_path, []), {})
    assert list(trainers._named) == ["there"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"instance": "big"}, "instance"),
        ({"command": []}, "command"),
        ({"subnets": ["subnet-0a"]}, "subnets and security_groups go together"),
        ({"at_most": "90d"}, "at_most"),
        ({"folder": "/tmp"}, "folder"),
    ],
)
def test_what_is_wrong_in_it_is_named(monkeypatch: pytest.MonkeyPatch, changed: dict[str, object], said: str) -> None:
    """With the variable, the trainer and the place."""
    monkeypatch.setenv("MODELOPS_TRAINERS", json.dumps({"there": SAID | changed}))
    with pytest.raises(InvalidInputError, match=f"MODELOPS_TRAINERS.*there.*{said}"):
        read_settings()


def test_a_reference_that_leads_out_of_the_output_is_left_alone() -> None:
    """It is judged where it is fetched, as any other address is."""
    odd = submission_of("two").artifact.model_copy(update={"uri": "file:///opt/ml/model/../../etc/passwd"})
    led = sagemaker_job._led(odd.model_dump(), Path("/work"), {})
    assert led == odd.uri
