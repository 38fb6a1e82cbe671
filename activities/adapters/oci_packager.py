"""Bundles as OCI artifacts: a version with its environment, schemas and evidence under one digest.

Source: OCI image specification 1.1, `manifest.md`, "Guidelines for Artifact Usage". No clock and no machine goes in,
so the same content has the same digest, and any registry or `oras` can carry it.
"""

import hashlib
import math
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from activities.adapters.csv_table import read_table
from activities.ports import ArtifactStore
from models.canonical import Digest, Frozen, Slug, canonical
from models.errors import DigestMismatchError, InvalidInputError
from models.inventory import Column, DataContract, Reference, Source, Submission

MODEL_FILE = "model.onnx"
DEPENDENCIES_FILE = "requirements.lock"
INPUTS_FILE = "inputs.schema.json"
OUTPUTS_FILE = "outputs.schema.json"
ENVIRONMENT_FILE = "environment.json"
SAMPLE_FILE = "sample-request.json"

SAMPLE_ROWS = 5
"""Rows of the sample request: enough to prove that the model answers."""

_TITLE = "org.opencontainers.image.title"
_CONFIG_TYPE = "application/vnd.modelops.bundle.config.v1+json"
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_REPACKAGE = "Package the version again."
_SPELT = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True)
"""As OCI and JSON Schema spell names: `mediaType`, `additionalProperties`."""


class Descriptor(Frozen):
    """A blob: what it is, which bytes, how many."""

    model_config = _SPELT

    media_type: str
    digest: Digest
    size: int = Field(ge=0)
    annotations: dict[str, str]


class Manifest(Frozen):
    """An OCI image manifest that holds a bundle; its digest is the bundle's identity."""

    model_config = _SPELT

    schema_version: Literal[2] = 2
    media_type: Literal["application/vnd.oci.image.manifest.v1+json"] = "application/vnd.oci.image.manifest.v1+json"
    artifact_type: Literal["application/vnd.modelops.bundle.v1"] = "application/vnd.modelops.bundle.v1"
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: dict[str, str]


class BundleConfig(Frozen):
    """What is bundled and where it came from."""

    model: Slug
    version: int
    contract: DataContract
    source: Source
    training_data: tuple[Reference, ...]
    evidence: dict[str, Digest]


class RuntimeEnvironment(Frozen):
    """What the model runs in: the Python release and the digest of the pinned dependencies."""

    python: str
    dependencies: Digest


class _ColumnType(Frozen):
    model_config = _SPELT

    type: str


class _RowSchema(Frozen):
    """The JSON Schema of one row."""

    model_config = _SPELT

    dialect: Literal["https://json-schema.org/draft/2020-12/schema"] = Field(
        default="https://json-schema.org/draft/2020-12/schema", alias="$schema"
    )
    type: Literal["object"] = "object"
    properties: dict[str, _ColumnType]
    required: tuple[str, ...]
    additional_properties: Literal[False] = False


class Bundle(Frozen):
    """A bundle read back, every byte of it verified: its files by name, each a path in the artifact store."""

    digest: Digest
    config: BundleConfig
    environment: RuntimeEnvironment
    files: dict[str, Path]

    @property
    def model(self) -> Slug:
        """The model's id."""
        return self.config.model

    @property
    def version(self) -> int:
        """The version's number."""
        return self.config.version

    @property
    def contract(self) -> DataContract:
        """What the model reads and writes."""
        return self.config.contract

    @property
    def model_path(self) -> Path:
        """The ONNX file."""
        return self.files[MODEL_FILE]


class SampleTensor(Frozen):
    """Rows of inputs in the contract's order, row by row; a missing value is null."""

    name: str = "input"
    shape: tuple[int, int]
    datatype: str = "FP64"
    data: tuple[float | None, ...]


class SampleRequest(Frozen):
    """An inference request of the Open Inference Protocol v2 that the version must be able to answer."""

    inputs: tuple[SampleTensor]


class OciPackager:
    """Fits `Packager`: puts config, layers and manifest into the artifact store."""

    def __init__(self, store: ArtifactStore, python: str = _PYTHON) -> None:
        """`python` is the release that bundles are to run on, as in `3.11`."""
        self._store = store
        self._python = python

    def package(self, model: str, version: int, submission: Submission, evidence: Mapping[str, Digest]) -> Digest:
        """The digest of the bundle's manifest, the same for the same content; errors are those of the store."""
        config = BundleConfig(
            model=model,
            version=version,
            contract=submission.contract,
            source=submission.source,
            training_data=submission.training_data,
            evidence=dict(evidence),
        )
        manifest = Manifest(
            config=self._keep(config, _CONFIG_TYPE),
            layers=tuple(self._layers(submission)),
            annotations={
                _TITLE: model,
                "org.opencontainers.image.version": str(version),
                "org.opencontainers.image.source": submission.source.repository,
                "org.opencontainers.image.revision": submission.source.commit,
            },
        )
        return self._store.put(canonical(manifest))

    def _layers(self, submission: Submission) -> Iterable[Descriptor]:
        environment = RuntimeEnvironment(python=self._python, dependencies=submission.dependencies.digest)
        yield self._bring(submission.artifact, "application/vnd.modelops.model.v1+onnx", MODEL_FILE)
        yield self._bring(submission.dependencies, "text/plain", DEPENDENCIES_FILE)
        yield self._keep(_row_schema(submission.contract.inputs), "application/schema+json", INPUTS_FILE)
        yield self._keep(_row_schema(submission.contract.outputs), "application/schema+json", OUTPUTS_FILE)
        yield self._keep(environment, "application/vnd.modelops.environment.v1+json", ENVIRONMENT_FILE)
        yield self._keep(self._sample(submission), "application/json", SAMPLE_FILE)

    def _sample(self, submission: Submission) -> SampleRequest:
        """The first rows of the hold-out data, inputs alone: no label and no protected column leaves it."""
        contract = submission.contract
        names = [column.name for column in contract.inputs]
        rows = read_table(self._store.fetch(submission.holdout), names, at_most=SAMPLE_ROWS).inputs(contract)
        flat = tuple(None if math.isnan(value) else value for value in rows.ravel().tolist())
        return SampleRequest(inputs=(SampleTensor(shape=(len(rows), len(names)), data=flat),))

    def _bring(self, reference: Reference, media_type: str, title: str) -> Descriptor:
        size = self._store.fetch(reference).stat().st_size
        return Descriptor(media_type=media_type, digest=reference.digest, size=size, annotations={_TITLE: title})

    def _keep(self, value: Frozen, media_type: str, title: str = "config.json") -> Descriptor:
        data = canonical(value)
        return Descriptor(
            media_type=media_type, digest=self._store.put(data), size=len(data), annotations={_TITLE: title}
        )


def read_bundle(store: ArtifactStore, digest: Digest) -> Bundle:
    """The bundle whose manifest has this digest.

    DigestMismatchError (a byte of it changed), UnknownNameError (a part is not in the store),
    InvalidInputError (the digest is that of something else).
    """
    manifest = _parse(Manifest, _verified(store, digest).read_bytes(), digest)
    config = _parse(BundleConfig, _part(store, manifest.config).read_bytes(), manifest.config.digest)
    files = {layer.annotations.get(_TITLE, layer.digest): _part(store, layer) for layer in manifest.layers}
    if missing := {MODEL_FILE, ENVIRONMENT_FILE} - files.keys():
        raise InvalidInputError(f"The bundle {digest} lacks {', '.join(sorted(missing))}.", remedy=_REPACKAGE)
    environment = _parse(RuntimeEnvironment, files[ENVIRONMENT_FILE].read_bytes(), digest)
    return Bundle(digest=digest, config=config, environment=environment, files=files)


_Value = TypeVar("_Value", bound=Frozen)


def _parse(kind: type[_Value], data: bytes, digest: Digest) -> _Value:
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        raise InvalidInputError(
            f"{digest} is not a bundle of this installation: its {kind.__name__} has {error.error_count()} faults.",
            remedy="Name the digest that packaging gave back.",
        ) from None


def _verified(store: ArtifactStore, digest: Digest) -> Path:
    path = store.path(digest)
    with path.open("rb") as file:
        found = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        raise DigestMismatchError(f"The bundle's part {digest} was changed: it is {found} now.", remedy=_REPACKAGE)
    return path


def _part(store: ArtifactStore, descriptor: Descriptor) -> Path:
    path = _verified(store, descriptor.digest)
    if path.stat().st_size != descriptor.size:
        raise DigestMismatchError(
            f"The bundle says that {descriptor.digest} has {descriptor.size} bytes, but it has another size.",
            remedy=_REPACKAGE,
        )
    return path


def _row_schema(columns: Iterable[Column]) -> _RowSchema:
    types = {column.name: _ColumnType(type=column.type) for column in columns}
    return _RowSchema(properties=types, required=tuple(types))
