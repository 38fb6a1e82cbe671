"""What went through channels, and what trackers have made of it."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from client.views import Through
from models.channels import UNDELIVERED_AFTER
from models.records import DeliveryRecord
from models.tickets import Ticket


def through(session: Session, channel: str) -> Through:
    """What went through a channel."""
    ours, waits = col(DeliveryRecord.channel) == channel, col(DeliveryRecord.delivered_at).is_(None)
    failing = func.count().filter(col(DeliveryRecord.failures) >= UNDELIVERED_AFTER)
    waiting = session.exec(select(func.count(), failing, func.min(DeliveryRecord.made_at)).where(ours, waits)).one()
    last = session.exec(select(func.max(DeliveryRecord.delivered_at)).where(ours)).one()
    why = select(DeliveryRecord.problem).where(ours, waits, col(DeliveryRecord.problem).is_not(None))
    problem = session.exec(why.order_by(col(DeliveryRecord.due).desc()).limit(1)).first()
    count, bad, since = waiting
    ticket = next(iter(_tickets(session, ours)), None)
    return Through(
        channel=channel, waiting=count, failing=bad, since=since, problem=problem, delivered=last, ticket=ticket
    )


def tickets_of(session: Session, model: str) -> Sequence[Ticket]:
    """What trackers have made of the messages about a model, the newest first, and no more than a hundred messages."""
    return tuple(dict.fromkeys(_tickets(session, col(DeliveryRecord.model) == model, limit=100)))


def _tickets(session: Session, about: ColumnElement[bool], limit: int = 1) -> Sequence[Ticket]:
    made = select(DeliveryRecord.ticket, DeliveryRecord.page).where(about, col(DeliveryRecord.ticket).is_not(None))
    rows = session.exec(made.order_by(col(DeliveryRecord.id).desc()).limit(limit))
    return [Ticket(id=name or "", url=page or "") for name, page in rows]
