"""A bundle's manifest and that of its signature, as OCI artifacts, and the index of a folder that holds them.

Source: OCI image specification 1.1, `manifest.md` ("Guidelines for Artifact Usage"), `image-layout.md`.
No clock and no machine goes in: the same content has the same digest, and any registry or `oras` can carry it.
"""

from typing import Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from models.canonical import Digest, Frozen, digest_bytes
from models.inventory import ModelFacts, Submission

DEPENDENCIES_FILE = "requirements.lock"
INPUTS_FILE = "inputs.schema.json"
OUTPUTS_FILE = "outputs.schema.json"
ENVIRONMENT_FILE = "environment.json"
SAMPLE_FILE = "sample-request.json"
GOLDEN_FILE = "golden-predictions.csv"
BILL_FILE = "bom.cdx.json"
CARD_FILE = "model-card.md"

TITLE = "org.opencontainers.image.title"
CONFIG_TYPE = "application/vnd.modelops.bundle.config.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
PROVENANCE_TYPE = "application/vnd.in-toto.provenance+dsse"
"""As the in-toto attestation framework names a signed statement that is stored (`spec/v1/envelope.md`)."""

SPELT = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True)
"""As OCI, in-toto, CycloneDX and JSON Schema spell names: `mediaType`, `additionalProperties`."""

NOTHING = b"{}"
"""The content of an empty config, as the specification gives it."""


class Descriptor(Frozen):
    """A blob: what it is, which bytes, how many."""

    model_config = SPELT

    media_type: str
    digest: Digest
    size: int = Field(ge=0)
    artifact_type: str | None = Field(default=None, exclude_if=lambda kind: kind is None)
    annotations: dict[str, str] = Field(default_factory=dict, exclude_if=lambda annotations: not annotations)


class Manifest(Frozen):
    """An OCI image manifest that holds a bundle; its digest is the bundle's identity."""

    model_config = SPELT

    schema_version: Literal[2] = 2
    media_type: Literal["application/vnd.oci.image.manifest.v1+json"] = "application/vnd.oci.image.manifest.v1+json"
    artifact_type: Literal["application/vnd.modelops.bundle.v1"] = "application/vnd.modelops.bundle.v1"
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: dict[str, str]


class Referrer(Frozen):
    """An OCI image manifest that holds a bundle's signed provenance, and refers to the bundle as its subject."""

    model_config = SPELT

    schema_version: Literal[2] = 2
    media_type: Literal["application/vnd.oci.image.manifest.v1+json"] = "application/vnd.oci.image.manifest.v1+json"
    artifact_type: Literal["application/vnd.in-toto.provenance+dsse"] = "application/vnd.in-toto.provenance+dsse"
    config: Descriptor
    layers: tuple[Descriptor]
    subject: Descriptor


class Index(Frozen):
    """The `index.json` of an OCI image layout."""

    model_config = SPELT

    schema_version: Literal[2] = 2
    media_type: Literal["application/vnd.oci.image.index.v1+json"] = "application/vnd.oci.image.index.v1+json"
    manifests: tuple[Descriptor, ...]


class BundleConfig(Frozen):
    """All that a bundle was made from: whoever packages this again gets the same digest.

    `python` is the release that it runs on, as in `3.11`; `evidence` are the reports that were there, by kind.
    """

    facts: ModelFacts
    version: int
    python: str
    submission: Submission
    evidence: dict[str, Digest]


class RuntimeEnvironment(Frozen):
    """What the model runs in: the Python release and the digest of the pinned dependencies."""

    python: str
    dependencies: Digest


def refer(subject: Descriptor, envelope: Descriptor) -> Referrer:
    """The manifest that hangs an envelope on a bundle."""
    empty = Descriptor(media_type="application/vnd.oci.empty.v1+json", digest=digest_bytes(NOTHING), size=len(NOTHING))
    return Referrer(config=empty, layers=(envelope,), subject=subject)
