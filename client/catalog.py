"""What the inventory holds, for people and programs that only look: every statement is a SELECT."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import NamedTuple, TypeVar
from urllib.parse import quote

from pydantic import ValidationError
from sqlalchemy import URL, ColumnElement, Connection, Engine, create_engine, event, func, make_url, or_
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError, ProgrammingError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from client.deliveries import through, tickets_of
from client.holdings import holdings
from client.rows import entry_of, read_entries, read_rows
from client.views import Found, Held, Known, Listed, Looked, Through
from models.audit import AuditEntry, AuditHead, AuditKind
from models.canonical import Digest
from models.errors import InvalidInputError, UnavailableError, UnknownNameError
from models.evidence import StepKind, StepResult, Tightened
from models.inventory import Environment, Measured, ModelFacts, Rating
from models.plan import Plan
from models.records import (
    IS_PUBLICATION,
    AuditHeadRecord,
    AuditRecord,
    ChannelRecord,
    DeploymentRecord,
    DirectoryRecord,
    EvidenceRecord,
    FindingRecord,
    LedgerRecord,
    LifecycleRecord,
    MeasurementRecord,
    ModelRecord,
    NotificationRecord,
    PlanRecord,
    ReadingRecord,
    RegulationRecord,
    ValueRecord,
    VersionRecord,
)
from models.rows import Row
from models.tickets import Ticket
from models.value import Entry
from models.verdict import Reading

Table = TypeVar("Table", bound=SQLModel)

_ABOUT_ONE = (
    RegulationRecord,
    VersionRecord,
    LifecycleRecord,
    DeploymentRecord,
    LedgerRecord,
    EvidenceRecord,
    MeasurementRecord,
    ReadingRecord,
    NotificationRecord,
    ValueRecord,
)
_BATCH = 500
_CONNECT_SECONDS = 5
_DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")


class Record(NamedTuple):
    """All that is kept of one model, read in one look: its rows, and its entries and those of all plans.

    `head` is where the whole trail should end, None if that cannot be read; `end` is where it does.
    """

    model: str
    head: AuditHead | None
    end: AuditHead
    entries: tuple[AuditEntry, ...]
    rows: tuple[Row, ...]

    @property
    def history(self) -> Sequence[AuditEntry]:
        """The entries that name the model."""
        return [entry for entry in self.entries if entry.model == self.model]

    @property
    def events(self) -> int:
        """How many of them are events, readable or not."""
        return sum(entry.kind == AuditKind.EVENT for entry in self.history)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is kept of the model."""
        return not any(self.model in (row.values.get("model"), row.values.get("id")) for row in self.rows)


class Catalog:
    """Reads one inventory; close it after use.

    UnavailableError if the database does not answer, InvalidInputError if it is not one that can hold an inventory.
    """

    def __init__(self, url: str) -> None:
        parsed = _parse(url)
        self._place = parsed.set(query={}).render_as_string(hide_password=True)
        self._engine = _open(parsed)

    def __enter__(self) -> "Catalog":
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    def models(self) -> Sequence[Listed]:
        """Every registered model, by name, with where its lifecycle is."""
        query = select(ModelRecord, LifecycleRecord).join(
            LifecycleRecord, col(LifecycleRecord.model) == ModelRecord.id, isouter=True
        )
        with self._reading() as session:
            return [_listed(*row) for row in session.exec(query.order_by(col(ModelRecord.id)))]

    def mentioned(self) -> Sequence[str]:
        """Every model that anything is kept of, registered or not, by name."""
        columns = [col(ModelRecord.id), col(AuditRecord.model), *(col(table.model) for table in _ABOUT_ONE)]
        with self._reading() as session:
            found = {name for column in columns for name in session.exec(select(column).distinct())}
        return sorted(name for name in found if name)

    def facts(self, model: str) -> ModelFacts:
        """What was registered of a model; UnknownNameError."""
        return ModelFacts.model_validate_json(self._model(model).facts)

    def rating(self, model: str) -> Rating | None:
        """Why a model has its tier; None if it was registered before there were questionnaires; UnknownNameError."""
        found = self._model(model).rating
        return Rating.model_validate_json(found) if found else None

    def _model(self, model: str) -> ModelRecord:
        found = self._rows(select(ModelRecord).where(ModelRecord.id == model))
        if not found:
            raise UnknownNameError(
                f"no model '{model}' is registered", "`modelops list` shows which are; `modelops model register FILE`"
            )
        return found[0]

    def regulations(self, model: str) -> Sequence[str]:
        """The regulations that apply to a model."""
        query = select(RegulationRecord).where(RegulationRecord.model == model)
        return [row.regulation for row in self._rows(query.order_by(col(RegulationRecord.regulation)))]

    def plan_of(self, model: str) -> Plan | None:
        """The plan that a model's lifecycle runs on; None if it has none."""
        joined = select(PlanRecord).join(LifecycleRecord, col(LifecycleRecord.plan) == PlanRecord.digest)
        found = self._rows(joined.where(LifecycleRecord.model == model))
        return Plan.model_validate_json(found[0].content) if found else None

    def versions(self, model: str) -> Sequence[Known]:
        """The versions of a model, by number."""
        rows = self._rows(select(VersionRecord).where(VersionRecord.model == model).order_by(col(VersionRecord.number)))
        return [Known(**row.model_dump(exclude={"model", "facts"})) for row in rows]

    def measurements(self, model: str) -> Sequence[Measured]:
        """What the monitors of a model found, oldest first."""
        query = select(MeasurementRecord).where(MeasurementRecord.model == model).order_by(col(MeasurementRecord.id))
        return [
            Measured(monitor=row.monitor, window=row.window, verdict=row.verdict.value, reasons=tuple(row.reasons))
            for row in self._rows(query)
        ]

    def looks(self, model: str) -> Sequence[Looked]:
        """As `measurements`, with what was read and when."""
        rows = self._rows(
            select(MeasurementRecord)
            .where(MeasurementRecord.model == model)
            .order_by(col(MeasurementRecord.moment), col(MeasurementRecord.id))
        )
        read = defaultdict[tuple[str | None, str | None], list[ReadingRecord]](list)
        for one in self._rows(select(ReadingRecord).where(ReadingRecord.model == model)):
            read[one.monitor, one.window].append(one)
        since = defaultdict[tuple[str, str], list[datetime]](list)
        for row in rows:
            since[row.monitor, row.window].append(row.at)
        return [_looked(row, read[row.monitor, row.window], since[row.monitor, row.window]) for row in rows]

    def tightened(self, model: str) -> Tightened | None:
        """The monitor of a model that was tightened last, unless its monitors have begun anew, or ended, since then."""
        plan = self.plan_of(model)
        steps = [step for stage in plan.stages for step in stage.steps] if plan else []
        anew = [step.id for step in steps if step.kind in (StepKind.MONITOR, StepKind.STOP_MONITORS)]
        named = or_(col(LedgerRecord.step).like(f"{StepKind.TIGHTEN}-%"), col(LedgerRecord.step).in_(anew))
        query = select(LedgerRecord).where(LedgerRecord.model == model, named)
        found = self._rows(query.order_by(col(LedgerRecord.at).desc()).limit(1))
        return StepResult.model_validate_json(found[0].result).tightened if found else None

    def serving(self, model: str, environment: Environment) -> tuple[int, datetime] | None:
        """Which version serves in an environment, and since when (UTC); None if none does."""
        here = (DeploymentRecord.model == model, DeploymentRecord.environment == environment)
        found = self._rows(select(DeploymentRecord).where(*here, col(DeploymentRecord.until).is_(None)))
        return (found[0].version, found[0].since) if found else None

    def newest(self, model: str, kind: str) -> Digest | None:
        """The newest report of a kind about a model, by digest; None if there is none."""
        query = select(EvidenceRecord).where(EvidenceRecord.model == model, EvidenceRecord.kind == kind)
        found = self._rows(query.order_by(col(EvidenceRecord.id).desc()).limit(1))
        return found[0].digest if found else None

    def portfolio(self) -> Sequence[Held]:
        """Every registered model, by name, as the views for charts have it."""
        with self._reading() as session:
            return holdings(session)

    def booked(self, model: str) -> Sequence[Entry]:
        """The value ledger of a model, in the order of its entries."""
        query = select(ValueRecord).where(ValueRecord.model == model).order_by(col(ValueRecord.id))
        return [Entry(**row.model_dump(exclude={"id", "model"})) for row in self._rows(query)]

    def notified(self, model: str) -> Sequence[str]:
        """Who was told something about a model, in the order of the messages."""
        query = select(NotificationRecord).where(NotificationRecord.model == model)
        return [row.recipient for row in self._rows(query.order_by(col(NotificationRecord.id)))]

    def findings(self, model: str | None = None, resolved: bool = False) -> Sequence[Found]:
        """What contradicts the record, of one model or of all, oldest first; on request what no longer does, too."""
        query = select(FindingRecord).order_by(col(FindingRecord.id))
        if model is not None:
            query = query.where(FindingRecord.model == model)
        if not resolved:
            query = query.where(col(FindingRecord.resolved_at).is_(None))
        return [
            Found(**row.model_dump(exclude={"id", "about", "resolved_at"}), resolved=row.resolved_at)
            for row in self._rows(query)
        ]

    def deliveries(self) -> Sequence[Through]:
        """What went through each channel that was ever served, by name."""
        with self._reading() as session:
            return [through(session, name) for name in session.exec(select(ChannelRecord.name).order_by("name"))]

    def tickets(self, model: str) -> Sequence[Ticket]:
        """What trackers have made of the messages about a model in the last months, the newest first."""
        with self._reading() as session:
            return tickets_of(session, model)

    def history(self, model: str) -> Sequence[AuditEntry]:
        """The audit entries that name a model, oldest first."""
        with self._reading() as session:
            return [entry_of(row) for row in read_rows(session, AuditRecord, col(AuditRecord.model) == model)]

    def record(self, model: str) -> Record:
        """All that is kept of a model, in one look."""
        with self._reading() as session:
            rows = [row for table, where in _about(model) for row in read_rows(session, table, *where)]
            last = session.exec(select(func.max(AuditRecord.position))).one()
            ends = read_rows(session, AuditRecord, col(AuditRecord.position) == last)
        heads = [row for row in rows if row.table == AuditHeadRecord.__tablename__]
        return Record(
            model=model,
            head=_head(heads),
            end=_head(ends) or AuditHead(),
            entries=tuple(entry_of(row) for row in rows if row.table == AuditRecord.__tablename__),
            rows=tuple(rows),
        )

    def head(self) -> AuditHead:
        """Where the whole trail ends; read it before `trail`, or writers come between."""
        with self._reading() as session:
            return _head(read_rows(session, AuditHeadRecord)) or AuditHead()

    def trail(self) -> Iterator[AuditEntry]:
        """The whole trail of all models, in batches: it may be longer than the memory."""
        batch = self._batch()
        while batch:
            yield from batch
            batch = self._batch(col(AuditRecord.position) > batch[-1].position)

    def editions(self) -> Iterator[Row]:
        """The trail's entries about the directory, then its rows: in one look, a row at a time, as they are long."""
        last = 0
        with self._reading() as session:
            yield from read_rows(session, AuditRecord, IS_PUBLICATION)
            while found := read_rows(session, DirectoryRecord, col(DirectoryRecord.number) > last, limit=1):
                yield found[0]
                last = int(str(found[0].values["number"]))

    def _batch(self, *where: ColumnElement[bool]) -> Sequence[AuditEntry]:
        with self._reading() as session:
            return read_entries(session, *where, limit=_BATCH)

    def _rows(self, query: SelectOfScalar[Table]) -> Sequence[Table]:
        with self._reading() as session:
            return session.exec(query).all()

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        try:
            with Session(self._engine, expire_on_commit=False) as session:
                yield session
        except (OperationalError, ProgrammingError) as error:
            said = str(error.orig).splitlines()[0]
            raise UnavailableError(
                f"the inventory at {self._place} cannot be read: {said}",
                "`modelops up` makes it; MODELOPS_HOME or MODELOPS_DATABASE_URL says where it is",
            ) from error
        except DatabaseError as error:
            raise InvalidInputError(
                f"{self._place} is not an inventory: {error.orig}",
                "restore it from a backup, or say with MODELOPS_HOME or MODELOPS_DATABASE_URL where the inventory is",
            ) from error


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername not in _DRIVERS or parsed.database in (None, "", ":memory:"):
        raise InvalidInputError(
            "MODELOPS_DATABASE_URL is not the address of a SQLite file or a PostgreSQL database",
            "write sqlite:////data/modelops.db or postgresql+psycopg://user:password@host/modelops",
        )
    return parsed


def _open(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        # Opened read-only, a database that is not there is an error and not a new file.
        read_only = url.set(database=f"file:{quote(url.database or '')}", query={"mode": "ro", "uri": "true"})
        return _of_one_look(create_engine(read_only, hide_parameters=True))
    patience = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_SECONDS}
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        connect_args=patience,
        isolation_level="REPEATABLE READ",
    )


def _of_one_look(engine: Engine) -> Engine:
    """SQLite with transactions that see one state of the database, and text as it is, broken or not."""

    @event.listens_for(engine, "connect")
    def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _listed(model: ModelRecord, lifecycle: LifecycleRecord | None) -> Listed:
    known = Listed(model=model.id, title=model.title, kind=model.kind, tier=model.tier, owner=model.owner)
    if lifecycle is None:
        return known
    where = lifecycle.model_dump(include={"template", "stage", "phase", "candidate", "champion", "paused"})
    return known.model_copy(update={**where, "updated": lifecycle.updated_at})


def _looked(row: MeasurementRecord, known: Sequence[ReadingRecord], since: Sequence[datetime]) -> Looked:
    """With what the last look at a window has read of it, before another champion's first look at it."""
    until, looked = min((at for at in since if at > row.at), default=None), row.looked or row.at
    ours = [one for one in known if looked <= one.at and (until is None or one.at < until)]
    read = [one for one in ours if one.at == max(one.at for one in ours)]
    return Looked(
        **row.model_dump(include={"monitor", "window", "verdict", "unmeasured", "reasons"}),
        at=row.moment or row.at,
        looked=looked,
        version=read[0].version if read else None,
        readings=tuple(map(_reading, read)),
    )


def _reading(row: ReadingRecord) -> Reading:
    between = None if row.low is None or row.high is None else (row.low, row.high)
    return Reading(name=row.name, value=row.value, count=row.count, between=between)


def _about(model: str) -> Iterator[tuple[type[SQLModel], Sequence[ColumnElement[bool]]]]:
    """The tables, and which of their rows are about a model; plans and the head are about all."""
    yield from ((table, ()) for table in (AuditHeadRecord, PlanRecord))
    yield ModelRecord, (col(ModelRecord.id) == model,)
    for both in (AuditRecord, FindingRecord):
        yield both, (or_(col(both.model) == model, col(both.model).is_(None)),)
    for table in _ABOUT_ONE:
        yield table, (col(table.model) == model,)


def _head(rows: Sequence[Row]) -> AuditHead | None:
    try:
        return AuditHead.model_validate({name: rows[0].values[name] for name in ("position", "hash")})
    except (IndexError, ValidationError):
        return None
