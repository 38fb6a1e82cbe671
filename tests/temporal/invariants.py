"""What must hold whatever happened: of the design's ten invariants, the seven that a test can ask here.

I1  nothing reached an environment without every gate that the plan demands of it
I2  one champion per model, one current deployment per model and environment
I3  each outside effect at most once per key, and none that is not on record
I4  each event and each effect has exactly one audit entry; events count from 1 without a gap
I5  the audit chain verifies
I6  the inventory's rows, the recorded events folded, the workflow's answer and the environments say the same
I7  an acknowledged decision is never lost
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from sqlmodel import col, select

from activities.adapters.sql_engine import Database
from client.catalog import Catalog
from client.verification import verify
from models.audit import AuditKind, EffectRecord, Folded, fold, verify_chain
from models.authentication import person_of
from models.canonical import digest
from models.evidence import EffectKey
from models.inventory import Deployed, Environment, Notified, Submission, VersionRegistered, VersionStatus, Withdrawn
from models.journal import JournalEntry
from models.messages import Choice, Decided, Decision, Receipt
from models.plan import GatePlan, Plan
from models.records import LedgerRecord
from models.separation import lineage
from models.signing import Envelope
from models.state import State, snapshot
from models.status import Status, describe
from tests.contract.reader import Reader
from tests.temporal.doubles import DeployerCall
from tests.temporal.house import House


class Acknowledged(NamedTuple):
    """A decision that an update answered, and the answer."""

    envelope: Envelope
    receipt: Receipt


async def check_invariants(house: House, plan: Plan, acknowledged: Sequence[Acknowledged] = ()) -> None:
    """Fails with every violation at once, each named by its invariant, and with all that `modelops history` finds."""
    broken = violations(house, plan, await house.recorded(), acknowledged)
    with Catalog(house.database) as catalog:
        found = verify(catalog, catalog.record(house.model))
    broken += [*found.problems, *found.rows, *found.replay]
    if broken:
        raise AssertionError("\n".join(broken))


def violations(house: House, plan: Plan, status: Status, acknowledged: Sequence[Acknowledged] = ()) -> list[str]:
    """Every violation in the world of a house, given the workflow's status and what people were promised."""
    world = _World(house, plan, status)
    checks = {
        "I1": _ungated(world),
        "I2": _rivals(world),
        "I3": _repeated(world),
        "I4": _unaccounted(world),
        "I5": _broken_chain(world),
        "I6": _disagreements(world),
        "I7": _lost(world, acknowledged),
    }
    found = [f"{name}: {violation}" for name, check in checks.items() for violation in check]
    world.catalog.close()
    return found


class _World:
    """Everything there is to compare."""

    def __init__(self, house: House, plan: Plan, status: Status) -> None:
        self.plan, self.status, self.model = plan, status, house.model
        self.url = house.database
        self.catalog = Reader(self.url)
        self.history = self.catalog.history(house.model)
        self.events = [JournalEntry.model_validate_json(e.body) for e in self.history if e.kind == AuditKind.EVENT]
        self.effects = [EffectRecord.model_validate_json(e.body) for e in self.history if e.kind == AuditKind.EFFECT]
        self.outside = house.deployer.effects()

    @property
    def changes(self) -> Iterator[tuple[EffectKey, object]]:
        """Every recorded change with the key of its effect."""
        return ((effect.key, change) for effect in self.effects for change in effect.changes)

    @cached_property
    def submissions(self) -> dict[int, Submission]:
        """What was registered of each version."""
        return {c.version: c.submission for _, c in self.changes if isinstance(c, VersionRegistered)}

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
        if isinstance(change, Deployed):
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


def _broken_chain(world: _World) -> Iterator[str]:
    problems = verify_chain(world.catalog.entries(), world.catalog.head())
    yield from (problem.message for problem in problems)


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
    yield from _differ("environments", real, state.serving)


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
