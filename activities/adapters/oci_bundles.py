"""Bundles read back: every byte of them hashed, and their signature held against the keys that count."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from activities.ports import Blobs
from models.bundle.definitions import Elsewhere, parse_definition
from models.bundle.manifest import (
    ENVIRONMENT_FILE,
    MANIFEST_TYPE,
    TITLE,
    BundleConfig,
    Descriptor,
    Manifest,
    Referrer,
    RuntimeEnvironment,
)
from models.bundle.provenance import vouches
from models.canonical import Digest, Frozen, Slug
from models.decision_table import DecisionTable
from models.errors import DigestMismatchError, InvalidInputError, SignatureError, UnknownNameError
from models.formats import FORMATS, Packing
from models.inventory import DataContract
from models.signing import Document, PublicKey

_REPACKAGE = "Package the version again."
_LONGEST = 16 * 1024 * 1024


class Bundle(Frozen):
    """A bundle read back, every byte of it verified: its files by name, each a path in the store that it is in."""

    digest: Digest
    config: BundleConfig
    environment: RuntimeEnvironment
    files: dict[str, Path]

    @property
    def model(self) -> Slug:
        """The model's id."""
        return self.config.facts.id

    @property
    def version(self) -> int:
        """The version's number."""
        return self.config.version

    @property
    def contract(self) -> DataContract:
        """What the model reads and writes."""
        return self.config.submission.contract

    @property
    def packing(self) -> Packing:
        """What its format is called here."""
        return FORMATS[self.config.submission.format]

    @property
    def model_path(self) -> Path:
        """The model's own file."""
        return self.files[self.packing.file]


class OciBundles:
    """Fits `Bundles`: those of one store. Which keys count is asked anew each time."""

    def __init__(self, store: Blobs, signers: Callable[[], Iterable[PublicKey]]) -> None:
        self._store = store
        self._signers = signers

    def verify(self, bundle: Digest, model: str, version: int, artifact: Digest) -> None:
        """Look at every byte and at the signature; errors are those of `verified`, and InvalidInputError as below."""
        found = self.read(bundle, model, version)
        held = found.config.submission.artifact.digest
        if held != artifact:
            raise InvalidInputError(f"bundle {bundle} holds the artifact {held}, not {artifact}", _REPACKAGE)

    def read(self, bundle: Digest, model: str, version: int) -> Bundle:
        """The same, and the bundle; InvalidInputError if it is that of another model or version."""
        found, _ = verified(self._store, bundle, self._signers())
        if (found.model, found.version) != (model, version):
            held = f"version {found.version} of model '{found.model}'"
            raise InvalidInputError(f"bundle {bundle} is {held}, not version {version} of '{model}'")
        return found

    def elsewhere(self, bundle: Digest, model: str, version: int) -> Elsewhere:
        """What a bundle says of a model that somebody else runs; errors are those of `read`, and InvalidInputError."""
        found = self.read(bundle, model, version)
        form = found.config.submission.format
        read = parse_definition(form, found.model_path.read_bytes()) if found.packing.elsewhere else None
        if read is None or isinstance(read, DecisionTable):
            raise InvalidInputError(f"bundle {bundle} is a model as {form}, which nobody else runs")
        return read


def verified(store: Blobs, digest: Digest, keys: Iterable[PublicKey]) -> tuple[Bundle, PublicKey]:
    """A bundle and whose key signed it: SignatureError if none of these did. Errors of `read_bundle` pass through.

    The signature comes first: of what nobody signed, no file is asked for.
    """
    manifest, known = parse(Manifest, store.path(digest).read_bytes(), digest), tuple(keys)
    config, envelopes = _config(store, manifest), list(_envelopes(store, digest))
    for envelope in envelopes:
        if signer := vouches(envelope, digest, config, known):
            return read_bundle(store, digest), signer
    signed = "by nobody whose key counts here" if envelopes else "by nobody"
    raise SignatureError(
        f"bundle {digest} is signed {signed}",
        "have it packaged by an installation whose key counts, or name its key where the public keys are kept",
    )


def read_bundle(store: Blobs, digest: Digest) -> Bundle:
    """The bundle whose manifest has this digest, whoever signed it.

    DigestMismatchError (a byte of it changed), UnknownNameError (a part is not in the store),
    InvalidInputError (the digest is that of something else).
    """
    manifest = parse(Manifest, store.path(digest).read_bytes(), digest)
    config = _config(store, manifest)
    files = {layer.annotations.get(TITLE, layer.digest): _part(store, layer) for layer in manifest.layers}
    model = FORMATS[config.submission.format].file
    if missing := {model, ENVIRONMENT_FILE} - files.keys():
        raise InvalidInputError(f"The bundle {digest} lacks {', '.join(sorted(missing))}.", remedy=_REPACKAGE)
    held = next(layer.digest for layer in manifest.layers if layer.annotations.get(TITLE) == model)
    if held != config.submission.artifact.digest:
        raise InvalidInputError(f"The bundle {digest} holds another model than it was made for.", remedy=_REPACKAGE)
    environment = parse(RuntimeEnvironment, files[ENVIRONMENT_FILE].read_bytes(), digest)
    return Bundle(digest=digest, config=config, environment=environment, files=files)


def parts_of(store: Blobs, digest: Digest) -> tuple[Descriptor, ...]:
    """Every blob of a bundle, its own manifest first, those of its signatures last; errors as of `read_bundle`."""
    path = store.path(digest)
    manifest = parse(Manifest, path.read_bytes(), digest)
    own = Descriptor(
        media_type=MANIFEST_TYPE, digest=digest, size=path.stat().st_size, artifact_type=manifest.artifact_type
    )
    signatures: list[Descriptor] = []
    for name, referrer in _referrers(store, digest):
        size = store.path(name).stat().st_size
        kind = referrer.artifact_type
        signatures += [referrer.config, *referrer.layers]
        signatures.append(Descriptor(media_type=MANIFEST_TYPE, digest=name, size=size, artifact_type=kind))
    return (own, manifest.config, *manifest.layers, *signatures)


_Value = TypeVar("_Value", bound=Frozen)


def parse(kind: type[_Value], data: bytes, digest: Digest) -> _Value:
    """A part of a bundle; InvalidInputError if it is something else."""
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        raise InvalidInputError(
            f"{digest} is not a bundle of this installation: its {kind.__name__} has {error.error_count()} faults.",
            remedy="Name the digest that packaging gave back.",
        ) from None


def _referrers(store: Blobs, digest: Digest) -> Iterator[tuple[Digest, Referrer]]:
    """What hangs on a bundle; what is damaged or of another kind vouches for nothing, and is passed over."""
    for name in store.referrers(digest):
        with suppress(UnknownNameError, InvalidInputError):
            referrer = parse(Referrer, store.path(name).read_bytes(), name)
            if referrer.subject.digest == digest:
                yield name, referrer


def _envelopes(store: Blobs, digest: Digest) -> Iterator[Document]:
    for name, referrer in _referrers(store, digest):
        with suppress(UnknownNameError, InvalidInputError):
            yield parse(Document, _document(store, referrer.layers[0]), name)


def _config(store: Blobs, manifest: Manifest) -> BundleConfig:
    return parse(BundleConfig, _document(store, manifest.config), manifest.config.digest)


def _document(store: Blobs, descriptor: Descriptor) -> bytes:
    """A part that is read before it is known who made it."""
    if descriptor.size > _LONGEST:
        raise InvalidInputError(f"{descriptor.digest} is no document of a bundle: it has {descriptor.size} bytes")
    return _part(store, descriptor).read_bytes()


def _part(store: Blobs, descriptor: Descriptor) -> Path:
    path = store.path(descriptor.digest)
    if path.stat().st_size != descriptor.size:
        raise DigestMismatchError(
            f"The bundle says that {descriptor.digest} has {descriptor.size} bytes, but it has another size.",
            remedy=_REPACKAGE,
        )
    return path
