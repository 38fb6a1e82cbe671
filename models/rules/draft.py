"""A template on its way to a plan: the lowered stages, the places in the text, and the regions of the graph."""

from collections.abc import Callable, Iterator
from functools import cached_property

from models.canonical import spell_duration
from models.diagnostics import Diagnostic, did_you_mean, quote
from models.evidence import StepKind
from models.plan import (
    Entries,
    Escalation,
    ExternalPlan,
    GatePlan,
    MeasurePlan,
    Routes,
    StagePlan,
    StepPlan,
    TrialPlan,
    reachable,
)
from models.policy import NO_POLICY, Applied, Policy
from models.proof.graph import KEEPS_VERSION, done_before, holds_before, kinds_of
from models.source.yaml_source import Path, Source
from models.template import Gate, Margin, Stage, Step, Template, Trial
from models.verdict import Verdict
from models.waits import Wait, at_least

Rule = Callable[["Draft"], Iterator[Diagnostic]]


class Draft:
    """What the rules look at. Routes may still name stages that do not exist."""

    def __init__(self, template: Template, source: Source, policy: Policy = NO_POLICY) -> None:
        self.template = template
        self.source = source
        self.policy = policy
        self.stages = {name: lower_stage(name, stage) for name, stage in template.stages.items()}
        self.enters = Entries(
            new_version=template.enters.new_version,
            retirement=template.enters.retirement,
            suspension=template.enters.suspension,
        )
        self.entry = next(iter(self.stages))
        self.steady = [name for name, stage in self.stages.items() if stage.steady]

    def report(self, code: str, path: Path, message: str, suggestion: str = "", *, key: bool = False) -> Diagnostic:
        """A diagnostic about a place of the template, or (`key`) about the key that is written there."""
        return self.source.report(code, path, message, suggestion, key=key)

    def unknown(self, code: str, path: Path, kind: str, name: str, known: list[str]) -> Diagnostic:
        """A diagnostic about a name that nothing has."""
        mend = did_you_mean(name, known) if known else f"there is none yet: name it under '{kind.lower()}s'"
        return self.report(code, path, f"there is no {kind} {quote(name)}", mend)

    @cached_property
    def closing(self) -> frozenset[str]:
        """The stages of retirement."""
        return reachable(self.stages, self.enters.retirement)

    @cached_property
    def opening(self) -> frozenset[str]:
        """The stages before any version."""
        before = reachable(self.stages, self.entry, without=frozenset({self.enters.new_version}))
        return before - self.closing

    @cached_property
    def under_way(self) -> frozenset[str]:
        """The stages that a version can be in, from where it enters to the steady stage."""
        return reachable(self.stages, self.enters.new_version, KEEPS_VERSION)

    @cached_property
    def aside(self) -> frozenset[str]:
        """The stages of suspension: from its entry up to where the champion serves again or is retired."""
        if self.enters.suspension is None:
            return frozenset()
        elsewhere = (self.under_way | self.opening | set(self.steady)) - {self.enters.suspension}
        return reachable(self.stages, self.enters.suspension, without=frozenset(elsewhere)) - self.closing

    @cached_property
    def applied(self) -> tuple[Applied, ...]:
        """The packs that the lifecycle must satisfy."""
        return self.policy.applied(self.template.policies)

    @cached_property
    def claimed_before(self) -> dict[str, frozenset[str]]:
        """The controls that some gate, whichever, has satisfied for a version on every path to a stage."""

        def claims(stage: StagePlan) -> frozenset[str]:
            gate = self.template.stages[stage.name].gate
            return frozenset(gate.satisfies if gate else ())

        return holds_before(self.stages, self.enters.new_version, claims, KEEPS_VERSION)

    @cached_property
    def closed_before(self) -> dict[str, frozenset[StepKind]]:
        """The kinds of step that retirement has done on every path to a stage."""
        return holds_before(self.stages, self.enters.retirement, kinds_of, Verdict)

    @cached_property
    def measured_before(self) -> dict[str, frozenset[str]]:
        """The readings that there are of a version on every path to a stage."""
        return holds_before(self.stages, self.enters.new_version, lambda stage: stage.measures, KEEPS_VERSION)

    @cached_property
    def done_before(self) -> dict[str, frozenset[StepKind]]:
        """The kinds of step that were done for a version on every path to a stage."""
        return done_before(self.stages, self.entry, self.opening, self.enters.new_version)


def lower_stage(name: str, stage: Stage) -> StagePlan:
    """A written stage in the plan's terms."""
    then = stage.then
    return StagePlan(
        name=name,
        environment=stage.environment,
        steps=tuple(map(_lower_step, stage.do)),
        trial=_lower_trial(stage.trial) if stage.trial else None,
        gate=_lower_gate(name, stage.gate) if stage.gate else None,
        routes=Routes(passed=then.passed, failed=then.failed, inconclusive=then.inconclusive) if then else None,
        steady=stage.steady,
        terminal=stage.terminal,
    )


def _lower_step(step: Step) -> StepPlan:
    """What a pipeline step lacks, or another one has too much, is told by a rule (MO512)."""
    external = ExternalPlan(pipeline=step.where, readings=tuple(sorted(step.readings))) if step.where else None
    return StepPlan(id=step.id, kind=step.run, timeout=step.timeout, external=external)


def _lower_gate(stage: str, gate: Gate) -> GatePlan:
    escalate = sorted(gate.escalate, key=lambda reminder: (_soonest(reminder.after), reminder.to))
    return GatePlan(
        id=gate.id or stage,
        question=gate.question or "",
        satisfies=gate.satisfies,
        checks=gate.checks,
        approvals=dict(sorted(gate.approvals.items())),
        sla=gate.sla or 0,
        remind=tuple(sorted(gate.remind, key=_soonest)),
        escalate=tuple(Escalation(after=reminder.after, to=reminder.to) for reminder in escalate),
        on_timeout=gate.on_timeout or "hold",
        authentication=gate.authentication or "signature",
        approvals_lapse=gate.approvals_lapse or 0,
    )


def _lower_trial(trial: Trial) -> TrialPlan:
    return TrialPlan(
        shadow=trial.shadow or 0,
        shares=trial.shares,
        hold=trial.hold,
        every=trial.every,
        longest=trial.longest,
        at_least=trial.at_least,
        error_rate=trial.error_rate,
        measures=tuple(_lower_margin(name, margin) for name, margin in sorted(trial.measures.items())),
        checks=trial.checks,
    )


def _lower_margin(name: str, margin: Margin) -> MeasurePlan:
    """A margin that is written in both ways, or in none, is told by a rule (MO510)."""
    if margin.better_by is not None:
        return MeasurePlan(name=name, goal="better", margin=margin.better_by)
    return MeasurePlan(name=name, goal="not_worse", margin=margin.not_worse_by or 1.0)


def _soonest(wait: Wait) -> tuple[int, str]:
    return at_least(wait), spell_duration(wait)
