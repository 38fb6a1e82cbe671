"""The directory as administrators publish it: numbered editions of all people and keys, each signed, each following the
one before. Whoever keeps them can hold one back, and forge none.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field

from models.audit import GENESIS
from models.canonical import Digest, Frozen, Slug, canonical, digest
from models.errors import ConflictError, InvalidInputError, NotPermittedError
from models.evidence import Electorate
from models.keys import EnrolledKey, Keyring
from models.people import People, Person
from models.signing import Document, PublicKey, payload_of, seal_document, signer_of
from models.statements import Audience

PAYLOAD_TYPE = "application/vnd.modelops.directory+json"


class DirectoryEdition(Frozen):
    """All people and keys of an installation, says an administrator. `before` is the digest of the edition before."""

    format: Literal["modelops/directory/1"] = "modelops/directory/1"
    audience: Audience
    number: Annotated[int, Field(ge=1, le=2**53 - 1)]
    before: Digest = GENESIS
    at: datetime
    by: Slug
    people: People
    keys: Keyring

    def says_what(self, other: "DirectoryEdition") -> bool:
        """Whether it says of people and keys what another one does."""
        return (self.people, self.keys) == (other.people, other.keys)


def electorate(
    people: People, keyring: Keyring, audience: str, roles: Mapping[str, str], also: Sequence[str], at: datetime
) -> Electorate:
    """Who holds each role at a time, sorted by name; a group that nobody is in gives an empty role. Their keys, and
    those of the people who are `also` asked for and are in the directory.
    """
    held = people.electorate(roles, at)
    asked = {person for holders in (*held.people.values(), *held.away.values()) for person in holders}
    holders = sorted(asked | {person for person in also if person in people.people})
    return Electorate(
        people=held.people,
        away=held.away,
        audience=audience,
        keys={person: known for person in holders if (known := keyring.of(person, at))},
        gateways=keyring.gateways(at),
    )


def following(
    before: DirectoryEdition | None, audience: str, by: Slug, people: People, keys: Keyring, at: datetime
) -> DirectoryEdition:
    """The edition that comes after another one; by a clock that is slow, at the same time."""
    return DirectoryEdition(
        audience=audience,
        number=before.number + 1 if before else 1,
        before=digest(before) if before else GENESIS,
        at=max(at, before.at) if before else at,
        by=by,
        people=people,
        keys=keys,
    )


def sign_edition(edition: DirectoryEdition, private: Ed25519PrivateKey) -> Document:
    """An edition in an envelope (DSSE 1.0); InvalidInputError if it is too long for one."""
    payload = canonical(edition)
    try:
        return seal_document(payload, PAYLOAD_TYPE, private)
    except ValueError as error:
        raise InvalidInputError("people and keys together are longer than 6 MB", "take out who is not asked") from error


def open_edition(envelope: Document) -> DirectoryEdition:
    """The edition in an envelope, whoever signed it; ValueError if it is none, or not canonical JSON."""
    payload = payload_of(envelope, PAYLOAD_TYPE)
    edition = DirectoryEdition.model_validate_json(payload)
    if canonical(edition) != payload:
        raise ValueError("the edition is not canonical JSON (RFC 8785)")
    times = (edition.at, *(at for key in edition.keys.keys for at in (key.enrolled, key.revoked) if at))
    if any(at.tzinfo is None for at in times):
        raise ValueError("an edition's times need a zone")
    return edition


def read_edition(envelope: Document, administrators: Sequence[PublicKey], audience: str) -> DirectoryEdition:
    """The edition in an envelope that an administrator has signed for an installation; NotPermittedError."""
    if signer_of(envelope, administrators) is None:
        raise NotPermittedError(
            "no administrator has signed the directory: nobody in it is believed",
            "`modelops audit verify` says who wrote it; if an administrator is new, set MODELOPS_ADMINISTRATORS",
        )
    try:
        edition = open_edition(envelope)
    except ValueError as error:
        raise NotPermittedError(
            f"what an administrator has signed is no edition of the directory: {error}", "publish it again"
        ) from error
    if edition.audience != audience:
        raise NotPermittedError(
            f"the directory is that of another installation, '{edition.audience}', not of '{audience}'",
            "publish one for this installation, or set MODELOPS_AUDIENCE",
        )
    return edition


def demand_following(before: DirectoryEdition | None, edition: DirectoryEdition) -> None:
    """ConflictError with all that keeps an edition from coming next."""
    if reasons := list(breaks(before, edition)):
        raise ConflictError(
            f"this cannot be edition {edition.number} of the directory: {'; '.join(reasons)}",
            "`modelops directory show --json` has what is published: bring people and registry up to it, and publish",
        )


def breaks(before: DirectoryEdition | None, edition: DirectoryEdition) -> Iterator[str]:
    """Why an edition does not follow another one (None: it is to be the first). Registries of keys only ever grow."""
    number = before.number if before else 0
    if edition.number != number + 1:
        yield f"edition {number + 1} would be next"
    if edition.before != (digest(before) if before else GENESIS):
        yield f"it follows another edition {edition.number - 1}"
    if before and edition.at < before.at:
        yield "it is older than the one before"
    known = {key.public: key for key in edition.keys.keys}
    if len(known) < len(edition.keys.keys):
        yield "a key is in it twice"
    for key in before.keys.keys if before else ():
        if wrong := _taken_back(key, known.get(key.public)):
            yield f"key {_short(key)} of {key.person} {wrong}"


def _taken_back(key: EnrolledKey, now: EnrolledKey | None) -> str:
    if now is None:
        return "is missing: what was enrolled stays, and is revoked"
    if (now.person, now.kind, now.enrolled) != (key.person, key.kind, key.enrolled):
        return "is somebody else's now, or was enrolled at another time"
    if key.revoked and (now.revoked is None or now.revoked > key.revoked):
        return f"was revoked as of {key.revoked:%Y-%m-%d %H:%M} UTC, and would count again after that"
    return ""


def changes(before: DirectoryEdition | None, edition: DirectoryEdition) -> Iterator[str]:
    """What an edition changes, in words."""
    was, now = before.people.people if before else {}, edition.people.people
    for name in sorted({*was, *now}):
        yield from _changed(name, was.get(name), now.get(name))
    known = {key.public: key for key in before.keys.keys} if before else {}
    for key in edition.keys.keys:
        if key.public not in known:
            yield f"key {_short(key)} of {key.person} is enrolled"
        if key.revoked and key.revoked != getattr(known.get(key.public), "revoked", None):
            yield f"key {_short(key)} of {key.person} is revoked as of {key.revoked:%Y-%m-%d %H:%M} UTC: {key.reason}"


def _changed(name: Slug, was: Person | None, now: Person | None) -> Iterator[str]:
    if was is None or now is None:
        yield f"{name} is gone" if now is None else f"{name} is new, in {', '.join(now.groups) or 'no group'}"
        return
    for verb, groups in (("joins", {*now.groups} - {*was.groups}), ("leaves", {*was.groups} - {*now.groups})):
        if groups:
            yield f"{name} {verb} {', '.join(sorted(groups))}"
    for field in ("name", "email", "absences"):
        if getattr(was, field) != getattr(now, field):
            yield f"{name}: {field} changed"


def _short(key: EnrolledKey) -> str:
    return key.id[7:23]
