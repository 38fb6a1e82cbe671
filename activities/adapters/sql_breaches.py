"""Breaches that stand, as the looks on record tell."""

from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile

import sqlalchemy as sa
from sqlmodel import Session, col, select

from models.alerts import StandingBreach
from models.inventory import RiskTier
from models.maturity import Look, standing
from models.plan import MonitorPlan
from models.records import LifecycleRecord, MeasurementRecord
from models.verdict import Verdict

_Where = tuple[sa.ColumnElement[bool], ...]
_ORDER = (col(MeasurementRecord.moment), col(MeasurementRecord.id))
_NEWEST_FIRST = tuple(column.desc() for column in _ORDER)


def look_of(row: MeasurementRecord) -> Look:
    """A look at a window, as it is on record."""
    said = row.window, row.verdict.value, tuple(row.reasons), row.looked or row.at, row.looks, row.outcomes
    return Look(*said, row.moment, row.unmeasured)


def standing_breach(
    session: Session, lifecycle: LifecycleRecord, monitor: MonitorPlan, tier: RiskTier, owner: str
) -> StandingBreach | None:
    """The breach of a monitor of the present champion; None if it is in none."""
    ours = (
        col(MeasurementRecord.model) == lifecycle.model,
        col(MeasurementRecord.monitor) == monitor.id,
        col(MeasurementRecord.reign) == lifecycle.crowned,
    )
    rows = _last(session, ours, monitor.looks)
    looks = standing(monitor, [look_of(row) for row in rows])
    if not looks:
        return None
    told = rows[: len(looks)][-monitor.looks :]
    failing = [row for row in told if row.verdict is Verdict.FAIL]
    count, since = (len(failing), failing[0].at) if monitor.of else _in_a_row(session, (*ours, _up_to(failing[-1])))
    return StandingBreach(
        model=lifecycle.model,
        monitor=monitor.id,
        tier=tier,
        owner=owner,
        window=looks[-1].window,
        reasons=looks[-1].reasons,
        failures=count,
        of=monitor.of,
        then=monitor.then,
        since=since,
    )


def _last(session: Session, ours: _Where, count: int) -> Sequence[MeasurementRecord]:
    """So many of the last looks by what they stand for, oldest first; if nothing can be said yet of the newest, that
    one and what is like it before it, and so many up to the last of which something can.
    """
    newest = select(MeasurementRecord).where(*ours).order_by(*_NEWEST_FIRST)
    rows = session.exec(newest.limit(max(count, 2))).all()
    open = list(takewhile(lambda row: row.verdict is Verdict.INCONCLUSIVE, rows[:2]))
    if not open:
        return rows[:count][::-1]
    known = session.exec(newest.where(col(MeasurementRecord.verdict) != Verdict.INCONCLUSIVE).limit(1)).first()
    before = session.exec(newest.where(_up_to(known)).limit(count)).all() if known else ()
    return [*before[::-1], *open[::-1]]


def _in_a_row(session: Session, looks: _Where) -> tuple[int, datetime]:
    """How many of the last looks have failed since one that has not, and since when."""
    fail = col(MeasurementRecord.verdict) == Verdict.FAIL
    sound = session.execute(sa.select(*_ORDER).where(*looks, ~fail).order_by(*_NEWEST_FIRST).limit(1)).first()
    run = (*looks, sa.tuple_(*_ORDER) > sa.tuple_(*sound)) if sound else looks
    count, since = session.execute(sa.select(sa.func.count(), sa.func.min(col(MeasurementRecord.at))).where(*run)).one()
    return count, since


def _up_to(row: MeasurementRecord) -> sa.ColumnElement[bool]:
    return sa.tuple_(*_ORDER) <= sa.tuple_(row.moment, row.id)
