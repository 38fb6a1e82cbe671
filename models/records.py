"""The tables of the inventory, the ledger and the audit trail. Times are aware and UTC on every database."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Enum,
    ForeignKeyConstraint,
    Index,
    Integer,
    UniqueConstraint,
    false,
    literal_column,
    text,
)
from sqlalchemy.schema import SchemaItem
from sqlmodel import Field, SQLModel, col

from models.audit import GENESIS
from models.inventory import Environment, ModelKind, RiskTier, VersionStatus, Worth
from models.reconciliation import Finding, FindingKind
from models.rows import Row
from models.state import Phase
from models.verdict import Verdict

Arguments = tuple[SchemaItem, ...]

_CURRENT = text("until IS NULL")
_PUBLISHED = text("kind = 'directory'")
_WAITING = text("delivered_at IS NULL")
_DELIVERED = text("delivered_at IS NOT NULL")
_TICKETED = text("ticket IS NOT NULL")


def _by_value(kind: type[StrEnum]) -> Enum:
    """A text column that holds the wire names of an enum."""
    return Enum(kind, native_enum=False, length=32, values_callable=lambda members: [one.value for one in members])


class ModelRecord(SQLModel, table=True):
    """A registered model: all its facts as canonical JSON, those that people search by, and why its tier is what it is.

    `rating` is canonical JSON, NULL for a model that was registered before there were questionnaires.
    """

    __tablename__ = "model"

    id: str = Field(primary_key=True)
    title: str
    kind: ModelKind = Field(sa_column=Column(_by_value(ModelKind), nullable=False))
    tier: RiskTier = Field(sa_column=Column(_by_value(RiskTier), nullable=False))
    owner: str = Field(index=True)
    use_case: str = Field(index=True)
    facts: str
    rating: str | None = None
    registered_at: datetime


class RegulationRecord(SQLModel, table=True):
    """A regulation that applies to a model."""

    __tablename__ = "model_regulation"

    model: str = Field(primary_key=True, foreign_key="model.id")
    regulation: str = Field(primary_key=True, index=True)


class VersionRecord(SQLModel, table=True):
    """A version. A candidate has a status before its facts are registered; until then they are NULL."""

    __tablename__ = "version"

    model: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    status: VersionStatus = Field(sa_column=Column(_by_value(VersionStatus), nullable=False))
    artifact: str | None = Field(default=None, index=True)
    bundle: str | None = None
    facts: str | None = None
    gates: list[str] = Field(default=[], sa_column=Column(JSON, nullable=False))


class PlanRecord(SQLModel, table=True):
    """A plan by its digest, as canonical JSON."""

    __tablename__ = "plan"

    digest: str = Field(primary_key=True)
    template: str
    version: str
    content: str


class LifecycleRecord(SQLModel, table=True):
    """Where a lifecycle is. `crowned` is the position of the audit entry that last changed the champion."""

    __tablename__ = "lifecycle"

    model: str = Field(primary_key=True)
    template: str
    plan: str = Field(foreign_key="plan.digest")
    stage: str = Field(index=True)
    phase: Phase = Field(sa_column=Column(_by_value(Phase), nullable=False))
    visit: int
    seq: int
    candidate: int | None = None
    champion: int | None = None
    previous: int | None = None
    crowned: int = 0
    paused: bool = False
    failure: str = ""
    updated_at: datetime


class DeploymentRecord(SQLModel, table=True):
    """A version in an environment, from one moment until another; `until` is NULL for what serves now."""

    __tablename__ = "deployment"
    __table_args__: ClassVar[Arguments] = (
        ForeignKeyConstraint(["model", "version"], ["version.model", "version.number"]),
        Index(
            "one_current_deployment",
            "model",
            "environment",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    model: str
    environment: Environment = Field(sa_column=Column(_by_value(Environment), nullable=False))
    version: int
    bundle: str
    endpoint: str
    since: datetime
    until: datetime | None = None


class LedgerRecord(SQLModel, table=True):
    """An effect that was performed: its once-only key and its result as canonical JSON."""

    __tablename__ = "ledger"

    model: str = Field(primary_key=True)
    visit: int = Field(primary_key=True)
    step: str = Field(primary_key=True)
    result: str
    at: datetime


class EvidenceRecord(SQLModel, table=True):
    """A report in the artifact store, and the step that made it. `version` is NULL if it is about none."""

    __tablename__ = "evidence"

    id: int | None = Field(default=None, primary_key=True)
    model: str = Field(index=True)
    version: int | None = None
    visit: int
    step: str
    kind: str
    digest: str
    summary: str


class MeasurementRecord(SQLModel, table=True):
    """What a monitor found in a window when it looked last: once for each reign of a champion, told apart by `reign`.

    `at` is the first of its `looks`, `looked` the last, `moment` what it stands for; `outcomes` is the digest of those
    that were known. `unmeasured`: not all could be measured.
    """

    __tablename__ = "measurement"
    __table_args__: ClassVar[Arguments] = (
        UniqueConstraint("model", "monitor", "window", "reign"),
        Index("newest_measurement", "model", "monitor", "reign", "moment", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    model: str
    monitor: str
    window: str
    reign: int
    verdict: Verdict = Field(sa_column=Column(_by_value(Verdict), nullable=False))
    reasons: list[str] = Field(sa_column=Column(JSON, nullable=False))
    at: datetime
    moment: datetime | None = None
    outcomes: str | None = None
    looked: datetime | None = None
    looks: int = Field(default=1, sa_column=Column(Integer, nullable=False, server_default="1"))
    unmeasured: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))


class ReadingRecord(SQLModel, table=True):
    """One value that an effect read: of a version at a gate, or in production, where `monitor` says which looked.

    `version` is NULL if it is about none; `low` and `high` are unless the value was estimated; `moment` is what the
    look at the window stands for.
    """

    __tablename__ = "reading"
    __table_args__: ClassVar[Arguments] = (
        UniqueConstraint("model", "visit", "step", "name"),
        Index("newest_reading", "model", "name", "moment", "id"),
        Index("readings_of_a_look", "model", "monitor", "window"),
    )

    id: int | None = Field(default=None, primary_key=True)
    model: str
    version: int | None = None
    visit: int
    step: str
    monitor: str | None = None
    window: str | None = None
    name: str
    value: float
    count: int
    at: datetime
    moment: datetime | None = None
    low: float | None = None
    high: float | None = None


class ValueRecord(SQLModel, table=True):
    """An entry of the value ledger: what a version has brought or cost in a period; `models.value.Entry` says more."""

    __tablename__ = "value_entry"
    __table_args__: ClassVar[Arguments] = (
        UniqueConstraint("model", "metric", "version", "since", "until", "revision"),
    )

    id: int | None = Field(default=None, primary_key=True)
    model: str
    metric: str
    worth: Worth = Field(sa_column=Column(_by_value(Worth), nullable=False))
    version: int
    unit: str
    since: datetime
    until: datetime
    amount: float
    count: int
    answer: str
    revision: int
    at: datetime


class PushedRecord(SQLModel, table=True):
    """A value that an application has sent to a source; it is cleared when it is as old as the source keeps values."""

    __tablename__ = "pushed_value"
    __table_args__: ClassVar[Arguments] = (Index("age_of_pushed_values", "source", "at"),)

    source: str = Field(primary_key=True)
    metric: str = Field(primary_key=True)
    model: str = Field(primary_key=True)
    at: datetime = Field(primary_key=True)
    value: float
    count: int
    received_at: datetime


class FindingRecord(SQLModel, table=True):
    """A contradiction from when it was first seen until it held no more; `resolved_at` is NULL of one that holds.

    Each look that sees it moves `last_seen`, of which the audit trail says nothing.
    """

    __tablename__ = "finding"

    id: int | None = Field(default=None, primary_key=True)
    model: str | None = Field(default=None, index=True)
    kind: FindingKind = Field(sa_column=Column(_by_value(FindingKind), nullable=False))
    about: str
    text: str
    first_seen: datetime
    last_seen: datetime
    resolved_at: datetime | None = None


class DirectoryRecord(SQLModel, table=True):
    """An edition of the directory: its envelope as JSON, and when it was written here. It never changes."""

    __tablename__ = "directory"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    envelope: str
    published_at: datetime


class NotificationRecord(SQLModel, table=True):
    """The outbox: a message to somebody, kept once per key."""

    __tablename__ = "notification"

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    model: str = Field(index=True)
    recipient: str
    subject: str
    body: str
    at: datetime


class ChannelRecord(SQLModel, table=True):
    """A channel, up to where it has heard of the audit trail, and whether it is closed: not configured any more."""

    __tablename__ = "channel"

    name: str = Field(primary_key=True)
    position: int
    closed: bool = False


class DeliveryRecord(SQLModel, table=True):
    """A message on its way through a channel: as JSON, how often that has failed, and why the last time.

    `ticket` is what a tracker has made of it, and `page` where people see that.
    """

    __tablename__ = "delivery"
    __table_args__: ClassVar[Arguments] = (
        UniqueConstraint("channel", "key"),
        Index("waiting_delivery", "channel", "due", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("thread_of_deliveries", "channel", "thread", "id"),
        Index("old_delivery", "delivered_at", sqlite_where=_DELIVERED, postgresql_where=_DELIVERED),
        Index("ticket_of_model", "model", "id", sqlite_where=_TICKETED, postgresql_where=_TICKETED),
    )

    id: int | None = Field(default=None, primary_key=True)
    channel: str
    key: str
    thread: str | None = None
    recipient: str | None = None
    model: str | None = None
    message: str
    failures: int = 0
    problem: str | None = None
    made_at: datetime
    due: datetime
    delivered_at: datetime | None = None
    ticket: str | None = None
    page: str | None = None


class AuditRecord(SQLModel, table=True):
    """One entry of the audit trail. `seq` finds the entry of an event; it is NULL for other kinds."""

    __tablename__ = "audit"
    __table_args__: ClassVar[Arguments] = (
        UniqueConstraint("model", "seq"),
        Index("published_editions", "position", sqlite_where=_PUBLISHED, postgresql_where=_PUBLISHED),
    )

    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    model: str | None = None
    seq: int | None = None
    kind: str
    at: datetime
    body: str
    previous: str
    hash: str = Field(unique=True)


class AuditHeadRecord(SQLModel, table=True):
    """The single row that every writer locks first: where the trail ends."""

    __tablename__ = "audit_head"

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    position: int = 0
    hash: str = GENESIS


IS_PUBLICATION = col(AuditRecord.kind) == literal_column("'directory'")
"""Which entries tell of editions of the directory: spelled out, or no database would use the index of them."""


def finding_of(row: FindingRecord) -> Finding:
    """The finding that a row is about."""
    return Finding(kind=row.kind, model=row.model, about=row.about, text=row.text)


def row_of(record: SQLModel) -> Row:
    """A record as a row; a number that its database has yet to give it is left out."""
    numbered = getattr(record, "id", record) is not None
    return Row(str(record.__tablename__), record.model_dump(exclude=None if numbered else {"id"}))
