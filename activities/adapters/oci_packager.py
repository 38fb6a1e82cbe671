"""Bundles as OCI artifacts: a version with its environment, schemas, card and evidence under one digest, signed."""

import sys
from collections.abc import Iterable, Iterator, Mapping

from pydantic import Field, ValidationError

from activities.adapters.installation_key import InstallationKey
from activities.adapters.sample_request import sample_of
from activities.ports import ArtifactStore
from models.bundle.bill import bill_of
from models.bundle.card import card_of
from models.bundle.definitions import DEFINITIONS, Definition, parse_definition, parts_of
from models.bundle.manifest import (
    BILL_FILE,
    CARD_FILE,
    CONFIG_TYPE,
    DEPENDENCIES_FILE,
    ENVIRONMENT_FILE,
    GOLDEN_FILE,
    INPUTS_FILE,
    MANIFEST_TYPE,
    NOTHING,
    OUTPUTS_FILE,
    PROVENANCE_TYPE,
    SAMPLE_FILE,
    SPELT,
    TITLE,
    BundleConfig,
    Descriptor,
    Manifest,
    RuntimeEnvironment,
    refer,
)
from models.bundle.provenance import provenance, sign
from models.canonical import Digest, Frozen, canonical
from models.decision_table import DecisionTable, misfits
from models.errors import InvalidInputError
from models.evidence import EvaluationReport, ScanReport
from models.formats import FORMATS, is_found_as
from models.inventory import Column, ModelFacts, Reference, Submission
from models.supply.lock import NOTHING as NOTHING_PINNED
from models.supply.lock import Pin, parse_lock

_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_SCHEMA = "application/schema+json"


class _ColumnType(Frozen):
    model_config = SPELT

    type: str


class _RowSchema(Frozen):
    """The JSON Schema of one row."""

    model_config = SPELT

    dialect: str = Field(default="https://json-schema.org/draft/2020-12/schema", alias="$schema")
    type: str = "object"
    properties: dict[str, _ColumnType]
    required: tuple[str, ...]
    additional_properties: bool = False


class OciPackager:
    """Fits `Packager`: puts config, layers, manifest and signature into the artifact store."""

    def __init__(self, store: ArtifactStore, key: InstallationKey, builder: str, python: str = _PYTHON) -> None:
        """`builder` is the installation's name in provenance, `python` the release that bundles are to run on."""
        self._store = store
        self._key = key
        self._builder = builder
        self._python = python

    def package(
        self, facts: ModelFacts, version: int, submission: Submission, evidence: Mapping[str, Digest]
    ) -> Digest:
        """The digest of the bundle's manifest, the same for the same content, signed by the installation's key.

        InvalidInputError if the artifact or the lock file is not what it is said to be; errors of the store and key.
        """
        config = BundleConfig(
            facts=facts, version=version, python=self._python, submission=submission, evidence=dict(evidence)
        )
        manifest = Manifest(
            config=self._keep(canonical(config), CONFIG_TYPE, "config.json"),
            layers=tuple(self._layers(config)),
            annotations={
                TITLE: facts.id,
                "org.opencontainers.image.version": str(version),
                "org.opencontainers.image.source": submission.source.repository,
                "org.opencontainers.image.revision": submission.source.commit,
            },
        )
        bundle = self._store.put(canonical(manifest))
        self.sign(bundle, config)
        return bundle

    def sign(self, bundle: Digest, config: BundleConfig) -> None:
        """Hang the signed provenance on a manifest that is in the store, and was made from this."""
        size = self._store.path(bundle).stat().st_size
        envelope = canonical(sign(provenance(bundle, config, self._builder), self._key.private()))
        signed = Descriptor(media_type=PROVENANCE_TYPE, digest=self._store.put(envelope), size=len(envelope))
        self._store.put(NOTHING)
        referrer = refer(Descriptor(media_type=MANIFEST_TYPE, digest=bundle, size=size), signed)
        self._store.refer(bundle, self._store.put(canonical(referrer)))

    def _layers(self, config: BundleConfig) -> Iterator[Descriptor]:
        submission = config.submission
        yield from self._model(config)
        yield self._bring(submission.dependencies, "text/plain", DEPENDENCIES_FILE)
        yield self._keep(_row_schema(submission.contract.inputs), _SCHEMA, INPUTS_FILE)
        yield self._keep(_row_schema(submission.contract.outputs), _SCHEMA, OUTPUTS_FILE)
        environment = RuntimeEnvironment(python=config.python, dependencies=submission.dependencies.digest)
        yield self._keep(canonical(environment), "application/vnd.modelops.environment.v1+json", ENVIRONMENT_FILE)
        sample = sample_of(self._store.fetch(submission.holdout), submission.contract)
        yield self._keep(canonical(sample), "application/json", SAMPLE_FILE)
        if submission.golden:
            yield self._bring(submission.golden.predictions, "text/csv", GOLDEN_FILE)
        pins, evaluation = self._pins(submission), self._evaluation(config)
        yield self._keep(canonical(bill_of(config, pins, evaluation)), "application/vnd.cyclonedx+json", BILL_FILE)
        yield self._keep(card_of(config, pins, evaluation).encode(), "text/markdown", CARD_FILE)

    def _model(self, config: BundleConfig) -> Iterator[Descriptor]:
        """The model's own file, then those that it names."""
        submission = config.submission
        packing, model = FORMATS[submission.format], self._store.fetch(submission.artifact)
        with model.open("rb") as file:
            begins = file.read(len(packing.magic))
        if begins != packing.magic:
            raise InvalidInputError(
                f"the artifact is said to be {submission.format}, and does not begin like it", "correct the format"
            )
        if packing.runs_code:
            self._demand_clean(config)
        yield _descriptor(submission.artifact.digest, model.stat().st_size, packing.media_type, packing.file)
        if packing.is_read:
            for name, reference in parts_of(_parse(model.read_bytes(), submission)).items():
                yield self._bring(reference, "application/octet-stream", name)

    def _demand_clean(self, config: BundleConfig) -> None:
        scan = config.evidence.get("scan")
        report = ScanReport.model_validate_json(self._store.path(scan).read_bytes()) if scan else None
        artifact = config.submission.artifact.digest
        found = report is not None and is_found_as(config.submission.format, report.format)
        if report is None or not found or (report.verdict, report.artifact) != ("clean", artifact):
            raise InvalidInputError(
                f"{config.submission.format} can run code when it is loaded, and no scan found {artifact} clean",
                "scan it first, or export the model as ONNX",
            )

    def _pins(self, submission: Submission) -> tuple[Pin, ...]:
        """Those of its lock file; a model of rules may have none."""
        lock = parse_lock(self._store.fetch(submission.dependencies).read_bytes())
        if wrong := [objection for objection in lock.objections if objection != NOTHING_PINNED]:
            raise InvalidInputError(
                f"{submission.dependencies.uri} is no lock file: {'; '.join(wrong[:3])}",
                "pin every dependency, as pip freeze does",
            )
        return lock.pins

    def _evaluation(self, config: BundleConfig) -> EvaluationReport | None:
        report = config.evidence.get("evaluation")
        return EvaluationReport.model_validate_json(self._store.path(report).read_bytes()) if report else None

    def _bring(self, reference: Reference, media_type: str, title: str) -> Descriptor:
        return _descriptor(reference.digest, self._store.fetch(reference).stat().st_size, media_type, title)

    def _keep(self, data: bytes, media_type: str, title: str) -> Descriptor:
        return _descriptor(self._store.put(data), len(data), media_type, title)


def _descriptor(digest: Digest, size: int, media_type: str, title: str) -> Descriptor:
    return Descriptor(media_type=media_type, digest=digest, size=size, annotations={TITLE: title})


def _parse(data: bytes, submission: Submission) -> Definition:
    try:
        read = parse_definition(submission.format, data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "it"
        kind = DEFINITIONS[submission.format].__name__
        raise InvalidInputError(f"{submission.artifact.uri} is no {kind}: {place}: {first['msg']}") from None
    if isinstance(read, DecisionTable) and (wrong := next(misfits(read, submission.contract), None)):
        raise InvalidInputError(f"{submission.artifact.uri} does not fit: {wrong}", "correct it or the data contract")
    return read


def _row_schema(columns: Iterable[Column]) -> bytes:
    types = {column.name: _ColumnType(type=column.type) for column in columns}
    return canonical(_RowSchema(properties=types, required=tuple(types)))
