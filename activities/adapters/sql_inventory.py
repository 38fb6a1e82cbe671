"""The system of record on SQLite and PostgreSQL. Each commit is one transaction, and the audit entry is part of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import func, or_, true
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from activities.adapters.sql_breaches import look_of
from activities.adapters.sql_engine import Database
from activities.adapters.sql_projection import Occasion, project_event, project_result, version_row
from activities.adapters.sql_trail import append, body, head_row, lock, place
from activities.ports import Earned, Reign, Serving
from models.audit import GENESIS, AuditEntry, AuditHead, AuditKind, EffectRecord, seal
from models.canonical import Digest, digest
from models.clearance import Tied
from models.errors import ConflictError, DigestMismatchError, UnavailableError, UnknownNameError
from models.evidence import EffectKey, StepResult
from models.inventory import Change, Environment, ModelFacts, Submission
from models.journal import JournalEntry
from models.maturity import Look
from models.plan import Plan
from models.records import (
    AuditHeadRecord,
    AuditRecord,
    DeploymentRecord,
    LedgerRecord,
    LifecycleRecord,
    MeasurementRecord,
    ModelRecord,
    PlanRecord,
    ValueRecord,
    VersionRecord,
)
from models.value import Entry, Stint

_BATCH = 500


def _now() -> datetime:
    return datetime.now(UTC)


class SqlInventory:
    """Fits `Inventory`. Every method may also raise what `Database` does."""

    def __init__(self, url: str, clock: Callable[[], datetime] = _now) -> None:
        """`clock` tells (UTC) when something is recorded; the tables must be there, see `migrate`."""
        self._database = Database(url)
        self._clock = clock

    def close(self) -> None:
        """Give all connections back."""
        self._database.close()

    def effect(self, key: EffectKey) -> StepResult | None:
        """The result of an effect that was already performed."""
        with self._database.reading() as session:
            return _recorded_result(session, key)

    def commit_effect(self, key: EffectKey, result: StepResult, changes: Sequence[Change]) -> StepResult:
        """Record an effect once. A key that is already there wins: its result is returned, nothing is written.

        ConflictError if a change contradicts what is registered, UnknownNameError if it names no known version.
        """
        record = EffectRecord(key=key, result=result, changes=tuple(changes))
        content = body(record)
        with self._database.writing() as session:
            head = lock(session)
            if known := _recorded_result(session, key):
                return known
            occasion = Occasion(key, self._clock())
            session.add(
                LedgerRecord(model=key.model, visit=key.visit, step=key.step, result=body(result), at=occasion.at)
            )
            project_result(session, occasion, result, record.changes)
            append(session, head, seal(place(head), key.model, AuditKind.EFFECT, occasion.at, content))
        return result

    def commit_event(self, entry: JournalEntry) -> None:
        """Record what an event did to a lifecycle, once per (model, seq).

        ConflictError if another event has this seq, UnavailableError if the event before is not recorded yet,
        UnknownNameError if the plan is not kept.
        """
        content = body(entry)
        with self._database.writing() as session:
            head = lock(session)
            if _is_recorded(session, entry, content):
                return
            plan = _plan_row(session, entry.plan)
            sealed = seal(place(head), entry.model, AuditKind.EVENT, self._clock(), content)
            append(session, head, sealed, entry.seq)
            project_event(session, entry, plan, sealed.position)

    def commit_plan(self, plan: Plan) -> None:
        """Keep a plan by its digest."""
        name, content = digest(plan), body(plan)
        with self._database.writing() as session:
            head = lock(session)
            if session.get(PlanRecord, name):
                return
            session.add(PlanRecord(digest=name, template=plan.template, version=plan.version, content=content))
            append(session, head, seal(place(head), None, AuditKind.PLAN, self._clock(), content))

    def governing_plan(self, model: str) -> Plan:
        """The plan that a model's lifecycle runs on; UnknownNameError, DigestMismatchError if it was edited."""
        with self._database.reading() as session:
            lifecycle = _lifecycle_row(session, model)
            name, content = lifecycle.plan, _plan_row(session, lifecycle.plan).content
        return _unchanged(Plan.model_validate_json(content), name)

    def model(self, model: str) -> ModelFacts:
        """The registered facts of a model; UnknownNameError."""
        with self._database.reading() as session:
            row = session.get(ModelRecord, model)
        if row is None:
            raise UnknownNameError(f"The inventory has no model '{model}'.", remedy="Register the model first.")
        return ModelFacts.model_validate_json(row.facts)

    def submission(self, model: str, version: int) -> Submission:
        """The registered facts of a version; UnknownNameError."""
        with self._database.reading() as session:
            facts = version_row(session, model, version).facts
        if facts is None:
            raise UnknownNameError(
                f"Version {version} of '{model}' has not been registered yet.",
                remedy="Wait for the step that registers it.",
            )
        return Submission.model_validate_json(facts)

    def earned(self, model: str, version: int) -> Earned:
        """What the record says of a version: its bytes, its bundle, its gates, where it served; UnknownNameError."""
        with self._database.reading() as session:
            row = version_row(session, model, version)
            query = select(DeploymentRecord).where(DeploymentRecord.model == model, DeploymentRecord.version == version)
            served = frozenset((one.environment, one.bundle) for one in session.exec(query))
        return Earned(row.artifact, row.bundle, frozenset(row.gates), served)

    def holding(self, digest: Digest) -> Sequence[tuple[str, int]]:
        """Of each model that has these bytes as artifact or as bundle, its newest version with them."""
        same = or_(col(VersionRecord.artifact) == digest, col(VersionRecord.bundle) == digest)
        newest = select(VersionRecord.model, func.max(VersionRecord.number)).where(same)
        with self._database.reading() as session:
            found = session.exec(newest.group_by(VersionRecord.model).order_by(VersionRecord.model)).all()
        return [(model, number) for model, number in found]

    def reign(self, model: str) -> Reign:
        """Which version is champion, and since when; UnknownNameError."""
        with self._database.reading() as session:
            row = _lifecycle_row(session, model)
        return Reign(row.champion, row.crowned)

    def visit(self, model: str) -> tuple[str, int]:
        """The stage that the record says a lifecycle is in, and which visit that is; UnknownNameError."""
        with self._database.reading() as session:
            row = _lifecycle_row(session, model)
        return row.stage, row.visit

    def verdicts(self, model: str, monitor: str) -> Sequence[tuple[str, str]]:
        """(window, verdict) of a monitor's last looks at each window since the champion changed, by their moments."""
        return [(look.window, look.verdict) for look in self.looks(model, monitor)]

    def looks(self, model: str, monitor: str) -> Sequence[Look]:
        """A monitor's last looks at each window since the champion changed, by what they stand for."""
        with self._database.reading() as session:
            lifecycle = session.get(LifecycleRecord, model)
            query = (
                select(MeasurementRecord)
                .where(MeasurementRecord.model == model, MeasurementRecord.monitor == monitor)
                .where(MeasurementRecord.reign == (lifecycle.crowned if lifecycle else 0))
                .order_by(col(MeasurementRecord.moment), col(MeasurementRecord.id))
            )
            return [look_of(row) for row in session.exec(query)]

    def deployments(self, model: str) -> Mapping[Environment, Serving]:
        """What serves where."""
        with self._database.reading() as session:
            current = select(DeploymentRecord).where(
                DeploymentRecord.model == model, col(DeploymentRecord.until).is_(None)
            )
            return {row.environment: Serving(row.version, row.bundle, row.since) for row in session.exec(current)}

    def stints(self, model: str, environment: Environment) -> Sequence[Stint]:
        """Which version served in an environment when, oldest first."""
        query = select(DeploymentRecord).where(
            DeploymentRecord.model == model, DeploymentRecord.environment == environment
        )
        with self._database.reading() as session:
            rows = session.exec(query.order_by(col(DeploymentRecord.id))).all()
        return [Stint(row.version, row.since, row.until) for row in rows]

    def booked(self, model: str) -> Sequence[Entry]:
        """The value ledger of a model, in the order of its entries."""
        query = select(ValueRecord).where(ValueRecord.model == model).order_by(col(ValueRecord.id))
        with self._database.reading() as session:
            return [Entry(**row.model_dump(exclude={"id", "model"})) for row in session.exec(query)]

    def trail(self, model: str) -> Sequence[AuditEntry]:
        """The audit entries that name a model, oldest first."""
        with self._database.reading() as session:
            query = select(AuditRecord).where(AuditRecord.model == model).order_by(col(AuditRecord.position))
            return [_entry(row) for row in session.exec(query)]

    def ties(self, model: str) -> Sequence[Tied]:
        """The same, each with what the entries beside it say of it; nothing of one that is not there."""
        before, after = aliased(AuditRecord), aliased(AuditRecord)
        query = (
            select(AuditRecord, before.hash, after.previous, AuditHeadRecord)
            .select_from(AuditRecord)
            .join(AuditHeadRecord, true())
            .outerjoin(before, col(before.position) == AuditRecord.position - 1)
            .outerjoin(after, col(after.position) == AuditRecord.position + 1)
            .where(AuditRecord.model == model)
            .order_by(col(AuditRecord.position))
        )
        with self._database.reading() as session:
            return [_tied(*row) for row in session.exec(query)]

    def head(self, position: int | None = None) -> AuditHead:
        """Where the whole trail ends, or what it was at a position; UnknownNameError if it has no such entry."""
        with self._database.reading() as session:
            if position is None:
                return place(head_row(session))
            row = session.get(AuditRecord, position)
        if row is None:
            raise UnknownNameError(
                f"The audit trail has no entry {position}.", remedy="`modelops audit verify` says what was done to it."
            )
        return AuditHead(position=row.position, hash=row.hash)

    def entries(self) -> Iterator[AuditEntry]:
        """The whole trail of all models, oldest first, in batches."""
        after = 0
        while batch := self._batch(after):
            yield from batch
            after = batch[-1].position

    def _batch(self, after: int) -> Sequence[AuditEntry]:
        with self._database.reading() as session:
            later = select(AuditRecord).where(col(AuditRecord.position) > after)
            query = later.order_by(col(AuditRecord.position)).limit(_BATCH)
            return [_entry(row) for row in session.exec(query)]


def _entry(row: AuditRecord) -> AuditEntry:
    return AuditEntry.model_validate(row.model_dump(exclude={"seq"}))


def _tied(row: AuditRecord, before: str | None, after: str | None, head: AuditHeadRecord) -> Tied:
    begins, ends = row.position == 1, row.position == head.position
    return Tied(_entry(row), before or (GENESIS if begins else ""), after or (head.hash if ends else ""))


def _unchanged(plan: Plan, name: Digest) -> Plan:
    if digest(plan) != name:
        raise DigestMismatchError(
            f"The plan kept as {name} was changed: it is now {digest(plan)}.",
            remedy="Restore the database, and verify the audit trail, which has the plan as it was.",
        )
    return plan


def _recorded_result(session: Session, key: EffectKey) -> StepResult | None:
    row = session.get(LedgerRecord, (key.model, key.visit, key.step))
    return StepResult.model_validate_json(row.result) if row else None


def _lifecycle_row(session: Session, model: str) -> LifecycleRecord:
    row = session.get(LifecycleRecord, model)
    if row is None:
        raise UnknownNameError(f"The inventory has no lifecycle of '{model}'.", remedy="Start one first.")
    return row


def _plan_row(session: Session, name: Digest) -> PlanRecord:
    row = session.get(PlanRecord, name)
    if row is None:
        raise UnknownNameError(f"The inventory keeps no plan {name}.", remedy="Commit the plan before its first event.")
    return row


def _is_recorded(session: Session, entry: JournalEntry, body: str) -> bool:
    query = select(AuditRecord.body).where(AuditRecord.model == entry.model, AuditRecord.seq == entry.seq)
    recorded = session.exec(query).first()
    if recorded == body:
        return True
    if recorded is not None:
        raise ConflictError(
            f"Event {entry.seq} of '{entry.model}' is recorded already, and was another one.",
            remedy="The lifecycle was reset or runs twice: compare its history with the audit trail.",
        )
    lifecycle = session.get(LifecycleRecord, entry.model)
    last = lifecycle.seq if lifecycle else 0
    if entry.seq != last + 1:
        raise UnavailableError(
            f"Event {entry.seq} of '{entry.model}' came before the inventory recorded event {last + 1}.",
            remedy="It is tried again; if it stays so, the database has lost events: restore it.",
        )
    return False
