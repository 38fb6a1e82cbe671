"""A notary with its private key in a file."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from activities.adapters.installation_key import InstallationKey
from activities.ports import Checkpoints, Inventory
from models.checkpoint import Checkpoint, following, read_checkpoint, sign
from models.clearance_statement import Clearance, sign_clearance
from models.errors import ConflictError, DigestMismatchError, InvalidInputError, UnavailableError, UnknownNameError
from models.signing import Envelope

_RIVALS = 5


def _now() -> datetime:
    return datetime.now(UTC)


class FileNotary:
    """Fits `Notary`. The key, at the path `key`, is made when it is first needed: see `InstallationKey`."""

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
        self._key = InstallationKey(key, "the notary's", "MODELOPS_NOTARY_KEY")
        self._audience = audience
        self._clock = clock

    def introduce(self) -> None:
        """Make the key if there is none yet, and its public half known; InvalidInputError if the key cannot be used."""
        self._key.private()

    def checkpoint(self) -> Envelope | None:
        """Seal the present head; None if it has not moved since the last time, or nothing is recorded yet.

        DigestMismatchError if the trail is not what was sealed last, or the last checkpoint cannot be read;
        InvalidInputError if the key cannot be used.
        """
        for _ in range(_RIVALS):
            before, head = self._last(), self._inventory.head()
            if head.position == (before.position if before else 0):
                return None
            sealed = sign(following(before, self._audience, head, self._clock()), self._key.private())
            with suppress(ConflictError):
                self._checkpoints.append(sealed)
                return sealed
        raise UnavailableError("other notaries are quicker each time", "it is tried again")

    def vouch(self, clearance: Clearance) -> Envelope:
        """Sign an answer of the installation; InvalidInputError if the key cannot be used, or it is too long."""
        try:
            return sign_clearance(clearance, self._key.private())
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


def _refusal(why: str) -> DigestMismatchError:
    return DigestMismatchError(
        f"nothing is sealed any more: {why}", "find out what was done: `modelops audit verify`; then restore it"
    )
