"""The tables as tests look at them, row by row; the product's own reader is `client.catalog`."""

from collections.abc import Sequence
from typing import TypeVar

from sqlmodel import SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from activities.adapters.sql_engine import Database
from client.catalog import Catalog
from models.audit import AuditEntry, AuditHead
from models.canonical import Slug
from models.records import DeploymentRecord, EvidenceRecord, LifecycleRecord, NotificationRecord, VersionRecord

Row = TypeVar("Row", bound=SQLModel)


class Reader:
    """Rows of one inventory."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._database = Database(url)

    def close(self) -> None:
        """Give all connections back."""
        self._database.close()

    def lifecycle(self, model: Slug) -> LifecycleRecord:
        """The row of one lifecycle."""
        (row,) = self._rows(select(LifecycleRecord).where(LifecycleRecord.model == model))
        return row

    def versions(self, model: Slug) -> Sequence[VersionRecord]:
        """By number."""
        query = select(VersionRecord).where(VersionRecord.model == model)
        return self._rows(query.order_by(col(VersionRecord.number)))

    def deployments(self, model: Slug) -> Sequence[DeploymentRecord]:
        """All that ever served, in order."""
        query = select(DeploymentRecord).where(DeploymentRecord.model == model)
        return self._rows(query.order_by(col(DeploymentRecord.id)))

    def evidence(self, model: Slug) -> Sequence[EvidenceRecord]:
        """Every report, in order."""
        return self._rows(select(EvidenceRecord).where(EvidenceRecord.model == model).order_by(col(EvidenceRecord.id)))

    def notifications(self, model: Slug) -> Sequence[NotificationRecord]:
        """The outbox, in order."""
        query = select(NotificationRecord).where(NotificationRecord.model == model)
        return self._rows(query.order_by(col(NotificationRecord.id)))

    def history(self, model: Slug) -> Sequence[AuditEntry]:
        """A model's entries."""
        with Catalog(self._url) as catalog:
            return catalog.history(model)

    def entries(self) -> Sequence[AuditEntry]:
        """The whole trail."""
        with Catalog(self._url) as catalog:
            return list(catalog.trail())

    def head(self) -> AuditHead:
        """Where the trail ends."""
        with Catalog(self._url) as catalog:
            return catalog.head()

    def _rows(self, query: SelectOfScalar[Row]) -> Sequence[Row]:
        with self._database.reading() as session:
            return session.exec(query).all()
