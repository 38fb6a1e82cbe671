"""The artifact store on a file system: content-addressed, written once, hashed again whenever it is handed out."""

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from activities.adapters.file_digests import digest_file
from models.canonical import Digest, digest_bytes
from models.errors import DigestMismatchError, InvalidInputError, UnavailableError, UnknownNameError
from models.inventory import Reference

_DIGEST = re.compile(r"sha256:([0-9a-f]{2})([0-9a-f]{62})")
_CHUNK = 1 << 20
_DECODINGS = 5
_SHORTER = "Give the file a shorter name, or put it into a folder with a shorter path."


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _digest_of(chunks: Iterable[bytes]) -> Digest:
    running = hashlib.sha256()
    for chunk in chunks:
        running.update(chunk)
    return "sha256:" + running.hexdigest()


def _fully_decoded(text: str) -> str:
    for _ in range(_DECODINGS):
        decoded = unquote(text, errors="strict")
        if decoded == text:
            return text
        text = decoded
    raise ValueError("it is percent-encoded too many times over")


def _copy(chunks: Iterable[bytes], file: BinaryIO) -> Iterator[bytes]:
    for chunk in chunks:
        file.write(chunk)
        yield chunk


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unavailable(place: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"'{place}' cannot be read or written now: {error.strerror}.",
        remedy="Check the disk's space and permissions.",
    )


def parse_location(uri: str) -> Path:
    """The absolute path that a `file://` URI or a plain path names; InvalidInputError for anything else.

    A URI is decoded once, a plain path is what it says. One that would mean something else if it were decoded again
    and again is judged by that as well.
    """
    try:
        parts = urlsplit(uri) if uri.startswith("file:") else None
        if parts and (parts.netloc not in ("", "localhost") or parts.query or parts.fragment):
            raise ValueError("a file URI has three slashes and then the path, no host and no '?' or '#'")
        text = unquote(parts.path, errors="strict") if parts else uri
        if not text.startswith("/"):
            raise ValueError("only file:// URIs and absolute paths can be read")
        plain = _fully_decoded(text)
        if "\0" in plain or "\\" in plain or ".." in plain.split("/"):
            raise ValueError("a path must not contain '..', a backslash or a NUL")
    except ValueError as error:
        raise InvalidInputError(
            f"The reference '{ascii(uri)[1:-1]}' cannot be used: {error}.",
            remedy="Write the file's own absolute path, as in file:///data/models/loan.onnx.",
        ) from None
    return Path(text)


class FileArtifactStore:
    """Fits `ArtifactStore`: each artifact is the read-only file `root/sha256/ab/cdef...` named by its digest.

    What refers to it is named in the folder `root/referrers/ab/cdef...`, as a registry would list its referrers.
    """

    def __init__(self, root: Path, allowed_roots: Sequence[Path]) -> None:
        """Artifacts are kept under `root`; `fetch` reads only what lies under one of `allowed_roots`."""
        self._root = root
        self._allowed = tuple(allowed_roots)
        self._incoming = root / "incoming"

    def put(self, data: bytes) -> Digest:
        """Keep some bytes; DigestMismatchError if what is already kept under their digest was changed."""
        digest = digest_bytes(data)
        if not self._place(digest).exists():
            self._write(digest, [data])
        self.path(digest)
        return digest

    def fetch(self, reference: Reference) -> Path:
        """Bring pinned bytes in, unless they are here already: then the source is not touched.

        DigestMismatchError, UnknownNameError (no such file), InvalidInputError (a place that may not be read),
        UnavailableError (the disk does not answer).
        """
        if self._place(reference.digest).exists():
            return self.path(reference.digest)
        source = self._resolve(reference.uri)
        with self._open(source) as file:
            self._write(reference.digest, _chunks(file), came_from=str(source))
        return self.path(reference.digest)

    def path(self, digest: Digest) -> Path:
        """The read-only file with these bytes, hashed again; UnknownNameError, DigestMismatchError."""
        place = self._place(digest)
        try:
            found = digest_file(place)
        except FileNotFoundError:
            raise UnknownNameError(
                f"The artifact store has nothing with the digest {digest}.",
                remedy="Register the version again, so that its files are brought in.",
            ) from None
        except OSError as error:
            raise _unavailable(place, error) from error
        if found != digest:
            raise DigestMismatchError(
                f"The artifact {digest} was changed in the store: its bytes are now {found}.",
                remedy=f"Find out who changed it, remove {place} and register the version again.",
            )
        return place

    def refer(self, digest: Digest, referrer: Digest) -> None:
        """Remember that one thing that is kept refers to another; errors are those of `path`."""
        self.path(referrer)
        place = self._referrers(digest) / referrer.removeprefix("sha256:")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
            _sync_folder(place.parent)
        except OSError as error:
            raise _unavailable(place, error) from error

    def referrers(self, digest: Digest) -> list[Digest]:
        """What is known to refer to some bytes, in the order of their digests."""
        place = self._referrers(digest)
        return sorted(f"sha256:{one.name}" for one in place.iterdir()) if place.is_dir() else []

    def _referrers(self, digest: Digest) -> Path:
        return self._root / "referrers" / self._place(digest).relative_to(self._root / "sha256")

    def _place(self, digest: Digest) -> Path:
        parts = _DIGEST.fullmatch(digest)
        if not parts:
            raise InvalidInputError(
                f"'{ascii(digest)[1:-1]}' is not a digest.",
                remedy="Write sha256: and 64 lower-case hexadecimal digits.",
            )
        return self._root / "sha256" / parts[1] / parts[2]

    def _resolve(self, uri: str) -> Path:
        location = parse_location(uri)
        try:
            source = location.resolve()
            allowed = any(source.is_relative_to(root.resolve()) for root in self._allowed)
        except (OSError, RuntimeError):
            allowed = False
        if not allowed:
            raise InvalidInputError(
                f"'{location}' does not lie under a folder that artifacts may be read from.",
                remedy="Put the file into one of: " + (", ".join(map(str, self._allowed)) or "(none is configured)"),
            )
        return source

    def _open(self, source: Path) -> BinaryIO:
        try:
            descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            raise UnknownNameError(
                f"There is no file '{source}'.", remedy="Check the path, and that this machine can see it."
            ) from None
        except PermissionError:
            raise InvalidInputError(
                f"'{source}' may not be read by this process.", remedy="Give the worker's user read permission."
            ) from None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise InvalidInputError(f"'{source}' is too long a name for a file.", remedy=_SHORTER) from None
            raise _unavailable(source, error) from error
        if not S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise InvalidInputError(
                f"'{source}' is not a regular file.", remedy="Name one file, not a folder or a device."
            )
        return os.fdopen(descriptor, "rb")

    def _write(self, digest: Digest, chunks: Iterable[bytes], came_from: str = "the given bytes") -> None:
        place = self._place(digest)
        try:
            self._incoming.mkdir(parents=True, exist_ok=True)
            place.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=self._incoming)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    found = _digest_of(_copy(chunks, file))
                    if found != digest:
                        raise DigestMismatchError(
                            f"The bytes of {came_from} are {found}, but {digest} was promised.",
                            remedy="Either the file changed or the digest is another file's: take the digest again.",
                        )
                    file.flush()
                    os.fchmod(file.fileno(), 0o444)
                    os.fsync(file.fileno())
                os.replace(temporary, place)
            finally:
                Path(temporary).unlink(missing_ok=True)
            _sync_folder(place.parent)
            _sync_folder(place.parent.parent)
        except OSError as error:
            raise _unavailable(place, error) from error
