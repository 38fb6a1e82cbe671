"""The directory in the database, as administrators have signed it: its owner can withhold an edition, forge none."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from threading import Lock
from typing import NamedTuple

from sqlalchemy import func
from sqlmodel import Session, col, select

from activities.adapters.sql_engine import Database
from activities.adapters.sql_trail import append, body, lock, place
from activities.ports import Kept
from models.audit import AuditKind, Publication, seal
from models.canonical import digest_bytes
from models.directory import DirectoryEdition, demand_following, electorate, open_edition, read_edition
from models.errors import DigestMismatchError, UnknownNameError
from models.evidence import Electorate
from models.keys import Keyring
from models.records import IS_PUBLICATION, AuditRecord, DirectoryRecord
from models.signing import Document, PublicKey, signer_of


class _Seen(NamedTuple):
    publication: Publication
    edition: DirectoryEdition


def _now() -> datetime:
    return datetime.now(UTC)


class SqlDirectory:
    """Fits `Editions`. Every call looks which edition is the newest, by table and by trail; a new one is verified.

    Every method may also raise what `Database` does; DigestMismatchError if table and trail disagree.
    """

    def __init__(
        self, url: str, administrators: Sequence[PublicKey], audience: str, clock: Callable[[], datetime] = _now
    ) -> None:
        """`clock` tells (UTC) when something is read and recorded; the tables must be there, see `migrate`."""
        self._database = Database(url)
        self._administrators = administrators
        self._audience = audience
        self._clock = clock
        self._looking = Lock()
        self._seen: _Seen | None = None

    def close(self) -> None:
        """Give all connections back."""
        self._database.close()

    def electorate(self, roles: Mapping[str, str], also: Sequence[str] = ()) -> Electorate:
        """Who holds each role, and their keys, see `models.directory.electorate`; raises what `newest` does."""
        found = self.newest()
        return electorate(found.people, found.keys, self._audience, roles, also, self._clock())

    def keyring(self) -> Keyring:
        """Every key that was enrolled; raises what `newest` does."""
        return self.newest().keys

    def newest(self) -> DirectoryEdition:
        """The edition that counts. UnknownNameError if there is none, NotPermittedError if no administrator has signed
        it, DigestMismatchError if this process has seen a later one, or another one of that number.
        """
        with self._looking, self._database.reading() as session:
            last, seen = _last(session), self._seen
            if seen and (last is None or last.number < seen.publication.number):
                raise _mismatch(f"edition {seen.publication.number}, which was there before, is gone")
            if seen and last and last != seen.publication and last.number == seen.publication.number:
                raise _mismatch(f"edition {last.number} is another one than before")
            if last is None:
                raise UnknownNameError(
                    "no edition of the directory is published: nobody is known",
                    "an administrator publishes one: `modelops directory publish`",
                )
            if seen is None or last != seen.publication:
                envelope = _envelope(session, last.number, last)
                seen = self._seen = _Seen(last, read_edition(envelope, self._administrators, self._audience))
            return seen.edition

    def kept(self, number: int | None = None) -> Kept | None:
        """An edition by its number or else the newest one, whoever signed it; None if nothing is published yet."""
        with self._database.reading() as session:
            last = _last(session)
            if last is None:
                return None
            envelope = _envelope(session, number or last.number, None if number else last)
        return Kept(_opened(envelope), signer_of(envelope, self._administrators))

    def publish(self, envelope: Document) -> None:
        """Write the next edition, and record that it was, in one transaction.

        NotPermittedError if no administrator has signed it, ConflictError if it does not follow the newest one.
        """
        edition = read_edition(envelope, self._administrators, self._audience)
        text = envelope.model_dump_json()
        published = Publication(number=edition.number, by=edition.by, envelope=digest_bytes(text.encode()))
        with self._database.writing() as session:
            head, at, last = lock(session), self._clock(), _last(session)
            demand_following(_opened(_envelope(session, last.number, last)) if last else None, edition)
            session.add(DirectoryRecord(number=edition.number, envelope=text, published_at=at))
            append(session, head, seal(place(head), None, AuditKind.DIRECTORY, at, body(published)))


def _last(session: Session) -> Publication | None:
    """The newest publication, by the trail and by the table: in one statement, so that none comes between."""
    entry = select(AuditRecord.body).where(IS_PUBLICATION).order_by(col(AuditRecord.position).desc()).limit(1)
    number, told = session.exec(select(func.max(DirectoryRecord.number), entry.scalar_subquery())).one()
    if told is None and number is None:
        return None
    try:
        last = Publication.model_validate_json(told or "")
    except ValueError:
        raise _mismatch(f"the audit trail does not tell of edition {number}") from None
    if last.number != number:
        raise _mismatch(f"by the audit trail edition {last.number} is the newest, and the table has {number or 'none'}")
    return last


def _envelope(session: Session, number: int, told: Publication | None) -> Document:
    """An edition that is there, as the trail tells of it, if that is given."""
    row = session.get(DirectoryRecord, number)
    if row is None:
        raise _mismatch(f"edition {number} is gone")
    if told and digest_bytes(row.envelope.encode()) != told.envelope:
        raise _mismatch(f"edition {number} is not the one that was published")
    try:
        return Document.model_validate_json(row.envelope)
    except ValueError:
        raise _mismatch(f"edition {number} is no envelope") from None


def _opened(envelope: Document) -> DirectoryEdition:
    try:
        return open_edition(envelope)
    except ValueError as error:
        raise _mismatch(f"an edition cannot be read: {error}") from None


def _mismatch(why: str) -> DigestMismatchError:
    return DigestMismatchError(
        f"The directory in the database is not what was published: {why}.",
        remedy="Find out what was done: `modelops audit verify`; then restore the database.",
    )
