"""Rules about policy: every control that a pack demands is satisfied, by something of its shape, on every path."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from models.canonical import Slug, spell_duration
from models.diagnostics import Diagnostic, Severity, did_you_mean, quote
from models.evidence import ENTERS, QUANTITIES, Dimension
from models.inventory import Environment
from models.plan import ControlPlan, StagePlan, WaiverPlan
from models.policy import END, Control, Pack, Shape
from models.policy import Severity as Weight
from models.proof.graph import kinds_of, promotes, way_to
from models.rules.draft import Draft, Rule
from models.source.yaml_source import Path
from models.template import Gate, Waiver


class Demand(NamedTuple):
    """A control that applies, and the pack that demands it."""

    name: Slug
    control: Control
    pack: Pack

    @property
    def asked(self) -> str:
        """As the reader knows it."""
        return f"control '{self.name}'"


def demands(draft: Draft) -> Iterator[Demand]:
    """Every control that applies of every pack that applies."""
    for applied in draft.applied:
        for name, control in sorted(applied.pack.controls.items()):
            if control.applies.covers(draft.policy.facts, draft.template.tiers):
                yield Demand(name, control, applied.pack)


def _meant(draft: Draft, name: Slug) -> list[tuple[Pack, Control]]:
    """The controls that a template means by a name: those that apply, else whichever have that name."""
    applying = [(demand.pack, demand.control) for demand in demands(draft) if demand.name == name]
    return applying or list(draft.policy.control(name))


def satisfied_by(draft: Draft, demand: Demand) -> ControlPlan:
    """What the plan says of a control, for a draft without errors."""
    control, waiver = demand.control, draft.template.waivers.get(demand.name)
    gates = [gate_id(stage) for stage in _claiming(draft, demand.name)]
    lacking = list(_lacking(draft, demand))
    waived = waiver if lacking and control.severity is Weight.SOFT else None
    return ControlPlan(
        pack=demand.pack.pack,
        control=demand.name,
        reference=control.reference,
        severity=control.severity.value,
        before=control.before,
        gate=gates[0] if gates and control.gate else None,
        satisfied=not lacking,
        waived_until=waiver.until if waiver and lacking else None,
        waiver=WaiverPlan(owner=waived.owner, reason=waived.reason, renewals=waived.renewals) if waived else None,
    )


def gate_id(stage: StagePlan) -> Slug:
    """The id of a stage's gate."""
    return stage.gate.id if stage.gate else stage.name


# --- packs and claims


def packs_known(draft: Draft) -> Iterator[Diagnostic]:
    """MO705, MO711. Where no pack is known at all, only form and meaning are looked at."""
    known = {pack.pack for pack in draft.policy.packs}
    for index, name in enumerate(draft.template.policies if known else ()):
        path: Path = ("policies", index)
        if name not in known:
            yield draft.unknown("MO705", path, "policy pack", name, sorted(known))
        elif name not in {applied.pack.pack for applied in draft.applied}:
            spans = sorted((one.effective for one in draft.policy.packs if one.pack == name), key=lambda one: one.since)
            when = "; ".join(f"from {one.since}" + f" until {one.until}" * bool(one.until) for one in spans)
            yield draft.report("MO711", path, f"'{name}' does not hold on {draft.policy.on}", f"it holds {when}")


def claims_known(draft: Draft) -> Iterator[Diagnostic]:
    """MO704."""
    known = sorted({name for pack in draft.policy.packs for name in pack.controls})
    for name, stage in draft.template.stages.items():
        for index, claim in enumerate(stage.gate.satisfies if stage.gate else ()):
            if known and claim not in known:
                path: Path = ("stages", name, "gate", "satisfies", index)
                yield draft.unknown("MO704", path, "control", claim, known)


def claims_have_their_shape(draft: Draft) -> Iterator[Diagnostic]:
    """MO701: as the packs that apply have it; where none of them demands the control, as any pack has it."""
    for name, stage in draft.template.stages.items():
        gate = stage.gate
        for index, claim in enumerate(gate.satisfies if gate else ()):
            for pack, control in _meant(draft, claim):
                lacks = list(_lacks(draft, name, gate, control.gate)) if gate and control.gate else []
                if lacks:
                    path: Path = ("stages", name, "gate", "satisfies", index)
                    message = f"the gate claims '{claim}' and lacks {'; '.join(lacks)}"
                    found = draft.report("MO701", path, message, "ask it, or drop the claim")
                    yield found.model_copy(update={"regulation": f"{pack.name}, {control.reference}"})


def _lacks(draft: Draft, stage: str, gate: Gate, shape: Shape) -> Iterator[str]:
    """What a gate would have to ask more, in words."""
    for role, count in shape.approvals.items():
        asked = gate.approvals.get(role, 0)
        if asked < count:
            yield f"{count - asked} approval{'s' * (count - asked > 1)} of {role}"
    groups = [draft.template.roles.get(role, role) for role in shape.approvals]
    if len(set(groups)) < len(groups):
        yield f"a group of its own for each of {', '.join(shape.approvals)}"
    for kpi, bound in shape.checks.items():
        written = draft.template.kpis.get(kpi)
        if kpi not in gate.checks:
            yield f"the check '{kpi}'"
        elif bound and written and not written.passes.within(bound):
            yield f"'{kpi} {bound}' (it passes at '{written.passes}')"
    done = draft.done_before.get(stage, frozenset()) | kinds_of(draft.stages[stage])
    for kind in shape.evidence:
        if kind not in done:
            yield f"the evidence of '{kind}'"
    if shape.signed and not (gate.approvals and gate.authentication != "gateway"):
        yield "people who sign what they decide"


def tier_governed(draft: Draft) -> Iterator[Diagnostic]:
    """MO714."""
    facts, tiers = draft.policy.facts, draft.template.tiers
    if facts and facts.risk_tier not in tiers:
        message = f"'{facts.id}' has risk tier {facts.risk_tier}, and the lifecycle governs {', '.join(tiers)}"
        yield draft.report(
            "MO714", ("tiers",), message, "take another template, or add the tier and satisfy its controls"
        )


# --- demands


def satisfied(draft: Draft) -> Iterator[Diagnostic]:
    """MO702, MO703, MO706 to MO709, MO712, MO713: by the weight of the control, unless it is waived."""
    for demand in demands(draft):
        waiver = draft.template.waivers.get(demand.name)
        waived = waiver and waiver.until > draft.policy.on and demand.control.severity is Weight.SOFT
        for found in _lacking(draft, demand):
            mild = waived or demand.control.severity is Weight.ADVISORY
            severity = Severity.WARNING if mild else Severity.ERROR
            regulation = f"{demand.pack.name}, {demand.control.reference}"
            yield found.model_copy(update={"severity": severity, "regulation": regulation})


def _lacking(draft: Draft, demand: Demand) -> Iterator[Diagnostic]:
    control = demand.control
    if control.before and control.before not in (*Environment, END, *draft.stages):
        message = f"{demand.asked} stands before the stage '{control.before}', and there is none: {control.title}"
        yield draft.report("MO702", ("stages",), message, "name the stage so, or ask the pack's author", key=True)
    if control.gate and not control.gate.empty:
        yield from _gate(draft, demand, control.gate)
    yield from _steps(draft, demand)
    yield from _watched(draft, demand)
    yield from _kept(draft, demand)
    if barred := [duty for duty in control.separation if duty not in draft.template.separation_of_duties]:
        message = f"{demand.asked}: nobody who is {' or '.join(barred)} of a version may approve it"
        yield draft.report("MO712", ("separation_of_duties",), message, f"add {', '.join(barred)}", key=True)


def _gate(draft: Draft, demand: Demand, shape: Shape) -> Iterator[Diagnostic]:
    places = _places(draft, demand)
    claiming = _claiming(draft, demand.name)
    if not places:
        return
    if not claiming:
        mend = _mend(draft, demand.name, shape)
        message = f"no gate satisfies {demand.asked} before {demand.control.before}: {demand.control.title.rstrip('.')}"
        yield draft.report("MO702", ("stages", places[0]), message, mend, key=True)
        return
    ids = " or ".join(sorted(gate_id(stage) for stage in claiming))
    for place in places:
        if demand.name not in draft.claimed_before.get(place, frozenset()):
            avoided = frozenset(stage.name for stage in claiming)
            way = " > ".join(way_to(draft.stages, draft.enters.new_version, place, avoided))
            message = f"a version can come to '{place}' without {ids}, which satisfies {demand.asked}"
            how = f"by this way: {way}" if way else "by no way of a version: events lead there, past every gate"
            yield draft.report("MO703", ("stages", place), message, how, key=True)


def _claiming(draft: Draft, control: Slug) -> list[StagePlan]:
    stages = draft.template.stages
    return [draft.stages[n] for n, stage in stages.items() if stage.gate and control in stage.gate.satisfies]


def _mend(draft: Draft, control: Slug, shape: Shape) -> str:
    """What to write where: at the gate that lacks least of a shape, of two alike at the later one."""
    gates = [(name, draft.template.stages[name].gate) for name in draft.stages if name in draft.under_way]
    lacking = [(list(_lacks(draft, name, gate, shape)), name) for name, gate in reversed(gates) if gate]
    lacks, near = min(lacking, key=lambda one: len(one[0]), default=([], ""))
    more = f", and ask for {'; '.join(lacks)}" if lacks else ""
    return f"the gate of '{near}' comes nearest: write 'satisfies: [{control}]'{more}" if near else "add a gate"


def _places(draft: Draft, demand: Demand) -> list[str]:
    """The stages that a control stands before: those that promote to the environment, the ends, the stage itself."""
    before = demand.control.before
    if before == END:
        return [stage.name for stage in draft.stages.values() if stage.terminal]
    if before in draft.stages:
        return [before]
    return [stage.name for stage in draft.stages.values() if stage.environment == before and promotes(stage)]


def _steps(draft: Draft, demand: Demand) -> Iterator[Diagnostic]:
    for place in _places(draft, demand) if demand.control.steps else ():
        own = draft.stages[place].steps
        promotes = next((i for i, step in enumerate(own) if step.kind in ENTERS), len(own))
        before = draft.closed_before if place in draft.closing else draft.done_before
        done = before.get(place, frozenset()) | {step.kind for step in own[:promotes]}
        if missing := [kind for kind in demand.control.steps if kind not in done]:
            message = f"{demand.asked}: a version can come to '{place}' without {' and '.join(missing)}"
            yield draft.report("MO706", ("stages", place), message, f"do {', '.join(missing)} before it", key=True)


def _watched(draft: Draft, demand: Demand) -> Iterator[Diagnostic]:
    control = demand.control
    asked = [("MO707", f"'{kpi}'", {kpi}) for kpi in control.monitors]
    read = {name for name, kpi in draft.template.kpis.items() if kpi.metric}
    asked += [
        (
            "MO713",
            f"the {dimension} dimension",
            {kpi for kpi, one in QUANTITIES.items() if one.dimension is dimension}
            | (read if dimension is Dimension.BUSINESS else set()),
        )
        for dimension in control.dimensions
    ]
    for code, what, kpis in asked:
        monitors = draft.template.monitors.items()
        watching = [(monitor.every, name) for name, monitor in monitors if kpis.intersection(monitor.checks)]
        often, name = min(watching, default=(0, ""))
        if not name:
            message = f"{demand.asked}: nothing watches {what} in production"
            mend = f"check {' or '.join(map(quote, sorted(kpis)))} in a monitor"
            yield draft.report(code, ("monitors",), message, mend, key=True)
        elif control.every and often > control.every:
            message = f"{demand.asked}: {what} is watched every {spell_duration(often)}"
            mend = f"watch it every {spell_duration(control.every)} at least"
            yield draft.report(code, ("monitors", name, "every"), message, mend)


def _kept(draft: Draft, demand: Demand) -> Iterator[Diagnostic]:
    control, template = demand.control, draft.template
    if control.retention and (template.retention or 0) < control.retention:
        kept = spell_duration(template.retention) if template.retention else "not at all"
        message = f"{demand.asked}: records are kept {spell_duration(control.retention)} or longer; here {kept}"
        yield draft.report("MO708", ("retention",), message, f"write 'retention: {spell_duration(control.retention)}'")
    if control.review and (template.review is None or template.review.every > control.review):
        often = spell_duration(template.review.every) if template.review else "never"
        message = (
            f"{demand.asked}: a champion is reviewed every {spell_duration(control.review)} or sooner; here {often}"
        )
        mend = f"write 'review: {{every: {spell_duration(control.review)}, to: ROLE}}'"
        yield draft.report("MO709", ("review",), message, mend)


# --- waivers


def waived_rightly(draft: Draft) -> Iterator[Diagnostic]:
    """MO710."""
    for name, waiver in draft.template.waivers.items():
        path: Path = ("waivers", name)
        controls = [control for _, control in _meant(draft, name)]
        known = sorted({one for pack in draft.policy.packs for one in pack.controls})
        if known and not controls:
            yield draft.report("MO710", path, f"there is no control {quote(name)}", did_you_mean(name, known), key=True)
        elif any(control.severity is Weight.HARD for control in controls):
            yield draft.report("MO710", path, f"'{name}' is hard: it cannot be waived", "satisfy it", key=True)
        if waiver.until <= draft.policy.on:
            message = f"the waiver of '{name}' ended on {waiver.until}"
            yield draft.report("MO710", (*path, "until"), message, "satisfy the control, or renew the waiver")


def waived_within_bounds(draft: Draft) -> Iterator[Diagnostic]:
    """MO715 to MO717: as the packs have it that demand the control; where none does, as any pack has it."""
    for name, waiver in draft.template.waivers.items():
        for pack, control in _meant(draft, name):
            for found in _beyond(draft, name, waiver, pack):
                yield found.model_copy(update={"regulation": f"{pack.name}, {control.reference}"})


def _beyond(draft: Draft, name: Slug, waiver: Waiver, pack: Pack) -> Iterator[Diagnostic]:
    path: Path = ("waivers", name)
    if not pack.controls[name].waivable:
        message = f"'{name}' is never waived: the pack says 'waivable: false'"
        yield draft.report("MO715", path, message, "satisfy it", key=True)
    if pack.waivers is None:
        return
    longest = timedelta(seconds=pack.waivers.at_most)
    if waiver.until - draft.policy.on > longest:
        message = (
            f"the waiver of '{name}' lasts until {waiver.until}, longer than {spell_duration(pack.waivers.at_most)}"
        )
        last = draft.policy.on + longest
        yield draft.report("MO716", (*path, "until"), message, f"end it on {last} or sooner, or satisfy the control")
    if waiver.renewals > pack.waivers.renewals:
        message = f"the waiver of '{name}' is renewed {waiver.renewals} times; {pack.waivers.renewals} at most"
        yield draft.report("MO717", (*path, "renewals"), message, "satisfy the control")


CLAIMS: tuple[Rule, ...] = (packs_known, claims_known, waived_rightly, waived_within_bounds, tier_governed)
"""Rules that hold for any template that could be read."""

RULES: tuple[Rule, ...] = (claims_have_their_shape, satisfied)
"""Rules about paths."""
