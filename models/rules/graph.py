"""Rules about the shape of the graph, for a template whose routes all lead somewhere."""

from collections.abc import Iterator

from models.diagnostics import Diagnostic
from models.evidence import StepKind
from models.inventory import Environment
from models.plan import StagePlan, reachable, targets
from models.proof.graph import kinds_of, pass_chain
from models.rules.draft import Draft, Rule
from models.source.yaml_source import Path
from models.verdict import Verdict


def _stage(name: str) -> Path:
    return ("stages", name)


def _route(name: str, verdict: Verdict) -> Path:
    return ("stages", name, "then", verdict.value)


def _asks(stage: StagePlan) -> bool:
    return stage.gate is not None and stage.gate.asks_people


def all_reachable(draft: Draft) -> Iterator[Diagnostic]:
    """MO301."""
    starts = (draft.entry, draft.enters.new_version, draft.enters.retirement, draft.enters.suspension)
    found = frozenset[str]().union(*(reachable(draft.stages, start) for start in starts if start))
    for name in draft.stages:
        if name not in found:
            yield draft.report("MO301", _stage(name), f"nothing leads to stage '{name}'", key=True)


def ends(draft: Draft) -> Iterator[Diagnostic]:
    """MO302, MO303, MO304."""
    terminal = {name for name, stage in draft.stages.items() if stage.terminal}
    if not terminal:
        yield draft.report("MO302", ("stages",), "no stage is the end", "add 'retired: {terminal: true}'", key=True)
    for name in terminal:
        stage = draft.stages[name]
        if stage.steps or stage.gate or stage.routes or stage.environment or stage.steady:
            message = f"'{name}' is the end, and still does something"
            yield draft.report("MO303", _stage(name), message, "keep only 'terminal: true'", key=True)
    past = (draft.closing | terminal) - {draft.enters.retirement}
    for name, stage in draft.stages.items():
        for verdict, target in targets(stage):
            if target in past and name not in draft.closing:
                message = f"'{name}' leads to '{target}', past '{draft.enters.retirement}', where retirement begins"
                suggestion = f"lead to '{draft.enters.retirement}' instead"
                yield draft.report("MO304", _route(name, verdict), message, suggestion)


def leads_on(draft: Draft) -> Iterator[Diagnostic]:
    """MO305."""
    for name, stage in draft.stages.items():
        waits = stage.steady or stage.terminal or name == draft.enters.suspension
        if not waits and stage.routes is None:
            message = f"'{name}' leads nowhere: nothing comes after it, not even retirement"
            yield draft.report("MO305", _stage(name), message, "add 'then'", key=True)
        elif name in draft.closing and not any(draft.stages[to].terminal for to in reachable(draft.stages, name)):
            message = f"no terminal stage can be reached from '{name}', which is part of retirement"
            yield draft.report("MO305", _stage(name), message, key=True)


def no_pass_circle(draft: Draft) -> Iterator[Diagnostic]:
    """MO306."""
    for name, stage in draft.stages.items():
        if stage.routes and name in pass_chain(draft.stages, stage.routes.passed):
            message = f"passing '{name}' leads back to '{name}'"
            yield draft.report("MO306", _route(name, Verdict.PASS), message)


def arrives(draft: Draft) -> Iterator[Diagnostic]:
    """MO307."""
    new, retirement = draft.enters.new_version, draft.enters.retirement
    if new not in pass_chain(draft.stages, draft.entry):
        message = f"passing everything from the first stage, '{draft.entry}', does not lead to '{new}'"
        yield draft.report("MO307", ("enters", "new_version"), message)
    way = pass_chain(draft.stages, new)
    if draft.steady and not draft.stages[way[-1]].steady:
        message = f"passing everything from '{new}' ends in '{way[-1]}', not in the steady stage"
        yield draft.report("MO307", ("enters", "new_version"), message)
    for name in sorted(draft.under_way & (draft.closing | draft.aside | {draft.enters.suspension or ""})):
        message = f"a version on its way to the steady stage comes through '{name}'"
        yield draft.report("MO307", _stage(name), message, "that stage is for suspension or retirement only", key=True)
    end = pass_chain(draft.stages, retirement)[-1]
    if not draft.stages[end].terminal:
        message = f"passing everything from '{retirement}' ends in '{end}', which is not terminal"
        yield draft.report("MO307", ("enters", "retirement"), message)


def entries_apart(draft: Draft) -> Iterator[Diagnostic]:
    """MO308."""
    enters = draft.enters
    if enters.new_version in draft.steady:
        message = "new versions enter in the steady stage, so no gate can stand before production"
        yield draft.report("MO308", ("enters", "new_version"), message)
    others = {enters.new_version, draft.entry, *draft.steady}
    if back := (others | {enters.suspension or ""}) & draft.closing:
        message = f"retirement leads back to {', '.join(sorted(back))}: retirement is for good"
        yield draft.report("MO308", ("enters", "retirement"), message)
    elif enters.suspension in others:
        message = f"'{enters.suspension}' cannot be the suspension stage: it is needed for something else"
        yield draft.report("MO308", ("enters", "suspension"), message)


def verdicts_apart(draft: Draft) -> Iterator[Diagnostic]:
    """MO309, MO310."""
    for name, stage in draft.stages.items():
        routes = stage.routes
        if routes is None:
            continue
        for verdict, target in targets(stage, (Verdict.FAIL, Verdict.INCONCLUSIVE)):
            if target == routes.passed:
                yield draft.report("MO309", _route(name, verdict), f"{verdict} of '{name}' leads where pass leads")
        unknown = routes.inconclusive
        gives_up = name in draft.opening and unknown in draft.closing
        if unknown is None or unknown == routes.passed or gives_up or _people_decide(draft, stage, unknown):
            continue
        if name not in pass_chain(draft.stages, unknown):
            message = f"inconclusive of '{name}' leads to '{unknown}', and from there passing never returns to '{name}'"
            yield draft.report("MO310", _route(name, Verdict.INCONCLUSIVE), message, f"lead back to '{name}'")


def _people_decide(draft: Draft, stage: StagePlan, unknown: str) -> bool:
    """Whether a trial, and nothing else, has found nothing out, and people are asked instead."""
    return kinds_of(stage) == {StepKind.TRIAL} and stage.gate is None and _asks(draft.stages[unknown])


def fails_safely(draft: Draft) -> Iterator[Diagnostic]:
    """MO311."""
    new, suspension = draft.enters.new_version, draft.enters.suspension
    for name, stage in draft.stages.items():
        target = stage.routes.failed if stage.routes else None
        if target is None or target in draft.closing:
            continue
        to = draft.stages[target]
        if name in draft.under_way:
            safe, instead = target == new or (target == suspension and not (to.needs_version or _asks(to))), new
        elif name in draft.aside:
            safe, instead = target in draft.aside, draft.enters.retirement
        else:
            safe, instead = target == new or not to.needs_version, draft.enters.retirement
        if not safe:
            message = f"fail of '{name}' leads to '{target}', where a version is needed or expected, and there is none"
            yield draft.report("MO311", _route(name, Verdict.FAIL), message, f"lead to '{instead}'")


def no_fail_circle(draft: Draft) -> Iterator[Diagnostic]:
    """MO312."""
    restless = draft.opening | draft.aside | draft.closing
    going = {
        name: stage.model_copy(update={"routes": None}) if _asks(stage) or name not in restless else stage
        for name, stage in draft.stages.items()
    }
    for name, stage in going.items():
        target = stage.routes.failed if stage.routes else None
        if target and name in reachable(going, target, (Verdict.PASS, Verdict.FAIL)):
            message = f"'{name}' fails, comes back and fails again, for ever"
            yield draft.report("MO312", _route(name, Verdict.FAIL), message, "lead it elsewhere, or leave fail out")


def suspension_holds(draft: Draft) -> Iterator[Diagnostic]:
    """MO313."""
    name = draft.enters.suspension
    if name is None or name not in draft.aside or draft.stages[name].steady:
        return
    stage, production = draft.stages[name], {draft.stages[steady].environment for steady in draft.steady}
    stops = any(step.kind is StepKind.STOP_SERVING for step in stage.steps)
    if not stops or (stage.environment and stage.environment not in production):
        message = f"'{name}' does not stop the champion from serving in production"
        yield draft.report("MO313", _stage(name), message, "add 'do: [stop_serving]', without environment", key=True)
    for other in sorted(draft.aside):
        passed = draft.stages[other].routes
        if passed is None or passed.passed in draft.closing | draft.aside:
            continue
        path, target = _route(other, Verdict.PASS), passed.passed
        if target not in draft.steady:
            message = f"suspension leads to '{target}', where versions are on their way"
            yield draft.report("MO313", path, message, "lead to the steady stage or to retirement")
        elif not _asks(draft.stages[other]):
            message = "suspension ends by itself, without anybody being asked"
            yield draft.report("MO313", path, message, "put a gate with approvals before it, or leave 'then' out")


def one_steady(draft: Draft) -> Iterator[Diagnostic]:
    """MO321."""
    if not draft.steady:
        yield draft.report("MO321", ("stages",), "no stage is steady", "add 'steady: true' to production", key=True)
    for name in draft.steady[1:]:
        message = f"'{draft.steady[0]}' is steady already"
        yield draft.report("MO321", (*_stage(name), "steady"), message, key=True)


def steady_serves(draft: Draft) -> Iterator[Diagnostic]:
    """MO322, MO323."""
    for name in draft.steady:
        stage = draft.stages[name]
        promotes = any(step.kind is StepKind.PROMOTE for step in stage.steps)
        serves = stage.environment is Environment.PROD
        for has, what in ((promotes, "a 'promote' step"), (serves, "the environment PROD")):
            if not has:
                yield draft.report("MO322", _stage(name), f"the steady stage '{name}' lacks {what}", key=True)
        for field, value in (("gate", stage.gate), ("then", stage.routes)):
            if value:
                message = f"the steady stage is left by events only: its '{field}' would never be looked at"
                yield draft.report("MO323", (*_stage(name), field), message, "remove it", key=True)


def people_have_a_version(draft: Draft) -> Iterator[Diagnostic]:
    """MO408."""
    for name, stage in draft.stages.items():
        if _asks(stage) and name in draft.opening | draft.closing:
            message = f"the gate of '{name}' asks people, and there may be no version to decide on"
            yield draft.report("MO408", (*_stage(name), "gate"), message, key=True)


SKELETON: tuple[Rule, ...] = (entries_apart, one_steady)
"""What the other rules take for granted: which stage is what."""

RULES: tuple[Rule, ...] = (
    all_reachable,
    ends,
    leads_on,
    no_pass_circle,
    arrives,
    verdicts_apart,
    fails_safely,
    no_fail_circle,
    suspension_holds,
    steady_serves,
    people_have_a_version,
)
