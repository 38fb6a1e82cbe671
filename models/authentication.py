"""Whether what somebody signed is what it says: the key, the times, and everything that it is about.

The workflow asks before the kernel does, the actuator before it acts, and the verifier of the trail after all of it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from models.canonical import Digest, Slug, digest
from models.challenge import challenge
from models.evidence import Electorate
from models.messages import Action, Attempted, Decided, Decision, HandedIn, Once, Request, Requested, VersionSubmitted
from models.plan import GatePlan, Plan
from models.signing import Envelope, PublicKey, key_id, signer_of
from models.state import State, turn_of
from models.statements import (
    DELEGATED_FOR,
    LIFETIME,
    Challenge,
    Deciding,
    Delegating,
    Requesting,
    Statement,
    Submitting,
    read_statement,
)

SKEW = timedelta(minutes=2)
"""How far the clocks of people and servers may be apart."""

_TOLD = 300

Says = TypeVar("Says", Deciding, Requesting, Submitting)


def read_decision(
    plan: Plan, plan_digest: Digest, state: State, envelope: Envelope, at: datetime
) -> Decided | Attempted:
    """What was sent, as an event: a decision, with why it is not to be believed if it is not."""
    statement, says = _opened(envelope, Deciding)
    if not isinstance(statement, Statement) or says is None:
        return Attempted(envelope=envelope, objection=str(statement))
    found = _objections(plan, plan_digest, state, envelope, statement, says, at)
    return Decided(decision=decision_of(statement, says), envelope=envelope, objection=next(found, ""))


def read_request(state: State, envelope: Envelope, known: Electorate, at: datetime) -> Requested | Attempted:
    """What was asked for, as an event, given what the directory says of whoever asks."""
    statement, says = _opened(envelope, Requesting)
    if not isinstance(statement, Statement) or says is None:
        return Attempted(envelope=envelope, objection=str(statement))
    return Requested(
        action=says.action,
        request=Request(person=statement.person, reason=says.reason),
        emergency=says.emergency,
        envelope=envelope,
        known=known,
        once=Once(jti=statement.jti, until=statement.expires_at),
        objection=next(_request_objections(state, envelope, statement, says, known, at), ""),
    )


def read_submission(state: State, given: HandedIn, known: Electorate, at: datetime) -> VersionSubmitted | Attempted:
    """A version that was handed in, as an event, given what the directory says of its submitter."""
    statement, says = _opened(given.envelope, Submitting)
    if not isinstance(statement, Statement) or says is None:
        return Attempted(envelope=given.envelope, objection=str(statement))
    return VersionSubmitted(
        submission=given.submission,
        envelope=given.envelope,
        known=known,
        once=Once(jti=statement.jti, until=statement.expires_at),
        objection=next(_submission_objections(state, given, statement, says, known, at), ""),
    )


def _opened(envelope: Envelope, kind: type[Says]) -> tuple[Statement, Says] | tuple[str, None]:
    """The statement of a kind that an envelope holds, or why it holds none."""
    try:
        statement = read_statement(envelope)
    except ValueError as error:
        return f"this is no signed statement: {str(error)[:_TOLD]}", None
    if not isinstance(statement.says, kind):
        wanted = kind.model_fields["kind"].default
        return f"this is no statement to {wanted} but one to {statement.says.kind}", None
    return statement, statement.says


def person_of(envelope: Envelope) -> Slug | None:
    """Who an envelope claims to be of."""
    try:
        return read_statement(envelope).person
    except ValueError:
        return None


def _request_objections(
    state: State, envelope: Envelope, statement: Statement, says: Requesting, known: Electorate, at: datetime
) -> Iterator[str]:
    yield from _misaddressed(state, says, known)
    yield from untimely(statement, statement.issued_at, at)
    yield from unsigned(envelope, statement, known.keys.get(statement.person, ()))
    if not says.emergency:
        yield from _unauthorised(state, statement.person, says.action, known)


def _unauthorised(state: State, person: Slug, action: Action, known: Electorate) -> Iterator[str]:
    """To turn a lifecycle, to retrain, or to answer for an emergency, takes somebody who answers for the model.

    To keep it going, and to break the glass, anybody may whose key is known.
    """
    version = state.candidate
    theirs = action is Action.ABANDON and version is not None and person in (version.developer, version.submitter)
    weighs = turn_of(action) is not None or action in (Action.RETRAIN, Action.CONFIRM, Action.REVIEW)
    if weighs and not answers_for(state, person, known) and not theirs:
        yield f"{person} is not the model's owner and holds no role of its lifecycle, and may not ask to {action}"


def answers_for(state: State, person: Slug, known: Electorate) -> bool:
    """Whether somebody owns a model or holds a role of its lifecycle."""
    return person == state.owner or any(person in holders for holders in known.people.values())


def _submission_objections(
    state: State, given: HandedIn, statement: Statement, says: Submitting, known: Electorate, at: datetime
) -> Iterator[str]:
    yield from _misaddressed(state, says, known)
    if statement.person != given.submission.submitter:
        yield f"{statement.person} signed for a version that {given.submission.submitter} is to have submitted"
    yield from untimely(statement, statement.issued_at, at)
    yield from unsigned(given.envelope, statement, known.keys.get(statement.person, ()))
    if says.submission != digest(given.submission):
        yield "the signature is for another version"


def _misaddressed(state: State, says: Requesting | Submitting, known: Electorate) -> Iterator[str]:
    if says.lifecycle != state.model:
        yield f"it was signed for '{says.lifecycle}'"
    if says.audience != known.audience:
        yield f"it was signed for the installation '{says.audience}', and this is '{known.audience}'"


def decision_of(statement: Statement, says: Deciding) -> Decision:
    """The decision that a statement claims."""
    delegation = _delegation(statement)
    return Decision(
        gate=says.about.gate,
        visit=says.about.visit,
        person=statement.person,
        decision=says.decision,
        reason=says.reason,
        artifact=says.about.artifact,
        role=says.role,
        on_behalf_of=delegation.person if delegation else None,
        key=statement.key,
        findings=says.findings,
        closes=says.closes,
    )


def _delegation(statement: Statement) -> Statement | None:
    if statement.delegation is None:
        return None
    try:
        return read_statement(statement.delegation)
    except ValueError:
        return None


def _objections(
    plan: Plan,
    plan_digest: Digest,
    state: State,
    envelope: Envelope,
    statement: Statement,
    says: Deciding,
    at: datetime,
) -> Iterator[str]:
    gate, visit, now = state.gate_plan(plan), state.gate, challenge(plan, plan_digest, state)
    if gate is None or visit is None:
        return
    if now is None:
        yield "nobody's signature can be checked at this gate: no key is known"
        return
    yield from differences(says.about, now)
    yield from untimely(statement, visit.opened, at)
    since = visit.anew.get(statement.person)
    if since and statement.issued_at <= since:
        yield f"it was signed before {statement.person} was asked again, at {since:%Y-%m-%d %H:%M} UTC"
    keys = tuple(signing_keys(visit.electorate, gate, statement))
    yield from unsigned(envelope, statement, keys)
    yield from _misdelegated(visit.electorate, statement, says, at)


def differences(about: Challenge, now: Challenge) -> Iterator[str]:
    """Where a decision is about something else than what is decided now."""
    words = {"audience": "installation", "nonce": "opening of the gate", "evidence": "set of evidence"}
    for name in Challenge.model_fields:
        signed, present = getattr(about, name), getattr(now, name)
        if signed != present:
            yield f"the decision is about another {words.get(name, name)}: {signed}, not {present}"


def untimely(statement: Statement, opened: datetime, at: datetime) -> Iterator[str]:
    """Why a statement does not count now."""
    issued, ends = statement.issued_at, statement.expires_at
    if ends - issued > LIFETIME:
        yield f"the signature is to hold longer than {LIFETIME.days} days"
    if issued > at + SKEW:
        yield f"it was signed at {issued:%Y-%m-%d %H:%M} UTC, which is still to come: is the signer's clock right?"
    if issued < opened - SKEW:
        yield f"it was signed at {issued:%Y-%m-%d %H:%M} UTC, before the gate was open"
    if ends <= at:
        yield f"the signature has run out at {ends:%Y-%m-%d %H:%M} UTC"


def signing_keys(electorate: Electorate, gate: GatePlan, statement: Statement) -> Iterator[PublicKey]:
    """The keys with which a statement may be signed: the person's own, or the one that a delegation names."""
    yield from electorate.keys.get(statement.person, ())
    if gate.authentication == "gateway":
        yield from electorate.gateways
    delegation = _delegation(statement)
    if delegation and isinstance(delegation.says, Delegating):
        yield delegation.says.to_public


def unsigned(envelope: Envelope, statement: Statement, keys: tuple[PublicKey, ...]) -> Iterator[str]:
    """Why a signature is not one of the keys that count for the person."""
    named = tuple(key for key in keys if key_id(key) == statement.key)
    if not named:
        yield (
            f"{statement.person} has no key {statement.key[:19]}… that counts here: "
            "it has to be enrolled, and the gate to know (`modelops retry`)"
        )
    elif signer_of(envelope, named) is None:
        yield f"the signature is not that of {statement.person}'s key {statement.key[:19]}…"


def _misdelegated(electorate: Electorate, statement: Statement, says: Deciding, at: datetime) -> Iterator[str]:
    """Why somebody may not decide in somebody else's place."""
    if statement.delegation is None:
        return
    delegation = _delegation(statement)
    if delegation is None or not isinstance(delegation.says, Delegating):
        yield "what it brings along is no delegation"
        return
    granted, giver = delegation.says, delegation.person
    if delegation.delegation is not None:
        yield "a delegation cannot be handed on"
    if not delegation.issued_at - SKEW <= at < delegation.expires_at:
        yield f"the delegation holds until {delegation.expires_at:%Y-%m-%d %H:%M} UTC"
    if delegation.expires_at - delegation.issued_at > DELEGATED_FOR:
        yield f"the delegation is to hold longer than {DELEGATED_FOR.days} days"
    yield from _beyond(granted, giver, statement, says)
    if giver not in (*electorate.people.get(granted.role, ()), *electorate.away.get(granted.role, ())):
        yield f"{giver} does not hold the role '{granted.role}' at this gate"
    yield from unsigned(statement.delegation, delegation, electorate.keys.get(giver, ()))


def _beyond(granted: Delegating, giver: Slug, statement: Statement, says: Deciding) -> Iterator[str]:
    """Where a decision goes further than what somebody handed over."""
    if (granted.to, granted.to_key) != (statement.person, statement.key):
        yield f"{giver} delegated to {granted.to} with another key, not to {statement.person} with this one"
    if key_id(granted.to_public) != granted.to_key:
        yield "the delegation names two different keys"
    if granted.audience != says.about.audience:
        yield f"the delegation is for the installation '{granted.audience}'"
    if granted.role != says.role:
        yield f"{giver} delegated the role '{granted.role}', not '{says.role}'"
    if granted.lifecycles and says.about.lifecycle not in granted.lifecycles:
        yield f"{giver} delegated for {', '.join(granted.lifecycles[:5])}, not for {says.about.lifecycle}"
