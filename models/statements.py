"""What people sign: who says what about what, in which installation, from when until when. Payload: canonical JSON."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from models.canonical import PRINTABLE, Digest, Frozen, Slug, canonical
from models.messages import Action, Choice, Count, FindingId, FindingText, Reason
from models.signing import Envelope, payload_of

PAYLOAD_TYPE = "application/vnd.modelops.statement+json"

LIFETIME = timedelta(days=7)
"""The longest time for which a statement may be sent after it was signed."""

DELEGATED_FOR = timedelta(days=30)
"""The longest time for which somebody may decide in somebody's place."""

Audience = Annotated[str, StringConstraints(min_length=1, max_length=120), PRINTABLE]
"""The installation that a statement is for: one signed for the test installation counts for nothing in another."""

Jti = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
"""The statement's own name, never used again (RFC 7519)."""


class Challenge(Frozen):
    """Everything that a decision at an open gate is about. One that was about anything else counts for nothing.

    `nonce` names this one opening of the gate; `evidence` is the digest of all that was found out about the version.
    """

    audience: Audience
    lifecycle: Slug
    plan: Digest
    gate: Slug
    visit: Count
    nonce: Digest
    artifact: Digest
    evidence: Digest


class Deciding(Frozen):
    """A decision at an open gate, for a role. A rejection may leave findings, an approval says which are closed."""

    kind: Literal["decide"] = "decide"
    about: Challenge
    decision: Choice
    role: Slug
    reason: Reason
    findings: tuple[FindingText, ...] = Field(default=(), max_length=20)
    closes: tuple[FindingId, ...] = Field(default=(), max_length=40)


class Requesting(Frozen):
    """Something asked of a lifecycle, or done to it in an emergency."""

    kind: Literal["request"] = "request"
    audience: Audience
    lifecycle: Slug
    action: Action
    reason: Reason
    emergency: bool = Field(default=False, exclude_if=lambda emergency: not emergency)


class Submitting(Frozen):
    """A version handed in, by the digest of its facts."""

    kind: Literal["submit"] = "submit"
    audience: Audience
    lifecycle: Slug
    submission: Digest


class Delegating(Frozen):
    """Somebody may decide for a role in the signer's place, with a key, for some lifecycles (none: all), until a time.

    Whoever decides in somebody's place cannot hand that on.
    """

    kind: Literal["delegate"] = "delegate"
    audience: Audience
    to: Slug
    to_key: Digest
    to_public: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    role: Slug
    lifecycles: tuple[Slug, ...] = Field(default=(), max_length=100)


class Possessing(Frozen):
    """A key is its signer's: the request to enrol it."""

    kind: Literal["possess"] = "possess"
    public: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


Said = Annotated[
    Deciding | Requesting | Submitting | Delegating | Possessing,
    Field(discriminator="kind"),
]


class Statement(Frozen):
    """What somebody signed. `key` is the name of the key; `delegation` an envelope with a `Delegating`.

    Times are UTC; `expires_at` is when it can no longer be sent, for a delegation when it ends.
    """

    format: Literal["modelops/statement/1"] = "modelops/statement/1"
    person: Slug
    key: Digest
    jti: Jti
    issued_at: datetime
    expires_at: datetime
    says: Said
    delegation: Envelope | None = None


def read_statement(envelope: Envelope) -> Statement:
    """The statement in an envelope, whoever signed it; ValueError if it is none, or not canonical JSON."""
    payload = payload_of(envelope, PAYLOAD_TYPE)
    statement = Statement.model_validate_json(payload)
    if canonical(statement) != payload:
        raise ValueError("the statement is not canonical JSON (RFC 8785)")
    if statement.issued_at.tzinfo is None or statement.expires_at.tzinfo is None:
        raise ValueError("a statement's times need a zone")
    return statement
