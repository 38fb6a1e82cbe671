"""Training jobs of Amazon SageMaker as runs of a pipeline: what they are told goes to S3, what they leave comes back.

The program is called as one on this machine, `COMMAND --request REQUEST.json --output DIR`. A job's name follows from
the step's key, with the number of the attempt, as SageMaker makes no name twice. Source: Amazon SageMaker API
Reference; Developer Guide, "How Amazon SageMaker provides training information".
"""

import hashlib
import json
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from activities.adapters.aws_clients import AwsClients, translated
from activities.adapters.ci_runs import RESULT, Fate, Run
from activities.ports import ArtifactStore
from models.errors import PipelineError, UnavailableError
from models.inventory import Reference
from models.training_jobs import SageMakerTraining

_CHANNEL, _REQUEST, _ASKED = "modelops", "request.json", "asked.json"
_INPUT = f"/opt/ml/input/data/{_CHANNEL}"
_OUTPUT = "/opt/ml/model"
_LONGEST, _READABLE = 4_000, 36
_MOVING = ("InProgress", "Stopping")
_LARGEST, _LONG = 20 * 1024**3, 16 * 1024**2
"""Bytes of everything that a job leaves, packed or unpacked, and of its result or of what it was asked."""

_CHUNK = 1 << 20
RUN_TAG = "modelops:run"
"""The tag of a job with the name of its run."""


class SageMakerJobs:
    """Fits `Pipeline`. Inputs come out of `store`; what jobs leave is unpacked below `workspace`, a folder for each."""

    def __init__(self, settings: SageMakerTraining, clients: AwsClients, store: ArtifactStore, workspace: Path) -> None:
        self._settings = settings
        self._clients = clients
        self._store = store
        self._workspace = workspace

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def find(self, name: str) -> Run | None:
        """The newest job of a run; None if there is none yet."""
        found, number = None, 1
        while (job := self._described(_job_name(name, number))) is not None:
            found, number = job, number + 1
        return self._run(found) if found else None

    def dispatch(self, name: str, request: str) -> Run:
        """Have another job begin; if somebody else was quicker, that one."""
        before = self.find(name)
        job = _job_name(name, int(before.id.rpartition("-")[2]) + 1 if before else 1)
        self._stage(job, request)
        with translated(f"training job '{job}'"):
            try:
                self._client.create_training_job(**self._asked(job, name))
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceInUse":
                    raise
        return self._run(self._known(job))

    def look(self, run: Run) -> Run:
        """The job as it is now."""
        return self._run(self._known(run.id))

    def cancel(self, run: Run) -> None:
        """Have it end; no error if it has."""
        with translated(f"training job '{run.id}'"):
            try:
                self._client.stop_training_job(TrainingJobName=run.id)
            except ClientError:
                if (self._described(run.id) or {}).get("TrainingJobStatus") in _MOVING:
                    raise

    def collect(self, run: Run) -> bytes:
        """Its `result.json`, in which references lead to what was unpacked here, and to what was asked about."""
        archive = self._known(run.id)["ModelArtifacts"]["S3ModelArtifacts"]
        self._workspace.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{run.id}-", dir=self._workspace)).resolve()
        try:
            result = self._brought(archive, folder, run)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        asked = json.loads(b"".join(self._chunks(self._place(run.id, _ASKED), _LONG, run)))
        origins = {one["digest"]: one["uri"] for one in _references(asked)}
        for one in _references(result):
            one["uri"] = _led(one, folder, origins)
        return json.dumps(result).encode()

    def _brought(self, archive: str, folder: Path, run: Run) -> Any:
        with tempfile.TemporaryFile(dir=self._workspace) as file:
            for chunk in self._chunks(archive, _LARGEST, run):
                file.write(chunk)
            file.seek(0)
            _unpack(file, folder, run)
        return _result(folder / RESULT, run)

    @property
    def _client(self) -> Any:
        return self._clients.client("sagemaker")

    def _asked(self, job: str, name: str) -> dict[str, Any]:
        said = self._settings
        source = {"S3DataType": "S3Prefix", "S3Uri": self._place(job, "input/")}
        asked: dict[str, Any] = {
            "TrainingJobName": job,
            "RoleArn": said.role,
            "AlgorithmSpecification": {
                "TrainingImage": said.image,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": list(said.command),
                "ContainerArguments": ["--request", f"{_INPUT}/{_REQUEST}", "--output", _OUTPUT],
            },
            "InputDataConfig": [{"ChannelName": _CHANNEL, "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": self._place(job, "output")},
            "ResourceConfig": {
                "InstanceType": said.instance,
                "InstanceCount": 1,
                "VolumeSizeInGB": said.volume,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": said.at_most},
            "EnableNetworkIsolation": said.isolated,
            "Tags": [{"Key": RUN_TAG, "Value": name}],
        }
        if said.subnets:
            asked["VpcConfig"] = {"Subnets": list(said.subnets), "SecurityGroupIds": list(said.security_groups)}
        return asked

    def _stage(self, job: str, request: str) -> None:
        """Put what the job is to read where it reads it: each file of ours under its digest, and the request."""
        self._put(self._place(job, _ASKED), request.encode())
        told = json.loads(request)
        for one in _references(told):
            if one["uri"].startswith(("file:", "/")):
                name = str(one["digest"]).replace(":", "-") + PurePosixPath(one["uri"]).suffix
                self._put(self._place(job, f"input/{name}"), self._store.fetch(Reference.model_validate(one)))
                one["uri"] = f"file://{_INPUT}/{name}"
        self._put(self._place(job, f"input/{_REQUEST}"), json.dumps(told, indent=2).encode())

    def _put(self, uri: str, value: bytes | Path) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        with translated(uri):
            client = self._clients.client("s3")
            if isinstance(value, bytes):
                client.put_object(Bucket=bucket, Key=key, Body=value)
                return
            with value.open("rb") as file:
                client.put_object(Bucket=bucket, Key=key, Body=file)

    def _chunks(self, uri: str, at_most: int, run: Run) -> Iterator[bytes]:
        """An object as it comes; PipelineError once that is more than so many bytes, and the rest is left there."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        taken = 0
        with translated(uri):
            body = self._clients.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
            with closing(body):
                for chunk in body.iter_chunks(_CHUNK):
                    if (taken := taken + len(chunk)) > at_most:
                        raise _too_much(run, at_most)
                    yield chunk

    def _place(self, job: str, name: str) -> str:
        return f"{self._settings.folder.rstrip('/')}/{job}/{name}"

    def _known(self, job: str) -> dict[str, Any]:
        found = self._described(job)
        if found is None:
            raise UnavailableError(f"SageMaker does not show training job '{job}'", "it is looked for again")
        return found

    def _described(self, job: str) -> dict[str, Any] | None:
        """The job; None if there is none, which SageMaker says in words."""
        with translated(f"training job '{job}'"):
            try:
                found: dict[str, Any] = self._client.describe_training_job(TrainingJobName=job)
            except ClientError as error:
                said = error.response["Error"]
                if "ResourceNotFound" in said["Code"] or re.search("not f(ind|ound)", said["Message"]):
                    return None
                raise
        return found

    def _run(self, job: dict[str, Any]) -> Run:
        name, region = job["TrainingJobName"], self._settings.region
        page = f"https://{region}.console.aws.amazon.com/sagemaker/home?region={region}#/jobs/{name}"
        status, now = job["TrainingJobStatus"], job["SecondaryStatus"]
        if status in _MOVING:
            return Run(name, Fate.RUNNING, page, _message(job))
        if (status, now) == ("Completed", "Completed"):
            return Run(name, Fate.SUCCEEDED, page)
        return Run(name, Fate.FAILED, page, f"{now}: {job.get('FailureReason') or _message(job)}"[:_LONGEST])


def _message(job: dict[str, Any]) -> str:
    """What SageMaker says of a job just now."""
    steps = job.get("SecondaryStatusTransitions") or [{"Status": job["SecondaryStatus"]}]
    return " ".join(filter(None, (steps[-1]["Status"], steps[-1].get("StatusMessage"))))


def _job_name(name: str, number: int) -> str:
    """At most 63 letters, digits and single hyphens, another one for every run and attempt."""
    readable = re.sub("[^A-Za-z0-9]+", "-", name)[:_READABLE].strip("-")
    return f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:16]}-{number}"


def _references(node: Any) -> Iterator[dict[str, Any]]:
    """Every pinned reference in a document."""
    if isinstance(node, dict):
        if isinstance(node.get("uri"), str) and isinstance(node.get("digest"), str):
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from _references(one)


def _result(file: Path, run: Run) -> Any:
    try:
        if (size := file.stat().st_size) > _LONG:
            raise PipelineError(f"job {run.id} left a {RESULT} of {size} bytes", f"see {run.page}")
        return json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise PipelineError(f"job {run.id} left no {RESULT} that can be read: {error}", f"see {run.page}") from error


def _led(reference: dict[str, Any], folder: Path, origins: dict[str, str]) -> str:
    """Where a reference leads outside the job."""
    uri, digest = str(reference["uri"]), str(reference["digest"])
    inside = PurePosixPath(uri.removeprefix("file://"))
    if inside.is_relative_to(_OUTPUT) and ".." not in inside.parts:
        return (folder / inside.relative_to(_OUTPUT)).as_uri()
    return origins.get(digest, uri)


def _too_much(run: Run, at_most: int) -> PipelineError:
    return PipelineError(f"job {run.id} left more than {at_most} bytes", f"see {run.page}")


def _unpack(file: Any, folder: Path, run: Run) -> None:
    """Unpack an archive of regular files that stay in the folder; PipelineError."""
    try:
        with tarfile.open(fileobj=file, mode="r:gz") as archive:
            total = 0
            for member in archive:
                total += member.size
                if total > _LARGEST:
                    raise _too_much(run, _LARGEST)
                archive.extract(member, folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise PipelineError(f"job {run.id} left no archive that can be unpacked: {error}", f"see {run.page}") from error
