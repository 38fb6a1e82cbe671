"""A plan as a drawing: Mermaid, SVG, and BPMN 2.0 that can be read back."""
