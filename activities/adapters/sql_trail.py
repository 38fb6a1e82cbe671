"""The end of the audit trail: locked by every writer, and moved on by each entry."""

import rfc8785
from pydantic import BaseModel
from sqlmodel import Session, select

from models.audit import AuditEntry, AuditHead
from models.canonical import canonical
from models.errors import InvalidInputError
from models.records import AuditHeadRecord, AuditRecord


def body(value: BaseModel) -> str:
    """A value as an entry keeps it: canonical JSON; InvalidInputError of a number that it cannot say."""
    try:
        return canonical(value).decode()
    except rfc8785.CanonicalizationError as error:
        raise InvalidInputError(
            f"A {type(value).__name__} cannot be recorded: {error}.",
            remedy="Give finite numbers and whole numbers below 2^53.",
        ) from error


def lock(session: Session) -> AuditHeadRecord:
    """The head of the trail, which nobody else can move until this transaction ends."""
    return head_row(session, locked=True)


def head_row(session: Session, locked: bool = False) -> AuditHeadRecord:
    """The head of the trail."""
    query = select(AuditHeadRecord)
    head = session.exec(query.with_for_update() if locked else query).first()
    if head is None:
        raise InvalidInputError(
            "The inventory does not know where its audit trail ends.",
            remedy="The row of 'audit_head' was deleted: restore the database.",
        )
    return head


def place(head: AuditHeadRecord) -> AuditHead:
    """Where it says that the trail ends."""
    return AuditHead(position=head.position, hash=head.hash)


def append(session: Session, head: AuditHeadRecord, entry: AuditEntry, seq: int | None = None) -> None:
    """The entry is the trail's last from now on."""
    session.add(AuditRecord(**entry.model_dump(), seq=seq))
    head.position, head.hash = entry.position, entry.hash
