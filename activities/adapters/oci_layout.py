"""Bundles in a folder that any OCI tool reads: `oci-layout`, `index.json`, `blobs/sha256/...`.

Source: OCI image specification 1.1, `image-layout.md`. Nothing else is in the folder, and nothing of the moment.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from activities.ports import ArtifactStore, Blobs
from models.bundle.manifest import MANIFEST_TYPE, Descriptor, Index, Manifest, Referrer
from models.canonical import Digest, canonical
from models.errors import ConflictError, DigestMismatchError, InvalidInputError, UnknownNameError
from models.inventory import Reference

_MARKER = b'{"imageLayoutVersion":"1.0.0"}'
_BUNDLE_TYPE = Manifest.model_fields["artifact_type"].default
_EXPORT = "Export the bundle again."


class _Kind(BaseModel):
    """What a manifest says that it is, whatever else it says."""

    artifactType: str | None = None


class OciLayout:
    """Fits `Blobs`: a folder that holds one bundle."""

    def __init__(self, folder: Path) -> None:
        """InvalidInputError if the folder is no layout, or holds anything but one bundle and what refers to it."""
        self._folder = folder
        try:
            marker = (folder / "oci-layout").read_bytes()
            index = Index.model_validate_json((folder / "index.json").read_bytes())
        except OSError as error:
            raise UnknownNameError(f"{folder} is no OCI image layout: {error.strerror}", _EXPORT) from error
        except ValidationError as error:
            raise InvalidInputError(f"{folder}/index.json has {error.error_count()} faults", _EXPORT) from None
        if marker != _MARKER:
            raise InvalidInputError(f"{folder}/oci-layout does not say version 1.0.0", _EXPORT)
        bundles = [one.digest for one in index.manifests if one.artifact_type == _BUNDLE_TYPE]
        if len(bundles) != 1:
            raise InvalidInputError(f"{folder} holds {len(bundles)} bundles instead of one", _EXPORT)
        self.bundle = bundles[0]
        for listed in index.manifests:
            self._compare(listed)
        self._others = tuple(one.digest for one in index.manifests if one.digest != self.bundle)

    def _compare(self, listed: Descriptor) -> None:
        data = self.path(listed.digest).read_bytes()
        try:
            kind = _Kind.model_validate_json(data).artifactType
        except ValidationError:
            kind = None
        if (listed.media_type, listed.size, listed.artifact_type) != (MANIFEST_TYPE, len(data), kind):
            raise InvalidInputError(f"{self._folder}/index.json does not describe {listed.digest} as it is", _EXPORT)

    def path(self, digest: Digest) -> Path:
        """The file of a blob, hashed; UnknownNameError, DigestMismatchError."""
        path = self._folder / "blobs" / "sha256" / digest.removeprefix("sha256:")
        if not path.is_file():
            raise UnknownNameError(f"{self._folder} has no blob {digest}.", _EXPORT)
        with path.open("rb") as file:
            found = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        if found != digest:
            raise DigestMismatchError(f"The bundle's part {digest} was changed: it is {found} now.", _EXPORT)
        return path

    def referrers(self, digest: Digest) -> Sequence[Digest]:
        """What the index lists beside the bundle."""
        return self._others if digest == self.bundle else ()


def write_layout(store: Blobs, parts: Sequence[Descriptor], folder: Path) -> None:
    """Write a bundle and its signatures, given every part of them, into a new folder.

    ConflictError if something is there, InvalidInputError if nothing can be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConflictError(f"{folder} is there already", "choose a folder that is empty or does not exist")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".export-"))
        try:
            _fill(store, parts, draft)
            draft.chmod(0o755)
            draft.replace(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise InvalidInputError(f"{folder} cannot be written: {error.strerror}", "choose another folder") from error


def take_in(source: Blobs, bundle: Digest, parts: Sequence[Descriptor], store: ArtifactStore) -> None:
    """Bring every part of a bundle from elsewhere into a store; DigestMismatchError if a byte of it is another."""
    for part in parts:
        place = source.path(part.digest).resolve()
        store.fetch(Reference(uri=place.as_uri(), digest=part.digest))
    for part in parts:
        if part.artifact_type == Referrer.model_fields["artifact_type"].default:
            store.refer(bundle, part.digest)


def _fill(store: Blobs, parts: Sequence[Descriptor], draft: Path) -> None:
    blobs = draft / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for part in parts:
        shutil.copyfile(store.path(part.digest), blobs / part.digest.removeprefix("sha256:"))
    listed = tuple(part for part in parts if part.media_type == MANIFEST_TYPE)
    (draft / "oci-layout").write_bytes(_MARKER)
    (draft / "index.json").write_bytes(canonical(Index(manifests=listed)))
