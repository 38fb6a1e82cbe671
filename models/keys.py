"""Which keys are whose, as a registry says that an administrator keeps. A revoked key stays in it, with the moment."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import Field, ValidationError

from models.canonical import Digest, Frozen, Slug, replace
from models.errors import ConflictError, InvalidInputError, UnknownNameError
from models.signing import PublicKey, key_id


class Keyholder(StrEnum):
    """Who holds a key: somebody who decides, or a gateway that vouches for those whom it has let in."""

    PERSON = "person"
    GATEWAY = "gateway"


class EnrolledKey(Frozen):
    """A key, whose it is, since when, and from when on nothing counts that it has signed (UTC)."""

    person: Slug
    public: PublicKey
    kind: Keyholder = Keyholder.PERSON
    enrolled: datetime
    revoked: datetime | None = None
    reason: str = ""

    @property
    def id(self) -> Digest:
        """The key's name."""
        return key_id(self.public)

    def holds(self, at: datetime) -> bool:
        """Whether what it signs at a time counts."""
        return self.enrolled <= at and (self.revoked is None or at < self.revoked)


class Keyring(Frozen):
    """Every key that was ever enrolled."""

    keys: tuple[EnrolledKey, ...] = Field(default=())

    def of(self, person: Slug, at: datetime) -> tuple[PublicKey, ...]:
        """The keys with which a person signs at a time."""
        return tuple(self._valid(Keyholder.PERSON, at, person))

    def gateways(self, at: datetime) -> tuple[PublicKey, ...]:
        """The keys of all gateways at a time."""
        return tuple(self._valid(Keyholder.GATEWAY, at))

    def find(self, name: Digest) -> EnrolledKey:
        """A key by its name or an unambiguous beginning of it, `sha256:` or not; UnknownNameError."""
        wanted = name.removeprefix("sha256:")
        found = [key for key in self.keys if key.id.removeprefix("sha256:").startswith(wanted)]
        if len(found) != 1 or not wanted:
            many = "several keys begin" if found else "no enrolled key begins"
            raise UnknownNameError(f"{many} with '{name}'", "`modelops key list` shows which there are")
        return found[0]

    def void(self, name: Digest, person: Slug, at: datetime) -> str:
        """Why what an enrolled key signed as somebody at a time counts for nothing; nothing of a key that is none."""
        known = next((key for key in self.keys if key.id == name), None)
        if known is None:
            return ""
        called = f"key {name[:19]}…"
        if not known.holds(at):
            word = f"was revoked as of {known.revoked:%Y-%m-%d %H:%M} UTC" if known.revoked else "was not enrolled yet"
            return f"{called} {word}: {known.reason}" if known.reason else f"{called} {word}"
        return f"{called} is {known.person}'s" if known.kind is Keyholder.PERSON and known.person != person else ""

    def enrol(self, key: EnrolledKey) -> "Keyring":
        """With one key more; the same again changes nothing. ConflictError if it is somebody's, or was revoked."""
        known = next((one for one in self.keys if one.public == key.public), None)
        if known is None:
            return replace(self, keys=(*self.keys, key))
        if known.revoked:
            raise ConflictError(
                f"key {known.id} was revoked: {known.reason}", "create a new one: `modelops key create`"
            )
        if (known.person, known.kind) != (key.person, key.kind):
            raise ConflictError(f"key {known.id} is {known.person}'s", "nobody shares a key: create one for each")
        return self

    def revoke(self, name: Digest, since: datetime, reason: str) -> "Keyring":
        """What the key signed from `since` on counts for nothing; the moment may be moved back, never on."""
        known = self.find(name)
        moment = min(since, known.revoked or since)
        gone = replace(known, revoked=moment, reason=reason or known.reason)
        return replace(self, keys=tuple(gone if key is known else key for key in self.keys))

    def _valid(self, kind: Keyholder, at: datetime, person: Slug | None = None) -> Iterator[PublicKey]:
        for key in self.keys:
            if key.kind is kind and person in (None, key.person) and key.holds(at):
                yield key.public


def load_keyring(text: bytes, file: Path) -> Keyring:
    """The keys of a registry file; InvalidInputError."""
    try:
        return Keyring.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InvalidInputError(
            f"{file} is no registry of keys: {place}: {first['msg']}", "restore it; `modelops key enroll` writes it"
        ) from error
