"""The timers of a gate in BPMN: boundary events of the user task, each with what it leads to below it."""

from typing import NamedTuple
from xml.etree.ElementTree import Element

from models.canonical import Slug, spell_duration
from models.drawing.bpmn_names import ESCALATION, REMINDER, SLA, part_id
from models.drawing.bpmn_sheet import CIRCLE, Sheet
from models.drawing.pen import Box, Point, add
from models.plan import GatePlan
from models.waits import Wait

BELOW = 130
"""How far timers and their ends reach below the task."""

_APART = 76
_FALL = 34
_MARGIN = 10


class Timer(NamedTuple):
    """What goes off after which time, whom it tells, and whether it ends the wait."""

    kind: str
    after: Wait
    to: Slug | None = None
    ends: bool = False

    @property
    def says(self) -> str:
        """What it leads to, in words."""
        match self.kind:
            case "reminder":
                return "remind"
            case "escalation":
                return f"tell {self.to}"
            case _:
                return "overdue: reject" if self.ends else "overdue: hold"


_THROWS = {REMINDER: "bpmn:messageEventDefinition", ESCALATION: "bpmn:escalationEventDefinition"}


def timers(gate: GatePlan) -> tuple[Timer, ...]:
    """The timers of a gate; one that asks nobody has none."""
    if not gate.asks_people:
        return ()
    return (
        *(Timer(REMINDER, after) for after in gate.remind),
        *(Timer(ESCALATION, one.after, one.to) for one in gate.escalate),
        Timer(SLA, gate.sla, ends=gate.on_timeout == "reject"),
    )


def width(gate: GatePlan) -> float:
    """How wide a user task is that has a gate's timers on its lower edge."""
    return 2 * _MARGIN + _APART * len(timers(gate))


def write_timers(sheet: Sheet, parent: Element, stage: Slug, gate: GatePlan, task: tuple[str, Box]) -> None:
    """The timers of a gate, on its user task."""
    for index, timer in enumerate(timers(gate)):
        at = Point(task[1].x + _MARGIN + _APART * (index + 0.5), task[1].bottom)
        id, end = part_id("Timer", stage, index), part_id("Told", stage, index)
        around = Box(at.x - CIRCLE / 2, at.y - CIRCLE / 2, CIRCLE, CIRCLE)
        event = sheet.node(parent, "boundaryEvent", id, spell_duration(timer.after), around)
        sheet.label(Box(at.x + CIRCLE / 2 - 2, at.y + CIRCLE / 2 - 4, 28, 14))
        _define(event, timer, task[0])
        below = around._replace(y=around.bottom + _FALL)
        told = sheet.node(parent, "endEvent", end, timer.says, below)
        sheet.label(Box(at.x - _APART / 2 + 3, below.bottom + 4, _APART - 6, 28))
        if timer.kind in _THROWS:
            add(told, _THROWS[timer.kind], id=f"{end}.definition")
        sheet.flow(parent, f"{end}.in", id, end, (Point(at.x, around.bottom), Point(at.x, below.y)))


def _define(event: Element, timer: Timer, task: str) -> None:
    event.set("attachedToRef", task)
    event.set("cancelActivity", "true" if timer.ends else "false")
    business = timer.after if isinstance(timer.after, str) else None
    add(add(event, "bpmn:extensionElements"), "modelops:timer", kind=timer.kind, to=timer.to, business=business)
    definition = add(event, "bpmn:timerEventDefinition", id=f"{event.attrib['id']}.definition")
    duration = add(definition, "bpmn:timeDuration", f"P{business[:-2]}D" if business else f"PT{timer.after}S")
    duration.set("xsi:type", "bpmn:tFormalExpression")
