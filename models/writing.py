"""A plan written down as a template again: what it says is what the plan was compiled from, in another hand.

Compiling it gives the same plan. So a plan can be read by people, compared, and held to packs that came after it.
"""

import json
import re
from collections.abc import Iterable

from models.canonical import Slug
from models.plan import Brakes, ControlPlan, GatePlan, MonitorPlan, Plan, Routes, StagePlan, StepPlan, TrialPlan
from models.source.yaml_source import Tree
from models.verdict import Comparison, Kpi
from models.waits import Wait

_FOLDED = re.compile("[\x85\u2028\u2029\ufeff]")
"""What YAML takes for the end of a line, or for none of the text, where JSON does not."""


def write_template(plan: Plan, policies: Iterable[Slug] = ()) -> str:
    """The text of a template, as JSON, which is YAML too; it names `policies`."""
    tree: dict[str, Tree] = {
        "lifecycle": plan.template,
        "version": plan.version,
        "title": plan.title,
        "policies": list(policies),
        "tiers": [tier.value for tier in plan.tiers],
        "roles": dict(plan.roles),
        "separation_of_duties": [duty.value for duty in plan.separation],
        "kpis": {kpi.name: _kpi(kpi) for kpi in plan.kpis},
        "enters": {name: stage for name, stage in plan.enters.model_dump().items() if stage},
        "stages": {stage.name: _stage(stage) for stage in plan.stages},
        "monitors": {monitor.id: _monitor(monitor) for monitor in plan.monitors},
    }
    if plan.editors:
        tree["editors"] = list(plan.editors)
    if plan.calendar:
        tree["calendar"] = plan.calendar.model_dump(mode="json")
    if plan.waived:
        tree["waivers"] = {one.control: _waiver(one) for one in plan.waived}
    if plan.retention:
        tree["retention"] = _span(plan.retention)
    if plan.review:
        tree["review"] = {"every": _span(plan.review.every), "to": plan.review.to}
    text = json.dumps(tree, indent=1, ensure_ascii=False)
    return _FOLDED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _kpi(kpi: Kpi) -> Tree:
    written: dict[str, Tree] = {"pass": _bound(kpi.passes), "fail": _bound(kpi.fails), "at_least": kpi.at_least}
    return {**written, "metric": kpi.metric} if kpi.metric else written


def _span(wait: Wait) -> str:
    return wait if isinstance(wait, str) else f"{wait}s"


def _waiver(control: ControlPlan) -> Tree:
    waiver = control.waiver.model_dump() if control.waiver else {}
    return {**waiver, "until": str(control.waived_until)}


def _bound(comparison: Comparison) -> str:
    return f"{comparison.operator} {comparison.bound!r}"


def _stage(stage: StagePlan) -> Tree:
    written: dict[str, Tree] = {"do": [_step(step) for step in stage.steps]}
    if stage.environment:
        written["environment"] = stage.environment.value
    if stage.trial:
        written["trial"] = _trial(stage.trial)
    if stage.gate:
        written["gate"] = _gate(stage.gate)
    if stage.routes:
        written["then"] = _routes(stage.routes)
    return written | {name: True for name in ("steady", "terminal") if getattr(stage, name)}


def _step(step: StepPlan) -> Tree:
    written: dict[str, Tree] = {"run": step.kind.value, "id": step.id, "timeout": _span(step.timeout)}
    if step.external:
        written |= {"in": step.external.pipeline, "readings": list(step.external.readings)}
    return written


def _trial(trial: TrialPlan) -> Tree:
    times = {"hold": trial.hold, "every": trial.every, "longest": trial.longest}
    if trial.shadow:
        times["shadow"] = trial.shadow
    return {name: _span(seconds) for name, seconds in times.items()} | {
        "shares": list(trial.shares),
        "at_least": trial.at_least,
        "error_rate": trial.error_rate,
        "measures": {one.name: {f"{one.goal}_by": one.margin} for one in trial.measures},
        "checks": list(trial.checks),
    }


def _gate(gate: GatePlan) -> Tree:
    written: dict[str, Tree] = {"id": gate.id, "satisfies": list(gate.satisfies), "checks": list(gate.checks)}
    if not gate.asks_people:
        return written
    if gate.approvals_lapse:
        written["approvals_lapse"] = _span(gate.approvals_lapse)
    return written | {
        "question": gate.question,
        "approvals": dict(gate.approvals),
        "sla": _span(gate.sla),
        "remind": [_span(after) for after in gate.remind],
        "escalate": [{"after": _span(escalation.after), "to": escalation.to} for escalation in gate.escalate],
        "on_timeout": gate.on_timeout,
        "authentication": gate.authentication,
    }


def _routes(routes: Routes) -> Tree:
    named = {"pass": routes.passed, "fail": routes.failed, "inconclusive": routes.inconclusive}
    return {verdict: stage for verdict, stage in named.items() if stage}


def _monitor(monitor: MonitorPlan) -> Tree:
    written: dict[str, Tree] = {
        "checks": list(monitor.checks),
        "every": _span(monitor.every),
        "breach_after": f"{monitor.breaches} of {monitor.of}" if monitor.of else monitor.breaches,
        "then": monitor.then.value,
    }
    if monitor.tightened:
        written["tightened"] = _span(monitor.tightened)
    if monitor.brakes.cooldown:
        written["brakes"] = _brakes(monitor.brakes)
    return written | ({"to": monitor.to} if monitor.to else {})


def _brakes(brakes: Brakes) -> Tree:
    return {
        "cooldown": _span(brakes.cooldown),
        "at_most": brakes.at_most,
        "per": _span(brakes.per),
        "otherwise": brakes.otherwise.value,
    }
