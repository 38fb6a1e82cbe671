"""What the Web UI shows of one look at a model in production: each reading against its bounds."""

from urllib.parse import quote as escape

from models.canonical import spell_duration
from models.monitoring import MonitorOrder, MonitorOutcome
from models.verdict import Reading
from workflows.card_facts import VERDICT, judged, looks
from workflows.card_markup import folded, quote, safe, some, table

_KPIS, _OTHERS, _WORDS = 8, 10, 240
"""How much of everything is shown: a card travels in a URL, see `workflows.card.LIMIT`."""


def render(order: MonitorOrder, outcome: MonitorOutcome) -> str:
    """Markdown: the verdict, the KPIs with meters, what else was read, and where to look next."""
    result, monitor = outcome.result, order.monitor
    read = {reading.name: reading for reading in result.readings}
    rows = [judged(kpi, read[kpi.name]) for kpi in order.kpis if kpi.name in read][:_KPIS]
    others = [_other(one) for name, one in read.items() if name not in monitor.checks]
    parts = [
        f"## {VERDICT[result.verdict]} {order.model} · monitor {monitor.id}",
        f"{some(monitor.checks, _KPIS)} · every {spell_duration(monitor.every)} · a breach starts **{monitor.then}**",
        quote([_situation(order, outcome)]),
        table(("KPI", "Value", "Passes", "Level"), rows),
        folded("What else was read", others[:_OTHERS]) if others else "",
        " · ".join((_lifecycle(order.model), looks(order.model, monitor.id))),
    ]
    return "\n\n".join(part for part in parts if part)


def _situation(order: MonitorOrder, outcome: MonitorOutcome) -> str:
    said = safe(outcome.result.summary, _WORDS)
    if outcome.breach:
        said = f"🚨 **A breach:** the lifecycle was told of it, and starts {order.monitor.then}. {said}"
    return f"{said} Not measured again: {safe(outcome.missed, _WORDS)}" if outcome.missed else said


def _other(reading: Reading) -> str:
    return f"{reading.name} {reading.value:.4g} <small>of {reading.count}</small>"


def _lifecycle(model: str) -> str:
    return f"[The lifecycle](/namespaces/{{namespace}}/workflows/{escape(f'model/{model}', safe='')})"
