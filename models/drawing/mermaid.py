"""A plan as a Mermaid flowchart: it can show what a state diagram cannot, a gate with its question and its roles."""

import json
import re
from collections.abc import Iterator

from models.canonical import Slug
from models.drawing.graph import Link, asked, legible, links, patience, work
from models.drawing.palette import GATE, INK, colours, stroke_of
from models.inventory import Environment
from models.plan import GatePlan, Plan, StagePlan

_LOADED = re.compile(r"(?<![A-Za-z0-9])[-_]|[-_](?![A-Za-z0-9])|:(?! )|[^\w ,?!:-]")

_WIDE_LESS_THAN = "\uff1c"


def draw(plan: Plan) -> str:
    """The plan in Mermaid's language."""
    arrows = links(plan)
    return "\n".join(
        [
            "---",
            f"title: {_title(plan)}",
            "---",
            "flowchart TB",
            f"  accTitle: {_escape(' '.join(plan.title.split()))}",
            '  begin((" "))',
            *(line for stage in plan.stages for line in _stage(stage)),
            f"  begin --> {_node(plan.entry)}",
            *(f"  {_node(stage.name)} --> {_gate_node(stage.name)}" for stage in plan.stages if stage.gate),
            *(f"  {_arrow(plan, link)}" for link in arrows),
            *_colours(plan, arrows),
            "",
        ]
    )


def _title(plan: Plan) -> str:
    """As a string of YAML. Mermaid takes out of a title what looks like HTML, so its sign is a wide one there."""
    return json.dumps(legible(f"{plan.title} ({plan.template} {plan.version})").replace("<", _WIDE_LESS_THAN))


def _node(stage: Slug) -> str:
    return f"s_{stage}"


def _gate_node(stage: Slug) -> str:
    return f"g_{stage}"


def _stage(stage: StagePlan) -> Iterator[str]:
    lines = [stage.name, *_doing(stage)]
    text = "<br/>".join(map(_escape, lines))
    opens, closes = ("([", "])") if stage.terminal else ("[[", "]]") if stage.steady else ("[", "]")
    yield f'  {_node(stage.name)}{opens}"{text}"{closes}:::{_class(stage.environment)}'
    if stage.gate:
        asks = "<br/>".join(_escape(line) for line in _asking(stage.gate))
        yield f'  {_gate_node(stage.name)}{{{{"{asks}"}}}}:::gate'


def _doing(stage: StagePlan) -> Iterator[str]:
    if stage.environment:
        yield stage.environment
    if stage.steps:
        count = "1 step" if len(stage.steps) == 1 else f"{len(stage.steps)} steps"
        yield f"{count}: {', '.join(map(work, stage.steps))}"


def _asking(gate: GatePlan) -> Iterator[str]:
    yield gate.id
    if gate.question.strip():
        yield gate.question
    if gate.checks:
        yield f"checks {', '.join(gate.checks)}"
    if gate.asks_people:
        yield from asked(gate)
        yield patience(gate)


def _arrow(plan: Plan, link: Link) -> str:
    source = _gate_node(link.source) if plan.stage(link.source).gate else _node(link.source)
    line = "-->" if link.verdicts else "-.->"
    return f'{source} {line}|"{_escape(link.words)}"| {_node(link.target)}'


def _colours(plan: Plan, arrows: tuple[Link, ...]) -> Iterator[str]:
    for environment in dict.fromkeys(stage.environment for stage in plan.stages):
        fill, stroke = colours(environment)
        yield f"  classDef {_class(environment)} fill:{fill},stroke:{stroke},color:{INK}"
    if any(stage.gate for stage in plan.stages):
        yield f"  classDef gate fill:{GATE[0]},stroke:{GATE[1]},color:{INK}"
    before = 1 + sum(stage.gate is not None for stage in plan.stages)
    for index, link in enumerate(arrows, before):
        yield f"  linkStyle {index} stroke:{stroke_of(link.verdicts)}"


def _class(environment: Environment | None) -> str:
    return f"at{environment}" if environment else "nowhere"


def _escape(text: str) -> str:
    """Only what means nothing to Mermaid, HTML or Markdown stands as it is; everything else as a character's number.

    Mermaid breaks the line at a backslash with an n even so; a word joiner, which has no width, keeps them apart.
    """
    lines = legible(text).split("\n")
    escaped = "<br/>".join(_LOADED.sub(lambda found: f"#{ord(found[0])};", line) for line in lines)
    return escaped.replace("#92;n", "#92;#8288;n")
