"""What DEV, TEST and PROD are, as an administrator's file says it: where they are, and what they ask of a version."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from models.canonical import Digest, Duration, Frozen, Slug, digest_bytes, replace
from models.clearance import USUAL_MINIMUM, Minimum
from models.inventory import Environment
from models.plan import Plan
from models.source.administration import load_said
from models.validation import Validation

_REMEDY = "Write `environments: {DEV: {target: {kind: local, url: 'http://127.0.0.1:8501'}}, TEST: ..., PROD: ...}`."

HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/@]+(/[^\s@]*)?$", max_length=2_000)]
"""An address without anybody's name or password in it."""

Bucket = Annotated[str, StringConstraints(pattern=r"^s3://[A-Za-z0-9._-]{3,63}(/\S*)?$", max_length=1_000)]
Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""A DNS label (RFC 1123)."""

Within = Annotated[Duration, Field(ge=1, le=3_600)]
"""How long one attempt waits; the next one waits on. It is best shorter than what a step of the template may take."""


Kept = Annotated[Duration, Field(ge=60, le=315_360_000)]
"""How long something is kept: ten years at most."""


class Credentials(Frozen):
    """Where a secret is: a variable of the process, or a file. It is read when it is used, and kept nowhere."""

    env: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")] | None = None
    file: Annotated[str, StringConstraints(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one(self) -> "Credentials":
        if (self.env is None) == (self.file is None):
            raise ValueError("say where the secret is, in one way: {env: NAME} or {file: PATH}")
        return self

    def __str__(self) -> str:
        return f"variable {self.env}" if self.env else f"file {self.file}"


class Local(Frozen):
    """An inference server of ours (`python -m worker.inference`); what changes it is the deploy token.

    One that `modelops up` starts keeps a former champion loaded for as long as `warm` says, and what was answered for
    as long as `keep_traffic` does; left out, as long as usual.
    """

    kind: Literal["local"] = "local"
    url: HttpUrl
    warm: Kept | None = None
    keep_traffic: Kept | None = None


class ObjectStore(Frozen):
    """S3, or what speaks like it at `endpoint`. Without `credentials` they are found as boto3 finds them.

    `reader` are those of who may only look.
    """

    region: Label = "us-east-1"
    endpoint: HttpUrl | None = None
    credentials: Credentials | None = None
    reader: Credentials | None = None


class KServe(Frozen):
    """A namespace of a Kubernetes cluster with KServe.

    `api` is the cluster's API, `authority` the PEM file of who vouches for it, `credentials` a bearer token. Bundles
    are put below `bundles`, by digest, with what `store` says; `runtime` is the serving runtime that takes them.
    `reader` is a token that may only look: with it the reconciler looks.
    """

    kind: Literal["kserve"]
    api: HttpUrl
    namespace: Label
    bundles: Bucket
    store: ObjectStore = ObjectStore()
    runtime: Label
    credentials: Credentials
    reader: Credentials | None = None
    authority: str | None = None
    ready_within: Within = 240


class SageMaker(Frozen):
    """A region of an AWS account. Without `credentials` they are found as boto3 finds them.

    With them, the secret is JSON as a `credential_process` gives it (AWS SDKs and Tools Reference Guide). `reader` is
    one that may only look: with it the reconciler looks.
    """

    kind: Literal["sagemaker"]
    region: Label
    role: Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/\S+$")]
    image: Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=255)]
    instance: Annotated[str, StringConstraints(pattern=r"^ml\.[a-z0-9.-]+$")]
    bundles: Bucket
    credentials: Credentials | None = None
    reader: Credentials | None = None
    ready_within: Within = 240


Target = Annotated[Local | KServe | SageMaker, Field(discriminator="kind")]


class Capacity(Frozen):
    """How many copies of a version answer: at least, and at most where the target grows by itself."""

    least: int = Field(default=1, ge=1, le=1_000)
    most: int = Field(default=1, ge=1, le=1_000)

    @model_validator(mode="before")
    @classmethod
    def _at_least_once(cls, given: object) -> object:
        return {**given, "most": given["least"]} if isinstance(given, dict) and given.keys() == {"least"} else given

    @model_validator(mode="after")
    def _ordered(self) -> "Capacity":
        if self.most < self.least:
            raise ValueError(f"at most {self.most} is less than at least {self.least}")
        return self


class Surroundings(Frozen):
    """One environment: where versions serve, who must have approved them, what they must show there, how many."""

    target: Target
    minimum: Minimum | None = None
    validation: Validation = Validation()
    capacity: Capacity = Capacity()

    @model_validator(mode="after")
    def _possible(self) -> "Surroundings":
        if isinstance(self.target, Local) and self.capacity != Capacity():
            raise ValueError("capacity: an inference server of ours is one process")
        if isinstance(self.target, SageMaker) and self.capacity.least != self.capacity.most:
            raise ValueError("capacity: a variant on SageMaker has a fixed number of instances: write `least` alone")
        return self


class Environments(Frozen):
    """All three. What a file leaves out of one is as usual, its minimum too."""

    environments: dict[Environment, Surroundings]

    @model_validator(mode="after")
    def _complete(self) -> "Environments":
        if missing := [one for one in Environment if one not in self.environments]:
            raise ValueError(f"nothing is said of {', '.join(missing)}")
        return self

    def __getitem__(self, environment: Environment) -> Surroundings:
        return self.environments[environment]

    @property
    def minimum(self) -> Mapping[Environment, Minimum]:
        """What each environment asks at least, whatever a plan says."""
        return {name: one.minimum for name, one in self.completed.items() if one.minimum}

    @property
    def completed(self) -> Mapping[Environment, Surroundings]:
        """Each environment with the usual minimum, where nothing is said of one."""
        return {
            name: replace(one, minimum=one.minimum or USUAL_MINIMUM.get(name))
            for name, one in self.environments.items()
        }

    @property
    def validation(self) -> Mapping[Environment, Validation]:
        """What a version must show in each environment."""
        return {name: one.validation for name, one in self.environments.items()}

    def locals(self) -> Iterator[tuple[Environment, Local]]:
        """The environments that are inference servers of ours."""
        for name, one in self.environments.items():
            if isinstance(one.target, Local):
                yield name, one.target


def bundle_uri(folder: str, model: Slug, bundle: Digest) -> str:
    """Where the archive of a bundle is below a folder."""
    return f"{folder.rstrip('/')}/{model}/{bundle.replace(':', '-')}.tar.gz"


def bundle_at(folder: str, model: Slug, uri: str) -> Digest:
    """The bundle whose archive is there by its name; else a digest that none has, another one for every place."""
    found = re.search(r"/sha256-([0-9a-f]{64})\.tar\.gz$", uri)
    bundle = f"sha256:{found[1]}" if found else ""
    return bundle if found and uri == bundle_uri(folder, model, bundle) else digest_bytes(uri.encode())


def blind_trials(plan: Plan, environments: Environments) -> Iterator[str]:
    """Which trials of a plan could never end: nobody would tell what the challenger answers where it is tried."""
    for stage in plan.stages:
        if stage.trial and stage.environment and (blind := blindness(environments, stage.environment)):
            yield f"stage '{stage.name}' tries challengers: {blind}"


def blindness(environments: Environments, environment: Environment) -> str | None:
    """Why what versions answer in an environment is not known; None if it is."""
    kind = environments[environment].target.kind
    return None if kind == "local" else f"the target of {environment}, {kind}, does not tell what versions answer"


def usual_environments(ports: Sequence[int] = (8501, 8502, 8503)) -> Environments:
    """Three inference servers on this machine."""
    urls = {name: f"http://127.0.0.1:{port}" for name, port in zip(Environment, ports, strict=True)}
    return Environments(environments={name: Surroundings(target=Local(url=url)) for name, url in urls.items()})


def load_environments(text: bytes, file: str) -> Environments:
    """The environments of a file; InvalidInputError."""
    return load_said(Environments, text, file, _REMEDY)
