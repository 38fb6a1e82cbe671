"""How a stage and its gate look in SVG, and how much room they take."""

from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element

from models.drawing.graph import asked, patience, work
from models.drawing.palette import EVENT, GATE, INK, PAPER, colours
from models.drawing.pen import Box, add, dress, width_of, wrap
from models.plan import GatePlan, StagePlan

DIAMOND = 60
_BETWEEN = 34
_LINE = 16
_SMALL, _NAME = 11.5, 14.0
_PAD = 12
_DOUBLE = 4
_PANEL = 190.0


class Line(NamedTuple):
    """One line of text in a gate's panel."""

    text: str
    weight: str | None = None
    style: str | None = None


class Block(NamedTuple):
    """A stage in its place: its card, and its gate's diamond and panel."""

    stage: StagePlan
    card: Box
    diamond: Box | None = None
    panel: Box | None = None

    @property
    def right(self) -> float:
        """Where the block ends."""
        return max(box.right for box in (self.card, self.diamond, self.panel) if box)

    @property
    def bottom(self) -> float:
        """Where the block ends below."""
        return max(box.bottom for box in (self.card, self.panel) if box)

    @property
    def foot(self) -> Box:
        """What arrows leave downwards."""
        return self.panel or self.card

    @property
    def exit(self) -> Box:
        """What arrows leave forwards and upwards: the card, or the diamond's waist, hidden behind it."""
        if self.diamond is None:
            return self.card
        return Box(self.diamond.x, self.diamond.y + DIAMOND / 2, DIAMOND, 0)


def place(stage: StagePlan, x: float, line: float) -> Block:
    """The block of a stage that begins at x, its middle on a line."""
    rows = _doing(stage)
    texts = [width_of(stage.name, _NAME) + 6, *(width_of(row, _SMALL) for row in rows)]
    inset = 2 * _DOUBLE if stage.steady else 0
    width = max(84, max(texts) + 2 * _PAD) + inset
    height = 30 + _LINE * len(rows) + (8 if rows else 4) + inset
    card = Box(x, line - height / 2, width, height)
    if stage.gate is None:
        return Block(stage, card)
    lines = list(panel_lines(stage.gate))
    wide = max(DIAMOND, *(width_of(one.text, _SMALL) * (1.06 if one.weight else 1) + 2 * _PAD for one in lines))
    left = card.right + _BETWEEN
    diamond = Box(left + (wide - DIAMOND) / 2, line - DIAMOND / 2, DIAMOND, DIAMOND)
    return Block(stage, card, diamond, Box(left, diamond.bottom + 6, wide, _LINE * len(lines) + 12))


def _doing(stage: StagePlan) -> list[str]:
    words = [work(step) for step in stage.steps]
    if stage.steady:
        words.append("stays until an event")
    elif stage.terminal:
        words.append("the end")
    elif stage.routes is None:
        words.append("waits for an event")
    return [*([stage.environment] if stage.environment else []), *words]


def panel_lines(gate: GatePlan) -> Iterator[Line]:
    """What the panel beneath a gate says."""
    yield from (Line(part, weight="600") for part in wrap(gate.id, _PANEL, _SMALL * 1.06))
    yield from (Line(part, style="italic") for part in wrap(gate.question, _PANEL, _SMALL))
    yield from (Line(part) for who in asked(gate) for part in wrap(f"asks {who}", _PANEL, _SMALL))
    if gate.checks:
        yield from (Line(part) for part in wrap(f"checks {', '.join(gate.checks)}", _PANEL, _SMALL))
    yield from (Line(part) for part in wrap(patience(gate), _PANEL, _SMALL))


def paint(parent: Element, block: Block) -> None:
    """The stage's card, then its gate."""
    group = add(parent, "g")
    add(group, "title", f"Stage {block.stage.name}")
    _card(group, block.stage, block.card)
    if block.stage.gate and block.diamond and block.panel:
        gate = add(parent, "g")
        add(gate, "title", f"Gate {block.stage.gate.id}")
        _panel(gate, block.stage.gate, block.panel)
        diamond(gate, block.diamond, bool(block.stage.gate.asks_people))


def _card(group: Element, stage: StagePlan, box: Box) -> None:
    fill, stroke = colours(stage.environment)
    radius = min(box.height / 2, 22) if stage.terminal else 8
    if stage.steady:
        rectangle(group, box, radius + 3, PAPER, stroke)
    inset = _DOUBLE if stage.steady else 0
    inner = Box(box.x + inset, box.y + inset, box.width - 2 * inset, box.height - 2 * inset)
    rectangle(group, inner, radius, fill, stroke, 2.5 if stage.terminal else 1.5)
    write(group, stage.name, box.middle, box.y + inset + 21, size=_NAME, weight="600")
    top = box.y + inset + 40
    for index, row in enumerate(_doing(stage)):
        weight = "600" if index == 0 and stage.environment else None
        write(group, row, box.middle, top + _LINE * index, weight=weight, fill=INK if weight else EVENT)


def _panel(group: Element, gate: GatePlan, box: Box) -> None:
    rectangle(group, box, 6, *GATE, 1)
    for index, line in enumerate(panel_lines(gate)):
        write(group, line.text, box.middle, box.y + 18 + _LINE * index, weight=line.weight, style=line.style)


def diamond(group: Element, box: Box, people: bool) -> None:
    """A gate: a head and shoulders in it if people decide, else a tick."""
    middle, centre = box.middle, box.y + box.height / 2
    corners = ((middle, box.y), (box.right, centre), (middle, box.bottom), (box.x, centre))
    outline = " ".join(f"{x:g},{y:g}" for x, y in ((round(x, 1), round(y, 1)) for x, y in corners))
    add(group, "polygon", points=outline, fill=GATE[0], stroke=GATE[1], stroke_width=1.5)
    scale = box.height / DIAMOND
    pen = add(group, "g", transform=f"translate({round(middle, 1):g} {round(centre, 1):g}) scale({scale:.2f})")
    if people:
        add(pen, "circle", cx=0, cy=-6, r=5.5, fill=GATE[1])
        add(pen, "path", d="M-10 12c0-7 4-11 10-11s10 4 10 11z", fill=GATE[1])
    else:
        add(pen, "path", d="M-9 0l6 7 12-14", fill="none", stroke=GATE[1], stroke_width=3.5, stroke_linecap="round")


def rectangle(parent: Element, box: Box, radius: float, fill: str, stroke: str, width: float = 1.5) -> None:
    """A box with round corners."""
    frame = add(parent, "rect", x=box.x, y=box.y, width=box.width, height=box.height, rx=radius)
    dress(frame, fill=fill, stroke=stroke, stroke_width=width)


def write(
    parent: Element,
    text: str,
    x: float,
    y: float,
    size: float = _SMALL,
    weight: str | None = None,
    style: str | None = None,
    fill: str = INK,
    anchor: str | None = "middle",
) -> Element:
    """A line of text, its middle at x unless told otherwise."""
    return add(
        parent,
        "text",
        text,
        x=x,
        y=y,
        font_size=size,
        font_weight=weight,
        font_style=style,
        fill=fill,
        text_anchor=anchor,
    )
