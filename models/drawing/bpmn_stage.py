"""One stage in BPMN: a sub-process of service tasks, a rule task for checks, a user task for people."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple
from xml.etree.ElementTree import Element

from models.drawing.bpmn_names import part_id, stage_id
from models.drawing.bpmn_sheet import CIRCLE, Sheet
from models.drawing.bpmn_timers import BELOW, timers, width, write_timers
from models.drawing.graph import asked, work
from models.drawing.palette import colours
from models.drawing.pen import Box, Point, add, dress
from models.plan import GatePlan, Plan, StagePlan, StepPlan

ABOVE = 90
"""From a stage's upper edge to the line on which its tasks stand."""

_BELOW = 64
_TASK, _HIGH = 132, 80
_GAP = 30
_EDGE = 24


class Task(NamedTuple):
    """One task of a stage: what writes it into its box."""

    id: str
    width: float
    write: Callable[[Sheet, Element, Box], None]


def write_stage(sheet: Sheet, plan: Plan, stage: StagePlan, x: float, line: float) -> None:
    """The sub-process of a stage that begins at x, its tasks on a line."""
    tasks = list(_tasks(plan, stage))
    box = area(plan, stage, x, line)
    fill, stroke = colours(stage.environment)
    paint = {"isExpanded": "true", "color:background-color": fill, "color:border-color": stroke}
    name = f"{stage.name} ({stage.environment})" if stage.environment else stage.name
    outer = sheet.node(sheet.process, "subProcess", stage_id(stage.name), name, box, **paint)
    extend_stage(outer, stage)
    last, right = part_id("Begin", stage.name), x + _EDGE + CIRCLE
    sheet.node(outer, "startEvent", last, "", _circle(x + _EDGE, line))
    for task in tasks:
        place = Box(right + _GAP, line - _HIGH / 2, task.width, _HIGH)
        task.write(sheet, outer, place)
        sheet.flow(outer, f"{task.id}.in", last, task.id, (Point(right, line), Point(place.x, line)))
        last, right = task.id, place.right
    end = part_id("End", stage.name)
    sheet.node(outer, "endEvent", end, "", _circle(right + _GAP, line))
    sheet.flow(outer, f"{end}.in", last, end, (Point(right, line), Point(right + _GAP, line)))


def area(plan: Plan, stage: StagePlan, x: float, line: float) -> Box:
    """Where the sub-process of a stage stands."""
    wide = 2 * (_EDGE + CIRCLE) + _GAP + sum(task.width + _GAP for task in _tasks(plan, stage))
    waits = stage.gate is not None and bool(timers(stage.gate))
    return Box(x, line - ABOVE, wide, ABOVE + _BELOW + (BELOW if waits else 0))


def extend_stage(element: Element, stage: StagePlan) -> None:
    """What a stage is, in our own words, on the element that stands for it."""
    kind = "steady" if stage.steady else "terminal" if stage.terminal else None
    told = add(element, "bpmn:extensionElements")
    add(told, "modelops:stage", name=stage.name, environment=stage.environment, kind=kind)


def _circle(x: float, line: float) -> Box:
    return Box(x, line - CIRCLE / 2, CIRCLE, CIRCLE)


def _tasks(plan: Plan, stage: StagePlan) -> Iterator[Task]:
    for step in stage.steps:
        id = part_id("Step", stage.name, step.id)
        yield Task(id, _TASK, partial(_write_step, id, step))
    gate = stage.gate
    if gate and (gate.checks or not gate.asks_people):
        id = part_id("Checks", stage.name)
        yield Task(id, _TASK, partial(_write_checks, id, gate))
    if gate and gate.asks_people:
        id = part_id("Gate", stage.name)
        yield Task(id, max(_TASK, width(gate)), partial(_write_people, id, plan, stage, gate))


def _write_step(id: str, step: StepPlan, sheet: Sheet, parent: Element, box: Box) -> None:
    task = sheet.node(parent, "serviceTask", id, work(step), box)
    told = add(task, "bpmn:extensionElements")
    written = add(told, "modelops:step", id=step.id, kind=step.kind, timeout=str(step.timeout))
    if step.external:
        dress(written, pipeline=step.external.pipeline, readings=" ".join(step.external.readings))


def _write_checks(id: str, gate: GatePlan, sheet: Sheet, parent: Element, box: Box) -> None:
    name = f"Checks: {', '.join(gate.checks)}" if gate.checks else "No checks"
    task = sheet.node(parent, "businessRuleTask", id, name, box)
    if not gate.asks_people:
        _extend_gate(task, gate)


def _write_people(
    id: str, plan: Plan, stage: StagePlan, gate: GatePlan, sheet: Sheet, parent: Element, box: Box
) -> None:
    task = sheet.node(parent, "userTask", id, f"{gate.id}: {', '.join(asked(gate))}", box)
    add(task, "bpmn:documentation", gate.question)
    _extend_gate(task, gate)
    for role in gate.approvals:
        owner = add(task, "bpmn:potentialOwner", id=part_id("Owner", stage.name, role), name=role)
        group = add(owner, "bpmn:resourceAssignmentExpression")
        add(group, "bpmn:formalExpression", plan.roles.get(role, role))
    write_timers(sheet, parent, stage.name, gate, (id, box))


def _extend_gate(task: Element, gate: GatePlan) -> None:
    told = add(task, "bpmn:extensionElements")
    by = None if gate.authentication == "signature" else gate.authentication
    lapse = str(gate.approvals_lapse) if gate.approvals_lapse else None
    gated = add(told, "modelops:gate", id=gate.id, question=gate.question, authentication=by, approvalsLapse=lapse)
    for control in gate.satisfies:
        add(gated, "modelops:claim", control=control)
    for kpi in gate.checks:
        add(gated, "modelops:check", kpi=kpi)
    for role, count in gate.approvals.items():
        add(gated, "modelops:approval", role=role, count=str(count))
