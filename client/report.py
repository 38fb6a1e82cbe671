"""A model's report: one page that explains itself, for people who decide about risk."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined
from pydantic import ValidationError

from client.charts import Bar, Dot, bar_chart, line_chart, timeline
from client.story import Line
from client.verification import Verification
from client.views import Held, Looked
from models.evidence import EvaluationReport, GroupRate, WindowReport
from models.inventory import ModelFacts
from models.plan import Plan
from models.verdict import Kpi, judge

_MOST = 20
_LANES = {"event": "lifecycle", "effect": "steps", "finding": "findings", "plan": "plans", "directory": "people"}


class Chart(NamedTuple):
    """A picture with its name, and what it is to be held against."""

    name: str
    picture: str
    bounds: str = ""


class Sources(NamedTuple):
    """Everything that a report is made of. `window` and `evaluation` are the newest reports, None if there is none."""

    facts: ModelFacts
    regulations: Sequence[str]
    held: Held
    plan: Plan | None
    looks: Sequence[Looked]
    window: bytes | None
    evaluation: bytes | None
    lines: Sequence[Line]
    verification: Verification
    at: datetime


def write_report(sources: Sources) -> str:
    """The page as HTML. It loads nothing and runs nothing; whatever people wrote stands there as text."""
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(
        files("client").joinpath("report.html").read_text(encoding="utf-8")
    )
    kpis = {kpi.name: kpi for kpi in sources.plan.kpis} if sources.plan else {}
    return template.render(
        facts=sources.facts,
        regulations=sources.regulations,
        held=sources.held,
        at=sources.at,
        readings=list(_readings(sources.looks, kpis)),
        drift=_drift(sources.window, kpis),
        fairness=list(_fairness(sources.evaluation)),
        story=timeline("What happened when", _marks(sources.lines)),
        lines=sources.lines,
        standing=list(_standing(sources.verification)),
    )


def _readings(looks: Sequence[Looked], kpis: Mapping[str, Kpi]) -> Iterator[Chart]:
    """Each value over time, those that are judged first."""
    names = dict.fromkeys(reading.name for look in looks for reading in look.readings)
    for name in sorted(names, key=lambda name: (name not in kpis, name)):
        kpi = kpis.get(name)
        dots = [
            Dot(look.at, reading.value, judge(kpi, (reading,)).verdict if kpi else None)
            for look in looks
            for reading in look.readings
            if reading.name == name
        ]
        bounds = f"passes {kpi.passes}, fails {kpi.fails}, from {kpi.at_least} observations on" if kpi else "not judged"
        share = kpi.attained(dots[-1].value) if kpi else None
        bounds += "" if share is None else f"; the last is {share:.0%} of the target"
        picture = line_chart(name, dots, kpi.passes if kpi else None, kpi.fails if kpi else None)
        yield Chart(name.replace("_", " "), picture, bounds)


def _drift(window: bytes | None, kpis: Mapping[str, Kpi]) -> Chart | None:
    try:
        report = WindowReport.model_validate_json(window) if window else None
    except ValidationError:
        return None
    if report is None or not report.psi:
        return None
    worst = sorted(report.psi.items(), key=lambda one: -one[1])[:_MOST]
    bound = kpis["drift"].fails.bound if "drift" in kpis else None
    bars = [Bar(name, value) for name, value in worst]
    name = f"population stability index of each input in {report.window} ({report.rows} rows)"
    return Chart(name, bar_chart(name, bars, bound))


def _fairness(evaluation: bytes | None) -> Iterator[Chart]:
    try:
        groups = EvaluationReport.model_validate_json(evaluation).groups if evaluation else ()
    except ValidationError:
        groups = ()
    for column in dict.fromkeys(rate.column for rate in groups):
        name = f"share selected by {column}, on the data held out"
        bars = [_bar(rate) for rate in groups if rate.column == column]
        yield Chart(name, bar_chart(name, bars), "beside each share how many were looked at")


def _bar(rate: GroupRate) -> Bar:
    return Bar(rate.group, rate.selected, f"of {rate.count}")


def _marks(lines: Iterable[Line]) -> Iterator[tuple[datetime, str, str]]:
    for line in lines:
        yield line.at, _LANES.get(line.kind, line.kind), str(line)


def _standing(found: Verification) -> Iterator[str]:
    wrong = (*found.problems, *found.rows, *found.replay)
    if not wrong:
        yield f"The audit trail holds: a chain of {found.entries} entries, up to {found.head}."
        yield "The inventory is what the trail makes of it, and the rules, run once more, agree with the record."
    yield from (f"Does not hold: {problem}" for problem in wrong)
    yield "The command modelops audit verify also checks signatures, the checkpoints and the engine's history."
