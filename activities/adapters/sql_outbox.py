"""Messages on their way, on SQLite and PostgreSQL: the audit trail is read once for all channels."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from activities.adapters.sql_engine import Database
from activities.adapters.sql_trail import head_row
from activities.channel_ports import Waiting
from models.announcing import Message, announced, fold, folded
from models.audit import AuditEntry
from models.channels import (
    CLAIMED,
    KEPT,
    LONGEST_PAUSE,
    UNDELIVERED_AFTER,
    Listener,
    Ticketing,
    earliest,
    pause_after,
)
from models.reconciliation import Finding, FindingKind
from models.records import AuditRecord, ChannelRecord, DeliveryRecord
from models.tickets import Ticket, unaddressed

_BATCH = 500
_UNCERTAIN = "it was begun, and what became of it is not known; it is looked for before it is tried again"


def _now() -> datetime:
    return datetime.now(UTC)


class SqlOutbox:
    """Fits `Outbox`. Every method may also raise what `Database` does."""

    def __init__(self, url: str, clock: Callable[[], datetime] = _now) -> None:
        """`clock` tells (UTC) when something is due; the tables must be there, see `migrate`."""
        self._database = Database(url)
        self._clock = clock

    def close(self) -> None:
        """Give all connections back."""
        self._database.close()

    def gather(self, channels: Mapping[str, Listener]) -> None:
        """Put what the trail has told since the last time into the channels that want it, a batch per transaction.

        A channel that is new, or was closed, hears of what happens from now on. All others are closed: what waits for
        them goes on waiting, and is no finding.
        """
        with self._database.writing() as session:
            _open(session, channels)
        while channels and self._batch(channels):
            pass

    def due(self, channel: str, limit: int) -> Sequence[Waiting]:
        """What is to be tried now, the oldest first."""
        query = select(DeliveryRecord).where(DeliveryRecord.channel == channel, _WAITS)
        query = query.where(col(DeliveryRecord.due) <= self._clock()).order_by(col(DeliveryRecord.id)).limit(limit)
        with self._database.reading() as session:
            rows = session.exec(query).all()
        return [Waiting(row.id or 0, channel, Message.model_validate_json(row.message), row.failures) for row in rows]

    def claim(self, waiting: Waiting) -> bool:
        """Whether the message is ours to deliver now: nobody else tries it, whatever becomes of us, for a while.

        Until it is settled it counts as failed once more, so that nothing newer is folded into it.
        """
        with self._database.writing() as session:
            row, at = session.get_one(DeliveryRecord, waiting.id, with_for_update=True), self._clock()
            if row.delivered_at or row.due > at or row.failures != waiting.failures:
                return False
            row.failures, row.problem, row.due = waiting.failures + 1, _UNCERTAIN, at + CLAIMED
        return True

    def settle(self, waiting: Waiting, ticket: Ticket | None = None) -> None:
        """Record that a message was delivered, and by which ticket, if it made one."""
        with self._database.writing() as session:
            row = session.get_one(DeliveryRecord, waiting.id)
            row.problem, row.delivered_at = None, self._clock()
            if ticket:
                row.ticket, row.page = ticket.id, ticket.url

    def fail(self, waiting: Waiting, problem: str, pause: timedelta | None = None) -> None:
        """Record why a message was not delivered; it is due again after a while.

        With a `pause`, none of its channel is due earlier than that, or than in an hour.
        """
        at = self._clock()
        with self._database.writing() as session:
            row = session.get_one(DeliveryRecord, waiting.id)
            row.problem, row.failures = problem, waiting.failures + 1
            row.due = max(row.due, at + pause_after(row.failures))
            if pause:
                rested = at + min(pause, LONGEST_PAUSE)
                early = (col(DeliveryRecord.channel) == waiting.channel, _WAITS, col(DeliveryRecord.due) < rested)
                session.flush()
                session.exec(update(DeliveryRecord).where(*early).values(due=rested))

    def clear(self) -> None:
        """Forget some of what was delivered long ago, the oldest first."""
        long_ago = col(DeliveryRecord.delivered_at) < self._clock() - KEPT
        oldest = select(DeliveryRecord.id).where(long_ago).order_by(col(DeliveryRecord.id)).limit(_BATCH)
        with self._database.reading() as session:
            numbers = session.exec(oldest).all()
        if numbers:
            with self._database.writing() as session:
                session.exec(delete(DeliveryRecord).where(col(DeliveryRecord.id).in_(numbers)))

    def undelivered(self) -> Collection[Finding]:
        """Channels that have failed to take a message too often, each as a finding."""
        failing = select(DeliveryRecord.channel).where(_WAITS, col(DeliveryRecord.failures) >= UNDELIVERED_AFTER)
        failing = failing.join(ChannelRecord, col(ChannelRecord.name) == DeliveryRecord.channel)
        failing = failing.where(col(ChannelRecord.closed).is_(False))
        with self._database.reading() as session:
            names = session.exec(failing.distinct()).all()
        text = "channel '{}' does not take its messages: `modelops channels` says why"
        return [
            Finding(kind=FindingKind.UNDELIVERED, model=None, about=name, text=text.format(name))
            for name in sorted(names)
        ]

    def _batch(self, channels: Mapping[str, Listener]) -> bool:
        """Whether there may be more."""
        with self._database.writing() as session:
            named = select(ChannelRecord).where(col(ChannelRecord.name).in_(channels)).with_for_update()
            rows = session.exec(named.order_by(col(ChannelRecord.name))).all()
            after = min(row.position for row in rows)
            query = select(AuditRecord).where(col(AuditRecord.position) > after)
            found = session.exec(query.order_by(col(AuditRecord.position)).limit(_BATCH)).all()
            told = [(one.position, tuple(announced(_entry(one)))) for one in found]
            for row in rows:
                news = [message for position, some in told if position > row.position for message in some]
                listener = channels[row.name]
                heard = [one for one in news if one.topic in listener.topics]
                for message in folded(unaddressed(heard) if isinstance(listener, Ticketing) else heard):
                    self._put(session, row.name, message)
                row.position = max(row.position, found[-1].position if found else 0)
        return len(found) == _BATCH

    def _put(self, session: Session, channel: str, message: Message) -> None:
        at, before = self._clock(), _last_of_thread(session, channel, message)
        if before and before.delivered_at is None and not before.failures:
            before.message = fold(Message.model_validate_json(before.message), message).model_dump_json()
            return
        session.add(
            DeliveryRecord(
                channel=channel,
                key=message.key,
                thread=message.thread,
                recipient=message.recipient,
                model=message.model,
                message=message.model_dump_json(),
                made_at=at,
                due=earliest(at, before.due if before else None),
            )
        )


_WAITS = col(DeliveryRecord.delivered_at).is_(None)


def _open(session: Session, names: Mapping[str, Listener]) -> None:
    """Have just these channels open, in one order for all who do it at once."""
    query = select(ChannelRecord).order_by(col(ChannelRecord.name)).with_for_update()
    known = {row.name: row for row in session.exec(query)}
    for name, row in known.items():
        if row.closed and name in names:
            row.position = head_row(session).position
        row.closed = name not in names
    session.add_all(
        ChannelRecord(name=name, position=head_row(session).position) for name in sorted(names.keys() - known.keys())
    )


def _last_of_thread(session: Session, channel: str, message: Message) -> DeliveryRecord | None:
    if message.thread is None:
        return None
    newest = select(func.max(DeliveryRecord.id)).where(
        DeliveryRecord.channel == channel,
        DeliveryRecord.thread == message.thread,
        DeliveryRecord.recipient == message.recipient,
    )
    return session.exec(select(DeliveryRecord).where(DeliveryRecord.id == newest.scalar_subquery())).first()


def _entry(row: AuditRecord) -> AuditEntry:
    return AuditEntry.model_validate(row.model_dump(exclude={"seq"}))
