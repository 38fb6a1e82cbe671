"""Findings on SQLite and PostgreSQL: each that opens or is resolved is an audit entry of the same transaction."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from sqlmodel import Session, and_, col, select

from activities.adapters.sql_engine import Database
from activities.adapters.sql_trail import append, body, lock, place
from models.audit import AuditKind, seal
from models.formats import FORMATS
from models.inventory import Environment, Submission
from models.monitoring import MonitorOrder, monitor_orders
from models.plan import Plan
from models.reconciliation import Discovery, Finding, Place, Served, Shelf, Turned, turn
from models.records import (
    AuditHeadRecord,
    DeploymentRecord,
    FindingRecord,
    LifecycleRecord,
    PlanRecord,
    VersionRecord,
    finding_of,
)
from models.state import Phase


def _now() -> datetime:
    return datetime.now(UTC)


class SqlFindings:
    """Fits `Findings`. Every method may also raise what `Database` does."""

    def __init__(self, url: str, clock: Callable[[], datetime] = _now) -> None:
        """`clock` tells (UTC) when something is recorded; the tables must be there, see `migrate`."""
        self._database = Database(url)
        self._clock = clock

    def close(self) -> None:
        """Give all connections back."""
        self._database.close()

    def places(self) -> Mapping[str, Place]:
        """Where every lifecycle is, ended or not."""
        with self._database.reading() as session:
            rows = session.exec(select(LifecycleRecord)).all()
        return {row.model: Place(row.stage, row.visit, row.seq, row.phase is Phase.ENDED) for row in rows}

    def serving(self) -> Mapping[Environment, Shelf]:
        """What serves where; what others run is in no environment of ours."""
        shelves: dict[Environment, dict[str, Served]] = {environment: {} for environment in Environment}
        of_it = and_(
            col(VersionRecord.model) == DeploymentRecord.model, col(VersionRecord.number) == DeploymentRecord.version
        )
        query = select(DeploymentRecord, VersionRecord.facts).join(VersionRecord, of_it)
        with self._database.reading() as session:
            for row, facts in session.exec(query.where(col(DeploymentRecord.until).is_(None))):
                if not (facts and FORMATS[Submission.model_validate_json(facts).format].elsewhere):
                    shelves[row.environment][row.model] = Served(row.version, row.bundle)
        return shelves

    def watched(self) -> Sequence[MonitorOrder]:
        """What each monitor of a version that serves looks at, as its plan says; nothing of a lifecycle that ended."""
        serves = and_(col(DeploymentRecord.model) == LifecycleRecord.model, col(DeploymentRecord.until).is_(None))
        query = select(LifecycleRecord.model, LifecycleRecord.plan, DeploymentRecord.environment)
        query = query.join(DeploymentRecord, serves).where(LifecycleRecord.phase != Phase.ENDED)
        with self._database.reading() as session:
            rows = session.exec(query.order_by(LifecycleRecord.model)).all()
            plans = {name: session.get_one(PlanRecord, name).content for name in {plan for _, plan, _ in rows}}
        read = {name: Plan.model_validate_json(content) for name, content in plans.items()}
        return [
            order
            for model, plan, environment in rows
            for order in monitor_orders(model, read[plan])
            if order.environment is environment
        ]

    def findings(self) -> Sequence[Finding]:
        """Those that hold."""
        with self._database.reading() as session:
            return [finding_of(row) for row in _holding(session)]

    def commit_findings(self, seen: frozenset[Finding]) -> Turned:
        """Record what was seen, in one transaction: an audit entry for each finding that is new or holds no more."""
        with self._database.writing() as session:
            head, at = lock(session), self._clock()
            rows = {finding_of(row): row for row in _holding(session)}
            turned = turn(frozenset(rows), seen)
            for finding in turned.still:
                rows[finding].last_seen = at
            for finding in sorted(turned.resolved, key=repr):
                rows[finding].resolved_at = at
                _tell(session, head, at, Discovery(finding=finding, holds=False))
            for finding in sorted(turned.opened, key=repr):
                session.add(FindingRecord(**finding.model_dump(), first_seen=at, last_seen=at))
                _tell(session, head, at, Discovery(finding=finding, holds=True))
        return turned


def _holding(session: Session) -> Sequence[FindingRecord]:
    query = select(FindingRecord).where(col(FindingRecord.resolved_at).is_(None))
    return session.exec(query.order_by(col(FindingRecord.id))).all()


def _tell(session: Session, head: AuditHeadRecord, at: datetime, discovery: Discovery) -> None:
    append(session, head, seal(place(head), discovery.finding.model, AuditKind.FINDING, at, body(discovery)))
