"""Whether what people said was said as it is on record: every signature and what it is about, checked once more.

What an activity answered about whose key is whose is on record, too, and not believed where there is a registry.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from models.audit import Replayed, Tampering
from models.authentication import read_decision, read_request, read_submission
from models.canonical import Digest, Frozen
from models.evidence import Electorate
from models.keys import Keyring
from models.messages import Attempted, Body, Decided, HandedIn, Requested, VersionSubmitted
from models.plan import Plan
from models.signing import Envelope
from models.state import State
from models.statements import Deciding, read_statement


class Doubt(NamedTuple):
    """Why a recorded message is not what it says."""

    kind: Tampering
    message: str


def doubts(plan: Plan, plan_digest: Digest, replayed: Replayed, keyring: Keyring) -> Iterator[Doubt]:
    """What is to be said against an event if it is a person's message. One that counted must have been signed.

    An empty `keyring` says nothing of whose keys they are.
    """
    if replayed.recorded is None:
        return
    event, refusal = replayed.recorded.event, replayed.recorded.refusal
    body = event.body
    if not isinstance(body, Decided | Requested | VersionSubmitted):
        return
    if body.envelope is None:
        if refusal is None:
            yield Doubt(Tampering.UNSIGNED, f"{body.event} counted, and nobody has signed it")
        return
    again = _again(plan, plan_digest, replayed.before, body, event.at)
    yield from _differences(body, again)
    objection = again.objection if isinstance(again, type(body)) else "it is another message"
    if objection and refusal is None:
        yield Doubt(Tampering.FORGED, f"{body.event} counted, although: {objection}")
    if keyring.keys and refusal is None:
        for why in _strange(keyring, body.envelope, event.at):
            yield Doubt(Tampering.FORGED, f"{body.event} counted, although by the registry {why}")


def _strange(keyring: Keyring, envelope: Envelope, at: datetime) -> Iterator[str]:
    """Why whoever signed is not who they say; only to decide does a delegation vouch for the key it names."""
    with suppress(ValueError):
        said = read_statement(envelope)
        if void := keyring.void(said.key, said.person, at):
            yield void
        elif said.key not in {key.id for key in keyring.keys} and not (
            said.delegation and isinstance(said.says, Deciding)
        ):
            yield f"key {said.key[:19]}… of {said.person} was never enrolled"
        if said.delegation is not None:
            yield from _strange(keyring, said.delegation, at)


def _again(
    plan: Plan, plan_digest: Digest, before: State, body: Decided | Requested | VersionSubmitted, at: datetime
) -> Decided | Requested | VersionSubmitted | Attempted:
    """The message as its envelope says it."""
    if body.envelope is None:
        return body
    if isinstance(body, Decided):
        return read_decision(plan, plan_digest, before, body.envelope, at)
    known = body.known or Electorate(people={})
    if isinstance(body, Requested):
        return read_request(before, body.envelope, known, at)
    return read_submission(before, HandedIn(submission=body.submission, envelope=body.envelope), known, at)


def _differences(recorded: Body, again: Body) -> Iterator[Doubt]:
    for where, was, signed in _apart("", recorded, again):
        yield Doubt(Tampering.FORGED, f"{where} is recorded as {was!r}; by what was signed it is {signed!r}")


def _apart(where: str, one: Frozen, other: Frozen) -> Iterator[tuple[str, object, object]]:
    """The fields in which two values differ, the innermost by name."""
    for name in type(one).model_fields:
        was, signed = getattr(one, name), getattr(other, name, None)
        if was == signed:
            continue
        if isinstance(was, Frozen) and isinstance(signed, Frozen) and type(was) is type(signed):
            yield from _apart(f"{where}{name}.", was, signed)
        else:
            yield f"{where}{name}", was, signed
