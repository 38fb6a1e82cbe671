"""All models as a portfolio: where they are, how they fare, what they are worth and what is overdue."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlmodel import Session, col, select
from sqlmodel.sql.sqltypes import UTCDateTime

from client.views import Held
from models.evidence import QUANTITIES, Dimension
from models.plan import Plan
from models.records import LifecycleRecord, PlanRecord
from models.value import Sums
from models.verdict import Kpi

_BUSINESS = frozenset(name for name, one in QUANTITIES.items() if one.dimension is Dimension.BUSINESS)
_VALUES = sa.table("current_reading", sa.column("model"), sa.column("name"), sa.column("value"))
_WORTH = sa.table("model_value", *map(sa.column, ("model", "unit", "value", "cost")))
_PORTFOLIO = sa.table(
    "portfolio",
    *map(sa.column, ("model", "title", "tier", "owner", "use_case", "stage", "phase", "champion", "health")),
    sa.column("measured_at", UTCDateTime()),
    *map(sa.column, ("obligations_overdue", "contradictions")),
)


def holdings(session: Session) -> Sequence[Held]:
    """Every registered model, by name, as the views for charts have it, beside the targets of its plan."""
    business = defaultdict[str, dict[str, float]](dict)
    for model, name, value in session.execute(sa.select(*_VALUES.c)):
        if name in _BUSINESS or name not in QUANTITIES:
            business[model][name] = value
    worth = defaultdict[str, list[Sums]](list)
    for model, unit, value, cost in session.execute(sa.select(*_WORTH.c).order_by(_WORTH.c.model, _WORTH.c.unit)):
        worth[model].append(Sums(unit=unit, value=value, cost=cost))
    kpis = _kpis(session)
    rows = session.execute(sa.select(*_PORTFOLIO.c).order_by(_PORTFOLIO.c.model)).mappings().all()
    return [_held(row, business[row["model"]], worth[row["model"]], kpis.get(row["model"], ())) for row in rows]


def attained(kpis: Iterable[Kpi], values: Mapping[str, float]) -> dict[str, float]:
    """How much of its target each business KPI has reached, 1 for all; those without one are left out."""
    found = ((kpi.name, kpi.attained(values[kpi.name])) for kpi in kpis if kpi.name in values)
    return {name: share for name, share in found if share is not None}


def _kpis(session: Session) -> Mapping[str, Sequence[Kpi]]:
    """Of each model with a lifecycle; a plan that governs several is read once."""
    governed = {row.model: row.plan for row in session.exec(select(LifecycleRecord))}
    found = session.exec(select(PlanRecord).where(col(PlanRecord.digest).in_(select(LifecycleRecord.plan))))
    plans = {row.digest: Plan.model_validate_json(row.content).kpis for row in found}
    return {model: plans.get(plan, ()) for model, plan in governed.items()}


def _held(row: RowMapping, business: dict[str, float], worth: Sequence[Sums], kpis: Sequence[Kpi]) -> Held:
    return Held.model_validate(
        dict(row) | {"value": business, "attained": attained(kpis, business), "worth": tuple(worth)}
    )
