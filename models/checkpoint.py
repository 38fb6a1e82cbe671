"""Signed checkpoints of the audit trail, kept outside the database: what shows that all of a trail was made anew.

A notary signs where the trail ends, in a chain of its own. A checkpoint is of the head: nothing later is vouched for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field

from models.audit import GENESIS, AuditHead, Tampering
from models.canonical import Digest, Frozen, canonical, digest
from models.signing import Envelope, PublicKey, payload_of, seal, signer_of
from models.statements import Audience

PAYLOAD_TYPE = "application/vnd.modelops.checkpoint+json"

SKEW = timedelta(minutes=2)
"""How far the clocks of notaries and of whoever looks may be apart."""

_Counted = Annotated[int, Field(ge=1, le=2**53 - 1)]


class Checkpoint(Frozen):
    """The trail of an installation up to `position` has this hash, says a notary. `before` is the checkpoint before."""

    format: Literal["modelops/checkpoint/1"] = "modelops/checkpoint/1"
    audience: Audience
    number: _Counted
    position: _Counted
    hash: Digest
    at: datetime
    before: Digest = GENESIS

    @property
    def head(self) -> AuditHead:
        """What it vouches for."""
        return AuditHead(position=self.position, hash=self.hash)


class CheckpointProblem(Frozen):
    """What is wrong with a checkpoint, or with the trail that it vouches for; `number` counts checkpoints.

    The entries in question were recorded after `since` (None: from the beginning), when the last checkpoint that holds
    was sealed, and before `until`, when the first that does not hold was sealed (None: until now).
    """

    number: int
    position: int
    kind: Tampering
    message: str
    since: datetime | None = None
    until: datetime | None = None


class Sealed(NamedTuple):
    """The checkpoints that a notary has signed, oldest first, and what is wrong with those that were found."""

    checkpoints: tuple[Checkpoint, ...]
    problems: tuple[CheckpointProblem, ...]

    @property
    def positions(self) -> frozenset[int]:
        """Where the trail has to be looked at."""
        return frozenset(checkpoint.position for checkpoint in self.checkpoints)


def following(before: Checkpoint | None, audience: str, head: AuditHead, at: datetime) -> Checkpoint:
    """The checkpoint of a head that comes after another one."""
    return Checkpoint(
        audience=audience,
        number=before.number + 1 if before else 1,
        position=head.position,
        hash=head.hash,
        at=at,
        before=digest(before) if before else GENESIS,
    )


def sign(checkpoint: Checkpoint, private: Ed25519PrivateKey) -> Envelope:
    """A checkpoint in an envelope (DSSE 1.0)."""
    return seal(canonical(checkpoint), PAYLOAD_TYPE, private)


def read_checkpoint(envelope: Envelope) -> Checkpoint:
    """The checkpoint in an envelope, whoever signed it; ValueError if it is none, or not canonical JSON."""
    payload = payload_of(envelope, PAYLOAD_TYPE)
    checkpoint = Checkpoint.model_validate_json(payload)
    if canonical(checkpoint) != payload:
        raise ValueError("the checkpoint is not canonical JSON (RFC 8785)")
    if checkpoint.at.tzinfo is None:
        raise ValueError("a checkpoint's time needs a zone")
    return checkpoint


def read_checkpoints(kept: Iterable[bytes], keys: Sequence[PublicKey], audience: str, at: datetime) -> Sealed:
    """What was kept, each as JSON, held against the notary's keys, the installation, the present time and each other.

    A checkpoint that its notary has not signed vouches for nothing, and is a problem.
    """
    sealed, problems = list[Checkpoint](), list[CheckpointProblem]()
    for number, text in enumerate(kept, 1):
        try:
            envelope = Envelope.model_validate_json(text)
            checkpoint = read_checkpoint(envelope)
        except ValueError:
            problems.append(_problem(number, None, Tampering.CHANGED, "it cannot be read as a checkpoint"))
            continue
        if signer_of(envelope, keys) is None:
            problems.append(_problem(number, checkpoint, Tampering.FORGED, "no known key of the notary has signed it"))
        else:
            sealed.append(checkpoint)
            problems += _oddities(checkpoint, audience, at)
    return Sealed(tuple(sealed), (*problems, *_sequence(sealed)))


def contradictions(sealed: Sealed, hashes: Mapping[int, str], last: int) -> tuple[CheckpointProblem, ...]:
    """Where a trail that ends at `last`, and has these hashes at the sealed positions, is not what was sealed.

    Of checkpoints in a row that do not hold, the first one says it for all: what follows a changed entry differs too.
    """
    found, holding, contradicted = list[CheckpointProblem](), None, False
    for checkpoint in sealed.checkpoints:
        if _holds(checkpoint, hashes):
            holding, contradicted = checkpoint, False
        elif not contradicted:
            contradicted = True
            found.append(_contradiction(checkpoint, holding, last))
    return tuple(found)


def window(sealed: Sealed, hashes: Mapping[int, str], position: int) -> tuple[datetime | None, datetime | None]:
    """When an entry was recorded, by the clock of the notary: after one checkpoint, before another."""
    since = max((c.at for c in sealed.checkpoints if c.position < position and _holds(c, hashes)), default=None)
    return since, min((c.at for c in sealed.checkpoints if c.position >= position), default=None)


def vouched(sealed: Sealed, hashes: Mapping[int, str]) -> Checkpoint | None:
    """The last checkpoint that holds: entries after its position are not vouched for yet."""
    return next((c for c in reversed(sealed.checkpoints) if _holds(c, hashes)), None)


def _holds(checkpoint: Checkpoint, hashes: Mapping[int, str]) -> bool:
    return hashes.get(checkpoint.position) == checkpoint.hash


def _contradiction(checkpoint: Checkpoint, holding: Checkpoint | None, last: int) -> CheckpointProblem:
    first = holding.position + 1 if holding else 1
    if last < checkpoint.position:
        position, kind = last + 1, Tampering.REMOVED
        message = (
            f"the trail ends at entry {last}; when it was sealed, it went up to entry {checkpoint.position}: "
            "it was cut off, or an older copy of the database was put in its place"
        )
    else:
        position, kind = first, Tampering.REWRITTEN
        message = f"entries {first} to {checkpoint.position} are not those that it seals; they were changed after that"
    return _problem(checkpoint.number, checkpoint, kind, message).model_copy(
        update={"position": position, "since": holding.at if holding else None, "until": checkpoint.at}
    )


def _oddities(checkpoint: Checkpoint, audience: str, at: datetime) -> Iterator[CheckpointProblem]:
    if checkpoint.audience != audience:
        message = f"it is of another installation, '{checkpoint.audience}', not of '{audience}'"
        yield _problem(checkpoint.number, checkpoint, Tampering.FORGED, message)
    if checkpoint.at > at + SKEW:
        message = f"it was sealed at {checkpoint.at:%Y-%m-%d %H:%M} UTC, which is still to come"
        yield _problem(checkpoint.number, checkpoint, Tampering.FORGED, message)


def _sequence(sealed: Sequence[Checkpoint]) -> Iterator[CheckpointProblem]:
    """Where the checkpoints are not one chain: some missing, put in, replaced, or going back."""
    if sealed and sealed[0].number > 1:
        yield _problem(1, None, Tampering.REMOVED, f"missing, up to checkpoint {sealed[0].number - 1}")
    elif sealed and sealed[0].before != GENESIS:
        yield _problem(1, sealed[0], Tampering.FORGED, "it is the first, and follows another one")
    for before, after in pairwise(sealed):
        if after.number > before.number + 1:
            yield _problem(before.number + 1, before, Tampering.REMOVED, f"missing, up to {after.number - 1}")
        elif after.number <= before.number:
            message = f"it stands behind checkpoint {before.number}: it was put in, or moved"
            yield _problem(after.number, after, Tampering.REORDERED, message)
        elif after.before != digest(before):
            message = f"it was replaced: checkpoint {after.number} followed another one"
            yield _problem(before.number, before, Tampering.CHANGED, message)
        elif after.position <= before.position or after.at < before.at:
            message = f"it goes back, behind checkpoint {before.number}"
            yield _problem(after.number, after, Tampering.FORGED, message)


def _problem(number: int, checkpoint: Checkpoint | None, kind: Tampering, message: str) -> CheckpointProblem:
    return CheckpointProblem(
        number=number,
        position=checkpoint.position if checkpoint else 0,
        kind=kind,
        message=f"checkpoint {number}: {message}",
        since=checkpoint.at if checkpoint else None,
    )
