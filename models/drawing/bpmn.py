"""A plan as BPMN 2.0 with its diagram, for bpmn.io and Camunda Modeler; `bpmn_reader` reads it back.

A stage is a sub-process, its routes leave an exclusive gateway, and where a stage waits for events an event-based
gateway stands. What BPMN has no word for is in extension elements of the namespace `urn:modelops:bpmn:1`:
`lifecycle` on the process, `stage`, `step`, `gate` and `timer` on their elements, `verdicts` on an arrow.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from models.canonical import Slug
from models.drawing.bpmn_names import part_id, stage_id
from models.drawing.bpmn_sheet import CIRCLE, DIAMOND, Sheet
from models.drawing.bpmn_stage import area, extend_stage, write_stage
from models.drawing.graph import Link, events, links, routes, rows
from models.drawing.pen import Box, Point, add, width_of
from models.drawing.routing import Edges, Way, Wire, points, room
from models.plan import Plan, StagePlan

_LEFT = 160
_TOP = 60
_GAP = 50
_APART = 64
_TURN = 24
_WORDS = 130
_FEEL = "https://www.omg.org/spec/DMN/20191111/FEEL/"


class Spot(NamedTuple):
    """Where a stage stands, and what its arrows leave from: itself, a gateway, or an event each."""

    row: int
    place: int
    line: float
    stage: StagePlan
    body: Box
    gateway: Box | None
    catches: Mapping[Slug, Box]

    @property
    def right(self) -> float:
        """Where it ends, the turns of its arrows included."""
        turns = _WORDS + _TURN * len(self.catches) if self.catches else 0
        return max(box.right for box in (self.body, self.gateway or self.body, *self.catches.values())) + turns


def draw(plan: Plan) -> str:
    """The plan as a BPMN document."""
    sheet = Sheet(plan.template, plan.title)
    _tell(sheet, plan)
    arrows = links(plan)
    spots, edges = _lay_out(plan, arrows)
    wires = [_wire(spots, link) for link in arrows]
    for stage in plan.stages:
        _write(sheet, plan, spots[stage.name])
    for link, way in zip(arrows, points(wires, edges), strict=True):
        _write_link(sheet, spots[link.source], spots[link.target], link, way)
    _begin(sheet, spots[plan.entry])
    return sheet.write()


def _begin(sheet: Sheet, entry: Spot) -> None:
    box = Box(entry.body.x - _GAP - CIRCLE, entry.line - CIRCLE / 2, CIRCLE, CIRCLE)
    sheet.node(sheet.process, "startEvent", "Begin", "registered", box)
    way = (Point(box.right, entry.line), Point(entry.body.x, entry.line))
    sheet.flow(sheet.process, "Begin.out", "Begin", stage_id(entry.stage.name), way)


def _tell(sheet: Sheet, plan: Plan) -> None:
    told = f"{plan.title}. Risk tiers: {', '.join(plan.tiers)}. Retirement can be asked for at any time."
    add(sheet.process, "bpmn:documentation", told)
    enters = plan.enters
    add(
        add(sheet.process, "bpmn:extensionElements"),
        "modelops:lifecycle",
        template=plan.template,
        version=plan.version,
        title=plan.title,
        newVersion=enters.new_version,
        retirement=enters.retirement,
        suspension=enters.suspension,
    )


def _lay_out(plan: Plan, arrows: Sequence[Link]) -> tuple[dict[Slug, Spot], Edges]:
    flat = _spots(plan, (0, 0))
    wires = [_wire(flat, link) for link in arrows]
    main, aside = ([spot for spot in flat.values() if spot.row == row] for row in (0, 1))
    line = _TOP + room(wires, Way.OVER) - min(map(_highest, main))
    bottom = line + max(map(_lowest, main))
    below = bottom + room(wires, Way.BETWEEN) - min(map(_highest, aside), default=0)
    floor = max((below + _lowest(spot) for spot in aside), default=bottom)
    return _spots(plan, (line, below)), Edges(line + min(map(_highest, main)), bottom, floor)


def _highest(spot: Spot) -> float:
    return min(box.y for box in (spot.body, *spot.catches.values()))


def _lowest(spot: Spot) -> float:
    return max(box.bottom for box in (spot.body, *spot.catches.values()))


def _spots(plan: Plan, lines: tuple[float, float]) -> dict[Slug, Spot]:
    placed: dict[Slug, Spot] = {}
    for row, (stages, line) in enumerate(zip(rows(plan), lines, strict=True)):
        x = float(_LEFT)
        for place, stage in enumerate(stages):
            placed[stage.name] = _spot(plan, stage, row, place, (x, line))
            x = placed[stage.name].right + _GAP + width_of("inconclusive", 12)
    return placed


def _spot(plan: Plan, stage: StagePlan, row: int, place: int, at: tuple[float, float]) -> Spot:
    x, line = at
    if stage.terminal:
        return Spot(row, place, line, stage, Box(x, line - CIRCLE / 2, CIRCLE, CIRCLE), None, {})
    body = area(plan, stage, x, line)
    caught = sorted(events(plan, stage), key=lambda link: not _rises(plan, row, link))
    if not caught and len(list(routes(stage))) < 2:
        return Spot(row, place, line, stage, body, None, {})
    gateway = Box(body.right + _GAP, line - DIAMOND / 2, DIAMOND, DIAMOND)
    top = line - _APART * (len(caught) - 1) / 2 - CIRCLE / 2
    across = gateway.right + _GAP
    catches = {link.target: Box(across, top + _APART * index, CIRCLE, CIRCLE) for index, link in enumerate(caught)}
    return Spot(row, place, line, stage, body, gateway, catches)


def _rises(plan: Plan, row: int, link: Link) -> bool:
    """Whether an arrow leaves upwards."""
    return link.target in {stage.name for stage in rows(plan).main}


def _wire(spots: Mapping[Slug, Spot], link: Link) -> Wire:
    source, target = spots[link.source], spots[link.target]
    between = (source.row, target.row)
    if link.target in source.catches:
        order = list(source.catches)
        index = order.index(link.target)
        rising = [name for name in order if spots[name].row == 0]
        turn = index if link.target in rising else len(order) - 1 - index
        caught = source.catches[link.target]
        return Wire(caught, target.body, between, leaves=caught.right + _WORDS + _TURN * turn)
    neighbours = source.row == target.row and target.place == source.place + 1
    start = source.gateway or source.body
    if neighbours:
        start = Box(start.x, source.line, start.width, 0)
    return Wire(start, target.body, between, neighbours)


def _write(sheet: Sheet, plan: Plan, spot: Spot) -> None:
    stage = spot.stage
    if stage.terminal:
        end = sheet.node(sheet.process, "endEvent", stage_id(stage.name), stage.name, spot.body)
        extend_stage(end, stage)
        return
    line = spot.line
    write_stage(sheet, plan, stage, spot.body.x, line)
    if spot.gateway is None:
        return
    id = part_id("Way", stage.name)
    tag, name = ("eventBasedGateway", "") if spot.catches else ("exclusiveGateway", "verdict?")
    sheet.node(sheet.process, tag, id, name, spot.gateway)
    if name:
        sheet.label(Box(spot.gateway.x, spot.gateway.bottom + 4, DIAMOND, 14))
    way = (Point(spot.body.right, line), Point(spot.gateway.x, line))
    sheet.flow(sheet.process, f"{id}.in", stage_id(stage.name), id, way)
    for link in events(plan, stage):
        _write_catch(sheet, spot, link)


def _write_catch(sheet: Sheet, spot: Spot, link: Link) -> None:
    id, box = part_id("Event", link.source, link.target), spot.catches[link.target]
    event = sheet.node(sheet.process, "intermediateCatchEvent", id, link.words, box)
    sheet.label(Box(box.right + 6, box.y - 12, _WORDS - 12, 28))
    add(event, "bpmn:messageEventDefinition", id=f"{id}.definition")
    gateway = spot.gateway or spot.body
    middle, line = gateway.middle, box.y + CIRCLE / 2
    edge = gateway.y if line < gateway.y else gateway.bottom
    level = gateway.y < line < gateway.bottom
    way = (Point(gateway.right, line),) if level else (Point(middle, edge), Point(middle, line))
    sheet.flow(sheet.process, f"{id}.in", part_id("Way", link.source), id, (*way, Point(box.x, line)))


def _write_link(sheet: Sheet, source: Spot, target: Spot, link: Link, way: Sequence[Point]) -> None:
    end = stage_id(link.target)
    if not link.verdicts:
        id = part_id("Event", link.source, link.target)
        sheet.flow(sheet.process, f"{id}.out", id, end, way)
        return
    start = part_id("Way", link.source) if source.gateway else stage_id(link.source)
    id = part_id("Route", link.source, *link.verdicts)
    flow = sheet.flow(sheet.process, id, start, end, _docked(way, source.gateway), link.words)
    flow.set("modelops:verdicts", " ".join(link.verdicts))
    if source.gateway:
        told = " or ".join(f'verdict = "{verdict}"' for verdict in link.verdicts)
        condition = add(flow, "bpmn:conditionExpression", told, language=_FEEL)
        condition.set("xsi:type", "bpmn:tFormalExpression")
    sheet.label(_label_of(link, way))


def _docked(way: Sequence[Point], gateway: Box | None) -> Sequence[Point]:
    """An arrow begins on the slope of the diamond, not above or below it."""
    start = way[0]
    if gateway is None or start.x == gateway.right:
        return way
    away = abs(start.x - gateway.middle)
    slope = away if start.y == gateway.y else -away
    return (Point(start.x, start.y + slope), *way[1:])


def _label_of(link: Link, way: Sequence[Point]) -> Box:
    wide = width_of(link.words, 12)
    if len(way) == 2:
        return Box((way[0].x + way[1].x - wide) / 2, way[0].y - 18, wide, 14)
    x = (way[1].x + way[2].x) / 2
    return Box(x - wide / 2, way[1].y - 16, wide, 14)
