"""A lifecycle whose execution was lost: where the record says that it is, and what the lost one heard beyond that.

Client and worker ask the same function, each of the record that it has read itself.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from typing import NamedTuple

from models.audit import AuditEntry, AuditKind, EffectRecord, fold
from models.canonical import Slug, digest
from models.errors import InvalidInputError, RefusedError
from models.inventory import ModelRegistered
from models.journal import JournalEntry, LifecycleInput
from models.messages import (
    Attempted,
    Body,
    Breach,
    Breached,
    Decided,
    HandedIn,
    Requested,
    VersionSubmitted,
)
from models.notices import untold
from models.plan import Plan
from models.signing import Envelope
from models.state import Phase, State

Message = Envelope | HandedIn | Breach
"""What somebody says to a lifecycle, as it was sent."""

_LOOK = "`modelops history` names every problem of the record"
_SHORT = 120


class Heard(NamedTuple):
    """A message that an execution took, and when; `answered`: its sender was told that it counts."""

    at: datetime
    message: Message
    answered: bool


def resumed(model: Slug, plan: Plan, entries: Sequence[AuditEntry]) -> LifecycleInput:
    """What an execution goes on from that takes the place of a lost one: the recorded events, run once more.

    `entries` are those that name the model. InvalidInputError if they contradict the rules or tell of no lifecycle,
    RefusedError if it has ended.
    """
    effects = list(_effects(model, entries))
    owner = next((owner for effect in effects if (owner := _owner(effect))), None)
    if owner is None:
        raise InvalidInputError(f"the record does not say who owns '{model}'", _LOOK)
    folded = fold(plan, State(model=model, owner=owner), entries)
    if folded.problems:
        raise InvalidInputError(f"the record of '{model}' does not follow the rules: {folded.problems[0]}", _LOOK)
    if not folded.state.stage:
        raise InvalidInputError(f"no event of '{model}' is recorded: there is nothing to rebuild", "`modelops start`")
    if folded.state.phase is Phase.ENDED:
        raise RefusedError(f"the lifecycle of '{model}' has ended", "`modelops history` tells it all")
    done = {effect.key for effect in effects}
    notices = untold(model, folded.notices, done)
    return LifecycleInput(plan=plan, state=folded.state, notices=notices, rebuilt=True)


def disagreements(claimed: LifecycleInput, recorded: LifecycleInput) -> Iterator[str]:
    """Where a claim about a lost lifecycle is not what the record says."""
    if claimed.plan != recorded.plan:
        yield f"plan is {digest(claimed.plan)}, the record says {digest(recorded.plan)}"
    for field in fields(State):
        said, true = getattr(claimed.state, field.name), getattr(recorded.state, field.name)
        if said != true:
            yield f"{field.name} is {_spell(said)}, the record says {_spell(true)}"
    for name in LifecycleInput.model_fields.keys() - {"plan", "state"}:
        said, true = getattr(claimed, name), getattr(recorded, name)
        if said != true:
            yield f"{name} is {_spell(said)}, the record says {_spell(true)}"


def unrecorded(heard: Iterable[Heard], entries: Iterable[AuditEntry], since: datetime) -> Iterator[Heard]:
    """What an execution that began at a moment heard and did not get on record, in its order."""
    events = (JournalEntry.model_validate_json(one.body) for one in entries if one.kind == AuditKind.EVENT)
    bodies = (one.event.body for one in events if one.event.at >= since)
    known = Counter(_wire(message) for body in bodies if (message := message_of(body)))
    for one in heard:
        name = _wire(one.message)
        if known[name]:
            known[name] -= 1
        else:
            yield one


def message_of(body: Body) -> Message | None:
    """The message that an event is about, as it was sent; None if nobody sent one."""
    match body:
        case Decided(envelope=envelope) | Attempted(envelope=envelope) | Requested(envelope=envelope):
            return envelope
        case VersionSubmitted(submission=submission, envelope=envelope) if envelope:
            return HandedIn(submission=submission, envelope=envelope)
        case Breached():
            return body.breach
        case _:
            return None


def _effects(model: Slug, entries: Iterable[AuditEntry]) -> Iterator[EffectRecord]:
    for entry in entries:
        if entry.kind == AuditKind.EFFECT:
            try:
                yield EffectRecord.model_validate_json(entry.body)
            except ValueError as error:
                raise InvalidInputError(f"entry {entry.position} of '{model}' cannot be read", _LOOK) from error


def _owner(effect: EffectRecord) -> Slug | None:
    return next((change.facts.owner for change in effect.changes if isinstance(change, ModelRegistered)), None)


def _wire(message: Message) -> str:
    return f"{type(message).__name__} {message.model_dump_json()}"


def _spell(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"
