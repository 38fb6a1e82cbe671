"""What must hold whatever happened: the design's ten invariants, asked of everything that a house leaves behind.

I1  nothing reached an environment without every gate that the plan demands of it
I2  one champion per model, one current deployment per model and environment
I3  each outside effect at most once per key, and none that is not on record
I4  each event and each effect has exactly one audit entry; events count from 1 without a gap
I5  the audit chain verifies, and goes on from everything that the notary has sealed
I6  the inventory's rows, the recorded events folded, the workflow's answer and the environments say the same
I7  an acknowledged decision is never lost
I8  when nothing fails any more, everything waits or ends within a bound: no step in flight, no event unrecorded
I9  no secret is outside its store: in no history, row, checkpoint, file or log
I10 records are kept at least as long as the strictest control of the plan asks
"""

import asyncio
import base64
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import col, select

from activities.adapters.file_checkpoints import FileCheckpoints
from activities.adapters.sql_engine import Database
from client.catalog import Catalog
from client.examination import Seals, open_dossier
from client.histories import listen
from client.verification import verify
from models.audit import AuditKind, EffectRecord, Folded, fold, walk
from models.authentication import person_of
from models.canonical import digest
from models.checkpoint import contradictions
from models.evidence import EffectKey
from models.formats import FORMATS
from models.inventory import Deployed, Environment, Notified, Submission, VersionRegistered, VersionStatus, Withdrawn
from models.journal import JournalEntry
from models.keys import Keyring
from models.messages import Choice, Decided, Decision
from models.plan import GatePlan, Plan
from models.policy import Pack
from models.records import LedgerRecord
from models.separation import lineage
from models.state import Phase, State, snapshot
from models.status import Status, describe
from tests.contract.backdoor import rows
from tests.contract.reader import Reader
from tests.contract.serving import TOKEN
from tests.signers import AUDIENCE, PASSPHRASE, private_key
from tests.temporal.doubles import NAMES, DeployerCall
from tests.temporal.house import WITHIN, Acknowledged, House

STORES = ("notary.key", "wallet")
"""Where secrets of a house belong, under its root."""


class Seen(NamedTuple):
    """What the engine says: the status, what still goes on (I8), the histories of all runs (I9)."""

    status: Status
    left: tuple[str, ...] = ()
    histories: bytes = b""


async def check_invariants(house: House, plan: Plan, within: float = WITHIN) -> None:
    """Fails with every violation at once, each named by its invariant, and with all that `modelops history` finds."""
    broken = violations(house, plan, await look(house, within))
    with Catalog(house.database) as catalog:
        found = verify(catalog, catalog.record(house.model))
    broken += [*found.problems, *found.rows, *found.replay]
    if broken:
        raise AssertionError("\n".join(broken))


async def look(house: House, within: float = WITHIN) -> Seen:
    """What the engine says once nothing goes on any more, or the bound has passed."""
    end = time.monotonic() + within
    while (left := await going_on(house)) and time.monotonic() < end:
        await asyncio.sleep(0.05)
    heard = await listen(house.client, f"model/{house.model}")
    events = [event for history in heard.runs for event in history.events]
    return Seen(await house.status(), left, b"".join(event.SerializeToString() for event in events))


def violations(house: House, plan: Plan, seen: Seen) -> list[str]:
    """Every violation in the world of a house, given what the engine says."""
    return [*of_model(house, plan, seen), *of_house(house)]


def of_model(house: House, plan: Plan, seen: Seen) -> list[str]:
    """What is wrong with one model, given what the engine says of it."""
    world = _World(house, plan, seen.status)
    checks = {
        "I1": _ungated(world),
        "I2": _rivals(world),
        "I3": _repeated(world),
        "I4": _unaccounted(world),
        "I6": _disagreements(world),
        "I7": _lost(world, house.acknowledged),
        "I8": iter(seen.left),
        "I9": leaks(house.root, {"a history": seen.histories}),
        "I10": forgotten(plan, house.parts.policies.packs()),
    }
    found = [f"{name}: {violation}" for name, check in checks.items() for violation in check]
    world.catalog.close()
    return found


def of_house(house: House) -> list[str]:
    """What is wrong with what all models of a house have in common: the trail, and the files."""
    broken, root = _broken_chain(house), house.root
    files = [path for path in root.rglob("*") if path.is_file() and path.relative_to(root).parts[0] not in STORES]
    texts = {"a row": repr(rows(house.database)).encode()} | {
        str(path.relative_to(root)): path.read_bytes() for path in files
    }
    return [*(f"I5: {problem}" for problem in broken), *(f"I9: {leak}" for leak in leaks(root, texts))]


def governing(house: House) -> Plan | None:
    """The plan that a house's lifecycle began under, as the record tells; None if it began none."""
    with Catalog(house.database) as catalog:
        return open_dossier(catalog.record(house.model)).rerun.plan


class _World:
    """Everything there is to compare."""

    def __init__(self, house: House, plan: Plan, status: Status) -> None:
        self.plan, self.status, self.model = plan, status, house.model
        self.url = house.database
        self.catalog = Reader(self.url)
        self.history = self.catalog.history(house.model)
        self.events = [JournalEntry.model_validate_json(e.body) for e in self.history if e.kind == AuditKind.EVENT]
        self.effects = [EffectRecord.model_validate_json(e.body) for e in self.history if e.kind == AuditKind.EFFECT]
        self.outside = [effect for effect in house.deployer.effects() if effect.model == house.model]

    @property
    def changes(self) -> Iterator[tuple[EffectKey, object]]:
        """Every recorded change with the key of its effect."""
        return ((effect.key, change) for effect in self.effects for change in effect.changes)

    @cached_property
    def submissions(self) -> dict[int, Submission]:
        """What was registered of each version."""
        return {c.version: c.submission for _, c in self.changes if isinstance(c, VersionRegistered)}

    def is_ours(self, version: int) -> bool:
        """Whether a version is in environments of ours: what others run is released, and reaches none of them."""
        return not FORMATS[self.submissions[version].format].elsewhere

    @cached_property
    def folded(self) -> Folded:
        """The recorded events through the kernel again."""
        return fold(self.plan, State(model=self.model, owner=self.status.owner), self.history)

    def before(self, visit: int) -> list[JournalEntry]:
        """The events up to and with the one that began a visit."""
        first = next((i for i, event in enumerate(self.events) if event.snapshot.visit >= visit), len(self.events))
        return self.events[: first + 1]


def _ungated(world: _World) -> Iterator[str]:
    gates = {stage.gate.id: stage.gate for stage in world.plan.stages if stage.gate}
    for effect in world.outside:
        if effect.version is None:
            continue
        earlier = world.before(effect.key.visit)
        passed: set[str] = set()
        for event in earlier:
            passed = set(event.snapshot.gates.get(effect.version, passed))
        for name in world.plan.environment_gates.get(effect.environment, ()):
            if name not in passed or not _approved(world, gates[name], effect.version, earlier):
                yield f"version {effect.version} reached {effect.environment} [{effect.key}] without gate '{name}'"


def _approved(world: _World, gate: GatePlan, version: int, events: Sequence[JournalEntry]) -> bool:
    """Whether some visit of the gate has approvals of enough people, none of them barred, and no rejection."""
    submission, bodies = world.submissions[version], [event.event.body for event in events if not event.refusal]
    visits: dict[int, list[Decision]] = {}
    for body in bodies:
        if isinstance(body, Decided) and body.decision.gate == gate.id:
            visits.setdefault(body.decision.visit, []).append(body.decision)
    did = lineage(world.plan, world.status.owner, submission)
    barred = {person for duty in world.plan.separation for person in did[duty]}
    for decisions in visits.values():
        about_it = [one for one in decisions if one.artifact == submission.artifact.digest]
        people = {one.person for one in about_it if one.decision is Choice.APPROVE} - barred
        rejected = any(one.decision is Choice.REJECT for one in about_it)
        if len(people) >= sum(gate.approvals.values()) and not rejected:
            return True
    return not gate.asks_people


def _rivals(world: _World) -> Iterator[str]:
    serving = Counter(row.environment for row in world.catalog.deployments(world.model) if row.until is None)
    yield from (f"{count} deployments are current in {name}" for name, count in serving.items() if count > 1)
    crowned = [row.number for row in world.catalog.versions(world.model) if row.status is VersionStatus.CHAMPION]
    if len(crowned) > 1:
        yield f"versions {crowned} are champions"
    for event in world.events:
        if list(event.snapshot.statuses.values()).count(VersionStatus.CHAMPION) > 1:
            yield f"event {event.seq} left several champions"


def _repeated(world: _World) -> Iterator[str]:
    yield from _surplus("environments changed", Counter(map(_known_as, world.outside)), _recorded_outside(world))
    told = Counter[tuple[object, ...]](
        (c.recipient, c.subject, c.body) for _, c in world.changes if isinstance(c, Notified)
    )
    outbox = Counter[tuple[object, ...]](
        (row.recipient, row.subject, row.body) for row in world.catalog.notifications(world.model)
    )
    yield from _surplus("messages in the outbox", outbox, told)
    evidence = Counter((row.visit, row.step, row.kind, row.summary) for row in world.catalog.evidence(world.model))
    yield from (f"{count} times evidence {what}" for what, count in evidence.items() if count > 1)


def _known_as(call: DeployerCall) -> tuple[object, ...]:
    return call.environment, call.version, call.bundle, str(call.key)


def _recorded_outside(world: _World) -> Counter[tuple[object, ...]]:
    recorded = Counter[tuple[object, ...]]()
    for key, change in world.changes:
        if isinstance(change, Deployed) and world.is_ours(change.version):
            recorded[change.environment, change.version, change.bundle, str(key)] += 1
        if isinstance(change, Withdrawn):
            recorded.update((environment, None, None, str(key)) for environment in change.environments)
    return recorded


def _surplus(what: str, happened: Counter[tuple[object, ...]], recorded: Counter[tuple[object, ...]]) -> Iterator[str]:
    yield from (f"{what}: {count} more than recorded: {one}" for one, count in (happened - recorded).items())
    yield from (f"{what}: {count} fewer than recorded: {one}" for one, count in (recorded - happened).items())


def _unaccounted(world: _World) -> Iterator[str]:
    seqs = [event.seq for event in world.events]
    if seqs != list(range(1, world.status.seq + 1)):
        yield f"events {seqs} are recorded, the workflow has seen {world.status.seq}"
    entries = Counter(str(effect.key) for effect in world.effects)
    database = Database(world.url)
    with database.reading() as session:
        rows = session.exec(select(LedgerRecord).where(col(LedgerRecord.model) == world.model)).all()
    database.close()
    ledger = Counter(str(EffectKey(model=row.model, visit=row.visit, step=row.step)) for row in rows)
    for key in sorted(set(ledger) | set(entries)):
        if ledger[key] != 1 or entries[key] != 1:
            yield f"effect {key} is {ledger[key]} times in the ledger and {entries[key]} times in the trail"


def _broken_chain(house: House) -> Iterator[str]:
    sealed = seals(house).read()
    with Catalog(house.database) as catalog:
        walked = walk(catalog.trail(), catalog.head(), sealed.positions)
    against = contradictions(sealed, walked.hashes, walked.last)
    if (house.root / "notary.pub").exists() and not sealed.checkpoints:
        yield "the notary has a key, and no checkpoint is kept"
    yield from (problem.message for problem in walked.problems)
    yield from (problem.message for problem in (*sealed.problems, *against))


def seals(house: House) -> Seals:
    """The checkpoints of a house's notary."""
    public, kept = house.root / "notary.pub", FileCheckpoints(house.root / "checkpoints").all()
    keyring = Keyring.model_validate_json((house.root / "keys.json").read_bytes())
    keys = public.read_text().split() if public.exists() else []
    return Seals(kept, keys, AUDIENCE, datetime.now(UTC), keyring=keyring)


def _disagreements(world: _World) -> Iterator[str]:
    state, problems, _ = world.folded
    yield from problems
    folded = describe(world.plan, digest(world.plan), state)
    for name in type(folded).model_fields:
        said, is_so = getattr(world.status, name), getattr(folded, name)
        if said != is_so:
            yield f"the workflow says {name} is {said!r}, the record {is_so!r}"
    yield from _differ("row", _lifecycle_row(world), _expected_row(world))
    rows = {row.environment: row.version for row in world.catalog.deployments(world.model) if row.until is None}
    yield from _differ("deployments", rows, state.serving)
    real: dict[Environment, int] = {}
    for effect in world.outside:
        real.pop(effect.environment, None)
        if effect.version is not None:
            real[effect.environment] = effect.version
    ours = {environment: version for environment, version in state.serving.items() if world.is_ours(version)}
    yield from _differ("environments", real, ours)


def _lifecycle_row(world: _World) -> Mapping[str, object]:
    row = world.catalog.lifecycle(world.model)
    fields = row.model_dump(include={"stage", "phase", "visit", "seq", "champion", "previous", "paused", "failure"})
    versions = world.catalog.versions(world.model)
    statuses = {one.number: one.status for one in versions}
    gates = {one.number: tuple(one.gates) for one in versions if one.number in snapshot(world.folded.state).gates}
    return fields | {"version": row.candidate, "statuses": statuses, "gates": gates}


def _expected_row(world: _World) -> Mapping[str, object]:
    state = world.folded.state
    return snapshot(state).model_dump(exclude={"serving"}) | {"seq": state.seq}


def _differ(what: str, found: Mapping[Any, object], expected: Mapping[Any, object]) -> Iterator[str]:
    for name in found.keys() | expected.keys():
        if found.get(name) != expected.get(name):
            yield f"{what}: {name} is {found.get(name)!r}, should be {expected.get(name)!r}"


def _lost(world: _World, acknowledged: Sequence[Acknowledged]) -> Iterator[str]:
    by_seq = {event.seq: event for event in world.events}
    for envelope, receipt in acknowledged:
        event = by_seq.get(receipt.seq)
        body = event.event.body if event and event.refusal is None else None
        if not isinstance(body, Decided) or body.envelope != envelope or body.objection:
            yield f"{person_of(envelope)}'s decision, acknowledged as event {receipt.seq}"


async def going_on(house: House) -> tuple[str, ...]:
    """What has neither come to rest nor ended: in the engine, in the kernel's state, on the way to the record."""
    described = await house.handle.describe()
    raw, status = described.raw_description, await house.status()
    left = [f"activity {one.activity_type.name} is in attempt {one.attempt}" for one in raw.pending_activities]
    left += [f"a workflow task is in attempt {raw.pending_workflow_task.attempt}"] * raw.HasField(
        "pending_workflow_task"
    )
    left += [f"step '{status.step}' is in flight"] * bool(status.step)
    idle = status.phase is Phase.WORKING and not status.paused and not status.step
    left += [f"stage '{status.stage}' works, and nothing is in flight"] * idle
    recorded = sum(entry.kind == AuditKind.EVENT for entry in house.parts.inventory.trail(house.model))
    left += [f"{status.seq - recorded} events are not on record"] * (recorded < status.seq)
    return (*left, *status.troubles)


def leaks(root: Path, texts: Mapping[str, bytes]) -> Iterator[str]:
    """Every secret of a house that is in some text, however it is written down."""
    for what, secret in _secrets(root):
        forms = (secret, secret.hex().encode(), base64.b64encode(secret)[:-4], base64.urlsafe_b64encode(secret)[:-4])
        yield from (f"{what} is in {place}" for place, text in texts.items() if any(form in text for form in forms))


def _secrets(root: Path) -> Iterator[tuple[str, bytes]]:
    yield from (("a passphrase", PASSPHRASE.encode()), ("the deploy token", TOKEN.encode()))
    yield from ((f"{person}'s private key", private_key(person).private_bytes_raw()) for person in NAMES)
    if (root / "notary.key").exists():
        kept = (root / "notary.key").read_bytes()
        private = serialization.load_pem_private_key(kept, None)
        assert isinstance(private, Ed25519PrivateKey)
        yield from (("the notary's key", private.private_bytes_raw()), ("the notary's key", kept.splitlines()[1]))


def forgotten(plan: Plan, packs: Iterable[Pack]) -> Iterator[str]:
    """Controls that the plan claims to satisfy, and that ask to keep records for longer than it does."""
    known, kept = {digest(pack): pack for pack in packs}, plan.retention or 0
    named = {one.pack: known.get(one.digest) for one in plan.packs}
    for planned in plan.controls:
        pack = named[planned.pack]
        asked = pack.controls[planned.control].retention if pack else None
        if asked and planned.satisfied and kept < asked:
            yield f"records are kept for {kept} s; '{planned.control}' of {planned.pack} asks {asked} s"
