"""Amazon SageMaker's training jobs and the S3 beside them, as botocore's own model of the services has them.

Requests are held to the model, patterns and lengths included, which boto3 leaves to the service; answers are read by
boto3. A job goes through the statuses of the API Reference, one at each look.
"""

import io
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.session import get_session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from activities.adapters.aws_clients import AwsClients
from activities.adapters.ci_runs import Pipeline
from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.sagemaker_job import RUN_TAG, SageMakerJobs
from models.training_jobs import SageMakerTraining
from tests.contract.ci_systems import Build, System

REGION, BUCKET = "eu-central-1", "training"
KEY, SECRET = "AKIAMODELOPSTRAINER", "canary-of-a-token"
BEGINNING = ("Starting", "Downloading", "DownloadingTrainingImage", "Training")
_ENDS = {
    "success": ("Completed", "Completed", None),
    "failure": ("Failed", "Failed", "AlgorithmError: ExecuteUserScriptError: ExitCode 1"),
    "cancelled": ("Stopped", "Stopped", None),
    "too long": ("Stopped", "MaxRuntimeExceeded", None),
}


@cache
def _operation(name: str) -> Any:
    return get_session().get_service_model("sagemaker").operation_model(name)


def misfits(shape: Shape, value: Any, place: str = "") -> Iterator[str]:
    """Where a request does not fit the published model: names, what is required, lengths, ranges, patterns, enums."""
    if isinstance(shape, StructureShape):
        yield from (f"{place}.{name} is missing" for name in shape.required_members if name not in value)
        for name, one in value.items():
            if name not in shape.members:
                yield f"{place}.{name} is not published"
            else:
                yield from misfits(shape.members[name], one, f"{place}.{name}")
    elif isinstance(shape, ListShape):
        yield from _sized(shape.metadata, len(value), place)
        for number, one in enumerate(value):
            yield from misfits(shape.member, one, f"{place}[{number}]")
    elif isinstance(shape, MapShape):
        for name, one in value.items():
            yield from misfits(shape.value, one, f"{place}.{name}")
    else:
        yield from _plain(shape.metadata, value, place)


def _plain(said: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
    yield from _sized(said, len(value) if isinstance(value, str) else value, place)
    pattern = said.get("pattern", ".*").replace(r"\p{L}", "a-zA-Z").replace(r"\p{N}", "0-9").replace(r"\p{Z}", " ")
    if not re.fullmatch(pattern, str(value), re.DOTALL):
        yield f"{place}: '{value}' does not match {pattern}"
    if "enum" in said and value not in said["enum"]:
        yield f"{place}: '{value}' is none of them"


def _sized(said: Mapping[str, Any], size: float, place: str) -> Iterator[str]:
    if not said.get("min", size) <= size <= said.get("max", size):
        yield f"{place}: {size} is not between {said.get('min')} and {said.get('max')}"


@dataclass
class Job(Build):
    """A run that is a job: as it was asked for, and how often it was looked at."""

    asked: dict[str, Any] = field(default_factory=dict)
    looks: int = 0


class SageMakerRegion(System):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html"""

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}
        self.endless = False

    def app(self) -> Starlette:
        """Both services at one address."""
        return Starlette(
            routes=[
                Route("/", self.sagemaker, methods=["POST"]),
                Route(f"/{BUCKET}/{{key:path}}", self.s3, methods=["PUT", "GET"]),
            ]
        )

    async def s3(self, request: Request) -> Response:
        """Objects, with whatever key."""
        key = request.path_params["key"]
        if request.method == "PUT":
            self.objects[key] = await request.body()
            return Response(headers={"ETag": '"1"'})
        if key not in self.objects:
            said = "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"
            return Response(said, 404, media_type="application/xml")
        content = self.objects[key]
        return StreamingResponse(repeat(content)) if self.endless else Response(content)

    async def sagemaker(self, request: Request) -> Response:
        """One of three operations."""
        if f"Credential={KEY}/" not in request.headers["authorization"]:
            return _refused("UnrecognizedClientException", "The security token included in the request is invalid.")
        name = request.headers["x-amz-target"].removeprefix("SageMaker.")
        asked = json.loads(await request.body())
        self.broken += misfits(_operation(name).input_shape, asked, name)
        known = {job.asked["TrainingJobName"]: job for job in self.jobs}
        job = known.get(asked["TrainingJobName"])
        if name == "CreateTrainingJob":
            return self._create(asked) if job is None else _refused("ResourceInUse", "Job name must be unique.")
        if job is None:
            return _refused("ValidationException", "Requested resource not found.")
        if name == "StopTrainingJob":
            if job.outcome:
                return _refused("ValidationException", f"The request was rejected: the job is {job.outcome}")
            self.cancel(self.jobs.index(job) + 1)
            return JSONResponse({})
        return JSONResponse(self._described(job))

    @property
    def jobs(self) -> list[Job]:
        """All of them."""
        return [one for one in self.builds if isinstance(one, Job)]

    def _create(self, asked: dict[str, Any]) -> Response:
        (channel,) = asked["InputDataConfig"]
        place = _key(channel["DataSource"]["S3DataSource"]["S3Uri"])
        self.files = {key.removeprefix(place): value for key, value in self.objects.items() if key.startswith(place)}
        original = self.objects[f"{place.removesuffix('input/')}asked.json"].decode()
        (tag,) = [one["Value"] for one in asked["Tags"] if one["Key"] == RUN_TAG]
        self.builds.append(Job(tag, original, asked=asked))
        return JSONResponse({"TrainingJobArn": _arn(asked["TrainingJobName"])})

    def _described(self, job: Job) -> dict[str, Any]:
        name = job.asked["TrainingJobName"]
        job.looks += 1
        output = f"{job.asked['OutputDataConfig']['S3OutputPath']}/{name}/output/model.tar.gz"
        status, step, reason = _ENDS.get(job.outcome, ("InProgress", BEGINNING[min(job.looks, 4) - 1], None))
        if job.outcome == "success":
            self.objects[_key(output)] = packed({"result.json": job.result, **self.left})
        steps = [{"Status": step, "StartTime": _now(), "StatusMessage": f"{step} it is"}]
        told = {
            "TrainingJobName": name,
            "TrainingJobArn": _arn(name),
            "ModelArtifacts": {"S3ModelArtifacts": output},
            "TrainingJobStatus": status,
            "SecondaryStatus": step,
            "SecondaryStatusTransitions": steps,
            "CreationTime": _now(),
        }
        return told | ({"FailureReason": reason} if reason else {})

    left: dict[str, bytes] = {}  # noqa: RUF012 (what programs leave beside the result: a test sets it anew)


def packed(files: Mapping[str, bytes]) -> bytes:
    """model.tar.gz"""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def _now() -> float:
    return datetime.now(UTC).timestamp()


def _arn(name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:123456789012:training-job/{name}"


def _key(uri: str) -> str:
    return uri.removeprefix(f"s3://{BUCKET}/")


def _refused(code: str, message: str) -> Response:
    return JSONResponse({"__type": code, "message": message}, 400)


def settings(**said: Any) -> SageMakerTraining:
    """A program in an image."""
    usual = {
        "system": "sagemaker",
        "region": REGION,
        "role": "arn:aws:iam::123456789012:role/modelops",
        "image": f"123456789012.dkr.ecr.{REGION}.amazonaws.com/train:1",
        "command": ["python", "/program/train.py"],
        "instance": "ml.m5.large",
        "folder": f"s3://{BUCKET}/jobs",
    }
    return SageMakerTraining.model_validate(usual | said)


def credentials(key: str = KEY) -> str:
    """As a `credential_process` gives them."""
    return json.dumps({"Version": 1, "AccessKeyId": key, "SecretAccessKey": SECRET})


@cache
def clients_of(url: str, key: str = KEY) -> AwsClients:
    """Of an address: they take long to make."""
    return AwsClients(REGION, lambda: credentials(key), url)


def jobs_in(url: str, folder: Path, *known: bytes, key: str = KEY, **said: Any) -> Pipeline:
    """Our way to them, with a store that has some bytes."""
    store = FileArtifactStore(folder / "store", [folder])
    for one in known:
        store.put(one)
    return SageMakerJobs(settings(**said), clients_of(url, key), store, folder / "training")
