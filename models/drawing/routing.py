"""Which way arrows take between two rows of boxes, so that none runs through a box and none lies on another."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from models.drawing.pen import Box, Point

TRACK = 26
"""Between two arrows that run side by side."""

CLEARANCE = 30
"""Between a row of boxes and the nearest arrow that runs along it."""

_CLOSEST = 14


class Way(StrEnum):
    """How an arrow runs: straight to the neighbour, back over the first row, between the rows, under the second."""

    STRAIGHT = "straight"
    OVER = "over"
    BETWEEN = "between"
    UNDER = "under"


class Wire(NamedTuple):
    """An arrow from a box to a box. With `leaves`, it comes out of the box's right side and turns at that x."""

    start: Box
    end: Box
    rows: tuple[int, int]
    neighbours: bool = False
    leaves: float | None = None

    @property
    def way(self) -> Way:
        """How it runs."""
        if self.neighbours:
            return Way.STRAIGHT
        if self.rows[0] != self.rows[1]:
            return Way.BETWEEN
        return Way.UNDER if self.rows[0] else Way.OVER

    @property
    def span(self) -> tuple[float, float]:
        """From where to where it runs along a row."""
        ends = self.start.middle if self.leaves is None else self.leaves, self.end.middle
        return min(ends), max(ends)


def levels(wires: Sequence[Wire]) -> dict[int, int]:
    """The track of each arrow that is not straight, by its index: short ones near the boxes, none on another."""
    found: dict[int, int] = {}
    for way in (Way.OVER, Way.BETWEEN, Way.UNDER):
        taken: list[tuple[tuple[float, float], int]] = []
        mine = [index for index, wire in enumerate(wires) if wire.way is way]
        sign = -1 if way is Way.BETWEEN else 1
        for index in sorted(mine, key=lambda index: (sign * (wires[index].span[1] - wires[index].span[0]), index)):
            low, high = wires[index].span
            crossed = [level for (start, end), level in taken if start < high + TRACK and low < end + TRACK]
            found[index] = max(crossed, default=-1) + 1
            taken.append(((low, high), found[index]))
    return found


def room(wires: Sequence[Wire], way: Way) -> float:
    """How much height the arrows of one way take."""
    used = [level for index, level in levels(wires).items() if wires[index].way is way]
    return CLEARANCE + TRACK * max(used) + CLEARANCE if used else CLEARANCE


class Edges(NamedTuple):
    """Where the rows end: the top of the first, its bottom, the bottom of the second."""

    top: float
    bottom: float
    floor: float


def points(wires: Sequence[Wire], edges: Edges) -> list[tuple[Point, ...]]:
    """The corners of each arrow, from its start to its end."""
    level, port = levels(wires), _ports(wires)
    found: list[tuple[Point, ...]] = []
    for index, wire in enumerate(wires):
        line = wire.start.y + wire.start.height / 2
        if wire.way is Way.STRAIGHT:
            found.append((Point(wire.start.right, line), Point(wire.end.x, line)))
            continue
        track = _track(wire.way, level[index], edges)
        out: tuple[Point, ...]
        if wire.leaves is not None:
            out = (Point(wire.start.right, line), Point(wire.leaves, line))
        else:
            out = (Point(port[index, 0], _side(wire, 0, track)),)
        end = Point(port[index, 1], _side(wire, 1, track))
        found.append((*out, Point(out[-1].x, track), Point(end.x, track), end))
    return found


def _track(way: Way, level: int, edges: Edges) -> float:
    away = CLEARANCE + TRACK * level
    match way:
        case Way.OVER:
            return edges.top - away
        case Way.BETWEEN:
            return edges.bottom + away
        case _:
            return edges.floor + away


def _side(wire: Wire, end: int, track: float) -> float:
    box = (wire.start, wire.end)[end]
    return box.y if track < box.y else box.bottom


def _ports(wires: Sequence[Wire]) -> dict[tuple[int, int], float]:
    """The x at which each arrow leaves and arrives, spread over the side of the box that it leaves or meets."""
    sides: dict[tuple[Box, bool], list[tuple[int, int]]] = defaultdict(list)
    for index, wire in enumerate(wires):
        if wire.way is Way.STRAIGHT:
            continue
        for end, box in enumerate((wire.start, wire.end)):
            if end or wire.leaves is None:
                sides[box, _upper(wire, end)].append((index, end))
    found: dict[tuple[int, int], float] = {}
    for (box, _), ends in sides.items():
        ends.sort(key=_around(wires, box))
        step = min(box.width / (len(ends) + 1), 2 * _CLOSEST)
        first = box.middle - step * (len(ends) - 1) / 2
        found |= {one: first + step * place for place, one in enumerate(ends)}
    return found


def _upper(wire: Wire, end: int) -> bool:
    return wire.way is Way.OVER or (wire.way is Way.BETWEEN and wire.rows[end] == 1)


def _around(wires: Sequence[Wire], box: Box) -> Callable[[tuple[int, int]], tuple[float, ...]]:
    """The order of arrows along a side in which those of one row nest and those between rows do not cross."""

    def place(one: tuple[int, int]) -> tuple[float, ...]:
        wire, (index, end) = wires[one[0]], one
        other = (wire.end if end == 0 else wire.start).middle
        if wire.way is Way.BETWEEN:
            return 0, other, index
        if wire.start == wire.end:
            return 2, 1 - end, index
        away = other - box.middle
        return (0, -away, index) if away < 0 else (1, -away, index)

    return place
