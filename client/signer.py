"""Statements as people sign them."""

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.canonical import Slug, canonical, digest
from models.directory import DirectoryEdition, sign_edition
from models.errors import InvalidInputError
from models.inventory import Submission
from models.messages import Action, Choice, HandedIn
from models.signing import Document, Envelope, key_id, public_of, seal
from models.statements import (
    PAYLOAD_TYPE,
    Challenge,
    Deciding,
    Delegating,
    Possessing,
    Requesting,
    Said,
    Statement,
    Submitting,
    read_statement,
)

_DECISION_HOLDS = timedelta(days=1)
_REQUEST_HOLDS = timedelta(hours=1)
_ENROLMENT_HOLDS = timedelta(days=7)


def _now() -> datetime:
    return datetime.now(UTC)


class Signer:
    """Signs in a person's name, with the person's key."""

    def __init__(self, person: Slug, private: Ed25519PrivateKey, clock: Callable[[], datetime] = _now) -> None:
        self.person = person
        self.public = public_of(private)
        self._private = private
        self._clock = clock

    def decide(
        self,
        about: Challenge,
        choice: Choice,
        role: Slug,
        reason: str,
        *,
        findings: Sequence[str] = (),
        closes: Sequence[str] = (),
        delegation: Envelope | None = None,
    ) -> Envelope:
        """A decision about what a gate asks now, good for a day."""
        says = Deciding(
            about=about, decision=choice, role=role, reason=reason, findings=tuple(findings), closes=tuple(closes)
        )
        return self.sign(says, _DECISION_HOLDS, delegation)

    def request(self, audience: str, lifecycle: Slug, action: Action, reason: str, emergency: bool = False) -> Envelope:
        """Something asked of a lifecycle, good for an hour."""
        says = Requesting(audience=audience, lifecycle=lifecycle, action=action, reason=reason, emergency=emergency)
        return self.sign(says, _REQUEST_HOLDS)

    def submit(self, audience: str, lifecycle: Slug, submission: Submission) -> HandedIn:
        """A version, signed for, good for a day."""
        says = Submitting(audience=audience, lifecycle=lifecycle, submission=digest(submission))
        return HandedIn(submission=submission, envelope=self.sign(says, _DECISION_HOLDS))

    def delegate(
        self, audience: str, to: Slug, to_public: str, role: Slug, until: datetime, lifecycles: Sequence[Slug] = ()
    ) -> Envelope:
        """Somebody may decide for a role in this person's place, until a time (UTC)."""
        says = Delegating(
            audience=audience,
            to=to,
            to_key=key_id(to_public),
            to_public=to_public,
            role=role,
            lifecycles=tuple(lifecycles),
        )
        return self.sign(says, until - self._clock())

    def possess(self) -> Envelope:
        """The request to enrol the key."""
        return self.sign(Possessing(public=self.public), _ENROLMENT_HOLDS)

    def publish(self, edition: DirectoryEdition) -> Document:
        """An edition of the directory, which holds until the next one."""
        return sign_edition(edition, self._private)

    def sign(self, says: Said, holds: timedelta, delegation: Envelope | None = None) -> Envelope:
        """A statement in an envelope."""
        now = self._clock()
        statement = Statement(
            person=self.person,
            key=key_id(self.public),
            jti=secrets.token_urlsafe(18),
            issued_at=now,
            expires_at=now + holds,
            says=says,
            delegation=delegation,
        )
        return seal(canonical(statement), PAYLOAD_TYPE, self._private)


def delegated_role(delegation: Envelope) -> Slug:
    """The role that a delegation hands over; InvalidInputError if it is none."""
    with suppress(ValueError):
        says = read_statement(delegation).says
        if isinstance(says, Delegating):
            return says.role
    raise InvalidInputError("this is no delegation", "`modelops delegate` writes one")
