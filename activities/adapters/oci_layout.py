"""Bundles in a folder that any OCI tool reads: `oci-layout`, `index.json`, `blobs/sha256/...`.

Source: OCI image specification 1.1, `image-layout.md`. Nothing else is in the folder, and nothing of the moment.
"""

import io
import shutil
import struct
import tarfile
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from activities.adapters.file_digests import digest_file
from activities.ports import ArtifactStore, Blobs, Sink
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
        found = digest_file(path)
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


def write_archive(store: Blobs, parts: Sequence[Descriptor], into: Sink) -> None:
    """Write the same as a tar.gz: a folder once it is unpacked. Its bytes follow from the bundle and its signatures."""
    gzip = _StoredGzip(into)
    with tarfile.open(fileobj=gzip, mode="w|", format=tarfile.USTAR_FORMAT) as archive:  # type: ignore[call-overload]
        for name, data in _papers(parts):
            archive.addfile(_member(name, len(data)), io.BytesIO(data))
        for part in sorted({part.digest: part for part in parts}.values(), key=lambda part: part.digest):
            with store.path(part.digest).open("rb") as file:
                archive.addfile(_member(f"blobs/sha256/{part.digest.removeprefix('sha256:')}", part.size), file)
    gzip.close()


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
    for name, data in _papers(parts):
        (draft / name).write_bytes(data)


def _papers(parts: Sequence[Descriptor]) -> tuple[tuple[str, bytes], ...]:
    """What a layout has beside the blobs."""
    listed = tuple(part for part in parts if part.media_type == MANIFEST_TYPE)
    return ("oci-layout", _MARKER), ("index.json", canonical(Index(manifests=listed)))


def _member(name: str, size: int) -> tarfile.TarInfo:
    """A file of nobody, and of no time."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o444
    return member


class _StoredGzip:
    """A gzip member (RFC 1952) of stored blocks (RFC 1951, 3.2.4): weights hardly shrink, and zlibs differ in bytes."""

    _BLOCK = 0xFFFF

    def __init__(self, into: Sink) -> None:
        self._into = into
        self._crc = self._size = 0
        into.write(b"\x1f\x8b\x08" + bytes(6) + b"\xff")

    def write(self, data: bytes) -> int:
        """Some more bytes."""
        self._crc, self._size = zlib.crc32(data, self._crc), self._size + len(data)
        for start in range(0, len(data), self._BLOCK):
            block = data[start : start + self._BLOCK]
            self._into.write(struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF) + block)
        return len(data)

    def close(self) -> None:
        """An empty last block, and the sums."""
        self._into.write(struct.pack("<BHHII", 1, 0, 0xFFFF, self._crc, self._size & 0xFFFFFFFF))
