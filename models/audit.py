"""The audit trail: entries chained by hash, and two checks of it: the chain itself, and the kernel run once more."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import zip_longest
from typing import NamedTuple

import rfc8785

from models.canonical import Digest, Frozen, digest
from models.evidence import EffectKey, StepResult
from models.inventory import Change
from models.journal import JournalEntry
from models.lifecycle import step
from models.plan import Plan
from models.state import State, snapshot

GENESIS: Digest = "sha256:" + "0" * 64
"""What the first entry follows."""

_EPOCH = 1970
_LEAF = b"modelops/leaf/1\x00"
_NODE = b"modelops/audit/1\x00"


class AuditKind(StrEnum):
    """What an entry records; its body is the `JournalEntry`, the `EffectRecord` or the `Plan` itself."""

    EVENT = "event"
    EFFECT = "effect"
    PLAN = "plan"


class EffectRecord(Frozen):
    """What is recorded of an effect: its key, what it found, and what it changed in the inventory."""

    key: EffectKey
    result: StepResult
    changes: tuple[Change, ...] = ()


class AuditHead(Frozen):
    """A trail up to a position, all of it in one hash. Kept elsewhere, it shows that the past was rewritten."""

    position: int = 0
    hash: str = GENESIS


class AuditEntry(Frozen):
    """One entry as the database holds it, tampered with or not: therefore the open types.

    `position` counts from 1 over all models, `at` is when it was recorded (UTC), `body` is canonical JSON.
    """

    position: int
    model: str | None
    kind: str
    at: datetime
    body: str
    previous: str
    hash: str


class Tampering(StrEnum):
    """What was done to an entry."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    BROKEN = "broken"


class ChainProblem(Frozen):
    """Where a chain does not hold, and what that points to."""

    position: int
    kind: Tampering
    message: str


class Replayed(NamedTuple):
    """An event run through the kernel again: the states around it, and where the record disagrees with the kernel.

    `recorded` is None if the entry cannot be read or belongs elsewhere; then the state is left as it was.
    """

    position: int
    recorded: JournalEntry | None
    before: State
    state: State
    problems: tuple[str, ...]


class Folded(NamedTuple):
    """Where the recorded events lead, and where the record disagrees with the kernel (each naming its seq)."""

    state: State
    problems: tuple[str, ...]


def seal(head: AuditHead, model: str | None, kind: AuditKind, at: datetime, body: str) -> AuditEntry:
    """The entry that comes after a head."""
    content = _leaf(head.position + 1, model, kind, at, body)
    return AuditEntry(
        position=head.position + 1,
        model=model,
        kind=kind.value,
        at=at,
        body=body,
        previous=head.hash,
        hash=_node(head.hash, content),
    )


def verify_chain(entries: Iterable[AuditEntry], head: AuditHead | None = None) -> list[ChainProblem]:
    """Everything wrong with a whole trail, by position; bodies are hashed again and not kept in memory.

    A chain cannot show that its end was cut off or that all of it was made anew: `head`, remembered from before, can.
    """
    given = [_Link(entry.position, entry.previous, entry.hash, _content(entry)) for entry in entries]
    links = sorted(given, key=lambda link: link.position)
    problems = [*_disorder(given), *_numbering(links), *_linkage(links), *_against(links, head or AuditHead())]
    return sorted(problems, key=lambda problem: problem.position)


def fold(plan: Plan, initial: State, entries: Iterable[AuditEntry]) -> Folded:
    """Run the recorded events of one model through the kernel again, from its initial state.

    Other kinds of entry are passed over. An event that cannot be read or belongs elsewhere is a problem, and left out.
    """
    state, problems = initial, list[str]()
    for replayed in replay(plan, initial, entries):
        state = replayed.state
        problems += replayed.problems
    return Folded(state, tuple(problems))


def replay(plan: Plan, initial: State, entries: Iterable[AuditEntry]) -> Iterator[Replayed]:
    """As `fold`, one event after the other."""
    state, under = initial, digest(plan)
    for entry in entries:
        if entry.kind != AuditKind.EVENT:
            continue
        try:
            recorded = _event(entry)
        except ValueError:
            wrong = f"position {entry.position}, after seq {state.seq}: the body is not an event"
            yield Replayed(entry.position, None, state, state, (wrong,))
            continue
        if foreign := _foreign(under, initial, recorded):
            yield Replayed(entry.position, None, state, state, (f"seq {recorded.seq}: {foreign}",))
            continue
        before, answer = state, step(plan, state, recorded.event)
        state = answer.state
        problems = tuple(f"seq {recorded.seq}: {why}" for why in _disagreements(recorded, state, answer.refusal))
        yield Replayed(entry.position, recorded, before, state, problems)


def _event(entry: AuditEntry) -> JournalEntry:
    """The event of an entry; ValueError if its body is none, or happened at no time that can be reckoned with."""
    recorded = JournalEntry.model_validate_json(entry.body)
    if recorded.event.at.tzinfo is None or recorded.event.at.year < _EPOCH:
        raise ValueError(f"nothing was recorded at {recorded.event.at}")
    return recorded


def _foreign(under: Digest, initial: State, recorded: JournalEntry) -> str | None:
    if recorded.model != initial.model:
        return f"the event is of model '{recorded.model}', not of '{initial.model}'"
    if recorded.plan != under:
        return f"the event happened under plan {recorded.plan}, not under {under}"
    return None


def _disagreements(recorded: JournalEntry, state: State, refusal: str | None) -> Iterator[str]:
    if recorded.seq != state.seq:
        yield f"the kernel counts {state.seq} events here"
    if recorded.refusal != refusal:
        yield f"recorded refusal is {recorded.refusal!r}, the kernel's is {refusal!r}"
    expected = snapshot(state)
    for name in type(expected).model_fields:
        was, should = getattr(recorded.snapshot, name), getattr(expected, name)
        if was != should:
            yield f"recorded {name} is {was!r}, the kernel's is {should!r}"


class _Link(NamedTuple):
    position: int
    previous: str
    hash: str
    leaf: bytes

    @property
    def whole(self) -> bool:
        return self.hash == _node(self.previous, self.leaf)


def _leaf(position: int, model: str | None, kind: str, at: datetime, body: str) -> bytes:
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    content = rfc8785.dumps({"position": position, "model": model, "kind": str(kind), "at": moment, "body": body})
    return hashlib.sha256(_LEAF + content).digest()


def _content(entry: AuditEntry) -> bytes:
    """The leaf of an entry; nothing, which no hash vouches for, of one that can never have been sealed."""
    try:
        return _leaf(entry.position, entry.model, entry.kind, entry.at, entry.body)
    except rfc8785.CanonicalizationError:
        return b""


def _node(previous: str, leaf: bytes) -> Digest:
    return "sha256:" + hashlib.sha256(_NODE + previous.encode() + leaf).hexdigest()


def _problem(position: int, kind: Tampering, message: str) -> ChainProblem:
    return ChainProblem(position=position, kind=kind, message=f"entry {position}: {message}")


def _disorder(given: Sequence[_Link]) -> Iterator[ChainProblem]:
    highest = 0
    for link in given:
        if link.position < highest:
            yield _problem(link.position, Tampering.REORDERED, f"comes after entry {highest}")
        highest = max(highest, link.position)


def _numbering(links: Sequence[_Link]) -> Iterator[ChainProblem]:
    expected = 1
    for link in links:
        if link.position > expected:
            yield _problem(expected, Tampering.REMOVED, f"missing, up to entry {link.position - 1}")
        if link.position < expected:
            yield _problem(link.position, Tampering.INSERTED, "another entry has this position too")
        expected = link.position + 1


def _linkage(links: Sequence[_Link]) -> Iterator[ChainProblem]:
    places = {link.hash: link.position for link in links}
    followers: dict[str, int] = {}
    before: _Link | None = None
    for link, after in zip_longest(links, links[1:]):
        rival = followers.setdefault(link.previous, link.position)
        if rival != link.position:
            message = f"it and entry {link.position} follow the same entry: one was put in"
            yield _problem(rival, Tampering.INSERTED, message)
        elif problem := _judge(before, link, after, places):
            yield problem
        before = link


def _judge(before: _Link | None, link: _Link, after: _Link | None, places: dict[str, int]) -> ChainProblem | None:
    """What is wrong with one link, given its neighbours; a hole before it excuses that it is tied to neither."""
    position, tie = (before.position, before.hash) if before else (0, GENESIS)
    tied = link.previous == tie or link.position != position + 1
    if link.whole:
        if tied or (before and not before.whole):
            return None
        return _problem(position, Tampering.CHANGED, f"it was replaced: entry {link.position} followed another one")
    if tied and after and after.previous == _node(link.previous, link.leaf):
        return _problem(link.position, Tampering.BROKEN, "its hash was altered; the next entry vouches for its content")
    if tied:
        return _problem(link.position, Tampering.CHANGED, "its content is not what was recorded")
    if link.previous in places:
        message = f"it was moved: it followed what is now entry {places[link.previous]}"
        return _problem(link.position, Tampering.REORDERED, message)
    if link.hash == _node(tie, link.leaf):
        return _problem(link.position, Tampering.BROKEN, "its tie to the entry before was altered")
    return _problem(link.position, Tampering.REMOVED, "the entry that it followed is no longer there")


def _against(links: Sequence[_Link], head: AuditHead) -> Iterator[ChainProblem]:
    last = links[-1].position if links else 0
    if last < head.position:
        yield _problem(last + 1, Tampering.REMOVED, f"missing, up to entry {head.position}, which was there before")
    elif head.position and not any(link.position == head.position and link.hash == head.hash for link in links):
        yield _problem(head.position, Tampering.BROKEN, f"it is not the one that was vouched for, {head.hash}")
