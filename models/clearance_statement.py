"""The signed answer to "may this digest enter that environment?": for a pipeline to act on, and to keep.

Payload: canonical JSON (RFC 8785) in a DSSE 1.0 envelope, signed with the key that seals the audit trail.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field, StringConstraints

from models.audit import AuditHead
from models.canonical import Digest, Frozen, Slug, Told, canonical
from models.entitlement import Passed
from models.inventory import Environment
from models.signing import Envelope, seal
from models.statements import Audience

PAYLOAD_TYPE = "application/vnd.modelops.clearance+json"

HOLDS = timedelta(minutes=5)
"""How long an answer counts: a key may be revoked, a model suspended at any moment."""

Nonce = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~+/=-]{1,128}$")]
"""What somebody who asks gives along, so that the answer is theirs and no earlier one."""


class Cleared(Frozen):
    """What the record says of one version with these bytes: gates passed and missing, and what speaks against it."""

    model: Slug
    version: int
    plan: Digest
    artifact: Digest | None
    bundle: Digest | None
    passed: tuple[Passed, ...] = ()
    missing: tuple[Slug, ...] = ()
    objections: tuple[Told, ...] = ()


class Clearance(Frozen):
    """An installation's answer: of each model that has these bytes, its newest version with them.

    `trail` is where the audit trail ended when it was asked. Times are UTC.
    """

    format: Literal["modelops/clearance/1"] = "modelops/clearance/1"
    audience: Audience
    subject: Digest
    environment: Environment
    verdict: Literal["yes", "no"]
    versions: tuple[Cleared, ...] = Field(default=(), max_length=20)
    reasons: tuple[Told, ...] = ()
    trail: AuditHead
    nonce: Nonce | None = None
    issued_at: datetime
    expires_at: datetime


class Question(Frozen):
    """What is asked; `nonce` of somebody's own choice."""

    subject: Digest
    environment: Environment
    nonce: Nonce | None = None


def answer(asked: Question, audience: str, versions: Sequence[Cleared], trail: AuditHead, at: datetime) -> Clearance:
    """Yes if some model has these bytes, and nothing speaks against any version that has them."""
    reasons = tuple(objection for one in versions for objection in (*_foreign(asked, one), *one.objections))
    if not versions:
        reasons = (f"no version with {asked.subject} is on record",)
    return Clearance(
        audience=audience,
        subject=asked.subject,
        environment=asked.environment,
        verdict="no" if reasons else "yes",
        versions=tuple(versions),
        reasons=reasons,
        trail=trail,
        nonce=asked.nonce,
        issued_at=at,
        expires_at=at + HOLDS,
    )


def _foreign(asked: Question, one: Cleared) -> Iterator[str]:
    """The row that names a version is not believed before the record says the same of it."""
    if asked.subject not in (one.artifact, one.bundle):
        yield f"version {one.version} of '{one.model}' is on record with other bytes than {asked.subject}"


def sign_clearance(clearance: Clearance, private: Ed25519PrivateKey) -> Envelope:
    """An answer in an envelope; ValueError if it is longer than any is."""
    return seal(canonical(clearance), PAYLOAD_TYPE, private)
