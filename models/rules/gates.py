"""Rules about gates: what they decide on, whom they ask, and what happens when nobody answers."""

from collections.abc import Iterator

from models.canonical import spell_duration
from models.diagnostics import Diagnostic
from models.inventory import RiskTier
from models.rules.draft import Draft, Rule
from models.source.yaml_source import Path
from models.template import Gate
from models.verdict import Verdict
from models.waits import Wait, never_later


def _gates(draft: Draft, people: bool) -> Iterator[tuple[Path, Gate]]:
    for name, stage in draft.template.stages.items():
        if stage.gate and bool(stage.gate.approvals) is people:
            yield ("stages", name, "gate"), stage.gate


def decides_something(draft: Draft) -> Iterator[Diagnostic]:
    """MO401."""
    for path, gate in _gates(draft, people=False):
        if not gate.checks:
            message = "the gate has neither checks nor approvals: it lets everything pass"
            yield draft.report("MO401", path, message, "add checks or approvals, or remove the gate", key=True)


def asks_properly(draft: Draft) -> Iterator[Diagnostic]:
    """MO402 to MO405."""
    demands = (
        ("MO402", "question", "does not say what it asks", "question: Is it fit for its intended use?"),
        ("MO403", "sla", "does not say by when", "sla: 10d"),
        ("MO404", "on_timeout", "does not say what silence means", "on_timeout: hold (or reject)"),
        ("MO405", "escalate", "does not say whom to tell when nobody decides", "escalate: [{after: 10d, to: risk}]"),
    )
    for path, gate in _gates(draft, people=True):
        for code, field, lacks, example in demands:
            if not getattr(gate, field):
                yield draft.report(code, path, f"the gate asks people and {lacks}", f"add '{example}'", key=True)


def in_time(draft: Draft) -> Iterator[Diagnostic]:
    """MO406."""
    for path, gate in _gates(draft, people=True):
        sla = gate.sla
        if sla is None:
            continue
        for index, after in enumerate(gate.remind):
            if after == sla or not never_later(after, sla):
                message = f"a reminder after {spell_duration(after)} is not before the SLA of {spell_duration(sla)}"
                yield draft.report("MO406", (*path, "remind", index), message, "remind earlier")
        for index, reminder in enumerate(gate.escalate):
            if gate.on_timeout == "reject" and reminder.after != sla and never_later(sla, reminder.after):
                message = f"the gate rejects after {spell_duration(sla)}: this escalation is never sent"
                yield draft.report("MO406", (*path, "escalate", index, "after"), message, "escalate earlier")


def _waits(path: Path, gate: Gate) -> Iterator[tuple[Path, Wait | None]]:
    yield (*path, "sla"), gate.sla
    yield (*path, "approvals_lapse"), gate.approvals_lapse
    yield from (((*path, "remind", index), after) for index, after in enumerate(gate.remind))
    yield from (((*path, "escalate", index, "after"), one.after) for index, one in enumerate(gate.escalate))


def counts_known_days(draft: Draft) -> Iterator[Diagnostic]:
    """MO412."""
    if draft.template.calendar:
        return
    for gate_path, gate in _gates(draft, people=True):
        for path, wait in _waits(gate_path, gate):
            if isinstance(wait, str):
                message = f"'{wait}' counts business days, and the template has no calendar"
                suggestion = "add 'calendar: {zone: Europe/Berlin, workdays: [mon, tue, wed, thu, fri]}', or write days"
                yield draft.report("MO412", path, message, suggestion)


def routes_all_verdicts(draft: Draft) -> Iterator[Diagnostic]:
    """MO407."""
    for name, stage in draft.template.stages.items():
        if stage.gate is None or stage.steady or stage.terminal:
            continue
        then = stage.then
        routed = (then.passed, then.failed, then.inconclusive) if then else (None, None, None)
        if missing := [verdict for verdict, target in zip(Verdict, routed, strict=True) if target is None]:
            path: Path = ("stages", name, "then") if then else ("stages", name)
            message = f"stage '{name}' has a gate and no route for {' and '.join(missing)}"
            suggestion = "write 'then: {pass: ..., fail: ..., inconclusive: ...}'"
            yield draft.report("MO407", path, message, suggestion, key=True)


def asks_somebody(draft: Draft) -> Iterator[Diagnostic]:
    """MO409."""
    for path, gate in _gates(draft, people=False):
        for field in ("question", "sla", "remind", "escalate", "on_timeout", "authentication", "approvals_lapse"):
            if getattr(gate, field):
                message = f"'{field}' is about people, and the gate asks nobody"
                yield draft.report("MO409", (*path, field), message, "add approvals, or remove it", key=True)


def signed_where_it_matters(draft: Draft) -> Iterator[Diagnostic]:
    """MO411."""
    grave = [tier for tier in draft.template.tiers if tier in (RiskTier.HIGH, RiskTier.CRITICAL)]
    for path, gate in _gates(draft, people=True):
        if grave and gate.authentication == "gateway":
            message = f"the gate takes a gateway's word for who decides about models of tier {' and '.join(grave)}"
            suggestion = "write 'authentication: signature', or leave it out"
            yield draft.report("MO411", (*path, "authentication"), message, suggestion)


RULES: tuple[Rule, ...] = (
    decides_something,
    asks_properly,
    in_time,
    routes_all_verdicts,
    asks_somebody,
    signed_where_it_matters,
    counts_known_days,
)
