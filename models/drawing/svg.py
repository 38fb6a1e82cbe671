"""A plan as one SVG file that needs nothing else: the way that PASS leads on one line, the ways back as arcs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

from models.canonical import Slug
from models.drawing.blocks import Block, diamond, paint, place, rectangle, write
from models.drawing.graph import Link, links, rows
from models.drawing.palette import EVENT, INK, PAPER, colours, stroke_of
from models.drawing.pen import Box, Point, add, document, dress, number, width_of, wrap
from models.drawing.routing import CLEARANCE, Edges, Way, Wire, points, room
from models.inventory import Environment
from models.plan import Plan, StagePlan
from models.verdict import Verdict

_MARGIN = 32
_HEAD = 48
_TITLE, _TITLE_LINE = 20, 24
_NARROWEST = 690
_GAP = 48
_LABEL = 11.5
_CORNER = 10
_REACH = 64
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"


class Sheet(NamedTuple):
    """Every stage in its place, every arrow with its way."""

    blocks: Mapping[Slug, Block]
    links: Sequence[Link]
    wires: Sequence[Wire]
    edges: Edges

    @property
    def right(self) -> float:
        """Where the rows end."""
        return max(block.right for block in self.blocks.values())


def draw(plan: Plan) -> str:
    """The plan as an SVG document."""
    sheet = _lay_out(plan)
    floor = sheet.edges.floor + room(sheet.wires, Way.UNDER)
    entries = list(_legend(plan))
    width = max(sheet.right, _NARROWEST, _MARGIN + width_of(_subtitle(plan), 12)) + _MARGIN
    height = floor + 28 * _legend_lines(entries, width) + _MARGIN
    root = _root(plan, width, height)
    drawn = points(sheet.wires, sheet.edges)
    _begin(root, sheet.blocks[plan.entry].card)
    for link, wire, way in zip(sheet.links, sheet.wires, drawn, strict=True):
        _arrow(root, link, wire, way)
    for block in sheet.blocks.values():
        if block.diamond:
            line = block.exit.y
            _line(root, f"M{number(block.card.right)} {number(line)}H{number(block.exit.x)}", EVENT)
        paint(root, block)
    for link, wire, way in zip(sheet.links, sheet.wires, drawn, strict=True):
        _label(root, link, wire, way)
    _paint_legend(root, entries, floor, width)
    return document(root)


def _root(plan: Plan, width: float, height: float) -> Element:
    root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "font-family": _FONT})
    root.set("width", number(width))
    root.set("height", number(height))
    root.set("viewBox", f"0 0 {number(width)} {number(height)}")
    name = f"lifecycle-{plan.template}"
    root.set("aria-labelledby", f"{name}-title {name}-description")
    add(root, "title", plan.title, id=f"{name}-title")
    told = f"Lifecycle {plan.template} {plan.version}: {', '.join(stage.name for stage in plan.stages)}."
    add(root, "desc", told, id=f"{name}-description")
    _markers(add(root, "defs"), plan)
    add(root, "rect", width=width, height=height, fill=PAPER)
    titles = _titles(plan)
    for index, line in enumerate(titles):
        write(root, line, _MARGIN, 40 + _TITLE_LINE * index, size=_TITLE, weight="600", anchor=None)
    write(root, _subtitle(plan), _MARGIN, 36 + _TITLE_LINE * len(titles), size=12, fill=EVENT, anchor=None)
    return root


def _titles(plan: Plan) -> list[str]:
    return list(wrap(plan.title, _NARROWEST - _MARGIN, _TITLE * 1.08))


def _subtitle(plan: Plan) -> str:
    return (
        f"{plan.template} {plan.version} · risk tiers: {', '.join(plan.tiers)} · retirement can be asked for any time"
    )


def _markers(defs: Element, plan: Plan) -> None:
    for colour in dict.fromkeys([EVENT, *map(stroke_of, ((one,) for one in Verdict))]):
        marker = add(defs, "marker", id=_marker(colour), orient="auto-start-reverse")
        dress(marker, markerWidth=7, markerHeight=7, viewBox="0 0 10 10", refX=9, refY=5)
        add(marker, "path", d="M0 0L10 5L0 10z", fill=colour)


def _marker(colour: str) -> str:
    return f"arrow-{colour[1:]}"


def _lay_out(plan: Plan) -> Sheet:
    arrows = links(plan)
    flat = _positions(plan, arrows, (0, 0))
    wires = [_wire(plan, flat, link) for link in arrows]
    first = [flat[stage.name] for stage in rows(plan).main]
    second = [flat[stage.name] for stage in rows(plan).aside]
    head = _HEAD + _TITLE_LINE * len(_titles(plan))
    line = head + room(wires, Way.OVER) - min(block.card.y for block in first)
    bottom = line + max(block.bottom for block in first)
    below = bottom + room(wires, Way.BETWEEN) - min((block.card.y for block in second), default=0)
    floor = max((below + block.bottom for block in second), default=bottom)
    blocks = _positions(plan, arrows, (line, below))
    edges = Edges(line + min(block.card.y for block in first), bottom, floor)
    return Sheet(blocks, arrows, [_wire(plan, blocks, link) for link in arrows], edges)


def _positions(plan: Plan, arrows: Sequence[Link], lines: tuple[float, float]) -> dict[Slug, Block]:
    """The blocks with their middles on two lines; the second row ends where the first does, if it is shorter."""
    main, aside = (_row(row, arrows, line) for row, line in zip(rows(plan), lines, strict=True))
    if aside:
        shift = max(0, main[-1].right - aside[-1].right)
        aside = [place(block.stage, block.card.x + shift, lines[1]) for block in aside]
    return {block.stage.name: block for block in (*main, *aside)}


def _row(stages: Sequence[StagePlan], arrows: Sequence[Link], line: float) -> list[Block]:
    blocks: list[Block] = []
    x = float(_MARGIN + 40)
    for stage, after in zip(stages, (*stages[1:], None), strict=True):
        blocks.append(place(stage, x, line))
        words = [one.words for one in arrows if after and (one.source, one.target) == (stage.name, after.name)]
        x = blocks[-1].right + _GAP + max((width_of(one, _LABEL) for one in words), default=0)
    return blocks


def _wire(plan: Plan, blocks: Mapping[Slug, Block], link: Link) -> Wire:
    order = [[stage.name for stage in row] for row in rows(plan)]
    source, target = ((name in order[1], order[name in order[1]].index(name)) for name in (link.source, link.target))
    before, after = blocks[link.source], blocks[link.target]
    upwards = (source[0], target[0]) in ((False, False), (True, False))
    neighbours = source[0] == target[0] and source[1] + 1 == target[1]
    start = before.exit if upwards or neighbours else before.foot
    return Wire(start, after.card, (int(source[0]), int(target[0])), neighbours)


def _begin(root: Element, card: Box) -> None:
    line = card.y + card.height / 2
    add(root, "circle", cx=_MARGIN + 8, cy=line, r=7, fill=INK)
    _line(root, f"M{number(_MARGIN + 15)} {number(line)}H{number(card.x)}", EVENT, head=True)


def _arrow(root: Element, link: Link, wire: Wire, way: Sequence[Point]) -> None:
    path = _arc(way) if wire.way in (Way.OVER, Way.UNDER) else _bent(way)
    dash = None if link.verdicts else "5 4"
    _line(root, path, stroke_of(link.verdicts), dash=dash, head=True)


def _line(root: Element, path: str, colour: str, dash: str | None = None, head: bool = False) -> None:
    marker = f"url(#{_marker(colour)})" if head else None
    line = add(root, "path", d=path, fill="none", marker_end=marker)
    dress(line, stroke=colour, stroke_width=1.8, stroke_dasharray=dash)


def _arc(way: Sequence[Point]) -> str:
    """Up in a quarter of an ellipse, along the track, and down as it went up."""
    start, _, _, end = way
    track, reach = way[1].y, min(_REACH, abs(end.x - start.x) / 2)
    ahead = reach if end.x > start.x else -reach
    up, down = Point(start.x + ahead, track), Point(end.x - ahead, track)
    return f"M{_spell(start)}Q{_spell(way[1])} {_spell(up)}L{_spell(down)}Q{_spell(way[2])} {_spell(end)}"


def _bent(way: Sequence[Point]) -> str:
    """Straight pieces with round corners."""
    path = f"M{_spell(way[0])}"
    for before, corner, after in zip(way, way[1:], way[2:], strict=False):
        path += f"L{_spell(_towards(corner, before))}Q{_spell(corner)} {_spell(_towards(corner, after))}"
    return f"{path}L{_spell(way[-1])}"


def _towards(corner: Point, other: Point) -> Point:
    length = abs(other.x - corner.x) + abs(other.y - corner.y)
    part = min(_CORNER, length / 2) / length if length else 0
    return Point(corner.x + (other.x - corner.x) * part, corner.y + (other.y - corner.y) * part)


def _spell(point: Point) -> str:
    return f"{number(point.x)} {number(point.y)}"


def _label(root: Element, link: Link, wire: Wire, way: Sequence[Point]) -> None:
    """The words on an arrow: in the middle of an arc, near the start of an arrow between the rows."""
    wide = width_of(link.words, _LABEL)
    start, end = way[-3 if wire.way is not Way.STRAIGHT else 0], way[-2 if wire.way is not Way.STRAIGHT else 1]
    x, y = (start.x + end.x) / 2, start.y
    if wire.way is Way.BETWEEN and abs(end.x - start.x) > wide + 48:
        x = start.x + (wide / 2 + 20) * (1 if end.x > start.x else -1)
    if wire.way is not Way.STRAIGHT:
        add(root, "rect", x=x - wide / 2 - 3, y=y - 8, width=wide + 6, height=16, fill=PAPER)
    write(root, link.words, x, y + (-7 if wire.way is Way.STRAIGHT else 4), fill=stroke_of(link.verdicts))


class Entry(NamedTuple):
    """One line of the legend: what its sign looks like, and what that means."""

    sign: str
    colours: tuple[str, str]
    words: str


def _legend(plan: Plan) -> Iterator[Entry]:
    used = {stage.environment for stage in plan.stages}
    for environment in (one for one in (*Environment, None) if one in used):
        yield Entry("card", colours(environment), f"in {environment}" if environment else "in no environment")
    gates = [stage.gate for stage in plan.stages if stage.gate]
    if any(gate.asks_people for gate in gates):
        yield Entry("people", (PAPER, INK), "gate: people decide")
    if any(not gate.asks_people for gate in gates):
        yield Entry("checks", (PAPER, INK), "gate: checks decide")
    for verdict in Verdict:
        yield Entry("line", (PAPER, stroke_of((verdict,))), verdict.value)
    yield Entry("dashes", (PAPER, EVENT), "event")


def _legend_lines(entries: Sequence[Entry], width: float) -> int:
    return 1 + max(row for _, row, _ in _legend_places(entries, width))


def _legend_places(entries: Sequence[Entry], width: float) -> Iterator[tuple[float, int, Entry]]:
    x, row = float(_MARGIN), 0
    for entry in entries:
        wide = 58 + width_of(entry.words, _LABEL)
        if x > _MARGIN and x + wide > width - _MARGIN:
            x, row = float(_MARGIN), row + 1
        yield x, row, entry
        x += wide


def _paint_legend(root: Element, entries: Sequence[Entry], top: float, width: float) -> None:
    group = add(root, "g")
    add(group, "title", "Legend")
    for x, row, entry in _legend_places(entries, width):
        line = top + CLEARANCE / 2 + 28 * row
        match entry.sign:
            case "card":
                rectangle(group, Box(x, line - 9, 28, 18), 4, *entry.colours)
            case "people" | "checks":
                diamond(group, Box(x + 2, line - 12, 24, 24), entry.sign == "people")
            case _:
                dash = "5 4" if entry.sign == "dashes" else None
                _line(group, f"M{number(x)} {number(line)}h26", entry.colours[1], dash, head=True)
        write(group, entry.words, x + 36, line + 4, anchor=None)
