"""The audit trail: entries chained by hash, and two checks of it: the chain itself, and the kernel run once more."""

import hashlib
from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import zip_longest
from json import JSONEncoder
from typing import NamedTuple

from models.canonical import Digest, Frozen, Slug, digest
from models.evidence import EffectKey, StepResult
from models.inventory import Change
from models.journal import JournalEntry
from models.lifecycle import step
from models.messages import Notify
from models.plan import Plan
from models.state import State, snapshot

GENESIS: Digest = "sha256:" + "0" * 64
"""What the first entry follows."""

_EPOCH = 1970
_NEAR = 1_000
"""Entries on either side of a break that are looked at to tell what was done; all others are forgotten at once."""

_quote = JSONEncoder(ensure_ascii=False).encode
_quote_name = lru_cache(1_000)(_quote)
_LEAF = b"modelops/leaf/1\x00"
_NODE = b"modelops/audit/1\x00"


class AuditKind(StrEnum):
    """What an entry records.

    Its body is the `JournalEntry`, `EffectRecord`, `Plan`, `Discovery` or `Publication` itself.
    """

    EVENT = "event"
    EFFECT = "effect"
    PLAN = "plan"
    FINDING = "finding"
    DIRECTORY = "directory"


class EffectRecord(Frozen):
    """What is recorded of an effect: its key, what it found, and what it changed in the inventory."""

    key: EffectKey
    result: StepResult
    changes: tuple[Change, ...] = ()


class Publication(Frozen):
    """What is recorded of an edition of the directory: who published it, and the digest of its envelope's text.

    The edition itself would make every look at the trail long.
    """

    number: int
    by: Slug
    envelope: Digest


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
    REWRITTEN = "rewritten"
    FORGED = "forged"
    UNSIGNED = "unsigned"


class ChainProblem(Frozen):
    """Where a chain does not hold, and what that points to."""

    position: int
    kind: Tampering
    message: str


class Walked(NamedTuple):
    """A whole trail, looked at once: what is wrong with its chain, how long it is, where it ends.

    `hashes` are those that its content has at the marked positions, whatever the database says that they are.
    """

    problems: tuple[ChainProblem, ...]
    entries: int
    last: int
    hashes: Mapping[int, str]


class Replayed(NamedTuple):
    """An event run through the kernel again: the states around it, and where the record disagrees with the kernel.

    `recorded` is None if the entry cannot be read or belongs elsewhere; then the state is left as it was. `at` is when
    it was recorded, which whoever wrote the event cannot choose; `refusal` is the kernel's own.
    """

    position: int
    at: datetime
    recorded: JournalEntry | None
    before: State
    state: State
    problems: tuple[str, ...]
    notices: tuple[Notify, ...] = ()
    refusal: str | None = None


class Folded(NamedTuple):
    """Where the recorded events lead, and where the record disagrees with the kernel (each naming its seq).

    `notices` is what people were to be told on the way.
    """

    state: State
    problems: tuple[str, ...]
    notices: tuple[Notify, ...] = ()


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
    return list(walk(entries, head).problems)


def walk(entries: Iterable[AuditEntry], head: AuditHead | None = None, marks: Container[int] = ()) -> Walked:
    """As `verify_chain`, also saying what the trail's content hashes to at some positions."""
    walker, problems = _Walker(head or AuditHead(), marks), list[ChainProblem]()
    for first, given in walker.breaks(entries):
        links = sorted(given, key=lambda link: link.position)
        problems += [*_disorder(given), *_numbering(links, first), *_linkage(links)]
    problems += walker.against()
    found = sorted(problems, key=lambda problem: problem.position)
    return Walked(tuple(found), walker.count, walker.last, walker.hashes)


def fold(plan: Plan, initial: State, entries: Iterable[AuditEntry]) -> Folded:
    """Run the recorded events of one model through the kernel again, from its initial state.

    Other kinds of entry are passed over. An event that cannot be read or belongs elsewhere is a problem, and left out.
    """
    state, problems, notices = initial, list[str](), list[Notify]()
    for replayed in replay(plan, initial, entries):
        state = replayed.state
        problems += replayed.problems
        notices += replayed.notices
    return Folded(state, tuple(problems), tuple(notices))


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
            yield Replayed(entry.position, entry.at, None, state, state, (wrong,))
            continue
        if foreign := _foreign(under, initial, recorded):
            yield Replayed(entry.position, entry.at, None, state, state, (f"seq {recorded.seq}: {foreign}",))
            continue
        before, answer = state, step(plan, state, recorded.event)
        state = answer.state
        problems = tuple(f"seq {recorded.seq}: {why}" for why in _disagreements(recorded, state, answer.refusal))
        notices = tuple(command for command in answer.commands if isinstance(command, Notify))
        yield Replayed(entry.position, entry.at, recorded, before, state, problems, notices, answer.refusal)


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


class _Walker:
    """Goes along a trail once. Where it is whole, only the last links are remembered."""

    def __init__(self, head: AuditHead, marks: Container[int]) -> None:
        self.count = self.last = 0
        self.hashes: dict[int, str] = {}
        self._head = head
        self._ends = ""
        self._marks = marks
        self._expected, self._tie, self._content = 1, GENESIS, GENESIS

    def breaks(self, entries: Iterable[AuditEntry]) -> Iterator[tuple[int, list[_Link]]]:
        """The links around each break, and the position that the first of them should have."""
        near, broken, first, calm = deque[_Link](maxlen=_NEAR), list[_Link](), 1, 0
        for entry in entries:
            link = _Link(entry.position, entry.previous, entry.hash, leaf_of(entry))
            sound = self._pass(link)
            if broken:
                broken.append(link)
                calm = calm + 1 if sound else 0
            elif not sound:
                broken, first, calm = [*near, link], near[0].position if near else 1, 0
            near.append(link)
            if calm == _NEAR:
                yield first, broken
                broken, calm = [], 0
        if broken:
            yield first, broken

    def _pass(self, link: _Link) -> bool:
        """Whether an entry is whole and follows the one before."""
        follows = link.position == self._expected and link.previous == self._tie
        vouched = link.previous == self._content
        self._content = _node(self._content, link.leaf)
        self._expected, self._tie = link.position + 1, link.hash
        self.count += 1
        self.last = max(self.last, link.position)
        if link.position == self._head.position and self._ends != self._head.hash:
            self._ends = link.hash
        if link.position in self._marks:
            self.hashes[link.position] = self._content
        return follows and (link.hash == self._content if vouched else link.whole)

    def against(self) -> Iterator[ChainProblem]:
        """Where the trail contradicts the head that is remembered."""
        head = self._head
        if self.last < head.position:
            message = f"missing, up to entry {head.position}, which was there before"
            yield _problem(self.last + 1, Tampering.REMOVED, message)
        elif head.position and self._ends != head.hash:
            message = f"it is not the one that was vouched for, {head.hash}"
            yield _problem(head.position, Tampering.BROKEN, message)


def _leaf(position: int, model: str | None, kind: str, at: datetime, body: str) -> bytes:
    """The hash of an entry's content as canonical JSON (RFC 8785), whose text and order of keys are Python's here."""
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    about = "null" if model is None else _quote_name(model)
    names = f'"kind":{_quote_name(str(kind))},"model":{about}'
    content = f'{{"at":"{moment}","body":{_quote(body)},{names},"position":{position}}}'
    return hashlib.sha256(_LEAF + content.encode()).digest()


def leaf_of(entry: AuditEntry) -> bytes:
    """What an entry adds to the chain; nothing, which no hash vouches for, if it can never have been sealed."""
    try:
        return _leaf(entry.position, entry.model, entry.kind, entry.at, entry.body)
    except UnicodeEncodeError:
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


def _numbering(links: Sequence[_Link], expected: int) -> Iterator[ChainProblem]:
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
