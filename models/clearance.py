"""Whether a version may enter an environment: everything that speaks against it, in words.

Nobody is believed who only says that a gate was passed. The record is told once more, from its first entry and by the
kernel; every signature is looked at with the keys and the people that the actuator knows itself; what was ordered has
to be what the record leads to.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from pydantic import Field, ValidationError

from models.approval import open_roles, refuse_decision, tally
from models.audit import AuditEntry, AuditHead, AuditKind, EffectRecord, Replayed, replay, seal
from models.authentication import read_decision, read_submission
from models.canonical import Frozen, Slug, digest, replace
from models.evidence import Electorate, StepKind, StepOrder, StepResult
from models.inventory import Deployed, Environment, ModelFacts, ModelRegistered, RiskTier
from models.keys import Keyring
from models.messages import Choice, Decided, HandedIn, StepSucceeded, VersionSubmitted
from models.plan import GatePlan, Plan
from models.separation import lineage
from models.state import GateVisit, State, Version, change
from models.verdict import Verdict
from models.warrants import WAY_ON, Warrants, happened

GRAVE = frozenset({RiskTier.HIGH, RiskTier.CRITICAL})
"""Tiers at which nobody's word is taken for who decides, a gateway's neither: each signs."""


class Minimum(Frozen):
    """How many different people must have approved a version before it enters, whatever its plan asks, by risk tier.

    Whoever owns, developed or submitted it is not counted.
    """

    approvals: int = Field(ge=1, le=20)
    tiers: tuple[RiskTier, ...] = tuple(RiskTier)


USUAL_MINIMUM: Mapping[Environment, Minimum] = {Environment.PROD: Minimum(approvals=2, tiers=tuple(sorted(GRAVE)))}
"""What environments ask at least unless an administrator says otherwise."""


class Tied(NamedTuple):
    """An entry, and what its neighbours say of it: the hash of the one before, and which hash the one after follows."""

    entry: AuditEntry
    before: str
    after: str


class Known(NamedTuple):
    """What the actuator knows by itself: who holds the plan's roles now, every key, what the environment asks."""

    electorate: Electorate
    keyring: Keyring
    minimum: Minimum | None


def objections(order: StepOrder, plan: Plan, record: Sequence[Tied], known: Known) -> Iterator[str]:
    """Everything that speaks against deploying what an order asks for; `record` is all that was recorded of the model.

    What was never champion needs every gate that its plan demands before the environment, and the environment's own
    minimum. What was is only restored, from the bundle that it served from.
    """
    yield from filter(None, map(loose, record))
    hearing = hear(order, plan, record, known)
    if hearing is None:
        yield f"nothing is on record of who owns '{order.model}'"
        return
    yield from hearing.problems
    yield from _unordered(order, hearing.state)
    if order.kind is StepKind.RESTORE:
        yield from _unserved(order, hearing.effects)
        yield from hearing.doubts
    else:
        yield from unearned(order, plan, hearing)


def withdrawal_objections(order: StepOrder, plan: Plan, record: Sequence[Tied], known: Known) -> Iterator[str]:
    """Everything that speaks against taking out of service what an order says.

    It makes things safer: no doubt about the chain or a version holds it up, only that the record does not lead to it,
    or that nobody stands for what led to it.
    """
    hearing = hear(order, plan, record, known)
    if hearing is None:
        return
    yield from _unordered(order, hearing.state)
    yield from hearing.doubts


def hear(order: StepOrder, plan: Plan, record: Sequence[Tied], known: Known) -> "Hearing | None":
    """Every event of a model is heard about the version of an order; None if nobody is on record who owns the model."""
    effects = _effects(record)
    facts = _facts(effects)
    if facts is None:
        return None
    hearing = Hearing(plan, order, known, facts, effects)
    for replayed in replay(plan, hearing.state, (tied.entry for tied in record)):
        hearing.add(replayed)
    return hearing


def loose(tied: Tied) -> str | None:
    """Why an entry is not what was recorded; every change of it also changes what it is tied to."""
    entry = tied.entry
    try:
        sealed = seal(
            AuditHead(position=entry.position - 1, hash=entry.previous),
            entry.model,
            AuditKind(entry.kind),
            entry.at,
            entry.body,
        )
    except (ValueError, OverflowError):
        sealed = None
    if sealed != entry:
        return f"audit entry {entry.position} is not what was recorded"
    if (tied.before, tied.after) != (entry.previous, entry.hash):
        return f"audit entry {entry.position} is not tied to the entries beside it"
    return None


def _effects(record: Iterable[Tied]) -> dict[int, EffectRecord]:
    """What was done, by the position of its entry."""
    found = dict[int, EffectRecord]()
    for entry, _, _ in record:
        if entry.kind == AuditKind.EFFECT:
            with suppress(ValidationError):
                found[entry.position] = EffectRecord.model_validate_json(entry.body)
    return found


def _changes(effects: Mapping[int, EffectRecord]) -> Iterator[object]:
    return (one for effect in effects.values() for one in effect.changes)


def _facts(effects: Mapping[int, EffectRecord]) -> ModelFacts | None:
    return next((one.facts for one in _changes(effects) if isinstance(one, ModelRegistered)), None)


@dataclass
class _Sitting:
    """A visit of a gate about the version: the decisions that stand, and what speaks against the others."""

    gate: GatePlan
    version: Version
    visit: GateVisit
    objections: dict[Slug, str] = field(default_factory=dict)


class Hearing:
    """Goes through the events of a model and hears every decision about one version that the record counts."""

    def __init__(
        self, plan: Plan, order: StepOrder, known: Known, facts: ModelFacts, effects: Mapping[int, EffectRecord]
    ) -> None:
        self.state = State(model=order.model, owner=facts.owner)
        self.problems: list[str] = []
        self.claims: list[str] = []
        """Steps of the version that are said to have found what the record of them does not say."""
        self.smuggled = ""
        """Why the version is not what its submitter signed for, the last time that it was handed in."""
        self.sittings: dict[Slug, _Sitting] = {}
        """By gate, the last one at which anybody decided."""
        self._sat = -1
        self._plan = plan
        self._digest = digest(plan)
        self.facts = facts
        self.effects = effects
        self._version = order.version
        self._artifact = order.artifact
        self._found = {effect.key: effect.result for effect in effects.values()}
        self.known = known
        self._warrants = Warrants(plan, known.electorate, known.keyring, effects)
        self._grave = bool(GRAVE.intersection((*plan.tiers, facts.risk_tier)))

    def add(self, replayed: Replayed) -> None:
        """One event more."""
        self.state = replayed.state
        self.problems += replayed.problems
        self._warrants.add(replayed)
        recorded, before = replayed.recorded, replayed.before
        if recorded is None or recorded.refusal:
            return
        body = recorded.event.body
        if isinstance(body, StepSucceeded):
            self._weigh(before.in_flight, body.result)
        elif isinstance(body, VersionSubmitted) and body.submission.artifact.digest == self._artifact:
            self.smuggled = self._unsigned(replayed, body)
        elif isinstance(body, Decided) and before.subject and before.subject.number == self._version:
            self._hear(replayed, before.subject, body)

    def approvers(self, gate: Slug) -> tuple[Slug, ...]:
        """Who has approved the version at a gate, by what was heard; nobody at one that asks no people."""
        sitting = self.sittings.get(gate)
        made = sitting.visit.decisions if sitting else ()
        return tuple(one.person for one in made if one.decision is Choice.APPROVE)

    @property
    def doubts(self) -> Iterator[str]:
        """Why nobody stands for the turn that the lifecycle has taken, and what is to be done about it."""
        if doubt := self._warrants.doubt:
            yield f"{doubt}; {WAY_ON}"

    def _unsigned(self, replayed: Replayed, body: VersionSubmitted) -> str:
        if body.envelope is None:
            return "nothing is signed"
        submitter, audience = body.submission.submitter, self.known.electorate.audience
        known = Electorate(
            people={}, audience=audience, keys={submitter: self.known.keyring.of(submitter, replayed.at)}
        )
        given = HandedIn(submission=body.submission, envelope=body.envelope)
        return read_submission(replayed.before, given, known, happened(replayed)).objection

    def _weigh(self, done: StepOrder | None, said: StepResult) -> None:
        """Anybody may answer for a step; what it found, whoever performed it has recorded with it."""
        brought = said.submission and said.submission.artifact.digest == self._artifact
        if done and (done.version == self._version or brought) and self._found.get(done.key) != said:
            self.claims.append(f"what step '{done.step}' of visit {done.visit} is said to have found is not on record")

    def _hear(self, replayed: Replayed, subject: Version, body: Decided) -> None:
        before = replayed.before
        gate, visit = before.gate_plan(self._plan), before.gate
        if gate is None or visit is None:
            return
        electorate = self._electorate(replayed.at)
        if before.visit != self._sat:
            self._sat = before.visit
            self.sittings[gate.id] = _Sitting(gate, subject, replace(visit, decisions=()))
        sitting = self.sittings[gate.id]
        counting = {made.person for made in visit.decisions}
        sitting.objections = {who: why for who, why in sitting.objections.items() if who in counting}
        heard = tuple(made for made in sitting.visit.decisions if made.person in counting)
        sitting.visit = replace(visit, electorate=electorate, decisions=heard)
        ours = change(before, gate=sitting.visit)
        if objection := next(self._against(ours, body, replayed), None):
            person = body.decision.person
            sitting.objections[person] = f"{person} at '{gate.id}', visit {before.visit}: {objection}"
        else:
            sitting.visit = replace(sitting.visit, decisions=(*sitting.visit.decisions, body.decision))

    def _electorate(self, at: datetime) -> Electorate:
        """Who holds the roles now, with the keys that counted when it was recorded."""
        known = self.known
        holders = {person for people in known.electorate.people.values() for person in people}
        keys = {person: known.keyring.of(person, at) for person in sorted(holders)}
        return replace(known.electorate, keys=keys, gateways=() if self._grave else known.keyring.gateways(at))

    def _against(self, ours: State, body: Decided, replayed: Replayed) -> Iterator[str]:
        if body.envelope is None:
            yield "nothing is signed"
            return
        if body.decision.key and (
            void := self.known.keyring.void(body.decision.key, body.decision.person, replayed.at)
        ):
            yield void
        told = read_decision(self._plan, self._digest, ours, body.envelope, happened(replayed))
        if not isinstance(told, Decided):
            yield told.objection
        elif told.decision != body.decision:
            yield "something else was signed than is recorded"
        elif refusal := refuse_decision(self._plan, ours, told.decision, told.objection):
            yield refusal


def _unordered(order: StepOrder, state: State) -> Iterator[str]:
    due = state.in_flight
    if due is None:
        yield f"by the record, '{order.model}' waits for no step: it is in stage '{state.stage}', {state.phase}"
    elif due != order:
        names = ", ".join(name for name in StepOrder.model_fields if getattr(due, name) != getattr(order, name))
        yield f"by the record, step '{due.step}' of visit {due.visit} is due; the order differs in {names}"


def unearned(order: StepOrder, plan: Plan, hearing: Hearing) -> Iterator[str]:
    """What a version lacks that was never champion."""
    facts = hearing.facts
    if facts.risk_tier not in plan.tiers:
        yield f"'{order.model}' has tier {facts.risk_tier}; its plan governs {', '.join(plan.tiers)}"
    yield from hearing.claims
    if hearing.smuggled:
        yield f"nobody answers for version {order.version}: {hearing.smuggled}"
    yield from _unapproved(order, plan, hearing.sittings)
    yield from _too_few(order, plan, hearing.known.minimum, facts, hearing.sittings)


def _unserved(order: StepOrder, effects: Mapping[int, EffectRecord]) -> Iterator[str]:
    served = {(one.environment, one.version, one.bundle) for one in _changes(effects) if isinstance(one, Deployed)}
    if (order.environment, order.version, order.bundle) not in served:
        yield f"version {order.version} has never served in {order.environment} from bundle {order.bundle}"


def _unapproved(order: StepOrder, plan: Plan, sittings: Mapping[Slug, _Sitting]) -> Iterator[str]:
    gates = {stage.gate.id: stage.gate for stage in plan.stages if stage.gate and stage.gate.asks_people}
    demanded = plan.environment_gates.get(order.environment, ()) if order.environment else ()
    for name in (name for name in demanded if name in gates):
        sitting = sittings.get(name)
        if sitting is None:
            yield f"nobody is on record as deciding about version {order.version} at '{name}'"
            continue
        yield from sitting.objections.values()
        verdict = tally(sitting.gate, sitting.visit)
        if verdict is Verdict.FAIL:
            yield f"version {order.version} was rejected at '{name}'"
        if verdict is None:
            owed = ", ".join(f"{role} {count}" for role, count in open_roles(sitting.gate, sitting.visit).items())
            yield f"version {order.version} lacks approvals at '{name}': {owed}"


def _too_few(
    order: StepOrder, plan: Plan, minimum: Minimum | None, facts: ModelFacts, sittings: Mapping[Slug, _Sitting]
) -> Iterator[str]:
    if minimum is None or facts.risk_tier not in minimum.tiers:
        return
    passed = [one for one in sittings.values() if tally(one.gate, one.visit) is Verdict.PASS]
    hands = [lineage(plan, facts.owner, one.version) for one in passed]
    did = {facts.owner, *(who for hand in hands for people in hand.values() for who in people)}
    count = 0
    for decision in (decision for one in passed for decision in one.visit.decisions):
        involved = {decision.person, decision.counts_for}
        if decision.decision is Choice.APPROVE and did.isdisjoint(involved):
            count, did = count + 1, did | involved
    if count < minimum.approvals:
        asked = f"{order.environment} asks {minimum.approvals} of every model of tier {facts.risk_tier}"
        yield f"{count} people who did not build version {order.version} have approved it; {asked}"
