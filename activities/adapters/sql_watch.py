"""What monitors have found and where lifecycles are, of all models at once: for alerts and for metrics."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.sqltypes import UTCDateTime

from activities.adapters.sql_breaches import standing_breach
from activities.adapters.sql_engine import Database
from models.alerts import StandingBreach
from models.channels import UNDELIVERED_AFTER
from models.evidence import StepKind
from models.figures import Figure
from models.inventory import Environment, RiskTier
from models.monitoring import SILENT_AFTER
from models.plan import MonitorPlan, Plan, Remedy
from models.records import (
    ChannelRecord,
    DeliveryRecord,
    DeploymentRecord,
    LedgerRecord,
    LifecycleRecord,
    ModelRecord,
    PlanRecord,
)
from models.state import Phase
from models.verdict import Verdict

_NEWEST = sa.table(
    "current_measurement",
    *map(sa.column, ("model", "monitor", "verdict")),
    sa.column("at", UTCDateTime()),
    sa.column("unmeasured", sa.Boolean()),
)
_PORTFOLIO = sa.table("portfolio", *map(sa.column, ("stage", "tier", "health", "obligations_overdue")))
_step = col(LedgerRecord.step)
_CHANGING = (StepKind.TRAIN.value, StepKind.RESTORE.value, StepKind.STOP_SERVING.value)
_NOTICE_OF_BREACH, _NOTICE_OF_INVESTIGATION, _NOTICE_OF_DELAY = "notify/breach:", "notify/investigate:", "notify/sla"
_REMEDIES: Mapping[str, sa.ColumnElement[bool]] = {
    **{kind: _step == kind for kind in _CHANGING},
    StepKind.TIGHTEN.value: _step.startswith(f"{StepKind.TIGHTEN}-"),
    Remedy.INVESTIGATE.value: _step.startswith(_NOTICE_OF_INVESTIGATION),
}
"""By its name, what the ledger has of a remedy: those that change what serves, more looks, and a ticket."""

_LOOP, _LOOP_WITHIN = 3, timedelta(days=7)
"""A model that so many changes within so long have not mended is in a loop, whatever the brakes of monitors say."""


class _Governed(NamedTuple):
    """A model whose lifecycle has not ended."""

    tier: RiskTier
    owner: str
    row: LifecycleRecord


class _Newest(NamedTuple):
    model: str
    monitor: str
    verdict: str
    at: datetime
    unmeasured: bool


class _Watch(NamedTuple):
    environment: Environment
    monitors: Mapping[str, MonitorPlan]


def _now() -> datetime:
    return datetime.now(UTC)


class SqlWatch:
    """Fits `Breaches`, and reads the figures of a scrape. Every method may also raise what `Database` does."""

    def __init__(self, url: str, clock: Callable[[], datetime] = _now) -> None:
        """`clock` tells (UTC) how old something is; the tables must be there, see `migrate`."""
        self._database = Database(url)
        self._clock = clock
        self._watches = dict[str, _Watch]()

    def close(self) -> None:
        """Give all connections back."""
        self._database.close()

    def breaches(self) -> Sequence[StandingBreach]:
        """Those that stand, by model and monitor."""
        with self._database.reading() as session:
            return list(self._breaches(session, _governed(session), _newest(session)))

    def figures(self) -> Sequence[Figure]:
        """All that a scrape tells, in one look."""
        at = self._clock()
        with self._database.reading() as session:
            governed, newest = _governed(session), _newest(session)
            standing = defaultdict[RiskTier, list[float]](list)
            for one in self._breaches(session, governed, newest):
                standing[one.tier].append((at - one.since).total_seconds())
            return [
                *_of_models(session),
                *(Figure("modelops_breaches", (tier,), len(standing[tier])) for tier in RiskTier),
                *(Figure("modelops_breach_seconds", (tier,), max(standing[tier], default=0)) for tier in RiskTier),
                *self._of_monitors(session, governed, newest, at),
                *_of_gates(session, governed, at),
                *_of_deeds(session),
                *_of_loops(session, governed, at),
                *_of_deliveries(session, at),
            ]

    def _breaches(
        self, session: Session, governed: Mapping[str, _Governed], newest: Sequence[_Newest]
    ) -> Iterator[StandingBreach]:
        for model, name in sorted((one.model, one.monitor) for one in newest if one.verdict != Verdict.PASS):
            one = governed.get(model)
            monitor = self._watch(session, one.row.plan).monitors.get(name) if one else None
            if one and monitor and (found := standing_breach(session, one.row, monitor, one.tier, one.owner)):
                yield found

    def _of_monitors(
        self, session: Session, governed: Mapping[str, _Governed], newest: Sequence[_Newest], at: datetime
    ) -> Iterator[Figure]:
        looked = {(one.model, one.monitor): one for one in newest}
        ages, silent, blind = defaultdict[RiskTier, list[float]](list), Counter[RiskTier](), Counter[RiskTier]()
        for serving in session.exec(select(DeploymentRecord).where(col(DeploymentRecord.until).is_(None))):
            one = governed.get(serving.model)
            watch = self._watch(session, one.row.plan) if one else None
            if one is None or watch is None or watch.environment != serving.environment:
                continue
            for name, monitor in watch.monitors.items():
                look = looked.get((serving.model, name))
                last = max(serving.since, look.at) if look else serving.since
                ages[one.tier].append((at - last).total_seconds())
                blind[one.tier] += bool(look and look.unmeasured)
                silent[one.tier] += ages[one.tier][-1] > (SILENT_AFTER + 1) * monitor.every
        for tier in RiskTier:
            yield Figure("modelops_monitors", (tier,), len(ages[tier]))
            yield Figure("modelops_monitors_silent", (tier,), silent[tier])
            yield Figure("modelops_monitors_unmeasured", (tier,), blind[tier])
            yield Figure("modelops_reading_age_seconds", (tier,), max(ages[tier], default=0))

    def _watch(self, session: Session, plan: str) -> _Watch:
        """What a plan has watched; kept, as what a digest names never changes."""
        if plan not in self._watches:
            read = Plan.model_validate_json(session.get_one(PlanRecord, plan).content)
            monitors = {monitor.id: monitor for monitor in read.monitors}
            self._watches[plan] = _Watch(read.production or Environment.PROD, monitors)
        return self._watches[plan]


def _governed(session: Session) -> Mapping[str, _Governed]:
    query = select(ModelRecord.tier, ModelRecord.owner, LifecycleRecord)
    query = query.join(LifecycleRecord, col(LifecycleRecord.model) == ModelRecord.id)
    rows = session.exec(query.where(LifecycleRecord.phase != Phase.ENDED)).all()
    return {row.model: _Governed(RiskTier(tier), owner, row) for tier, owner, row in rows}


def _newest(session: Session) -> Sequence[_Newest]:
    return [_Newest(*row) for row in session.execute(sa.select(*_NEWEST.c))]


def _of_models(session: Session) -> Iterator[Figure]:
    columns = (_PORTFOLIO.c.stage, _PORTFOLIO.c.tier, _PORTFOLIO.c.health)
    owed, overdue = sa.func.sum(_PORTFOLIO.c.obligations_overdue), Counter[str]()
    for stage, tier, health, count, due in session.execute(
        sa.select(*columns, sa.func.count(), owed).group_by(*columns)
    ):
        yield Figure("modelops_models", (stage or "none", tier, health or "unknown"), count)
        overdue[tier] += due or 0
    yield from (Figure("modelops_obligations_overdue", (tier,), overdue[tier]) for tier in RiskTier)


def _of_gates(session: Session, governed: Mapping[str, _Governed], at: datetime) -> Iterator[Figure]:
    same = (
        col(LedgerRecord.model) == LifecycleRecord.model,
        col(LedgerRecord.visit) == LifecycleRecord.visit,
    )
    asked = select(LedgerRecord.model, LedgerRecord.step, LedgerRecord.at).join(LifecycleRecord, sa.and_(*same))
    asked = asked.where(LifecycleRecord.phase == Phase.DECIDING)
    steps = _step.in_((StepKind.ASK.value, _NOTICE_OF_DELAY))
    since, late = defaultdict[RiskTier, list[float]](list), Counter[RiskTier]()
    for model, step, when in session.exec(asked.where(steps)):
        tier = governed[model].tier if model in governed else None
        if tier and step == _NOTICE_OF_DELAY:
            late[tier] += 1
        elif tier:
            since[tier].append((at - when).total_seconds())
    stuck = defaultdict[RiskTier, list[float]](list)
    for one in governed.values():
        if one.row.phase is Phase.STUCK:
            stuck[one.tier].append((at - one.row.updated_at).total_seconds())
    for tier in RiskTier:
        yield Figure("modelops_gates_waiting", (tier,), len(since[tier]))
        yield Figure("modelops_gate_waiting_seconds", (tier,), max(since[tier], default=0))
        yield Figure("modelops_approvals_overdue", (tier,), late[tier])
        yield Figure("modelops_stuck_lifecycles", (tier,), len(stuck[tier]))
        yield Figure("modelops_stuck_seconds", (tier,), max(stuck[tier], default=0))


def _of_deeds(session: Session) -> Iterator[Figure]:
    acted_on = sa.or_(_step.startswith(_NOTICE_OF_BREACH), _step.startswith(_NOTICE_OF_INVESTIGATION))
    counted = (sa.func.count().filter(which) for which in (acted_on, *_REMEDIES.values()))
    acted, *remedied = session.execute(sa.select(*counted).select_from(LedgerRecord)).one()
    yield Figure("modelops_breaches_acted_on", (), acted)
    yield from (
        Figure("modelops_remediations", (kind,), count) for kind, count in zip(_REMEDIES, remedied, strict=True)
    )


def _of_loops(session: Session, governed: Mapping[str, _Governed], at: datetime) -> Iterator[Figure]:
    remedied = sa.select(col(LedgerRecord.model)).where(_step.in_(_CHANGING), col(LedgerRecord.at) > at - _LOOP_WITHIN)
    often = remedied.group_by(col(LedgerRecord.model)).having(sa.func.count() >= _LOOP)
    loops = Counter(governed[model].tier for model in session.execute(often).scalars() if model in governed)
    yield from (Figure("modelops_remediation_loops", (tier,), loops[tier]) for tier in RiskTier)


def _of_deliveries(session: Session, at: datetime) -> Iterator[Figure]:
    failing = sa.func.sum(sa.case((col(DeliveryRecord.failures) >= UNDELIVERED_AFTER, 1), else_=0))
    columns = (sa.func.count(), sa.func.min(col(DeliveryRecord.made_at)), failing)
    waiting = sa.select(col(DeliveryRecord.channel), *columns).where(col(DeliveryRecord.delivered_at).is_(None))
    found = {name: rest for name, *rest in session.execute(waiting.group_by(col(DeliveryRecord.channel)))}
    for channel in session.exec(select(ChannelRecord.name).where(col(ChannelRecord.closed).is_(False))):
        count, oldest, bad = found.get(channel, (0, at, 0))
        yield Figure("modelops_undelivered_messages", (channel,), count)
        yield Figure("modelops_undelivered_seconds", (channel,), (at - oldest).total_seconds())
        yield Figure("modelops_failing_messages", (channel,), bad)
