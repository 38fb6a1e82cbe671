"""What metrics tell of all models: their names, meanings and labels, each label of a small set."""

from collections.abc import Mapping
from typing import NamedTuple


class Figure(NamedTuple):
    """One value of a metric, with the values of its labels in their order."""

    metric: str
    labels: tuple[str, ...]
    value: float


class Metric(NamedTuple):
    """What a metric tells, and by which labels."""

    help: str
    labels: tuple[str, ...]


METRICS: Mapping[str, Metric] = {
    "modelops_models": Metric(
        "Models by stage, risk tier and health, the worst of what monitors found last.", ("stage", "tier", "health")
    ),
    "modelops_breaches": Metric("Breaches that stand, by risk tier.", ("tier",)),
    "modelops_breach_seconds": Metric("Seconds since the breach that has stood for longest began.", ("tier",)),
    "modelops_breaches_acted_on": Metric("Breaches that lifecycles have answered, ever.", ()),
    "modelops_remediations": Metric(
        "Remediations that were performed, ever, by kind; to tell people is none.", ("kind",)
    ),
    "modelops_remediation_loops": Metric(
        "Models that were trained, rolled back or suspended three times within a week.", ("tier",)
    ),
    "modelops_monitors": Metric("Monitors of versions that serve, by risk tier.", ("tier",)),
    "modelops_monitors_silent": Metric("Monitors that have not looked for three periods.", ("tier",)),
    "modelops_monitors_unmeasured": Metric("Monitors that could not measure all when they looked last.", ("tier",)),
    "modelops_reading_age_seconds": Metric("Seconds since the monitor that is longest silent has looked.", ("tier",)),
    "modelops_stuck_lifecycles": Metric("Lifecycles that are stuck until a person acts.", ("tier",)),
    "modelops_stuck_seconds": Metric("Seconds that a lifecycle has been stuck, the longest.", ("tier",)),
    "modelops_gates_waiting": Metric("Gates that wait for decisions of people.", ("tier",)),
    "modelops_gate_waiting_seconds": Metric("Seconds that a gate has waited, the longest.", ("tier",)),
    "modelops_approvals_overdue": Metric("Gates that wait longer than their plan gives people.", ("tier",)),
    "modelops_obligations_overdue": Metric("Obligations that are overdue, as monitors of the record saw.", ("tier",)),
    "modelops_undelivered_messages": Metric("Messages that wait to be delivered.", ("channel",)),
    "modelops_undelivered_seconds": Metric("Seconds that the oldest of them has waited.", ("channel",)),
    "modelops_failing_messages": Metric("Messages that have failed so often that they are a finding.", ("channel",)),
    "modelops_record_answers": Metric("Whether the record could be read for this scrape: 1, or 0.", ()),
}
