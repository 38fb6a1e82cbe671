"""What a step is told: everything that its activity needs, taken from where the lifecycle is."""

from datetime import datetime, timedelta

from models.canonical import replace
from models.evidence import StepKind, StepOrder, Tightened
from models.plan import MonitorPlan, Plan, StepPlan
from models.state import State, Version

_BLANK = StepOrder(model="model", visit=0, step="step", kind=StepKind.ASK, stage="stage")
"""Filled in with what is valid already: to check it again is a fifth of what a transition of the kernel costs."""


def order_of(plan: Plan, state: State, planned: StepPlan) -> StepOrder:
    """The order for a step of the present stage."""
    stage, subject, kind = state.stage_plan(plan), state.subject, planned.kind
    return replace(
        _BLANK,
        model=state.model,
        visit=state.visit,
        step=planned.id,
        kind=kind,
        stage=stage.name,
        version=subject.number if subject else None,
        artifact=subject.artifact if subject else None,
        bundle=subject.bundle if subject else None,
        environment=stage.environment or (plan.production if kind is StepKind.STOP_SERVING else None),
        evidence=subject.evidence if subject and kind is StepKind.PACKAGE else (),
        tiers=plan.tiers if kind is StepKind.CLASSIFY else (),
        submission=state.submission if kind is StepKind.REGISTER else None,
    )


def own(plan: Plan, state: State, kind: StepKind) -> StepOrder:
    """The order for a step that no template asks for: the kernel's own."""
    return order_of(plan, state, StepPlan(id=kind.value, kind=kind, timeout=0))


def ask(plan: Plan, state: State) -> StepOrder:
    """Find out who may decide at the present stage's gate; asked again, it is another step."""
    order, gate = own(plan, state, StepKind.ASK), state.stage_plan(plan).gate
    if gate is None:
        return order
    roles = {role: plan.roles[role] for role in gate.approvals}
    again = f"ask-{state.seq}" if state.gate else order.step
    return replace(order, roles=roles, question=gate.question, step=again)


def tighten(plan: Plan, state: State, monitor: MonitorPlan, at: datetime) -> StepOrder:
    """Have a monitor look more often for the cooldown of its brakes; each time it is another step."""
    order = own(plan, state, StepKind.TIGHTEN)
    until = at + timedelta(seconds=monitor.brakes.cooldown)
    tightened = Tightened(monitor=monitor.id, until=until)
    return replace(order, step=f"{order.step}-{state.seq}", tightened=tightened)


def restore(plan: Plan, state: State, version: Version) -> StepOrder:
    """Deploy a version that has served before."""
    order = own(plan, state, StepKind.RESTORE)
    return replace(order, version=version.number, artifact=version.artifact, bundle=version.bundle)
