"""Rules about steps, for a template whose routes all lead somewhere: the right work, in the right order and place."""

from collections.abc import Iterator

from models.diagnostics import Diagnostic
from models.evidence import READINGS, StepKind
from models.plan import NEEDS_VERSION, StagePlan, StepPlan
from models.proof.graph import kinds_of
from models.rules.draft import Draft, Rule
from models.source.yaml_source import Path

_NEEDS = {
    StepKind.SCAN: (StepKind.REGISTER,),
    StepKind.EVALUATE: (StepKind.REGISTER, StepKind.SCAN),
    StepKind.PACKAGE: (StepKind.REGISTER, StepKind.SCAN),
    StepKind.PROMOTE: (StepKind.REGISTER, StepKind.SCAN, StepKind.PACKAGE),
    StepKind.PIPELINE: (StepKind.REGISTER, StepKind.SCAN),
}

_ON_CANDIDATE = NEEDS_VERSION - {StepKind.PROMOTE, StepKind.MONITOR}


def _steps(draft: Draft) -> Iterator[tuple[Path, StagePlan, int, StepPlan]]:
    for stage in draft.stages.values():
        for index, step in enumerate(stage.steps):
            yield ("stages", stage.name, "do", index), stage, index, step


def with_version(draft: Draft) -> Iterator[Diagnostic]:
    """MO501."""
    without = {name: "before any version has entered" for name in draft.opening}
    without |= dict.fromkeys(draft.aside, "in suspension") | dict.fromkeys(draft.closing, "in retirement")
    for path, stage, _, step in _steps(draft):
        if stage.name in without and step.kind in NEEDS_VERSION:
            where = f"in '{stage.name}', {without[stage.name]}"
            yield draft.report("MO501", path, f"'{step.kind}' works on a version, and {where}, there may be none")


def in_place(draft: Draft) -> Iterator[Diagnostic]:
    """MO502."""
    places = {
        StepKind.REGISTER: (frozenset({draft.enters.new_version}), "where new versions enter"),
        StepKind.MONITOR: (frozenset(draft.steady), "in the steady stage"),
        StepKind.STOP_MONITORS: (draft.aside | draft.closing, "in suspension or retirement"),
        StepKind.STOP_SERVING: (draft.aside | draft.closing, "in suspension or retirement"),
        StepKind.UNDEPLOY: (draft.closing, "in retirement"),
        StepKind.ARCHIVE: (draft.closing, "in retirement"),
    }
    for path, stage, index, step in _steps(draft):
        allowed, where = places.get(step.kind, (frozenset({stage.name}), ""))
        before = [earlier.kind for earlier in stage.steps[:index]]
        if stage.name not in allowed:
            yield draft.report("MO502", path, f"'{step.kind}' belongs {where}, not in '{stage.name}'")
        elif step.kind is StepKind.MONITOR and StepKind.PROMOTE in kinds_of(stage) - set(before):
            yield draft.report("MO502", path, "'monitor' watches what serves: it comes after 'promote'")
        elif step.kind is StepKind.PROMOTE and StepKind.PROMOTE in before:
            yield draft.report("MO502", path, f"'{stage.name}' promotes already", "remove one 'promote'")
        elif stage.steady and StepKind.PROMOTE in before and step.kind in _ON_CANDIDATE:
            message = f"'{step.kind}' works on a candidate, and 'promote' made it the champion"
            yield draft.report("MO502", path, message, f"put '{step.kind}' before 'promote'")


def into_environment(draft: Draft) -> Iterator[Diagnostic]:
    """MO503, MO508."""
    production = {stage.environment for stage in draft.stages.values() if stage.steady}
    for path, stage, _, step in _steps(draft):
        if step.kind is not StepKind.PROMOTE or stage.steady:
            continue
        if stage.environment is None:
            message = f"'{stage.name}' promotes, and has no environment to promote to"
            yield draft.report("MO503", path, message, "add 'environment: TEST' to the stage")
        elif stage.environment in production:
            message = f"'{stage.name}' promotes to {stage.environment}, where only the steady stage promotes to"
            yield draft.report("MO508", path, message, "choose another environment")


def in_order(draft: Draft) -> Iterator[Diagnostic]:
    """MO504."""
    for path, stage, index, step in _steps(draft):
        if stage.name not in draft.done_before:
            continue
        done = draft.done_before[stage.name] | {earlier.kind for earlier in stage.steps[:index]}
        if missing := [need for need in _NEEDS.get(step.kind, ()) if need not in done]:
            message = f"a version can come to '{step.kind}' in '{stage.name}' without {' and '.join(missing)}"
            yield draft.report("MO504", path, message, f"put {', '.join(missing)} before it, on every path")


def measured(draft: Draft) -> Iterator[Diagnostic]:
    """MO505."""
    for name, stage in draft.stages.items():
        readings = draft.measured_before.get(name, frozenset()) | stage.measures
        for index, kpi in enumerate(stage.gate.checks if stage.gate else ()):
            if kpi in draft.template.kpis and kpi not in readings:
                path: Path = ("stages", name, "gate", "checks", index)
                message = f"a version can come here with no reading of '{kpi}'"
                yield draft.report("MO505", path, message, _producer(draft, kpi))


def _producer(draft: Draft, kpi: str) -> str:
    if any(kpi in step.measures for _, _, _, step in _steps(draft) if step.external):
        return f"'{kpi}' is given by a pipeline: run it before, on every path"
    kinds = [kind for kind, readings in READINGS.items() if kpi in readings]
    if kinds == [StepKind.MONITOR]:
        return f"'{kpi}' is measured in production: check it in a monitor"
    return f"'{kpi}' is measured by '{kinds[0]}': add that step before" if kinds else f"no step measures '{kpi}'"


def taken_down(draft: Draft) -> Iterator[Diagnostic]:
    """MO506."""
    done = draft.closed_before
    kinds = {step.kind for _, _, _, step in _steps(draft)}
    leavings = (
        (StepKind.PROMOTE, StepKind.UNDEPLOY, "a version still serves"),
        (StepKind.MONITOR, StepKind.STOP_MONITORS, "its monitors still run"),
    )
    ends = [name for name in done if draft.stages[name].terminal]
    for begun, ended, leaving in leavings:
        for name in ends:
            if begun in kinds and ended not in done[name]:
                message = f"retirement can end in '{name}' while {leaving}"
                suggestion = f"do '{ended}' on every path before the end"
                yield draft.report("MO506", ("enters", "retirement"), message, suggestion)


def classified(draft: Draft) -> Iterator[Diagnostic]:
    """MO507."""
    for _, stage, index, step in _steps(draft):
        if step.kind is not StepKind.PROMOTE or stage.name not in draft.done_before:
            continue
        done = draft.done_before[stage.name] | {earlier.kind for earlier in stage.steps[:index]}
        if StepKind.CLASSIFY not in done:
            message = f"a model of any risk tier can come to {stage.environment or 'an environment'} in '{stage.name}'"
            yield draft.report("MO507", ("tiers",), message, "do 'classify' in the first stage", key=True)
            return


RULES: tuple[Rule, ...] = (
    with_version,
    in_place,
    into_environment,
    in_order,
    measured,
    taken_down,
    classified,
)
