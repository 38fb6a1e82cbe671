"""Values that applications have sent, on SQLite and PostgreSQL; a metric is read from them as from a file."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, delete, select

from activities.adapters.sql_engine import Database
from models.canonical import Slug
from models.errors import ConflictError, UnknownNameError
from models.metrics import Measurement, Metric, Period, summed_up
from models.pushed import Pushed
from models.records import ModelRecord, PushedRecord


def _now() -> datetime:
    return datetime.now(UTC)


class SqlPushes:
    """Fits `MetricsSource` and `Pushes`. Every method may also raise what `Database` does."""

    def __init__(self, source: Slug, url: str, keep: int, clock: Callable[[], datetime] = _now) -> None:
        """`keep` are seconds; `clock` tells (UTC) when something arrives; the tables must be there, see `migrate`."""
        self._source = source
        self._database = Database(url)
        self._keep = timedelta(seconds=keep)
        self._clock = clock

    def close(self) -> None:
        """Give all connections back."""
        self._database.close()

    def keep(self, values: Sequence[Pushed]) -> int:
        """Keep all of them or none, and clear what is too old; how many are new.

        UnknownNameError of a model that is not registered, ConflictError of a moment that has another value already.
        """
        now = self._clock()
        with self._database.writing() as session:
            _demand_registered(session, {one.model for one in values})
            old = (col(PushedRecord.source) == self._source, col(PushedRecord.at) < now - self._keep)
            session.exec(delete(PushedRecord).where(*old))
            new = self._insert(session, values, now)
            for (metric, model), some in _by_series(values).items():
                kept = self._kept(session, metric, model, col(PushedRecord.at).in_(some))
                for at, one in some.items():
                    _demand_same(one, kept[at])
        return new

    def read(self, name: Slug, metric: Metric, model: Slug, version: int, period: Period) -> Measurement:
        """The sum, the mean or the last of the values in the period; InvalidInputError."""
        return summed_up(name, metric, period, self._values(name, model, period))

    def _values(self, name: Slug, model: Slug, period: Period) -> Mapping[datetime, tuple[float, int]]:
        with self._database.reading() as session:
            at = col(PushedRecord.at)
            return self._kept(session, name, model, at >= period.since, at < period.until)

    def _kept(
        self, session: Session, metric: Slug, model: Slug, *when: ColumnElement[bool]
    ) -> Mapping[datetime, tuple[float, int]]:
        ours = PushedRecord.source == self._source, PushedRecord.metric == metric, PushedRecord.model == model
        rows = session.exec(select(PushedRecord).where(*ours, *when))
        return {row.at: (row.value, row.count) for row in rows}

    def _insert(self, session: Session, values: Sequence[Pushed], now: datetime) -> int:
        """How many were not there; of two who send the same at once, one is first, and the other waits for it."""
        rows = [{"source": self._source, **one.model_dump(), "at": one.about[-1], "received_at": now} for one in values]
        make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        table = SQLModel.metadata.tables[str(PushedRecord.__tablename__)]
        wanted = make(table).values(rows).on_conflict_do_nothing().returning(table.c.at)
        return len(session.connection().execute(wanted).all())


def _by_series(values: Sequence[Pushed]) -> Mapping[tuple[Slug, Slug], Mapping[datetime, Pushed]]:
    found = defaultdict[tuple[Slug, Slug], dict[datetime, Pushed]](dict)
    for one in values:
        metric, model, at = one.about
        found[metric, model][at] = one
    return found


def _demand_same(one: Pushed, kept: tuple[float, int]) -> None:
    if kept != (one.value, one.count):
        raise ConflictError(
            f"metric '{one.metric}' of model '{one.model}' has another value at {one.at.isoformat()} already: "
            f"{kept[0]:g}, which rests on {kept[1]}, and not {one.value:g}, which rests on {one.count}",
            "what was sent is not changed: send a correction with a moment of its own",
        )


def _demand_registered(session: Session, models: Collection[Slug]) -> None:
    known = set(session.exec(select(ModelRecord.id).where(col(ModelRecord.id).in_(models))))
    if unknown := sorted(set(models) - known):
        raise UnknownNameError(f"no model '{unknown[0]}' is registered", "register it, or correct its name")
