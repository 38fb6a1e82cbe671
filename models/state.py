"""Where a lifecycle is: one immutable value, versioned, small enough to travel through continue-as-new."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Literal

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from models.canonical import Digest, Frozen, Slug
from models.evidence import Electorate, Evidence, StepKind, StepOrder, Tightened
from models.inventory import Environment, Submission, VersionStatus
from models.messages import Action, Decision, Failure, FindingId, FindingText, Name, Once
from models.plan import GatePlan, Plan, Remedy, StagePlan
from models.verdict import CheckResult, Reading, Verdict


class Phase(StrEnum):
    """What a lifecycle is doing in its stage."""

    AWAITING_VERSION = "awaiting_version"
    WORKING = "working"
    DECIDING = "deciding"
    STUCK = "stuck"
    STEADY = "steady"
    ENDED = "ended"


class Version(Frozen):
    """One immutable candidate, and what it has earned."""

    number: int
    artifact: Digest
    developer: Slug
    submitter: Slug
    trained_by: Slug | None = Field(default=None, exclude_if=lambda person: person is None)
    bundle: Digest | None = None
    gates: tuple[Slug, ...] = ()
    readings: tuple[Reading, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class Finding(Frozen):
    """What a role asks of later versions at a gate: who rejected which version for it."""

    id: FindingId
    gate: Slug
    role: Slug
    text: FindingText
    person: Name
    version: int


class GateVisit(Frozen):
    """A gate that is open: who may decide, who has and when, which timers went off.

    `anew` says since when a person is asked again whose approval does not count any more.
    """

    opened: datetime
    electorate: Electorate
    decisions: tuple[Decision, ...] = ()
    fired: tuple[str, ...] = ()
    decided: dict[Name, datetime] = Field(default_factory=dict, exclude_if=lambda decided: not decided)
    anew: dict[Name, datetime] = Field(default_factory=dict, exclude_if=lambda anew: not anew)


_GIVEN_UP = (StepKind.TRAIN, StepKind.RESTORE, StepKind.STOP_SERVING, StepKind.TIGHTEN)
"""Steps that a person may give up although no version is under way: then production is what it was."""


class Turn(IntEnum):
    """Where a lifecycle may turn to at any time; the higher one wins."""

    NEW_VERSION = 1
    ABANDON = 2
    ROLLBACK = 3
    SUSPEND = 4
    RETIRE = 5


_TURNS = {
    Action.RETIRE: Turn.RETIRE,
    Action.SUSPEND: Turn.SUSPEND,
    Action.ROLLBACK: Turn.ROLLBACK,
    Action.ABANDON: Turn.ABANDON,
}


def turn_of(action: Action) -> Turn | None:
    """The turn that a request asks for; None for a request that changes no direction."""
    return _TURNS.get(action)


class Intent(Frozen):
    """A turn asked for while a step was in flight; taken as soon as that step has answered.

    A submission that waits is kept beside a stronger turn, and enters after it.
    """

    turn: Turn
    submission: Submission | None = None


class RemedyUse(Frozen):
    """What a breach of a `version` started, when, and on which window of data; the brakes count these."""

    at: datetime
    monitor: Slug
    remedy: Remedy
    window: str
    version: int | None = Field(default=None, exclude_if=lambda version: version is None)


class Passage(Frozen):
    """A stage that was left: when, with which verdict, and why."""

    stage: Slug
    version: int | None
    verdict: Verdict | None
    at: datetime
    reason: str = ""


class Emergency(Frozen):
    """What somebody did in an emergency, and why."""

    person: Slug
    action: Action
    at: datetime
    reason: str


class Glass(Frozen):
    """What was done in emergencies that nobody has reviewed, and who else has confirmed it.

    `since` is when the first was that is not confirmed; `overdue`: nobody did in time.
    """

    emergencies: tuple[Emergency, ...]
    since: datetime
    confirmed: Slug | None = None
    overdue: bool = False

    @property
    def people(self) -> frozenset[Slug]:
        """Who broke it: none of them may confirm or review it."""
        return frozenset(emergency.person for emergency in self.emergencies)


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class State:
    """The whole of a lifecycle's memory. Changed only by the kernel.

    `submitted` is how many versions there have been; `statuses` has those in play and the latest of the others.
    `reviewed` is when the champion was looked at last: when it became champion, or when its review was due.
    `spent` are the statements that have counted and could be sent again.
    `doubtful`: a step failed that may have changed what production serves.
    `findings` are those that are open, `found` is how many there have been.
    `lapsed` are controls whose waiver has ended, `reminded` the timers that said so before; `glass` is what was done in
    an emergency and is not reviewed yet. `tightened` is a monitor that looks more often, also when that is over.
    No model of pydantic: to read a field of one costs five times as much, and nothing is read as often.
    """

    schema_version: Literal[1] = 1
    model: Slug
    owner: Slug
    seq: int = 0
    submitted: int = 0
    visit: int = 0
    stage: str = ""
    phase: Phase = Phase.WORKING
    since: datetime | None = None
    cursor: int = 0
    in_flight: StepOrder | None = None
    failure: Failure | None = None
    checks: tuple[CheckResult, ...] = ()
    gate: GateVisit | None = None
    submission: Submission | None = None
    candidate: Version | None = None
    champion: Version | None = None
    previous: Version | None = None
    statuses: dict[int, VersionStatus] = Field(default_factory=dict)
    serving: dict[Environment, int] = Field(default_factory=dict)
    intent: Intent | None = None
    reviewed: datetime | None = None
    doubtful: bool = False
    paused: bool = False
    held: StepOrder | None = None
    remedies: tuple[RemedyUse, ...] = ()
    passages: tuple[Passage, ...] = ()
    spent: tuple[Once, ...] = ()
    findings: tuple[Finding, ...] = Field(default=(), exclude_if=lambda findings: not findings)
    found: int = Field(default=0, exclude_if=lambda found: not found)
    reminded: tuple[str, ...] = Field(default=(), exclude_if=lambda reminded: not reminded)
    lapsed: tuple[Slug, ...] = Field(default=(), exclude_if=lambda lapsed: not lapsed)
    glass: Glass | None = Field(default=None, exclude_if=lambda glass: glass is None)
    tightened: Tightened | None = Field(default=None, exclude_if=lambda tightened: tightened is None)

    @property
    def subject(self) -> Version | None:
        """The version that the current stage works on."""
        return self.candidate or self.champion

    @property
    def can_be_abandoned(self) -> bool:
        """Whether something is under way that a person may give up."""
        order = self.in_flight or self.held
        return self.candidate is not None or (order is not None and order.kind in _GIVEN_UP)

    def stage_plan(self, plan: Plan) -> StagePlan:
        """The plan of the current stage."""
        return plan.stage(self.stage)

    def gate_plan(self, plan: Plan) -> GatePlan | None:
        """The gate that is open now."""
        return self.stage_plan(plan).gate if self.gate else None


AS_JSON = TypeAdapter(State)
"""Writes a state as JSON, and reads it."""


def change(state: State, **changes: object) -> State:
    """The state with some fields replaced, unchecked."""
    changed = object.__new__(State)
    object.__setattr__(changed, "__dict__", vars(state) | changes)
    return changed


def begin(state: State, stage: str, at: datetime, phase: Phase = Phase.WORKING) -> State:
    """The state at the beginning of another visit, of some stage."""
    return change(
        state,
        stage=stage,
        visit=state.visit + 1,
        since=at,
        phase=phase,
        cursor=0,
        in_flight=None,
        held=None,
        failure=None,
        checks=(),
        gate=None,
    )


def spend(state: State, once: Once | None, at: datetime) -> State:
    """A statement has counted: it is remembered for as long as it could be sent again."""
    if once is None:
        return state
    return change(state, spent=(*(spent for spent in state.spent if spent.until > at), once))


class Snapshot(Frozen):
    """What the inventory keeps of a state: the projection that audit and workflow must agree on."""

    stage: str
    phase: Phase
    visit: int
    version: int | None
    champion: int | None
    previous: int | None
    statuses: dict[int, VersionStatus]
    serving: dict[Environment, int]
    gates: dict[int, tuple[Slug, ...]]
    paused: bool
    failure: str = ""


def snapshot(state: State) -> Snapshot:
    """The projection of a state that the inventory keeps."""
    return Snapshot(
        stage=state.stage,
        phase=state.phase,
        visit=state.visit,
        version=state.candidate.number if state.candidate else None,
        champion=state.champion.number if state.champion else None,
        previous=state.previous.number if state.previous else None,
        statuses=state.statuses,
        serving=state.serving,
        gates={v.number: v.gates for v in (state.candidate, state.champion, state.previous) if v},
        paused=state.paused,
        failure=state.failure.message if state.failure else "",
    )
