"""Alerts of breaches: one for each monitor of a model, however often it has failed."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from models.canonical import Frozen, Slug
from models.inventory import RiskTier
from models.plan import Remedy

VALID = timedelta(minutes=15)
"""How long an alert stands that nobody repeats: longer than a restart of the worker, shorter than a night."""

NAME = "ModelBreach"
_GRAVE = frozenset({RiskTier.HIGH, RiskTier.CRITICAL})
_LONGEST = 1_000


class StandingBreach(Frozen):
    """A monitor that is in breach; `since` its first failure.

    It has failed `failures` times in a row, or as often in its last `of` looks.
    """

    model: Slug
    monitor: Slug
    tier: RiskTier
    owner: Slug
    window: str
    reasons: tuple[str, ...]
    failures: int
    of: int = 0
    then: Remedy
    since: datetime


class Alert(NamedTuple):
    """An alert as Alertmanager has them. The labels make it the same alert; nothing unbounded is among them."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts: datetime
    ends: datetime


def alert_of(breach: StandingBreach, source: str, at: datetime, runbook: str | None = None) -> Alert:
    """The alert of a breach that stands at a moment."""
    labels = {
        "alertname": NAME,
        "source": source,
        "model": breach.model,
        "monitor": breach.monitor,
        "tier": breach.tier.value,
        "severity": "critical" if breach.tier in _GRAVE else "warning",
    }
    annotations = {
        "summary": f"{breach.model}: {breach.monitor} has failed {_often(breach)}",
        "description": "; ".join(breach.reasons)[:_LONGEST],
        "window": breach.window,
        "owner": breach.owner,
        "remedy": breach.then.value,
        "command": f"modelops monitor show {breach.model} {breach.monitor}",
    }
    if runbook:
        annotations["runbook_url"] = runbook
    return Alert(labels, annotations, breach.since, at + VALID)


def _often(breach: StandingBreach) -> str:
    return f"{breach.failures} of its last {breach.of} looks" if breach.of else f"{breach.failures} times in a row"


def resolved(firing: Collection[Alert], holding: Collection[Alert], at: datetime) -> tuple[Alert, ...]:
    """Those that fire there and hold no more, ending now."""
    kept = {frozenset(one.labels.items()) for one in holding}
    return tuple(one._replace(ends=at) for one in firing if frozenset(one.labels.items()) not in kept)
