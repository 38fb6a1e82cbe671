// What bpmn-moddle says of a BPMN file: its root, its warnings, and how many flow nodes have no shape on the diagram.
import { readFileSync } from "node:fs";
import BpmnModdle from "bpmn-moddle";

const { rootElement, warnings, elementsById } = await new BpmnModdle().fromXML(readFileSync(process.argv[2], "utf8"));
const elements = Object.values(elementsById);
const placed = new Set(elements.filter((one) => one.$type === "bpmndi:BPMNShape").map((one) => one.bpmnElement.id));
const nodes = elements.filter((one) => one.$instanceOf("bpmn:FlowNode"));
const lost = nodes.filter((one) => !placed.has(one.id)).length;
console.log(`${rootElement.$type}, ${warnings.length} warnings, ${lost} without a place`);
for (const warning of warnings) console.log(warning.message);
