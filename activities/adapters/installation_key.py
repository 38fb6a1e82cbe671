"""A key of the installation: an unencrypted PKCS #8 file that nobody else may read, made when it is missing."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.errors import InvalidInputError
from models.signing import public_of

_OTHERS = 0o077


class InstallationKey:
    """An Ed25519 key. Its public half is in hexadecimal digits at the same path with the suffix `.pub`."""

    def __init__(self, path: Path, whose: str, variable: str) -> None:
        """`whose` key it is, as in "the notary's", and the `variable` that says where it is."""
        self._path = path
        self._whose = whose
        self._variable = variable

    def private(self) -> Ed25519PrivateKey:
        """The key; its public half is known from now on. InvalidInputError if it cannot be used."""
        try:
            if not self._path.exists():
                self._create()
            if self._path.stat().st_mode & _OTHERS:
                raise InvalidInputError(
                    f"others may read {self._whose} key {self._path}: it proves nothing", f"chmod 600 {self._path}"
                )
            private = serialization.load_pem_private_key(self._path.read_bytes(), None)
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error
        except (ValueError, TypeError) as error:
            raise self._unusable("it is no unencrypted private key") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise self._unusable("it is no Ed25519 key")
        self._publish(private)
        return private

    def _create(self) -> None:
        """Of several processes that begin at once, one makes the key."""
        private = Ed25519PrivateKey.generate()
        text = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, draft = tempfile.mkstemp(dir=self._path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(draft, self._path)
        finally:
            os.unlink(draft)

    def _publish(self, private: Ed25519PrivateKey) -> None:
        """Former keys stay: what they have signed still holds."""
        public, place = public_of(private), self._path.with_suffix(".pub")
        known = place.read_text().split() if place.exists() else []
        if public not in known:
            place.write_text("".join(f"{key}\n" for key in (*known, public)))

    def _unusable(self, why: str) -> InvalidInputError:
        return InvalidInputError(f"{self._whose} key {self._path} cannot be used: {why}", f"set {self._variable}")
