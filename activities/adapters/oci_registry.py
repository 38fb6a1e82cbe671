"""Bundles in a registry, under the digest that they have everywhere: put there with their signatures, and fetched.

Source: OCI distribution specification 1.1; "Token Authentication" of the CNCF Distribution documentation. A registry
that does not list referrers is told of them by a tag (the specification's "Referrers Tag Schema").
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote, urljoin

import httpx2
from pydantic import BaseModel, ValidationError

from activities.adapters.registry_access import LONGEST, RegistryAccess, refuse
from activities.ports import Blobs
from models.bundle.manifest import MANIFEST_TYPE, Descriptor, Index
from models.bundle.registry_name import RegistryName
from models.canonical import Digest, canonical, digest_bytes
from models.errors import DigestMismatchError, InvalidInputError, UnknownNameError

_INDEX_TYPE = Index.model_fields["media_type"].default
_MOST_REFERRERS = 100
_AGAIN = "Push the bundle again, from where it still is."


class _Listing(BaseModel):
    manifests: tuple[Descriptor, ...]


class _Parts(BaseModel):
    """What any image manifest consists of."""

    config: Descriptor
    layers: tuple[Descriptor, ...]


class OciRegistry:
    """One repository of a registry.

    `secret` tells `user:password` whenever it is asked; None: whoever comes may. All methods may also raise
    NotPermittedError (the registry refuses the secret) and UnavailableError (it does not answer).
    """

    def __init__(self, place: RegistryName, secret: Callable[[], str] | None, timeout: float = 60.0) -> None:
        self._place = place
        self._access = RegistryAccess(place.host, place.name, secret, timeout)

    def close(self) -> None:
        """Close the connections."""
        self._access.close()

    def push(self, store: Blobs, parts: Sequence[Descriptor]) -> None:
        """Put a bundle there, its own manifest the first of all its parts; what is there already is not sent again.

        The registry hashes every part. A tag of the place is moved to the bundle, last of all.
        """
        manifests = [part for part in parts if part.media_type == MANIFEST_TYPE]
        for part in parts:
            if part.media_type != MANIFEST_TYPE:
                self._push_blob(part.digest, store.path(part.digest))
        bundle, *referrers = manifests
        self._push_manifest(bundle.digest, store.path(bundle.digest).read_bytes())
        for one in referrers:
            answered = self._push_manifest(one.digest, store.path(one.digest).read_bytes())
            if "oci-subject" not in answered.headers:
                self._list(bundle.digest, one)
        if self._place.tag:
            self._push_manifest(self._place.tag, store.path(bundle.digest).read_bytes())

    def bundle(self, folder: Path) -> "PulledBundle":
        """The bundle that the place names, to be fetched into a folder; UnknownNameError, InvalidInputError."""
        name = self._place.digest or self._place.tag
        if name is None:
            raise InvalidInputError(
                f"{self._place} does not say which bundle", "add @sha256:..., which is sure, or the :tag of one"
            )
        manifest = self._manifest(name, MANIFEST_TYPE)
        if manifest is None:
            raise UnknownNameError(f"{self._place} has no bundle {name}", "push it first, or correct its name")
        return PulledBundle(self, self._place.digest or digest_bytes(manifest), folder)

    def fetch(self, digest: Digest, size: int | None, into: Path) -> None:
        """A part into a new file: a blob of a size, or (None) a manifest; UnknownNameError, DigestMismatchError."""
        running, left = hashlib.sha256(), LONGEST if size is None else size
        path = f"/{'manifests' if size is None else 'blobs'}/{digest}"
        draft = into.with_suffix(".part")
        with self._access.stream(path, {"accept": MANIFEST_TYPE}) as response, draft.open("wb") as file:
            if response.status_code == httpx2.codes.NOT_FOUND:
                raise UnknownNameError(f"{self._place} lacks the part {digest} of the bundle", _AGAIN)
            refuse(response, "GET", f"{self._place}{path}")
            for chunk in response.iter_bytes():
                left -= len(chunk)
                if left < 0:
                    raise DigestMismatchError(f"{self._place} has another part than {digest}: it is longer", _AGAIN)
                running.update(chunk)
                file.write(chunk)
        if (found := f"sha256:{running.hexdigest()}") != digest:
            raise DigestMismatchError(f"{self._place} has another part than {digest}: it is {found}", _AGAIN)
        draft.replace(into)

    def referrers(self, digest: Digest) -> Sequence[Digest]:
        """What the registry says that it has of a bundle's signatures; InvalidInputError."""
        response = self._access.send("GET", f"/referrers/{digest}")
        if response.status_code == httpx2.codes.NOT_FOUND:
            return tuple(one.digest for one in self._listed(digest))
        refuse(response, "GET", f"{self._place}/referrers/{digest}")
        return tuple(one.digest for one in self._read(_Listing, response.content).manifests[:_MOST_REFERRERS])

    def _push_blob(self, digest: Digest, path: Path) -> None:
        if self._access.send("HEAD", f"/blobs/{digest}").status_code == httpx2.codes.OK:
            return
        begun = self._access.send("POST", "/blobs/uploads/")
        refuse(begun, "POST", f"{self._place}/blobs/uploads/")
        url = httpx2.URL(urljoin(str(begun.url), begun.headers["location"])).copy_merge_params({"digest": digest})
        sent = self._access.upload(str(url), path)
        refuse(sent, "PUT", f"{self._place}/blobs/{digest}")

    def _push_manifest(self, name: str, manifest: bytes, media_type: str = MANIFEST_TYPE) -> httpx2.Response:
        sent = self._access.send("PUT", f"/manifests/{quote(name)}", manifest, {"content-type": media_type})
        refuse(sent, "PUT", f"{self._place}/manifests/{name}")
        found, expected = sent.headers.get("docker-content-digest"), digest_bytes(manifest)
        if found not in (None, expected):
            raise DigestMismatchError(f"{self._place} took {expected} for {found}", "ask whoever runs the registry")
        return sent

    def _list(self, bundle: Digest, referrer: Descriptor) -> None:
        """Add a signature to the tag that lists them, unless it is there."""
        listed = self._listed(bundle)
        if referrer.digest not in {one.digest for one in listed}:
            index = canonical(Index(manifests=(*listed, referrer)))
            self._push_manifest(_tag_of(bundle), index, _INDEX_TYPE)

    def _listed(self, bundle: Digest) -> tuple[Descriptor, ...]:
        found = self._manifest(_tag_of(bundle), _INDEX_TYPE)
        return self._read(_Listing, found).manifests[:_MOST_REFERRERS] if found else ()

    def _manifest(self, name: str, media_type: str) -> bytes | None:
        response = self._access.send("GET", f"/manifests/{quote(name)}", headers={"accept": media_type})
        if response.status_code == httpx2.codes.NOT_FOUND:
            return None
        refuse(response, "GET", f"{self._place}/manifests/{name}")
        return response.content

    def _read(self, kind: type[_Listing], content: bytes) -> _Listing:
        try:
            return kind.model_validate_json(content)
        except ValidationError as error:
            said = f"{self._place} lists signatures with {error.error_count()} faults"
            raise InvalidInputError(said, "is that a registry?") from None


class PulledBundle:
    """Fits `Blobs`: a bundle of a registry. Each part is fetched when it is first asked for, and hashed each time."""

    def __init__(self, registry: OciRegistry, digest: Digest, folder: Path) -> None:
        self.digest = digest
        self._registry = registry
        self._folder = folder
        self._sizes: dict[Digest, int | None] = {digest: None}

    def path(self, digest: Digest) -> Path:
        """The file of a part; UnknownNameError, DigestMismatchError."""
        if digest not in self._sizes:
            raise UnknownNameError(f"the bundle {self.digest} has no part {digest}", _AGAIN)
        place = self._folder / digest.removeprefix("sha256:")
        if not place.exists():
            self._registry.fetch(digest, self._sizes[digest], place)
            if self._sizes[digest] is None:
                self._learn(place.read_bytes(), digest)
        return place

    def referrers(self, digest: Digest) -> Sequence[Digest]:
        """The bundle's signatures."""
        if digest != self.digest:
            return ()
        found = self._registry.referrers(digest)
        for one in found:
            self._sizes.setdefault(one, None)
        return found

    def _learn(self, manifest: bytes, digest: Digest) -> None:
        """Which parts a manifest names, and how long they are: no more is ever fetched."""
        try:
            parts = _Parts.model_validate_json(manifest)
        except ValidationError as error:
            raise InvalidInputError(f"{digest} is no bundle: its manifest has {error.error_count()} faults") from None
        for part in (parts.config, *parts.layers):
            self._sizes.setdefault(part.digest, part.size)


def _tag_of(bundle: Digest) -> str:
    return bundle.replace(":", "-")
