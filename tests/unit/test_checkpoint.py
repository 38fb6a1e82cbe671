"""Checkpoints without a disk: what a sequence of them proves of itself, and of the trail that it is of."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from models.audit import AuditEntry, AuditHead, AuditKind, Tampering, seal, walk
from models.checkpoint import (
    Checkpoint,
    CheckpointProblem,
    contradictions,
    following,
    read_checkpoint,
    read_checkpoints,
    sign,
    vouched,
    window,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32) for seed in (1, 2))
PUBLIC = (KEY.public_key().public_bytes_raw().hex(),)
HOUR = timedelta(hours=1)


def grown(length: int, word: str = "true", start: Sequence[AuditEntry] = ()) -> list[AuditEntry]:
    """A trail of some length, one entry an hour, going on from another one."""
    entries = list(start)
    while len(entries) < length:
        head = AuditHead(position=entries[-1].position, hash=entries[-1].hash) if entries else AuditHead()
        entries.append(seal(head, "loan", AuditKind.EFFECT, NOON + head.position * HOUR, f"{word} {head.position}"))
    return entries


def notarised(entries: Sequence[AuditEntry], places: Sequence[int], key: Ed25519PrivateKey = KEY) -> list[bytes]:
    """The checkpoints of a trail at some positions."""
    kept, before = list[bytes](), None
    for place in places:
        head = AuditHead(position=place, hash=entries[place - 1].hash)
        before = following(before, "bank", head, entries[place - 1].at + timedelta(minutes=1))
        kept.append(sign(before, key).model_dump_json().encode())
    return kept


def found(
    kept: Sequence[bytes], entries: Sequence[AuditEntry], at: datetime = NOON + 1000 * HOUR
) -> tuple[list[CheckpointProblem], list[CheckpointProblem]]:
    """What is wrong with the checkpoints, and what they say is wrong with the trail."""
    sealed = read_checkpoints(kept, PUBLIC, "bank", at)
    walked = walk(entries, marks=sealed.positions)
    return list(sealed.problems), list(contradictions(sealed, walked.hashes, walked.last))


PLACES = st.sets(st.integers(1, 12), min_size=2, max_size=5).map(sorted)


@given(PLACES)
def test_true_checkpoints_of_a_true_trail_hold(places: list[int]) -> None:
    """Nothing is said, also when the trail has grown since; the last one vouches for what it is of."""
    entries = grown(12)
    kept = notarised(entries, places)
    assert found(kept, entries) == found(kept, grown(20, start=entries)) == ([], [])
    sealed = read_checkpoints(kept, PUBLIC, "bank", NOON + 50 * HOUR)
    hashes = walk(entries, marks=sealed.positions).hashes
    last = vouched(sealed, hashes)
    assert last is not None
    assert last.position == places[-1]


@given(PLACES, st.data())
def test_a_trail_made_anew_is_found_where_it_departs(places: list[int], data: st.DataObject) -> None:
    """Recomputed from an entry on, a chain is whole; a checkpoint names the entries in question."""
    entries = grown(12)
    first = data.draw(st.integers(1, places[-1]))
    forged = grown(12, "forged", entries[: first - 1])
    assert walk(forged).problems == ()
    own, (problem,) = found(notarised(entries, places), forged)
    held = [place for place in places if place < first]
    assert (own, problem.kind) == ([], Tampering.REWRITTEN)
    assert problem.position == (held[-1] + 1 if held else 1)
    assert problem.since == (entries[held[-1] - 1].at + timedelta(minutes=1) if held else None)
    assert problem.until == entries[places[len(held)] - 1].at + timedelta(minutes=1)
    assert problem.since is None or problem.since < entries[first - 1].at
    assert entries[first - 1].at < problem.until


@given(PLACES, st.data())
def test_a_trail_that_was_cut_or_put_back_is_found(places: list[int], data: st.DataObject) -> None:
    """An older copy of the whole database is whole in itself; it is too short for what was sealed."""
    entries = grown(12)
    left = data.draw(st.integers(0, places[-1] - 1))
    _, (problem,) = found(notarised(entries, places), entries[:left])
    assert (problem.kind, problem.position) == (Tampering.REMOVED, left + 1)


@given(PLACES, st.data())
def test_checkpoints_that_were_tampered_with_are_found(places: list[int], data: st.DataObject) -> None:
    """Removed in the middle, swapped, signed by somebody else, made unreadable, or of the future: each is a problem."""
    entries = grown(12)
    kept, strange = notarised(entries, places), notarised(entries, places, OTHER)
    place = data.draw(st.integers(0, len(kept) - 1))
    flipped = bytearray(kept[place])
    flipped[data.draw(st.integers(0, len(flipped) - 1))] ^= 1
    deeds = {
        "changed": [*kept[:place], bytes(flipped), *kept[place + 1 :]],
        "another key": [*kept[:place], strange[place], *kept[place + 1 :]],
        "swapped": [kept[1], kept[0], *kept[2:]],
        "doubled": [kept[place], *kept] if place else [*kept, kept[0]],
    }
    if place < len(kept) - 1:
        deeds["removed"] = kept[:place] + kept[place + 1 :]
    for deed, texts in deeds.items():
        sealed = read_checkpoints(texts, PUBLIC, "bank", NOON + 50 * HOUR)
        assert sealed.problems or sealed == read_checkpoints(kept, PUBLIC, "bank", NOON + 50 * HOUR), deed
    assert found(kept, entries, NOON)[0]


def test_a_checkpoint_of_another_installation_or_chain_does_not_count() -> None:
    """One signed for the test installation, one that goes back, and one that follows another are named."""
    entries = grown(6)
    one, two = (read(text) for text in notarised(entries, (2, 4)))
    ends = AuditHead(position=5, hash=entries[4].hash)
    for third, kind in (
        (following(two, "elsewhere", ends, two.at + HOUR), Tampering.FORGED),
        (following(two, "bank", one.head, two.at + HOUR), Tampering.FORGED),
        (following(two, "bank", ends, one.at), Tampering.FORGED),
        (following(one, "bank", ends, two.at + HOUR).model_copy(update={"number": 3}), Tampering.CHANGED),
        (following(two, "bank", ends, two.at + HOUR).model_copy(update={"number": 4}), Tampering.REMOVED),
    ):
        kept = [sign(each, KEY).model_dump_json().encode() for each in (one, two, third)]
        assert [problem.kind for problem in found(kept, entries)[0]] == [kind]


def test_the_window_of_an_entry() -> None:
    """An entry was recorded between two checkpoints; one after the last was recorded after it."""
    entries = grown(8)
    sealed = read_checkpoints(notarised(entries, (2, 5)), PUBLIC, "bank", NOON + 50 * HOUR)
    hashes = walk(entries, marks=sealed.positions).hashes
    first, second = sealed.checkpoints
    assert window(sealed, hashes, 1) == (None, first.at)
    assert window(sealed, hashes, 5) == (first.at, second.at)
    assert window(sealed, hashes, 6) == (second.at, None)


def read(text: bytes) -> Checkpoint:
    """A checkpoint that was kept."""
    (checkpoint,) = read_checkpoints([text], PUBLIC, "bank", NOON + 1000 * HOUR).checkpoints
    assert read_checkpoint(sign(checkpoint, OTHER)) == checkpoint
    return checkpoint
