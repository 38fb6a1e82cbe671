"""Reads our BPMN back: stages, steps, gates, timers and routes, as the arrows of the file connect them."""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, fromstring

from pydantic import ValidationError

from models.drawing.bpmn_names import ESCALATION, NAMESPACES, REMINDER, SLA
from models.drawing.graph import Graph
from models.errors import InvalidInputError
from models.plan import Entries, GatePlan, Routes, StagePlan, StepPlan
from models.verdict import Verdict

_SECONDS = re.compile(r"PT([0-9]{1,12})S")


def read(text: str) -> Graph:
    """The graph of a BPMN file that we wrote, whatever a tool has moved in it since; InvalidInputError."""
    if "<!DOCTYPE" in text:
        raise InvalidInputError("the BPMN file declares a document type", "export it without")
    try:
        return _graph(fromstring(text.encode()))  # noqa: S314 - without a document type there is nothing to expand
    except (ParseError, ValidationError, KeyError, ValueError) as error:
        raise InvalidInputError(f"this is not BPMN as modelops writes it: {error}", "export it anew") from error


def _graph(root: Element) -> Graph:
    process = root.find("bpmn:process", NAMESPACES)
    if process is None:
        raise ValueError("it has no process")
    told = _told(process, "lifecycle") or {}
    enters = {"new_version": told["newVersion"], "retirement": told["retirement"], "suspension": told.get("suspension")}
    return Graph(
        template=told["template"],
        version=told["version"],
        title=told["title"],
        stages=tuple(_stages(process)),
        enters=Entries.model_validate(enters),
    )


def _stages(process: Element) -> Iterator[StagePlan]:
    told = {element.attrib["id"]: _told(element, "stage") for element in process if "id" in element.attrib}
    stages = {id: facts for id, facts in told.items() if facts}
    names = {id: facts["name"] for id, facts in stages.items()}
    for element in process:
        facts = stages.get(element.get("id", ""))
        if facts is None:
            continue
        tasks = list(_in_order(element))
        yield StagePlan(
            name=facts["name"],
            environment=facts.get("environment"),
            steps=tuple(_step(step) for task in tasks if (step := _told(task, "step"))),
            gate=next((_gate(element, task) for task in tasks if _told(task, "gate")), None),
            routes=_routes(process, element.attrib["id"], names),
            steady=facts.get("kind") == "steady",
            terminal=facts.get("kind") == "terminal",
        )


def _in_order(stage: Element) -> Iterator[Element]:
    """The tasks of a stage, as its arrows lead from one to the next."""
    nodes = {node.attrib["id"]: node for node in stage if "id" in node.attrib}
    after = {flow.attrib["sourceRef"]: flow.attrib["targetRef"] for flow in _all(stage, "bpmn:sequenceFlow")}
    start = stage.find("bpmn:startEvent", NAMESPACES)
    name = None if start is None else after.get(start.attrib["id"])
    while name is not None:
        yield nodes[name]
        name = after.pop(name, None)


def _step(told: dict[str, str]) -> StepPlan:
    external = (
        {"pipeline": told.pop("pipeline"), "readings": told.pop("readings").split()} if "pipeline" in told else None
    )
    return StepPlan.model_validate({**told, "external": external})


def _gate(stage: Element, task: Element) -> GatePlan:
    gate = _all(task, "bpmn:extensionElements/modelops:gate")[0]
    timers = [event for event in _all(stage, "bpmn:boundaryEvent") if event.get("attachedToRef") == task.get("id")]
    told = [(facts := _told(event, "timer") or {}, facts.get("business") or _seconds(event)) for event in timers]
    late = [event for event in timers if (_told(event, "timer") or {}).get("kind") == SLA]
    return GatePlan.model_validate(
        {
            "id": gate.attrib["id"],
            "question": gate.attrib["question"],
            "satisfies": [one.attrib["control"] for one in _all(gate, "modelops:claim")],
            "checks": [one.attrib["kpi"] for one in _all(gate, "modelops:check")],
            "approvals": {one.attrib["role"]: int(one.attrib["count"]) for one in _all(gate, "modelops:approval")},
            "sla": next((after for facts, after in told if facts.get("kind") == SLA), 0),
            "remind": [after for facts, after in told if facts.get("kind") == REMINDER],
            "escalate": [
                {"after": after, "to": facts["to"]} for facts, after in told if facts.get("kind") == ESCALATION
            ],
            "authentication": gate.get("authentication", "signature"),
            "approvals_lapse": gate.get("approvalsLapse", 0),
            "on_timeout": "reject" if any(event.get("cancelActivity") != "false" for event in late) else "hold",
        }
    )


def _seconds(event: Element) -> int:
    written = event.findtext("bpmn:timerEventDefinition/bpmn:timeDuration", "", NAMESPACES)
    found = _SECONDS.fullmatch(written.strip())
    if found is None:
        raise ValueError(f"'{written}' is not a duration in whole seconds")
    return int(found[1])


def _routes(process: Element, stage: str, names: dict[str, str]) -> Routes | None:
    """Where the verdicts of a stage lead: along its own arrows, or those of the gateway after it."""
    flows = _all(process, "bpmn:sequenceFlow")
    after = {flow.attrib["targetRef"] for flow in flows if flow.attrib["sourceRef"] == stage}
    leading = {
        Verdict(verdict): names[flow.attrib["targetRef"]]
        for flow in flows
        if flow.attrib["sourceRef"] in (stage, *after) and flow.attrib["sourceRef"] not in names.keys() - {stage}
        for verdict in flow.get(f"{{{NAMESPACES['modelops']}}}verdicts", "").split()
    }
    if not leading:
        return None
    failed, unclear = leading.get(Verdict.FAIL), leading.get(Verdict.INCONCLUSIVE)
    return Routes(passed=leading[Verdict.PASS], failed=failed, inconclusive=unclear)


def _told(element: Element, kind: str) -> dict[str, str] | None:
    """What an extension element of ours says; None if there is none of that kind."""
    found = element.find(f"bpmn:extensionElements/modelops:{kind}", NAMESPACES)
    return None if found is None else dict(found.attrib)


def _all(element: Element, path: str) -> list[Element]:
    return element.findall(path, NAMESPACES)
