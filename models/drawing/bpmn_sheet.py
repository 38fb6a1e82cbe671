"""BPMN 2.0 while it is being written: every element goes to the process and, with its place, to the diagram."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement

from models.drawing.bpmn_names import NAMESPACES
from models.drawing.graph import legible
from models.drawing.pen import Box, Point, add, document, number

CIRCLE = 36
"""How wide an event is drawn."""

DIAMOND = 50
"""How wide a gateway is drawn."""


class Sheet:
    """A process and its diagram."""

    def __init__(self, template: str, title: str) -> None:
        self._root = Element("bpmn:definitions", {f"xmlns:{name}": uri for name, uri in NAMESPACES.items()})
        self._root.set("id", f"Definitions_{template}")
        self._root.set("targetNamespace", NAMESPACES["modelops"])
        self._root.set("exporter", "modelops")
        process = f"Process_{template}"
        self.process = add(self._root, "bpmn:process", id=process, name=title, isExecutable="false")
        diagram = add(self._root, "bpmndi:BPMNDiagram", id=f"Diagram_{template}")
        self._plane = add(diagram, "bpmndi:BPMNPlane", id=f"Plane_{template}", bpmnElement=process)
        self._nodes: dict[str, Element] = {}
        self._flows: list[Element] = []

    def node(self, parent: Element, tag: str, id: str, name: str, box: Box, **shape: str) -> Element:
        """Anything with a place. `shape` goes to the diagram."""
        element = SubElement(parent, f"bpmn:{tag}", {"id": id, "name": legible(name)})
        self._nodes[id] = element
        drawn = SubElement(self._plane, "bpmndi:BPMNShape", {"id": f"Shape_{id}", "bpmnElement": id, **shape})
        _bounds(drawn, box)
        return element

    def label(self, box: Box) -> None:
        """Where the name stands of what was drawn last."""
        _bounds(add(self._plane[-1], "bpmndi:BPMNLabel"), box)

    def flow(self, parent: Element, id: str, source: str, target: str, way: Sequence[Point], name: str = "") -> Element:
        """An arrow."""
        element = add(parent, "bpmn:sequenceFlow", id=id, name=name or None, sourceRef=source, targetRef=target)
        self._flows.append(element)
        edge = add(self._plane, "bpmndi:BPMNEdge", id=f"Edge_{id}", bpmnElement=id)
        for point in way:
            add(edge, "di:waypoint", x=point.x, y=point.y)
        return element

    def write(self) -> str:
        """The document; each node names the arrows that come in and go out, in the order that the standard asks."""
        for flow in self._flows:
            for end, tag in (("targetRef", "bpmn:incoming"), ("sourceRef", "bpmn:outgoing")):
                _insert(self._nodes[flow.attrib[end]], tag, flow.attrib["id"])
        return document(self._root)


_BEFORE = ("bpmn:documentation", "bpmn:extensionElements", "bpmn:incoming", "bpmn:outgoing")


def _insert(node: Element, tag: str, text: str) -> None:
    before = _BEFORE[: _BEFORE.index(tag) + 1]
    place = sum(child.tag in before for child in node)
    element = Element(tag)
    element.text = text
    node.insert(place, element)


def _bounds(parent: Element, box: Box) -> None:
    spelt = {name: number(value) for name, value in box._asdict().items()}
    SubElement(parent, "dc:Bounds", spelt)
