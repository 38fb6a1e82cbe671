"""A notary with its private key in a file, and the public half in another one beside it."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.ports import Checkpoints, Inventory
from models.checkpoint import Checkpoint, following, read_checkpoint, sign
from models.clearance_statement import Clearance, sign_clearance
from models.errors import ConflictError, DigestMismatchError, InvalidInputError, UnavailableError, UnknownNameError
from models.signing import Envelope, public_of

_RIVALS = 5
_OTHERS = 0o077


def _now() -> datetime:
    return datetime.now(UTC)


class FileNotary:
    """Fits `Notary`. The key is made when it is first needed, an unencrypted PKCS #8 file that nobody else may read.

    `key` is its path; the public half is in hexadecimal digits at the same path with the suffix `.pub`.
    """

    def __init__(
        self,
        inventory: Inventory,
        checkpoints: Checkpoints,
        key: Path,
        audience: str,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._inventory = inventory
        self._checkpoints = checkpoints
        self._key = key
        self._audience = audience
        self._clock = clock

    def introduce(self) -> None:
        """Make the key if there is none yet, and its public half known; InvalidInputError if the key cannot be used."""
        self._private()

    def checkpoint(self) -> Envelope | None:
        """Seal the present head; None if it has not moved since the last time, or nothing is recorded yet.

        DigestMismatchError if the trail is not what was sealed last, or the last checkpoint cannot be read;
        InvalidInputError if the key cannot be used.
        """
        for _ in range(_RIVALS):
            before, head = self._last(), self._inventory.head()
            if head.position == (before.position if before else 0):
                return None
            sealed = sign(following(before, self._audience, head, self._clock()), self._private())
            with suppress(ConflictError):
                self._checkpoints.append(sealed)
                return sealed
        raise UnavailableError("other notaries are quicker each time", "it is tried again")

    def vouch(self, clearance: Clearance) -> Envelope:
        """Sign an answer of the installation; InvalidInputError if the key cannot be used, or it is too long."""
        try:
            return sign_clearance(clearance, self._private())
        except ValueError as error:
            raise InvalidInputError(f"the answer cannot be signed: {error}", "see `modelops history`") from error

    def _last(self) -> Checkpoint | None:
        kept = self._checkpoints.last()
        if kept is None:
            return None
        try:
            last = read_checkpoint(Envelope.model_validate_json(kept))
            found = self._inventory.head(last.position).hash
        except UnknownNameError:
            found = "missing"
        except ValueError:
            raise _refusal("the last checkpoint cannot be read") from None
        if found != last.hash:
            raise _refusal(f"entry {last.position} of the trail is not the one that checkpoint {last.number} seals")
        return last

    def _private(self) -> Ed25519PrivateKey:
        try:
            if not self._key.exists():
                self._create()
            if self._key.stat().st_mode & _OTHERS:
                raise InvalidInputError(
                    f"others may read the notary's key {self._key}: it proves nothing", f"chmod 600 {self._key}"
                )
            private = serialization.load_pem_private_key(self._key.read_bytes(), None)
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error
        except (ValueError, TypeError) as error:
            raise self._unusable("it is no unencrypted private key") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise self._unusable("it is no Ed25519 key")
        self._publish(private)
        return private

    def _create(self) -> None:
        """Of several workers that begin at once, one makes the key."""
        private = Ed25519PrivateKey.generate()
        text = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, draft = tempfile.mkstemp(dir=self._key.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(draft, self._key)
        finally:
            os.unlink(draft)

    def _publish(self, private: Ed25519PrivateKey) -> None:
        """Former keys stay: what they have signed still holds."""
        public, place = public_of(private), self._key.with_suffix(".pub")
        known = place.read_text().split() if place.exists() else []
        if public not in known:
            place.write_text("".join(f"{key}\n" for key in (*known, public)))

    def _unusable(self, why: str) -> InvalidInputError:
        return InvalidInputError(f"the notary's key {self._key} cannot be used: {why}", "set MODELOPS_NOTARY_KEY")


def _refusal(why: str) -> DigestMismatchError:
    return DigestMismatchError(
        f"nothing is sealed any more: {why}", "find out what was done: `modelops audit verify`; then restore it"
    )
