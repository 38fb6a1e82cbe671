"""Template to plan: everything that can be known to be wrong is said at once, before anything is governed."""

from collections.abc import Iterator
from typing import NamedTuple

import rfc8785

from models.canonical import digest, digest_bytes
from models.changes.change import Direction
from models.diagnostics import Diagnostic, Severity, errors_of, in_reading_order
from models.difference import difference
from models.errors import TemplateError
from models.inheritance import Parents
from models.inventory import RiskTier
from models.plan import Brakes, Duty, MonitorPlan, PackPlan, Plan, Remedy, ReviewPlan
from models.policy import NO_POLICY, Policy
from models.proof.graph import gates_before
from models.rules import gates, graph, monitors, pipelines, policy, references, steps, trials
from models.rules.draft import Draft, Rule
from models.rules.policy import demands, satisfied_by
from models.template import Limits, Monitor, Template, load
from models.verdict import Kpi

LOCAL: tuple[Rule, ...] = (
    *references.RULES,
    *gates.RULES,
    *monitors.RULES,
    *trials.RULES,
    *pipelines.RULES,
    *policy.CLAIMS,
)
"""Rules that hold for any template that could be read."""

PATHS: tuple[Rule, ...] = (*graph.RULES, *steps.RULES, *policy.RULES)
"""Rules about paths: they make sense once every route leads somewhere and it is clear which stage is what."""

_ENOUGH = 100
_UNKNOWN_STAGE = "MO211"
_UNSOURCED = "sha256:" + "0" * 64
_NOT_WRITTEN = {"format", "kernel", "source", "environment_gates", "packs", "controls"}


class Compilation(NamedTuple):
    """A plan, and the warnings that did not keep it from being made."""

    plan: Plan
    warnings: tuple[Diagnostic, ...]


def compile_template(text: str | bytes, file: str, policy: Policy = NO_POLICY, parents: Parents | None = None) -> Plan:
    """The plan of a template under a policy; TemplateError with every diagnostic at once."""
    return compile_with_warnings(text, file, policy, parents).plan


def compile_with_warnings(
    text: str | bytes, file: str, policy: Policy = NO_POLICY, parents: Parents | None = None
) -> Compilation:
    """The plan of a template and what deserves a look; TemplateError with every diagnostic at once.

    A template that extends another one may only add to it or tighten it.
    """
    template, source, name = load(text, file, parents)
    draft = Draft(template, source, policy)
    found = in_reading_order(_check(draft))
    if name and parents and not errors_of(found):
        found = in_reading_order((*found, *_loosened(draft, name, parents)))
    if errors_of(found):
        raise TemplateError(file, found)
    return Compilation(_lower(draft), found)


def _loosened(draft: Draft, name: str, parents: Parents) -> Iterator[Diagnostic]:
    """MO722. What packs demand is left aside: it is demanded of the child itself."""
    yield from _waived_longer(draft, load(parents[name], name, parents).template)
    parent = compile_template(parents[name], name, NO_POLICY, parents)
    child = _lower(Draft(draft.template, draft.source, NO_POLICY))
    for change in difference(parent, child):
        if change.direction is Direction.LOOSER:
            message = f"{change.sentence}: looser than '{name}' allows"
            yield draft.report("MO722", change.path, message, "leave it as it is, or do not extend that template")


def _waived_longer(draft: Draft, parent: Template) -> Iterator[Diagnostic]:
    """MO722 for waivers, which no plan has."""
    for name, waiver in draft.template.waivers.items():
        known = parent.waivers.get(name)
        if known and waiver.until > known.until:
            message = f"control '{name}' is waived until {waiver.until} instead of {known.until}"
            suggestion = "leave it as it is, or satisfy the control"
            yield draft.report("MO722", ("waivers", name, "until"), message, suggestion)


def _check(draft: Draft) -> list[Diagnostic]:
    found = _apply(LOCAL, draft)
    if any(diagnostic.code == _UNKNOWN_STAGE for diagnostic in found):
        return found
    broken = _apply(graph.SKELETON, draft)
    return found + (broken or _apply(PATHS, draft))


def _apply(rules: tuple[Rule, ...], draft: Draft) -> list[Diagnostic]:
    return [diagnostic for rule in rules for diagnostic in _enough(rule(draft))]


def _enough(found: Iterator[Diagnostic]) -> Iterator[Diagnostic]:
    """Up to the hundredth error: whoever has so many of a kind looks for one cause."""
    errors = 0
    for diagnostic in found:
        yield diagnostic
        errors += diagnostic.severity is Severity.ERROR
        if errors == _ENOUGH:
            return


def _lower(draft: Draft) -> Plan:
    """The plan in normal form: the same meaning gives the same bytes, however it was written down."""
    template = draft.template
    stages = tuple(draft.stages.values())
    plan = Plan(
        template=template.lifecycle,
        version=template.version,
        title=template.title,
        source=_UNSOURCED,
        tiers=tuple(tier for tier in RiskTier if tier in template.tiers),
        roles=dict(sorted(template.roles.items())),
        separation=tuple(duty for duty in Duty if duty in template.separation_of_duties),
        editors=tuple(sorted(template.editors)),
        kpis=tuple(
            Kpi(name=name, passes=kpi.passes, fails=kpi.fails, at_least=kpi.at_least, metric=kpi.metric)
            for name, kpi in sorted(template.kpis.items())
        ),
        stages=stages,
        enters=draft.enters,
        monitors=tuple(_lower_monitor(name, monitor) for name, monitor in sorted(template.monitors.items())),
        environment_gates=gates_before(stages, draft.enters),
        packs=tuple(
            PackPlan(pack=one.pack.pack, version=one.pack.version, digest=digest(one.pack), reason=one.reason)
            for one in draft.applied
        ),
        controls=tuple(satisfied_by(draft, demand) for demand in demands(draft)),
        retention=template.retention,
        calendar=template.calendar.in_order if template.calendar else None,
        review=ReviewPlan(every=template.review.every, to=template.review.to) if template.review else None,
    )
    written = rfc8785.dumps(plan.model_dump(mode="json", exclude=_NOT_WRITTEN))
    return plan.model_copy(update={"source": digest_bytes(written)})


def _lower_monitor(name: str, monitor: Monitor) -> MonitorPlan:
    failures, looks = monitor.breach_after
    return MonitorPlan(
        id=name,
        checks=monitor.checks,
        every=monitor.every,
        breaches=failures,
        of=looks if looks > failures else 0,
        then=monitor.then,
        brakes=_lower_brakes(monitor.brakes),
        to=monitor.to,
        tightened=monitor.tightened or 0,
    )


def _lower_brakes(brakes: Limits | None) -> Brakes:
    """A monitor that only escalates needs no brakes; its plan says the same of what would come instead."""
    if brakes is None:
        return Brakes(cooldown=0, at_most=1, per=1, otherwise=Remedy.ESCALATE)
    return Brakes(cooldown=brakes.cooldown, at_most=brakes.at_most, per=brakes.per, otherwise=brakes.otherwise)
