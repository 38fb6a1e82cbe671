"""Lifecycles, models and templates as tables for people."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from client.console import clean, moment
from client.views import Found, Known, Listed
from models.calendar import Calendar
from models.canonical import spell_duration
from models.inventory import Environment, ModelFacts, Rating, VersionStatus
from models.messages import Decision
from models.plan import GatePlan, MonitorPlan, Plan, StagePlan
from models.state import Finding, Phase
from models.status import GateStatus, Status, VersionStatusView
from models.verdict import Verdict
from models.waivers import LAPSED

_STYLES = {
    Phase.WORKING: "cyan",
    Phase.DECIDING: "yellow",
    Phase.AWAITING_VERSION: "yellow",
    Phase.STUCK: "bold red",
    Phase.STEADY: "green",
    Phase.ENDED: "dim",
}
VERDICTS = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.INCONCLUSIVE: "yellow"}
_NONE = "-"
_ENDLESS = 10_000
_TITLE_WIDTH = 16
_SPARE = ("Updated", "Template", "Owner", "Tier", "Version", "Champion", "Title", "Stage", "Phase")
"""What a list of models can do without where there is no room, the first at first."""


def verdict_text(verdict: Verdict) -> Text:
    """A verdict in its colour."""
    return Text(verdict, VERDICTS[verdict])


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A plain table; an empty cell shows a dash. Cells are shown as they are: no markup, no control characters."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else _cell(cell) for cell in row))
    return drawn


def _cell(value: object) -> Text:
    return Text(_NONE if value is None or value == "" else clean(str(value)))


class Roster:
    """A table that leaves columns out until the rest fits into the width that there is. Titles alone are wrapped."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        self._columns = columns
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        """The widest table that fits, else the narrowest."""
        endless = options.update(width=_ENDLESS)
        tables = [self._without(_SPARE[:count]) for count in range(len(_SPARE) + 1)]
        fitting = (one for one in tables if Measurement.get(console, endless, one).minimum <= options.max_width)
        yield next(fitting, tables[-1])

    def _without(self, left_out: Sequence[str]) -> Table:
        kept = [place for place, column in enumerate(self._columns) if column not in left_out]
        drawn = table([self._columns[place] for place in kept], ([row[place] for place in kept] for row in self._rows))
        for column in drawn.columns:
            column.no_wrap = column.header != "Title" and len(kept) > 1
            column.min_width = max(cell_len(str(cell)) for cell in column.cells) if column.no_wrap else _TITLE_WIDTH
        return drawn


def models(listed: Sequence[Listed]) -> Roster:
    """All models, and where their lifecycles are; in a narrow terminal only what matters most."""
    columns = ("Model", "Title", "Tier", "Owner", "Template", "Stage", "Phase", "Version", "Champion", "Updated")
    rows = [
        (
            one.model,
            one.title,
            one.tier,
            one.owner,
            one.template,
            one.stage,
            Text(one.phase.replace("_", " "), _STYLES[one.phase]) if one.phase else None,
            one.candidate,
            one.champion,
            moment(one.updated) if one.updated else None,
        )
        for one in listed
    ]
    return Roster(columns, rows)


def model(facts: ModelFacts, rating: Rating | None, regulations: Sequence[str], versions: Sequence[Known]) -> Group:
    """What is registered of one model."""
    rows = [
        ("Title", facts.title),
        ("Kind", facts.kind),
        ("Tier", facts.risk_tier),
        *(("Because", reason) for reason in (rating.reasons if rating else ())),
        ("Owner", facts.owner),
        ("Intended use", facts.intended_use),
        ("Use case", f"{facts.use_case.id}: {facts.use_case.process}"),
        ("Stakeholders", ", ".join(facts.stakeholders)),
        ("Consumers", ", ".join(consumer.name for consumer in facts.consumers)),
        *(("Regulation", regulation) for regulation in regulations),
    ]
    known = [(one.number, one.status, one.artifact, ", ".join(one.gates)) for one in versions]
    parts: list[RenderableType] = [table((facts.id, ""), rows)]
    if known:
        parts += ["", table(("Version", "Status", "Artifact", "Gates passed"), known)]
    return Group(*parts)


def findings(found: Sequence[Found]) -> Table:
    """What contradicts the record, and since when."""
    rows = [
        (one.kind.replace("_", " "), one.model, one.text, moment(one.first_seen), _until(one.resolved)) for one in found
    ]
    return table(("Kind", "Model", "Finding", "Since", "Until"), rows)


def _until(resolved: datetime | None) -> str:
    return moment(resolved) if resolved else ""


def contradicted(found: Sequence[Found]) -> Text:
    """What contradicts the record of one model, in one line."""
    return Text(f"Contradicts the record: {clean('; '.join(one.text for one in found))}", style="red")


def status(found: Status, brief: bool = False) -> Group:
    """Where a lifecycle is, and how to act; in brief, without what its versions have earned."""
    views = () if brief else (("Version", found.version), ("Champion", found.champion))
    parts = [
        _banner(found),
        gate(found, found.gate) if found.gate else None,
        _checks(found),
        *_titled(("Finding", "Gate", "Role", "Who", "Version", "To be closed"), [_finding(f) for f in found.findings]),
        *(part for name, view in views if view for part in ("", _version(name, view))),
    ]
    return Group(*(part for part in parts if part is not None))


def _banner(found: Status) -> Panel:
    lines = Text()
    lines.append(f"{found.stage} · {found.phase.replace('_', ' ')}", style=_STYLES[found.phase])
    lines.append(" · paused" if found.paused else "", style="bold yellow")
    if found.failure:
        lines.append(f"\n{clean(found.failure.type)}: {clean(found.failure.message)}", style="red")
        lines.append(f"\n{clean(found.failure.remedy)}" if found.failure.remedy else "")
    else:
        lines.append(f"\n{clean(found.waiting_for)}")
    if found.due:
        lines.append(f"\nDue {moment(found.due)}")
    for trouble in found.troubles:
        lines.append(f"\n{clean(trouble)}", style="red")
    for matter in found.matters:
        lines.append(f"\n{clean(matter)}", style="yellow")
    for way in _ways(found):
        lines.append(f"\n{way}", style="bold")
    lines.append(_turned_away(found))
    serving = ", ".join(f"{where} version {found.serving[where]}" for where in Environment if where in found.serving)
    lines.append(f"\nServing: {serving or 'nowhere'}", style="dim")
    versions = ", ".join(f"{number} {_fate(found, number, status)}" for number, status in found.statuses.items())
    lines.append(f"\nVersions: {versions}" if versions else "", style="dim")
    lines.append(f"\nTemplate {found.template} {clean(found.template_version)}, plan {found.plan[7:19]}", style="dim")
    return Panel.fit(lines, title=found.model, title_align="left")


def _ways(found: Status) -> Iterator[str]:
    """The commands that lead on from here, but for a decision."""
    signed = f"{found.model} --as YOU --reason WHY"
    if found.glass and found.phase is not Phase.ENDED:
        other = f"{found.model} --as SOMEBODY_ELSE --reason WHY"
        if not found.glass.confirmed:
            yield f"Stand by it: modelops confirm {other}"
        yield f"Close its review: modelops review {other}"
    if found.failure and found.failure.type != LAPSED:
        yield f"Try again: modelops retry {signed}"
    if found.failure and found.version:
        yield f"Or give version {found.version.number} up: modelops abandon {signed}"
    if found.paused:
        yield f"Go on: modelops resume {signed}"
    if found.phase is Phase.AWAITING_VERSION:
        yield f"Hand one in: modelops submit {found.model} FILE --as YOU"
        if found.previous:
            yield f"Or have version {found.previous} serve again: modelops rollback {signed}"


def _turned_away(found: Status) -> str:
    """Why the last version did not pass, until another has passed a stage."""
    last = found.passages[-1] if found.passages else None
    if last is None or last.version is None or found.statuses.get(last.version) is not VersionStatus.REJECTED:
        return ""
    return clean(f"\nVersion {last.version} was rejected in {last.stage}: {last.reason or last.verdict}")


def _fate(found: Status, number: int, status: VersionStatus) -> str:
    """A version's status, and the stage that turned it away."""
    turned = [one.stage for one in found.passages if one.version == number and one.verdict is not Verdict.PASS]
    return f"{status} in {turned[-1]}" if status is VersionStatus.REJECTED and turned else str(status)


def gate(found: Status, asked: GateStatus) -> Group:
    """What is to be decided, who has decided and who may, and how."""
    rows: list[tuple[object, ...]] = [
        (one.role, f"{one.owed} owed", ", ".join(one.people) or "nobody may decide", "") for one in asked.asked
    ]
    rows += [(made.role, made.decision, _who(made), made.reason) for made in asked.decisions]
    role, person = next(((one.role, one.people[0]) for one in asked.asked if one.people), ("", "YOU"))
    closes = "".join(f" --closes {one.id}" for one in asked.findings if one.role == role)
    decide = f"modelops decide {found.model} {asked.gate} approve --as {person} --reason WHY{closes}"
    evidence = found.version.evidence if found.version else ()
    return Group(
        Text(f"Gate '{asked.gate}': {clean(asked.question)}", style="bold"),
        Text(f"About artifact {asked.artifact}" + (f", by {moment(asked.due)}" if asked.due else ""), style="dim"),
        table(("Role", "Decision", "Who", "Reason"), rows),
        *(Text(f"An approval of {one.role} closes {one.id}: {clean(one.text)}", "yellow") for one in asked.findings),
        *(Text(f"{one.kind}: {clean(one.summary)}", style="dim") for one in evidence),
        Text(f"Read a report: modelops gate show {found.model} --open KIND", style="bold") if evidence else "",
        Text(f"Decide: {decide}", style="bold"),
        "",
    )


def _who(made: Decision) -> str:
    return f"{made.person} for {made.on_behalf_of}" if made.on_behalf_of else made.person


def _finding(one: Finding) -> tuple[object, ...]:
    return one.id, one.gate, one.role, one.person, one.version, one.text


def _checks(found: Status) -> Table | None:
    if not found.checks:
        return None
    rows = [(one.kpi, verdict_text(one.verdict), one.reason) for one in found.checks]
    return table(("Check", "Verdict", "Reason"), rows)


def _version(name: str, view: VersionStatusView) -> Table:
    readings = ", ".join(f"{one.name} {one.value:.4g} (n={one.count})" for one in view.readings)
    rows = [
        ("Status", view.status),
        ("Artifact", view.artifact),
        ("Developer", view.developer),
        ("Gates passed", ", ".join(view.gates)),
        ("Readings", readings),
        *((one.kind, one.summary) for one in view.evidence),
    ]
    return table((f"{name} {view.number}", ""), rows)


def plan(compiled: Plan) -> Group:
    """A template's stages, roles, KPIs and monitors."""
    steps = [
        (stage.name, stage.environment, ", ".join(step.kind for step in stage.steps), _asks(stage.gate), _leads(stage))
        for stage in compiled.stages
    ]
    kpis = [(kpi.name, kpi.passes, kpi.fails, kpi.at_least) for kpi in compiled.kpis]
    watches = [
        (one.id, ", ".join(one.checks), spell_duration(one.every), one.then, _brakes(one)) for one in compiled.monitors
    ]
    return Group(
        Text(f"{compiled.template} {compiled.version}: {clean(compiled.title)}", style="bold"),
        Text(f"Governs tiers {', '.join(compiled.tiers)}; the gates of PROD: {_gates_of_production(compiled)}"),
        Text(f"{_edited(compiled)}{_business_days(compiled.calendar)}"),
        table(("Stage", "Environment", "Steps", "Gate", "Leads to"), steps),
        *_titled(("Role", "Group"), list(compiled.roles.items())),
        *_titled(("KPI", "Passes", "Fails", "Observations"), kpis),
        *_titled(("Monitor", "Checks", "Every", "Breach starts", "Brakes"), watches),
    )


def _edited(compiled: Plan) -> str:
    return f"Edited by {', '.join(compiled.editors)}\n" if compiled.editors else ""


def _business_days(calendar: Calendar | None) -> str:
    if calendar is None:
        return ""
    hours = f", {calendar.hours[0]} to {calendar.hours[1]} o'clock" if calendar.hours else ""
    free = f", holidays: {len(calendar.holidays)}" if calendar.holidays else ""
    return f"Business days: {', '.join(calendar.workdays)} in {calendar.zone}{hours}{free}\n"


def _titled(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[RenderableType]:
    return ["", table(columns, rows)] if rows else []


def _asks(gate: GatePlan | None) -> str:
    if gate is None:
        return ""
    approvals = ", ".join(f"{count} of {role}" for role, count in gate.approvals.items())
    wanted = "; ".join(part for part in (", ".join(gate.checks), approvals) if part)
    lapse = f", approvals lapse after {spell_duration(gate.approvals_lapse)}" if gate.approvals_lapse else ""
    return f"{gate.id}: {wanted}" + (f" within {spell_duration(gate.sla)}{lapse}" if gate.sla else "")


def _leads(stage: StagePlan) -> str:
    if stage.routes is None:
        return "the end" if stage.terminal else "events" if stage.steady else "waits"
    words = (("pass", stage.routes.passed), ("fail", stage.routes.failed), ("inconclusive", stage.routes.inconclusive))
    return ", ".join(f"{word}: {target}" for word, target in words if target)


def _brakes(monitor: MonitorPlan) -> str:
    brakes = monitor.brakes
    if not brakes.cooldown:
        return ""
    limit = f"{brakes.at_most} per {spell_duration(brakes.per)}, {spell_duration(brakes.cooldown)} apart"
    return f"{limit}, else {brakes.otherwise}"


def _gates_of_production(compiled: Plan) -> str:
    gates = compiled.environment_gates.get(compiled.production, ()) if compiled.production else ()
    return ", ".join(gates) or "none"
