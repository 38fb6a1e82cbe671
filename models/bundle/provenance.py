"""Where a bundle came from, as an in-toto Statement v1 with SLSA provenance v1, and whose key signed it.

Sources: in-toto attestation framework 1.0, `spec/v1/statement.md`; SLSA 1.0, `provenance.md`. It says nothing of when:
a statement that is signed again, by the same key, is the same to the last byte.
"""

from collections.abc import Iterable, Iterator
from typing import Literal
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field

from models.bundle.manifest import SPELT, BundleConfig
from models.canonical import Digest, Frozen, canonical
from models.inventory import Reference
from models.signing import Document, PublicKey, payload_of, seal_document, signer_of

PAYLOAD_TYPE = "application/vnd.in-toto+json"
BUILD_TYPE = "urn:modelops:build:bundle:v1"


class Resource(Frozen):
    """Something by its digest: SHA-256, of a commit `gitCommit`."""

    model_config = SPELT

    name: str
    uri: str | None = Field(default=None, exclude_if=lambda uri: uri is None)
    digest: dict[str, str]


class Parameters(Frozen):
    """What was asked for, by whoever submitted the version."""

    model_config = SPELT

    model: str
    version: int
    format: str
    python: str
    source: Resource
    training_data: tuple[Resource, ...]


class BuildDefinition(Frozen):
    """What was built, from what."""

    model_config = SPELT

    build_type: Literal["urn:modelops:build:bundle:v1"] = "urn:modelops:build:bundle:v1"
    external_parameters: Parameters
    resolved_dependencies: tuple[Resource, ...]


class Builder(Frozen):
    """Who built it."""

    id: str


class RunDetails(Frozen):
    """By whom; of the run itself nothing, for it leaves no trace in what it makes."""

    builder: Builder


class Predicate(Frozen):
    """SLSA provenance v1."""

    model_config = SPELT

    build_definition: BuildDefinition
    run_details: RunDetails


class Provenance(Frozen):
    """The statement; its subject is the bundle's manifest."""

    model_config = SPELT

    statement_type: Literal["https://in-toto.io/Statement/v1"] = Field(
        default="https://in-toto.io/Statement/v1", alias="_type"
    )
    subject: tuple[Resource]
    predicate_type: Literal["https://slsa.dev/provenance/v1"] = "https://slsa.dev/provenance/v1"
    predicate: Predicate


def builder_of(audience: str) -> str:
    """The name of an installation as a builder."""
    return f"urn:modelops:installation:{quote(audience, safe='')}"


def provenance(bundle: Digest, config: BundleConfig, builder: str) -> Provenance:
    """Where the bundle with this manifest, made from this, came from."""
    submission = config.submission
    source = Resource(name="source", uri=submission.source.repository, digest={"gitCommit": submission.source.commit})
    training = tuple(_resource(f"training-data-{n}", one) for n, one in enumerate(submission.training_data, 1))
    asked = Parameters(
        model=config.facts.id,
        version=config.version,
        format=submission.format,
        python=config.python,
        source=source,
        training_data=training,
    )
    built = BuildDefinition(external_parameters=asked, resolved_dependencies=(*_materials(config), *training))
    return Provenance(
        subject=(Resource(name=config.facts.id, digest=_sha256(bundle)),),
        predicate=Predicate(build_definition=built, run_details=RunDetails(builder=Builder(id=builder))),
    )


def sign(statement: Provenance, private: Ed25519PrivateKey) -> Document:
    """A statement in an envelope, signed by one key."""
    return seal_document(canonical(statement), PAYLOAD_TYPE, private)


def vouches(envelope: Document, bundle: Digest, config: BundleConfig, keys: Iterable[PublicKey]) -> PublicKey | None:
    """The key that signed just what this bundle's provenance must be, whoever is said to have built it; None if no one
    of the keys did."""
    try:
        payload = payload_of(envelope, PAYLOAD_TYPE)
        said = Provenance.model_validate_json(payload)
    except ValueError:
        return None
    if canonical(provenance(bundle, config, said.predicate.run_details.builder.id)) != payload:
        return None
    return signer_of(envelope, keys)


def _materials(config: BundleConfig) -> Iterator[Resource]:
    submission = config.submission
    yield _resource("artifact", submission.artifact)
    yield _resource("dependencies", submission.dependencies)
    yield _resource("holdout", submission.holdout)
    if submission.golden:
        yield _resource("golden-predictions", submission.golden.predictions)
    for kind, report in sorted(config.evidence.items()):
        yield Resource(name=f"evidence-{kind}", digest=_sha256(report))


def _resource(name: str, reference: Reference) -> Resource:
    return Resource(name=name, uri=reference.uri, digest=_sha256(reference.digest))


def _sha256(name: Digest) -> dict[str, str]:
    return {"sha256": name.removeprefix("sha256:")}
