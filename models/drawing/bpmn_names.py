"""The words that writer and reader of our BPMN share. Ids are NCNames: a word of ours, then slugs."""

from models.canonical import Slug

OURS = "urn:modelops:bpmn:1"
"""The namespace of our extension elements and attributes."""

NAMESPACES = {
    "bpmn": "http://www.omg.org/spec/BPMN/20100524/MODEL",
    "bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
    "dc": "http://www.omg.org/spec/DD/20100524/DC",
    "di": "http://www.omg.org/spec/DD/20100524/DI",
    "color": "http://www.omg.org/spec/BPMN/non-normative/color/1.0",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "modelops": OURS,
}

REMINDER, ESCALATION, SLA = "reminder", "escalation", "sla"


def stage_id(name: Slug) -> str:
    """The element of a stage."""
    return f"Stage_{name}"


def part_id(part: str, stage: Slug, *more: object) -> str:
    """Something that belongs to a stage. A dot, which no slug has, keeps apart what it is made of."""
    return ".".join(map(str, (f"{part}_{stage}", *more)))
