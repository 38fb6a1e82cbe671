"""The audit trail without a database: what a chain proves, what it cannot, and the kernel run again."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from models.audit import (
    GENESIS,
    AuditEntry,
    AuditHead,
    AuditKind,
    Tampering,
    fold,
    seal,
    verify_chain,
)
from models.canonical import canonical, digest, digest_bytes
from models.evidence import StepKind, StepResult
from models.inventory import RiskTier
from models.journal import JournalEntry
from models.lifecycle import step
from models.messages import Action, Body, Event, Request, Requested, Started, StepSucceeded
from models.plan import Entries, Plan, Routes, StagePlan, StepPlan
from models.state import State, snapshot

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
START = State(model="loan", owner="olga")
PLAN = Plan(
    template="short",
    version="1",
    title="Short",
    source=digest_bytes(b"template"),
    tiers=(RiskTier.LOW,),
    roles={},
    separation=(),
    kpis=(),
    stages=(
        StagePlan(
            name="intake",
            steps=(StepPlan(id="classify", kind=StepKind.CLASSIFY, timeout=60),),
            routes=Routes(passed="retired"),
        ),
        StagePlan(name="retired", terminal=True),
    ),
    enters=Entries(new_version="intake", retirement="retired"),
    monitors=(),
    environment_gates={},
)
EVENTS: tuple[Body, ...] = (
    Started(plan=digest(PLAN)),
    Requested(action=Action.PAUSE, request=Request(person="olga", reason="because")),
    Requested(action=Action.PAUSE, request=Request(person="olga", reason="because")),
    StepSucceeded(visit=1, step="classify", result=StepResult(summary="done")),
)


def chain(bodies: Sequence[str], start: AuditHead | None = None) -> list[AuditEntry]:
    head, entries = start or AuditHead(), []
    for body in bodies:
        entries.append(seal(head, "loan", AuditKind.EFFECT, NOON + timedelta(seconds=head.position), body))
        head = AuditHead(position=entries[-1].position, hash=entries[-1].hash)
    return entries


def changed(entry: AuditEntry, **fields: object) -> AuditEntry:
    return entry.model_copy(update=fields)


def deeds(entries: Sequence[AuditEntry], head: AuditHead | None = None) -> set[tuple[int, Tampering]]:
    return {(problem.position, problem.kind) for problem in verify_chain(entries, head)}


CHAINS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=3, max_size=12).map(chain)


@given(CHAINS)
def test_a_chain_that_nobody_touched_has_no_problem(entries: list[AuditEntry]) -> None:
    """A sealed chain verifies, also against each of its own earlier heads; an empty one does too."""
    assert verify_chain(entries) == []
    assert all(verify_chain(entries, AuditHead(position=e.position, hash=e.hash)) == [] for e in entries)
    assert verify_chain([], AuditHead()) == []
    assert entries[0].previous == GENESIS


@given(CHAINS, st.data())
def test_a_changed_field_is_found_where_it_is(entries: list[AuditEntry], data: st.DataObject) -> None:
    """Whichever covered field of whichever entry is changed, that entry is named and no other."""
    index = data.draw(st.integers(0, len(entries) - 1))
    old = entries[index]
    fields: dict[str, object] = data.draw(
        st.sampled_from(
            [
                {"body": old.body + " "},
                {"model": None},
                {"model": "churn"},
                {"kind": "plan"},
                {"at": old.at + timedelta(microseconds=1)},
            ]
        )
    )
    entries[index] = changed(old, **fields)
    assert deeds(entries) == {(old.position, Tampering.CHANGED)}


@given(CHAINS, st.data())
def test_a_removed_entry_is_found(entries: list[AuditEntry], data: st.DataObject) -> None:
    """A hole is named by its position; at the end only the head shows it."""
    head = AuditHead(position=entries[-1].position, hash=entries[-1].hash)
    gone = entries.pop(data.draw(st.integers(0, len(entries) - 1)))
    assert deeds(entries, head) == {(gone.position, Tampering.REMOVED)}
    assert deeds(entries) == ({(gone.position, Tampering.REMOVED)} if gone.position <= len(entries) else set())


@given(CHAINS, st.data())
def test_two_entries_that_changed_places_are_found(entries: list[AuditEntry], data: st.DataObject) -> None:
    """Two entries with each other's position are both named as moved."""
    one, other = data.draw(st.lists(st.integers(0, len(entries) - 1), min_size=2, max_size=2, unique=True))
    a, b = entries[one], entries[other]
    entries[one], entries[other] = changed(b, position=a.position), changed(a, position=b.position)
    found = deeds(entries)
    assert {position for position, _ in found} >= {a.position, b.position}
    assert Tampering.REORDERED in {kind for _, kind in found}


@given(CHAINS, st.data())
def test_an_entry_that_was_put_in_is_found(entries: list[AuditEntry], data: st.DataObject) -> None:
    """A well-made entry between two others, the rest renumbered, is named as put in."""
    index = data.draw(st.integers(0, len(entries) - 1))
    before = AuditHead(position=index, hash=entries[index].previous)
    rest = [changed(entry, position=entry.position + 1) for entry in entries[index:]]
    assert (index + 1, Tampering.INSERTED) in deeds([*entries[:index], *chain(["forged"], before), *rest])


@given(CHAINS, st.data())
def test_rewriting_the_past_needs_the_head(entries: list[AuditEntry], data: st.DataObject) -> None:
    """A chain made anew from some entry on verifies by itself, and not against a head remembered from before."""
    index = data.draw(st.integers(0, len(entries) - 1))
    head = AuditHead(position=entries[-1].position, hash=entries[-1].hash)
    before = AuditHead(position=index, hash=entries[index].previous)
    anew = entries[:index] + chain(["forged"] + [entry.body for entry in entries[index + 1 :]], before)
    assert deeds(anew) == set()
    assert deeds(anew, head) == {(head.position, Tampering.BROKEN)}


def test_an_entry_replaced_with_a_mended_hash_is_found() -> None:
    """One entry sealed anew fits the one before it; the one after it gives it away."""
    entries = chain(["a", "b", "c", "d"])
    entries[1] = chain(["forged"], AuditHead(position=1, hash=entries[0].hash))[0]
    assert deeds(entries) == {(2, Tampering.CHANGED)}


def test_an_altered_hash_is_told_from_altered_content() -> None:
    """As long as the next entry vouches for the content, it is the hash that was altered; the tie likewise."""
    entries = chain(["a", "b", "c"])
    assert deeds([entries[0], changed(entries[1], hash=GENESIS), entries[2]]) == {(2, Tampering.BROKEN)}
    assert deeds([entries[0], changed(entries[1], previous="x"), entries[2]]) == {(2, Tampering.BROKEN)}


def test_entries_out_of_order_and_twice_are_found() -> None:
    """Entries handed over in another order, or two of one position, are named."""
    a, b, c = chain(["a", "b", "c"])
    assert deeds([a, c, b]) == {(2, Tampering.REORDERED)}
    assert (2, Tampering.INSERTED) in deeds([a, b, b, c])


def test_a_removed_beginning_does_not_become_the_beginning() -> None:
    """A trail whose entries were renumbered after its first was taken out still says so."""
    entries = [changed(entry, position=entry.position - 1) for entry in chain(["a", "b", "c"])[1:]]
    assert (1, Tampering.REMOVED) in deeds(entries)


def test_the_same_moment_in_another_zone_has_the_same_hash() -> None:
    """The hash covers the moment, not the way that a database spells it."""
    (entry,) = chain(["a"])
    assert verify_chain([changed(entry, at=entry.at.astimezone(timezone(timedelta(hours=-7))))]) == []


def test_the_hash_of_an_entry_is_pinned() -> None:
    """Trails are verified years later: how an entry is hashed never changes."""
    (entry,) = chain(['{"a":1}'])
    assert entry.hash == "sha256:f8f7b745df86eab0dd14ee028d36a0198ab522b64ac99dd90b423d814ffd90ca"


def journal() -> list[JournalEntry]:
    state, recorded = START, []
    for body in EVENTS:
        event = Event(at=NOON, body=body)
        answer = step(PLAN, state, event)
        state = answer.state
        recorded.append(
            JournalEntry(
                model="loan",
                plan=digest(PLAN),
                seq=state.seq,
                event=event,
                refusal=answer.refusal,
                snapshot=snapshot(state),
            )
        )
    return recorded


def sealed(recorded: Sequence[JournalEntry]) -> list[AuditEntry]:
    entries, head = [], AuditHead()
    for one in recorded:
        entries.append(seal(head, one.model, AuditKind.EVENT, NOON, canonical(one).decode()))
        head = AuditHead(position=entries[-1].position, hash=entries[-1].hash)
    return entries


def test_the_fold_of_a_true_record_agrees() -> None:
    """The recorded events, refused ones included, lead the kernel to the recorded end; effects are passed over."""
    recorded = journal()
    assert recorded[2].refusal
    state, problems, _ = fold(PLAN, START, [*sealed(recorded), *chain(["{}"])])
    assert problems == ()
    assert snapshot(state) == recorded[-1].snapshot
    assert state.stage == "retired"


@pytest.mark.parametrize(
    ("index", "fields", "problem"),
    [
        (0, {"refusal": "no"}, "seq 1: recorded refusal is 'no', the kernel's is None"),
        (2, {"refusal": None}, "seq 3: recorded refusal is None, the kernel's is 'the lifecycle is already paused'"),
        (1, {"model": "churn"}, "seq 2: the event is of model 'churn', not of 'loan'"),
        (1, {"plan": digest_bytes(b"other")}, "seq 2: the event happened under plan"),
        (3, {"seq": 9}, "seq 9: the kernel counts 4 events here"),
    ],
)
def test_a_false_record_is_named_by_its_seq(index: int, fields: dict[str, object], problem: str) -> None:
    """Where the record and the kernel disagree, the problem begins with the event's seq and says how."""
    recorded = journal()
    recorded[index] = recorded[index].model_copy(update=fields)
    first = fold(PLAN, START, sealed(recorded)).problems[0]
    assert first.startswith(problem)


def test_a_forged_snapshot_is_named_field_by_field() -> None:
    """Each field of a snapshot that the kernel would not give is a problem of its own."""
    recorded = journal()
    forged = recorded[1].snapshot.model_copy(update={"stage": "retired", "champion": 1})
    recorded[1] = recorded[1].model_copy(update={"snapshot": forged})
    assert fold(PLAN, START, sealed(recorded)).problems == (
        "seq 2: recorded stage is 'retired', the kernel's is 'intake'",
        "seq 2: recorded champion is 1, the kernel's is None",
    )


def test_a_missing_and_an_unreadable_event_are_problems() -> None:
    """Without one of its events the record disagrees from there on; a body that is no event is named."""
    recorded = sealed(journal())
    assert fold(PLAN, START, recorded[1:]).problems[0].startswith("seq 2: the kernel counts 1 events here")
    recorded[1] = changed(recorded[1], body="{}")
    assert fold(PLAN, START, recorded).problems[0] == "position 2, after seq 1: the body is not an event"


@given(st.text(st.characters(exclude_categories=["Cs"])), st.none() | st.text(st.characters(exclude_categories=["Cs"])))
def test_a_hash_is_that_of_canonical_json(body: str, model: str | None) -> None:
    """Whatever a text has in it, an entry hashes to what another implementation of RFC 8785 makes of it."""
    at = NOON.astimezone(timezone(timedelta(hours=5)))
    entry = seal(AuditHead(position=6, hash="sha256:x"), model, AuditKind.EVENT, at, body)
    content = {"position": 7, "model": model, "kind": "event", "at": "2026-03-02T12:00:00.000000+00:00", "body": body}
    leaf = hashlib.sha256(b"modelops/leaf/1\x00" + rfc8785.dumps(content)).digest()
    assert entry.hash == "sha256:" + hashlib.sha256(b"modelops/audit/1\x00" + b"sha256:x" + leaf).hexdigest()


@pytest.mark.parametrize("place", [1, 2, 1_500, 4_000])
def test_breaks_far_apart_are_all_found(place: int) -> None:
    """In a trail longer than what is remembered, deeds are named as in a short one, wherever they are."""
    entries = chain(["x"] * 4_000)
    entries[place - 1] = changed(entries[place - 1], body="forged")
    gone = entries.pop(2_800)
    assert deeds(entries) == {(place, Tampering.CHANGED), (gone.position, Tampering.REMOVED)}
