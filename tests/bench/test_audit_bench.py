"""What the audit trail costs: to verify a million entries, to write one, to sign and verify a decision."""

import hashlib
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.adapters.sql_engine import Database
from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.sql_migration import migrate
from client.catalog import Catalog
from models.audit import AuditHead, AuditKind, seal, walk
from models.authentication import read_decision
from models.canonical import canonical, digest
from models.challenge import challenge
from models.evidence import EffectKey, StepResult
from models.lifecycle import step
from models.messages import Choice, Decided
from models.records import AuditRecord
from models.signing import seal as sign
from models.signing import signer_of
from models.state import State
from models.statements import PAYLOAD_TYPE
from tests.bench.race import best
from tests.bench.table import show
from tests.contract.story import events, small_plan, tell_story
from tests.postgresql import Postgres
from tests.signers import private_key, signer

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1_800)]

ENTRIES, MARK = 1_000_000, 500_000
TIMES_PLAIN_HASHING = 50
MEGABYTES = 64
WRITES = 200
TIMES_A_BARE_INSERT = 6
ROUNDS, AT_ONCE = 40, 20
TIMES_SIGNING, TIMES_VERIFYING = 8, 16
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def _bodies() -> Iterator[str]:
    """Bodies of real events, over and over."""
    real = [canonical(event).decode() for event in events(list(tell_story(small_plan(), "loan")))]
    return (real[number % len(real)] for number in range(ENTRIES))


def _fill(path: Path) -> tuple[AuditHead, int]:
    """A sound trail, written past the product; its head and the bytes of all bodies."""
    migrate(f"sqlite:///{path}")
    head, size = AuditHead(), 0

    def rows() -> Iterator[tuple[object, ...]]:
        nonlocal head, size
        for body in _bodies():
            at = NOON + timedelta(seconds=head.position)
            entry = seal(head, "loan", AuditKind.EVENT, at, body)
            head, size = AuditHead(position=entry.position, hash=entry.hash), size + len(body)
            told = f"{at:%Y-%m-%d %H:%M:%S.%f}"
            yield (entry.position, "loan", entry.position, entry.kind, told, body, entry.previous, entry.hash)

    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows())
        connection.execute("UPDATE audit_head SET position = ?, hash = ?", (head.position, head.hash))
        connection.commit()
    return head, size


def _plain(path: Path) -> float:
    """Seconds of the processor to hash the same bodies, which lie in memory batch by batch."""
    spent = 0.0
    with closing(sqlite3.connect(path)) as connection:
        cursor = connection.execute("SELECT body FROM audit ORDER BY position")
        while batch := [str(body).encode() for (body,) in cursor.fetchmany(5_000)]:
            began = time.process_time()
            for body in batch:
                hashlib.sha256(body).digest()
            spent += time.process_time() - began
    return spent


def _peak() -> float:
    """The most memory that this process ever had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_a_trail_of_a_million_entries(tmp_path: Path) -> None:
    """It is read from its database and verified in a bounded multiple of plain hashing, in bounded memory."""
    path = tmp_path / "inventory.db"
    head, size = _fill(path)
    plain, before = _plain(path), _peak()
    with Catalog(f"sqlite:///{path}") as catalog:
        began = time.process_time()
        walked = walk(catalog.trail(), head, {MARK})
        took = time.process_time() - began
    more = _peak() - before
    assert (walked.problems, walked.entries, set(walked.hashes)) == ((), ENTRIES, {MARK})
    rows = [
        ("SHA-256 of the bodies alone", (f"{ENTRIES / plain:,.0f}", "1.0", "")),
        ("read and verified", (f"{ENTRIES / took:,.0f}", f"{took / plain:.1f}", f"{more:.0f}")),
    ]
    show(f"trail, {ENTRIES:,} entries of {size / ENTRIES:.0f} bytes", ("entries/s", "times", "MB more"), rows)
    assert took / plain <= TIMES_PLAIN_HASHING
    assert more <= MEGABYTES


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database on each system."""
    if request.param == "sqlite":
        migrate(f"sqlite:///{tmp_path / 'inventory.db'}")
        return f"sqlite:///{tmp_path / 'inventory.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    server.run("CREATE DATABASE audit_bench TEMPLATE template_modelops")
    return server.url("audit_bench")


def test_an_entry_is_written(url: str) -> None:
    """An effect with its ledger key, rows and audit entry costs a bounded multiple of inserting one row."""
    with closing(SqlInventory(url)) as inventory, closing(Database(url)) as database:
        result = StepResult(summary="measured " * 20)

        def whole(number: int) -> None:
            inventory.commit_effect(EffectKey(model="loan", visit=1, step=f"step-{number}"), result, [])

        def bare(number: int) -> None:
            with database.writing() as session:
                body = f"{result.summary}{result.summary}"
                session.add(
                    AuditRecord(position=-number - 1, kind="x", at=NOON, body=body, previous="x", hash=str(number))
                )

        pairs = [(_once(whole, number), _once(bare, number)) for number in range(WRITES)]
    ratio = best(*zip(*pairs, strict=True))
    ours, other = (min(column) * 1e3 for column in zip(*pairs, strict=True))
    row = ("effect with audit / bare insert", (f"{ratio:.1f}", f"{ours:.2f} ms", f"{other:.2f} ms"))
    show(f"write, {url.partition(':')[0]}", ("time", "ours", "bare"), [row])
    assert ratio <= TIMES_A_BARE_INSERT


def _once(work: Callable[[int], None], number: int) -> float:
    began = time.perf_counter()
    work(number)
    return time.perf_counter() - began


def _each(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(AT_ONCE):
        work()
    return (time.perf_counter() - began) / AT_ONCE


def test_a_decision_is_signed_and_verified_thrice() -> None:
    """Client, workflow and actuator each verify it: key, times, and all that it is about; beside bare Ed25519."""
    plan, state = small_plan(), State(model="loan", owner="olga")
    name = digest(plan)
    for event in events(list(tell_story(plan, "loan"))):
        if state.gate:
            break
        state = step(plan, state, event.event).state
    about = challenge(plan, name, state)
    assert about is not None
    assert state.gate is not None
    at, rita = state.gate.opened, signer("rita", lambda: NOON + timedelta(minutes=10))
    envelope = rita.decide(about, Choice.APPROVE, "risk", "It is sound.")
    judged = read_decision(plan, name, state, envelope, at + timedelta(minutes=1))
    assert isinstance(judged, Decided)
    assert judged.objection == ""
    private, text = private_key("rita"), b"x" * 1_000
    bare = sign(text, PAYLOAD_TYPE, private)

    def thrice() -> None:
        for _ in range(3):
            read_decision(plan, name, state, envelope, at + timedelta(minutes=1))

    signing = [
        (_each(lambda: rita.decide(about, Choice.APPROVE, "risk", "It is sound.")), _each(lambda: private.sign(text)))
        for _ in range(ROUNDS)
    ]
    verifying = [(_each(thrice), 3 * _each(lambda: signer_of(bare, (rita.public,)))) for _ in range(ROUNDS)]
    ratios = best(*zip(*signing, strict=True)), best(*zip(*verifying, strict=True))
    rows = [
        ("sign / bare Ed25519", (f"{ratios[0]:.1f}", f"{min(ours for ours, _ in signing) * 1e6:.0f} us")),
        ("verify thrice / bare, thrice", (f"{ratios[1]:.1f}", f"{min(ours for ours, _ in verifying) * 1e6:.0f} us")),
    ]
    show("decision", ("times", "each"), rows)
    assert ratios[0] <= TIMES_SIGNING
    assert ratios[1] <= TIMES_VERIFYING
