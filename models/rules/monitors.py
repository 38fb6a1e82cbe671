"""Rules about KPIs and monitors: a breach starts something only within limits, and ends somewhere safe."""

from collections.abc import Iterator

from models.diagnostics import Diagnostic
from models.evidence import QUANTITIES, READINGS, StepKind
from models.plan import Remedy
from models.rules.draft import Draft, Rule
from models.verdict import Comparison


def apart(draft: Draft) -> Iterator[Diagnostic]:
    """MO601."""
    for name, kpi in draft.template.kpis.items():
        if overlap(kpi.passes, kpi.fails):
            message = f"some value is both {kpi.passes} (pass) and {kpi.fails} (fail)"
            yield draft.report("MO601", ("kpis", name, "fail"), message, "move the bounds apart")


def overlap(one: Comparison, other: Comparison) -> bool:
    """Whether some number satisfies both comparisons."""
    return max(one.low, other.low) <= min(one.high, other.high)


def able_to_fail(draft: Draft) -> Iterator[Diagnostic]:
    """MO607."""
    for name, kpi in draft.template.kpis.items():
        quantity = QUANTITIES.get(name)
        if quantity is None:
            continue
        if max(kpi.fails.low, (quantity.least, 0)) > min(kpi.fails.high, (quantity.most, 0)):
            message = f"'{name}' is never {kpi.fails}: it is at least {quantity.least:g} and at most {quantity.most:g}"
            yield draft.report("MO607", ("kpis", name, "fail"), message, "write a bound that it can miss")
        if quantity.single and kpi.at_least > 1:
            message = f"'{name}' rests on one observation, and {kpi.at_least} are asked for"
            yield draft.report("MO607", ("kpis", name, "at_least"), message, "leave 'at_least' out")


def started(draft: Draft) -> Iterator[Diagnostic]:
    """MO602."""
    steady = [draft.stages[name] for name in draft.steady]
    starts = any(step.kind is StepKind.MONITOR for stage in steady for step in stage.steps)
    if draft.template.monitors and not starts:
        message = "there are monitors, and the steady stage has no 'monitor' step that starts them"
        yield draft.report("MO602", ("monitors",), message, "add 'monitor' after 'promote'", key=True)
    if not starts or draft.template.monitors:
        return
    for stage in steady:
        for index, step in enumerate(stage.steps):
            if step.kind is StepKind.MONITOR:
                path = ("stages", stage.name, "do", index)
                yield draft.report("MO602", path, "this step starts monitors, and there are none", "add 'monitors'")


def seen(draft: Draft) -> Iterator[Diagnostic]:
    """MO603."""
    visible = READINGS[StepKind.MONITOR]
    for name, monitor in draft.template.monitors.items():
        for index, kpi in enumerate(monitor.checks):
            known = draft.template.kpis.get(kpi)
            if known and kpi not in visible and not known.metric:
                message = f"a monitor does not measure '{kpi}'; it measures {', '.join(sorted(visible))}"
                example = "say with 'metric: NAME' what it is read from, if it is something else"
                yield draft.report("MO603", ("monitors", name, "checks", index), message, example)


def read_once(draft: Draft) -> Iterator[Diagnostic]:
    """MO608."""
    for name, kpi in draft.template.kpis.items():
        if kpi.metric and name in QUANTITIES:
            message = f"'{name}' is measured by '{QUANTITIES[name].measured_by}', and is to be read from a metric, too"
            yield draft.report("MO608", ("kpis", name, "metric"), message, "give the KPI a name of its own")


def suspendable(draft: Draft) -> Iterator[Diagnostic]:
    """MO604."""
    if draft.enters.suspension is not None:
        return
    for name, monitor in draft.template.monitors.items():
        message = "'enters' names no suspension stage"
        if monitor.then is Remedy.SUSPEND:
            yield draft.report("MO604", ("monitors", name, "then"), message, "add 'suspension: ...' to 'enters'")
        if monitor.brakes and monitor.brakes.otherwise is Remedy.SUSPEND:
            path = ("monitors", name, "brakes", "otherwise")
            yield draft.report("MO604", path, message, "add 'suspension: ...' to 'enters', or say 'escalate'")


def braked(draft: Draft) -> Iterator[Diagnostic]:
    """MO605."""
    for name, monitor in draft.template.monitors.items():
        if monitor.then is not Remedy.ESCALATE and monitor.brakes is None:
            message = f"the monitor '{name}' starts '{monitor.then}' by itself and has no brakes"
            example = "add 'brakes: {cooldown: 7d, at_most: 3, per: 180d, otherwise: escalate}'"
            yield draft.report("MO605", ("monitors", name), message, example, key=True)


def tightened(draft: Draft) -> Iterator[Diagnostic]:
    """MO610."""
    for name, monitor in draft.template.monitors.items():
        starts, often = monitor.then is Remedy.TIGHTEN, monitor.tightened
        path, example = ("monitors", name, "tightened"), "write a part of 'every', as in 'tightened: 6h'"
        if starts and often is None:
            message = f"the monitor '{name}' is to look more often after a breach, and nothing says how often"
            yield draft.report("MO610", ("monitors", name), message, example, key=True)
        elif often and not starts:
            yield draft.report(
                "MO610", path, f"a breach starts '{monitor.then}', which tightens nothing", "leave it out"
            )
        elif often and often >= monitor.every:
            yield draft.report("MO610", path, "a tightened monitor has to look more often than 'every'", example)
        elif often and monitor.brakes and monitor.brakes.cooldown < often:
            message = "it is tightened for the cooldown of its brakes, and would not look once in it"
            yield draft.report("MO610", path, message, "write a longer 'cooldown'")


RULES: tuple[Rule, ...] = (apart, able_to_fail, started, seen, read_once, suspendable, braked, tightened)
