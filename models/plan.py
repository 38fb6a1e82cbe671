"""The compiled graph: what a template became. Canonical JSON, addressed by digest, immutable."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Literal, Self

from pydantic import Field

from models.calendar import Calendar
from models.canonical import Digest, Frozen, Slug
from models.evidence import READINGS, StepKind
from models.inventory import Environment, RiskTier
from models.verdict import Kpi, Verdict
from models.waits import Wait

KERNEL = "1"
"""Version of the kernel's behaviour; a plan says which one it was compiled for."""

COMPILER = "1"
"""Version of what the compiler proves."""

NEEDS_VERSION = frozenset(
    {
        StepKind.REGISTER,
        StepKind.SCAN,
        StepKind.EVALUATE,
        StepKind.PACKAGE,
        StepKind.PROMOTE,
        StepKind.TRIAL,
        StepKind.PIPELINE,
        StepKind.MONITOR,
    }
)
"""The steps that work on a version."""


class ExternalPlan(Frozen):
    """Whose pipeline performs a step, and the readings that it gives: these and no others."""

    pipeline: Slug
    readings: tuple[Slug, ...]


class StepPlan(Frozen):
    """One unit of work of a stage. `timeout` in seconds, for one attempt; of somebody's pipeline, for one run."""

    id: Slug
    kind: StepKind
    timeout: int
    external: ExternalPlan | None = Field(default=None, exclude_if=lambda external: external is None)

    @property
    def measures(self) -> frozenset[Slug]:
        """The readings that it gives."""
        return READINGS.get(self.kind, frozenset()).union(self.external.readings if self.external else ())


class Escalation(Frozen):
    """Whom to tell when a wait has lasted for a time."""

    after: Wait
    to: Slug


class GatePlan(Frozen):
    """Where a version waits: checks on readings first, then people. Times count from the gate's opening.

    `satisfies` are the controls that its template claims for it. `authentication` says whose word is taken for who
    decides: each person's own signature, or also that of a gateway that has let them in. An approval that has not led
    through the gate counts for `approvals_lapse`; 0: without end.
    """

    id: Slug
    question: str
    satisfies: tuple[Slug, ...] = Field(default=(), exclude_if=lambda claimed: not claimed)
    checks: tuple[Slug, ...] = ()
    approvals: dict[Slug, int] = Field(default_factory=dict)
    sla: Wait = 0
    remind: tuple[Wait, ...] = ()
    escalate: tuple[Escalation, ...] = ()
    on_timeout: Literal["hold", "reject"] = "hold"
    authentication: Literal["signature", "gateway"] = Field(
        default="signature", exclude_if=lambda authentication: authentication == "signature"
    )
    approvals_lapse: Wait = Field(default=0, exclude_if=lambda lapse: not lapse)

    @property
    def asks_people(self) -> bool:
        """Whether anybody has to decide."""
        return bool(self.approvals)


class Routes(Frozen):
    """Where each verdict leads. Without a route, the step that gave the verdict is stuck until a person acts."""

    passed: Slug
    failed: Slug | None = None
    inconclusive: Slug | None = None

    def of(self, verdict: Verdict) -> Slug | None:
        """The stage that a verdict leads to."""
        match verdict:
            case Verdict.PASS:
                return self.passed
            case Verdict.FAIL:
                return self.failed
            case Verdict.INCONCLUSIVE:
                return self.inconclusive


class MeasurePlan(Frozen):
    """By what a challenger is compared: it must not be worse than the champion by the margin, or be better by it."""

    name: Slug
    goal: Literal["not_worse", "better"]
    margin: float = Field(gt=0, allow_inf_nan=False)


class TrialPlan(Frozen):
    """How a challenger is tried beside the champion, on the same requests. Times in seconds.

    First it answers copies for `shadow`, then each share (percent) for `hold` at least; on the last share it is
    compared, until `longest` has passed since the beginning. It is looked at `every` so often: a check that fails ends
    the trial. `error_rate` is how often at most a challenger is elected that is worse than the margins allow, and how
    often at most one is turned away that is not, however often one looks.
    """

    shadow: int = 0
    shares: tuple[int, ...]
    hold: int
    every: int
    longest: int
    at_least: int
    error_rate: float
    measures: tuple[MeasurePlan, ...]
    checks: tuple[Slug, ...] = ()


class StagePlan(Frozen):
    """A state of the lifecycle: steps, then a gate, then somewhere else — or a steady state, or the end."""

    name: Slug
    environment: Environment | None = None
    steps: tuple[StepPlan, ...] = ()
    trial: TrialPlan | None = Field(default=None, exclude_if=lambda trial: trial is None)
    gate: GatePlan | None = None
    routes: Routes | None = None
    steady: bool = False
    terminal: bool = False

    @property
    def asks_people(self) -> bool:
        """Whether anybody has to decide there."""
        return self.gate is not None and self.gate.asks_people

    @property
    def measures(self) -> frozenset[Slug]:
        """The readings that there are once its steps are done."""
        return frozenset[Slug]().union(*(step.measures for step in self.steps))

    @property
    def needs_version(self) -> bool:
        """Whether the stage cannot work without a version."""
        return self.steady or any(step.kind in NEEDS_VERSION for step in self.steps)


Stages = Mapping[Slug, StagePlan]
"""Stages by name; a template on its way to a plan may lead to names that are not there."""


def targets(stage: StagePlan, verdicts: Iterable[Verdict] = Verdict) -> Iterator[tuple[Verdict, Slug]]:
    """The routes of a stage for some verdicts."""
    for verdict in verdicts:
        if stage.routes and (target := stage.routes.of(verdict)):
            yield verdict, target


def reachable(
    stages: Stages, start: Slug, verdicts: Iterable[Verdict] = Verdict, without: frozenset[Slug] = frozenset()
) -> frozenset[Slug]:
    """The stages that routes lead to from a stage, itself included, never entering those `without`."""
    found: set[Slug] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name in found or name in without or name not in stages:
            continue
        found.add(name)
        ahead += [target for _, target in targets(stages[name], verdicts)]
    return frozenset(found)


class Remedy(StrEnum):
    """What a breach starts, from telling somebody to serving nothing at all: what comes later here is safer at once."""

    ESCALATE = "escalate"
    INVESTIGATE = "investigate"
    TIGHTEN = "tighten"
    RETRAIN = "retrain"
    ROLLBACK = "rollback"
    SUSPEND = "suspend"


class Brakes(Frozen):
    """How often an automatic action may happen, and what happens instead when it may not. Times in seconds."""

    cooldown: int
    at_most: int
    per: int
    otherwise: Literal[Remedy.SUSPEND, Remedy.ESCALATE]


class MonitorPlan(Frozen):
    """A schedule, what it measures, and what a breach starts.

    It is in breach when its newest look fails and `breaches` of its last `of` have failed; 0: as many in a row. It
    looks `every` so many seconds, and every `tightened` ones for the cooldown of its brakes once a breach has
    tightened it.
    """

    id: Slug
    checks: tuple[Slug, ...]
    every: int
    breaches: int
    of: int = Field(default=0, exclude_if=lambda looks: not looks)
    then: Remedy
    brakes: Brakes
    to: Slug | None = None
    tightened: int = Field(default=0, exclude_if=lambda seconds: not seconds)

    @property
    def looks(self) -> int:
        """How many of its last looks decide whether it is in breach."""
        return self.of or self.breaches


class PackPlan(Frozen):
    """A policy pack that the plan was compiled under, and why it applies."""

    pack: Slug
    version: str
    digest: Digest
    reason: str


class WaiverPlan(Frozen):
    """Who answers for it that a control is done without, why, and how often that was renewed."""

    owner: Slug
    reason: str
    renewals: int = 0


class ControlPlan(Frozen):
    """A control that a pack demands, and what satisfies it: a gate, a waiver with its last day, or nothing but advice.

    Plans that were compiled before waivers had owners say only until when; nothing happens when those end.
    """

    pack: Slug
    control: Slug
    reference: str
    severity: Literal["hard", "soft", "advisory"]
    before: str | None = None
    gate: Slug | None = None
    satisfied: bool = True
    waived_until: date | None = None
    waiver: WaiverPlan | None = Field(default=None, exclude_if=lambda waiver: waiver is None)


class ReviewPlan(Frozen):
    """Somebody of a role is told that a champion is to be looked at anew, each time so many seconds have passed."""

    every: int
    to: Slug


class Proof(Frozen):
    """Every promise was found to hold in every state that a plan can come to, by one compiler and one kernel."""

    plan: Digest
    compiler: str
    kernel: str
    states: int
    transitions: int
    depth: int

    def covers(self, plan: Digest) -> bool:
        """Whether it is a proof of this plan for this compiler and this kernel."""
        return (self.plan, self.compiler, self.kernel) == (plan, COMPILER, KERNEL)


class Entries(Frozen):
    """The stages where new versions, retirement and suspension enter."""

    new_version: Slug
    retirement: Slug
    suspension: Slug | None = None


class Duty(StrEnum):
    """What a person has done for a version, or for the template that governs it, and for that must not approve it."""

    OWNER = "owner"
    DEVELOPER = "developer"
    SUBMITTER = "submitter"
    TRAINER = "trainer"
    EDITOR = "editor"


class Plan(Frozen):
    """A lifecycle, compiled. A running lifecycle stays on its plan."""

    format: Literal["modelops/plan/1"] = "modelops/plan/1"
    kernel: str = KERNEL
    template: Slug
    version: str
    title: str
    source: Digest
    tiers: tuple[RiskTier, ...]
    roles: dict[Slug, Slug]
    separation: tuple[Duty, ...]
    editors: tuple[Slug, ...] = Field(default=(), exclude_if=lambda editors: not editors)
    kpis: tuple[Kpi, ...]
    stages: tuple[StagePlan, ...]
    enters: Entries
    monitors: tuple[MonitorPlan, ...]
    environment_gates: dict[Environment, tuple[Slug, ...]]
    packs: tuple[PackPlan, ...] = ()
    controls: tuple[ControlPlan, ...] = ()
    retention: int | None = None
    review: ReviewPlan | None = None
    calendar: Calendar | None = Field(default=None, exclude_if=lambda calendar: calendar is None)

    def __copy__(self) -> Self:
        """A copy may be given other stages: it finds out for itself what they mean."""
        copied = super().__copy__()
        for name, value in vars(type(self)).items():
            if isinstance(value, cached_property):
                vars(copied).pop(name, None)
        return copied

    @property
    def entry(self) -> Slug:
        """The stage where every lifecycle begins."""
        return self.stages[0].name

    @cached_property
    def steady(self) -> StagePlan | None:
        """The steady stage: production."""
        return next((stage for stage in self.stages if stage.steady), None)

    @cached_property
    def production(self) -> Environment | None:
        """The environment of the champion."""
        return self.steady.environment if self.steady else None

    @cached_property
    def waived(self) -> tuple[ControlPlan, ...]:
        """The controls that it does without, each until a day."""
        return tuple(one for one in self.controls if one.waiver and one.waived_until)

    @cached_property
    def by_name(self) -> dict[Slug, StagePlan]:
        """Every stage under its name."""
        return {stage.name: stage for stage in self.stages}

    @cached_property
    def closing(self) -> frozenset[Slug]:
        """The stages of retirement: nothing but the end comes after them."""
        return reachable(self.by_name, self.enters.retirement)

    @cached_property
    def opening(self) -> frozenset[Slug]:
        """The stages before any version: a submission waits until they are passed."""
        before = reachable(self.by_name, self.entry, without=frozenset({self.enters.new_version}))
        return before - self.closing

    def stage(self, name: Slug) -> StagePlan:
        """A stage by name; KeyError if the plan has none of that name."""
        return self.by_name[name]

    def kpi(self, name: Slug) -> Kpi:
        """A KPI by name; KeyError."""
        for kpi in self.kpis:
            if kpi.name == name:
                return kpi
        raise KeyError(name)

    def monitor(self, name: Slug) -> MonitorPlan | None:
        """A monitor by name."""
        return next((monitor for monitor in self.monitors if monitor.id == name), None)
