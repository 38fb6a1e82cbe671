"""A lifecycle in words: what it does, what it waits for, until when, and who can act."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from models import emergency, waivers
from models.approval import eligible, open_roles
from models.canonical import Digest, Frozen, Slug
from models.challenge import challenge
from models.deadlines import pending
from models.emergency import UNREVIEWED
from models.evidence import Evidence, StepKind, StepOrder, Tightened
from models.inventory import Environment, VersionStatus
from models.messages import Decision, Failure
from models.plan import Plan
from models.state import Finding, Glass, Passage, Phase, State, Version
from models.statements import Challenge
from models.verdict import CheckResult, Reading
from models.waivers import LAPSED

Item = TypeVar("Item")

_BARS = {
    LAPSED: "for as long as it is on this plan",
    UNREVIEWED: "until a second person has closed the review, and somebody retries",
}
"""How long nothing but turning back helps, by the type of the failure."""


class Asked(Frozen):
    """How many approvals a role still owes, and who of it may give one."""

    role: Slug
    owed: int
    people: tuple[Slug, ...]


class GateStatus(Frozen):
    """An open gate: its question, what is owed, what was decided, and what a decision has to be about.

    `holders` are all who hold its roles, whether they may decide or not; `findings` are those of earlier versions that
    approvals here have to close.
    """

    gate: Slug
    visit: int
    question: str
    artifact: Digest
    opened: datetime
    due: datetime | None
    asked: tuple[Asked, ...]
    holders: dict[Slug, tuple[Slug, ...]]
    decisions: tuple[Decision, ...]
    findings: tuple[Finding, ...] = ()
    about: Challenge | None


class VersionStatusView(Frozen):
    """A version and what it has earned: of readings and evidence the latest of each name."""

    number: int
    status: VersionStatus
    artifact: Digest
    developer: Slug
    gates: tuple[Slug, ...]
    readings: tuple[Reading, ...]
    evidence: tuple[Evidence, ...]


class Status(Frozen):
    """The answer to the query `status`. `findings` are all that are open, whatever gate they are about.

    `matters` are what people have to see to besides: emergencies and waivers.
    """

    model: Slug
    owner: Slug
    template: Slug
    template_version: str
    plan: Digest
    stage: str
    phase: Phase
    visit: int
    seq: int
    since: datetime | None
    paused: bool
    waiting_for: str
    due: datetime | None
    step: str | None
    failure: Failure | None
    gate: GateStatus | None
    checks: tuple[CheckResult, ...]
    version: VersionStatusView | None
    champion: VersionStatusView | None
    previous: int | None
    serving: dict[Environment, int]
    statuses: dict[int, VersionStatus]
    passages: tuple[Passage, ...]
    findings: tuple[Finding, ...] = ()
    troubles: tuple[str, ...] = ()
    matters: tuple[str, ...] = ()
    tightened: Tightened | None = None
    glass: Glass | None = None


def describe(plan: Plan, digest: Digest, state: State, troubles: tuple[str, ...] = ()) -> Status:
    """The status of a state under its plan; `troubles` are what cannot be written or sent just now."""
    gate = _gate(plan, digest, state)
    return Status(
        model=state.model,
        owner=state.owner,
        template=plan.template,
        template_version=plan.version,
        plan=digest,
        stage=state.stage,
        phase=state.phase,
        visit=state.visit,
        seq=state.seq,
        since=state.since,
        paused=state.paused,
        waiting_for=waiting_for(plan, state),
        due=gate.due if gate else None,
        step=state.in_flight.step if state.in_flight else None,
        failure=state.failure,
        gate=gate,
        checks=state.checks,
        version=_view(state, state.candidate),
        champion=_view(state, state.champion),
        previous=state.previous.number if state.previous else None,
        serving=state.serving,
        statuses=state.statuses,
        passages=state.passages,
        findings=state.findings,
        troubles=troubles,
        matters=(*emergency.in_words(state), *waivers.in_words(plan, state)),
        glass=state.glass,
        tightened=state.tightened,
    )


def waiting_for(plan: Plan, state: State) -> str:
    """What has to happen next, as a sentence without its full stop."""
    if state.paused and state.held:
        return f"Paused until a person resumes; then {sentence(state.held, state.submitted)}"
    match state.phase:
        case Phase.AWAITING_VERSION:
            off = state.stage == plan.enters.suspension
            serves = f"Suspended, nothing serves in {plan.production}: " if off else ""
            back = f", or for a rollback to version {state.previous.number}" if serves and state.previous else ""
            return _capital(f"{serves}waiting for a version to be submitted{back}")
        case Phase.WORKING:
            return _capital(sentence(state.in_flight, state.submitted)) if state.in_flight else "The next step"
        case Phase.DECIDING:
            return _owed(plan, state)
        case Phase.STUCK:
            failure = state.failure.message if state.failure else "a failure"
            if bar := state.failure and _BARS.get(state.failure.type):
                return f"Stuck {bar}: {failure}"
            return f"Stuck until a person retries{' or abandons' if state.can_be_abandoned else ''}: {failure}"
        case Phase.STEADY:
            serves = f"Version {state.champion.number} serves" if state.champion else "Nothing serves"
            return f"{serves}{' and is monitored' if state.champion and plan.monitors else ''}; nobody has to act"
        case Phase.ENDED:
            return "The lifecycle has ended"


def sentence(order: StepOrder, submitted: int) -> str:
    """A step in words: `scan version 2 of loan-approval`. What is trained is the next after so many `submitted`."""
    if order.kind is StepKind.TRAIN:
        return f"train version {submitted + 1} of {order.model}, like version {order.version}"
    if order.kind is StepKind.ASK:
        return f"ask who may decide about version {order.version} of {order.model}"
    if order.kind is StepKind.TRIAL:
        return f"try version {order.version} of {order.model} beside the champion"
    if order.kind is StepKind.PIPELINE:
        return f"have {order.step.replace('-', ' ')} look at version {order.version} of {order.model}"
    if order.tightened:
        until = f"{order.tightened.until:%Y-%m-%d %H:%M} UTC"
        return f"have monitor {order.tightened.monitor} of {order.model} look more often until {until}"
    work = order.kind.value.replace("_", " ")
    what = f" version {order.version}" if order.version else ""
    where = f" into {order.environment}" if order.environment and order.kind.value in ("promote", "restore") else ""
    return f"{work}{what} of {order.model}{where}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _owed(plan: Plan, state: State) -> str:
    asked = _asked(plan, state)
    parts = [f"{ask.owed} of {ask.role} ({', '.join(ask.people) or 'nobody may'})" for ask in asked]
    gate = state.gate_plan(plan)
    return f"Waiting for approvals at gate '{gate.id if gate else ''}': {', '.join(parts)}"


def _asked(plan: Plan, state: State) -> tuple[Asked, ...]:
    gate, visit = state.gate_plan(plan), state.gate
    if gate is None or visit is None:
        return ()
    owed = open_roles(gate, visit)
    return tuple(Asked(role=role, owed=count, people=eligible(plan, state, role)) for role, count in owed.items())


def _gate(plan: Plan, digest: Digest, state: State) -> GateStatus | None:
    gate, visit, subject = state.gate_plan(plan), state.gate, state.subject
    if gate is None or visit is None or subject is None:
        return None
    due = next((deadline.due for deadline in pending(plan, state) if deadline.timer == "sla"), None)
    return GateStatus(
        gate=gate.id,
        visit=state.visit,
        question=gate.question,
        artifact=subject.artifact,
        opened=visit.opened,
        due=due,
        asked=_asked(plan, state),
        holders={role: visit.electorate.people.get(role, ()) for role in gate.approvals},
        decisions=visit.decisions,
        findings=tuple(one for one in state.findings if one.gate == gate.id),
        about=challenge(plan, digest, state),
    )


def _view(state: State, version: Version | None) -> VersionStatusView | None:
    if version is None:
        return None
    return VersionStatusView(
        number=version.number,
        status=state.statuses[version.number],
        artifact=version.artifact,
        developer=version.developer,
        gates=version.gates,
        readings=_latest(version.readings, lambda reading: reading.name),
        evidence=_latest(version.evidence, lambda evidence: evidence.kind),
    )


def _latest(items: Sequence[Item], name: Callable[[Item], str]) -> tuple[Item, ...]:
    later = (map(name, items[index:]) for index in range(1, len(items) + 1))
    return tuple(item for item, names in zip(items, later, strict=True) if name(item) not in names)
