"""Rules about names: every name refers to something, and nothing is said twice."""

from collections.abc import Iterable, Iterator

from models.diagnostics import Diagnostic, quote
from models.rules.draft import Draft, Rule
from models.source.yaml_source import Path


def entries(draft: Draft) -> Iterator[Diagnostic]:
    """MO211 for `enters`."""
    for field in ("new_version", "retirement", "suspension"):
        name = getattr(draft.enters, field)
        if name is not None and name not in draft.stages:
            yield draft.unknown("MO211", ("enters", field), "stage", name, list(draft.stages))


def routes(draft: Draft) -> Iterator[Diagnostic]:
    """MO211 for `then`."""
    for name, stage in draft.template.stages.items():
        if stage.then is None:
            continue
        named = {"pass": stage.then.passed, "fail": stage.then.failed, "inconclusive": stage.then.inconclusive}
        for verdict, target in named.items():
            if target is not None and target not in draft.stages:
                yield draft.unknown("MO211", ("stages", name, "then", verdict), "stage", target, list(draft.stages))


def _role_uses(draft: Draft) -> Iterator[tuple[Path, str]]:
    for name, stage in draft.template.stages.items():
        if stage.gate:
            gate: Path = ("stages", name, "gate")
            yield from (((*gate, "approvals", role), role) for role in stage.gate.approvals)
            yield from (((*gate, "escalate", i, "to"), e.to) for i, e in enumerate(stage.gate.escalate))
    for name, monitor in draft.template.monitors.items():
        if monitor.to:
            yield ("monitors", name, "to"), monitor.to
    if draft.template.review:
        yield ("review", "to"), draft.template.review.to


def roles(draft: Draft) -> Iterator[Diagnostic]:
    """MO212, MO410."""
    known = draft.template.roles
    used = list(_role_uses(draft))
    for path, role in used:
        if role not in known:
            at_key = path[-2:-1] == ("approvals",)
            unknown = draft.unknown("MO212", path, "role", role, list(known))
            place = draft.source.place(path, key=at_key)
            yield unknown.model_copy(update={"line": place.line, "column": place.column})
    for role in known.keys() - {role for _, role in used}:
        yield draft.report("MO410", ("roles", role), f"nothing asks or tells the role '{role}'", key=True)


def _checks(draft: Draft) -> Iterator[tuple[Path, tuple[str, ...]]]:
    for name, stage in draft.template.stages.items():
        if stage.gate:
            yield ("stages", name, "gate", "checks"), stage.gate.checks
        if stage.trial:
            yield ("stages", name, "trial", "checks"), stage.trial.checks
    for name, monitor in draft.template.monitors.items():
        yield ("monitors", name, "checks"), monitor.checks


def kpis(draft: Draft) -> Iterator[Diagnostic]:
    """MO213, MO606."""
    known = draft.template.kpis
    used: set[str] = set()
    for path, names in _checks(draft):
        used.update(names)
        for index, name in enumerate(names):
            if name not in known:
                yield draft.unknown("MO213", (*path, index), "KPI", name, list(known))
    for name in known.keys() - used:
        yield draft.report("MO606", ("kpis", name), f"nothing checks the KPI '{name}'", key=True)


def _repeated(names: Iterable[str | int]) -> Iterator[tuple[int, str | int]]:
    seen = set()
    for index, name in enumerate(names):
        if name in seen:
            yield index, name
        seen.add(name)


def entries_said_twice(draft: Draft) -> Iterator[Diagnostic]:
    """MO209 for lists."""
    template = draft.template
    lists: list[tuple[Path, tuple[str | int, ...]]] = [
        (("tiers",), template.tiers),
        (("separation_of_duties",), template.separation_of_duties),
        (("editors",), template.editors),
        *_checks(draft),
    ]
    if template.calendar:
        days = tuple(day.isoformat() for day in template.calendar.holidays)
        lists += [(("calendar", "workdays"), template.calendar.workdays), (("calendar", "holidays"), days)]
    for name, stage in template.stages.items():
        lists += [(("stages", name, "do", index, "readings"), step.readings) for index, step in enumerate(stage.do)]
        if stage.gate:
            lists.append((("stages", name, "gate", "remind"), stage.gate.remind))
    for path, names in lists:
        for index, repeated in _repeated(names):
            shown = draft.source.written.get((*path, index), str(repeated))
            yield draft.report("MO209", (*path, index), f"{quote(shown)} is in the list already", "keep one")


def ids_said_twice(draft: Draft) -> Iterator[Diagnostic]:
    """MO209 for steps and gates."""
    gates: dict[str, str] = {}
    for name, stage in draft.stages.items():
        for index, repeated in _repeated(step.id for step in stage.steps):
            path: Path = ("stages", name, "do", index)
            suggestion = "give one of them its own: {run: ..., id: ...}"
            yield draft.report("MO209", path, f"stage '{name}' has a step '{repeated}' already", suggestion)
        if stage.gate and (first := gates.setdefault(stage.gate.id, name)) != name:
            message = f"the gate of stage '{first}' is called '{stage.gate.id}' already"
            yield draft.report("MO209", ("stages", name, "gate", "id"), message, "give one of them another id")


RULES: tuple[Rule, ...] = (entries, routes, roles, kpis, entries_said_twice, ids_said_twice)
