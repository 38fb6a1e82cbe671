"""The facts on the card: the way to production, what was measured, what serves, where it all comes from."""

from urllib.parse import quote as escape

from models.canonical import Digest, spell_duration
from models.inventory import Environment
from models.plan import Plan
from models.state import Phase
from models.status import Status
from models.verdict import Kpi, Reading, Verdict, judge
from workflows.attributes import MODEL, WAITS_FOR
from workflows.card_markup import Mark, Stop, folded, meter, safe, some, strip, table

_KPIS = 8
VERDICT = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "❔"}
"""How a verdict looks."""

_SIGN = {">=": "≥", "<=": "≤", ">": "more than", "<": "less than", "==": "="}
_MARK = {
    Phase.AWAITING_VERSION: Mark.WAITS,
    Phase.WORKING: Mark.WORKS,
    Phase.DECIDING: Mark.WAITS,
    Phase.STUCK: Mark.FAILED,
    Phase.STEADY: Mark.RESTS,
    Phase.ENDED: Mark.DONE,
}


def heading(plan: Plan, status: Status) -> str:
    """What this is about."""
    version = f" · version {status.version.number}" if status.version else ""
    since = f" since {status.since:%Y-%m-%d %H:%M} UTC" if status.since else ""
    return (
        f"## {status.model}{version}\n{safe(plan.title, 80)} · owner {status.owner} · stage **{status.stage}**{since}"
    )


def way(plan: Plan, status: Status) -> str:
    """The stages to production, and where the lifecycle is; a stage beside that way comes last."""
    stages = _passing(plan, plan.entry)
    passed = stages.index(status.stage) if status.stage in stages else 0
    if status.stage not in stages:
        stages += _passing(plan, status.stage)
    marks = [Mark.DONE if index < passed else Mark.AHEAD for index in range(len(stages))]
    marks[stages.index(status.stage)] = _MARK[status.phase]
    return strip([Stop(name, mark, _served(plan, status, name)) for name, mark in zip(stages, marks, strict=True)])


def _passing(plan: Plan, start: str) -> list[str]:
    stages = [start]
    while (routes := plan.stage(stages[-1]).routes) and routes.passed not in stages:
        stages.append(routes.passed)
    return stages


def _served(plan: Plan, status: Status, stage: str) -> str:
    environment = plan.stage(stage).environment
    version = status.serving.get(environment) if environment else None
    return f"{environment}: v{version}" if version else ""


def checks(plan: Plan, status: Status) -> str:
    """What was measured of the version, those first that the stage's gate asks for."""
    version = status.version or status.champion
    if version is None:
        return ""
    gate = plan.stage(status.stage).gate
    first = gate.checks if gate else ()
    measured = {reading.name: reading for reading in version.readings}
    kpis = sorted((kpi for kpi in plan.kpis if kpi.name in measured), key=lambda kpi: kpi.name not in first)
    rows = [judged(kpi, measured[kpi.name]) for kpi in kpis[:_KPIS]]
    return table((f"KPI of version {version.number}", "Value", "Passes", "Level"), rows)


def judged(kpi: Kpi, reading: Reading) -> tuple[str, str, str, str]:
    """A line of a table: the KPI, its value with the verdict, when it passes, and how near that is."""
    check = judge(kpi, (reading,))
    level = meter(kpi, reading.value) if reading.count >= kpi.at_least else safe(check.reason)
    passes = f"{_SIGN[kpi.passes.operator]} {kpi.passes.bound:g}"
    return kpi.name, f"{VERDICT[check.verdict]}\u00a0{reading.value:.3g}", passes.replace(" ", "\u00a0"), level


def production(plan: Plan, status: Status) -> str:
    """The champion, what could take its place, and who watches it."""
    if status.champion is None:
        return ""
    serving = [f"{place} version {status.serving[place]}" for place in Environment if place in status.serving]
    lines = [f"🏆 **Champion** version {status.champion.number} · serving {some(serving) or 'nowhere'}"]
    if status.previous and status.stage not in plan.closing:
        lines.append(f"↩️ **Previous** version {status.previous}: a `rollback` brings it back")
    for monitor in plan.monitors[:3] if plan.production in status.serving else ():
        often = f"every {spell_duration(monitor.every)}, a breach starts {monitor.then}"
        if status.tightened and status.tightened.monitor == monitor.id:
            until = f"{status.tightened.until:%Y-%m-%d %H:%M} UTC"
            often = f"every {spell_duration(monitor.tightened)} until {until}, then {often}"
        lines.append(f"📈 **Monitor** {monitor.id}: {some(monitor.checks, 4)} {often}")
    if plan.monitors and plan.production in status.serving:
        lines.append(looks(status.model))
    return "\n".join(lines)


def looks(model: str, monitor: str | None = None) -> str:
    """Where the Web UI lists what monitors have found last: one of them, or all."""
    query = escape(f'WorkflowId STARTS_WITH "monitor/{model}/{monitor or ""}"', safe="")
    return f"[The last readings of {monitor or 'all monitors'}](/namespaces/{{namespace}}/workflows?query={query})"


def lineage(status: Status) -> str:
    """Under which policy, from which bytes, with which evidence."""
    version = status.version or status.champion
    lines = [f"template {status.template} {safe(status.template_version, 20)}, plan {_short(status.plan)}"]
    if version:
        lines.append(f"version {version.number}: artifact {_short(version.artifact)}, developer {version.developer}")
        lines.append(f"gates passed: {some(version.gates) or 'none'}")
        lines += [f"{safe(e.kind, 20)} {_short(e.digest)}: {safe(e.summary, 80)}" for e in version.evidence[-3:]]
    versions = [f"{number} {standing}" for number, standing in sorted(status.statuses.items())]
    return folded("Policy and lineage", [*lines, f"versions: {', '.join(versions[-6:]) or 'none'}"])


def _short(digest: Digest) -> str:
    return digest.removeprefix("sha256:")[:12]


def links(status: Status) -> str:
    """Where to look next. The Web UI fills in the namespace."""
    found = [_link("All runs of this model", MODEL.name, status.model)]
    if status.gate and status.gate.asked:
        role = status.gate.asked[0].role
        found.append(_link(f"All that waits for {role}", WAITS_FOR.name, role))
    return " · ".join(found)


def _link(text: str, attribute: str, value: str) -> str:
    return f"[{text}](/namespaces/{{namespace}}/workflows?query={attribute}%3D%22{value}%22)"
