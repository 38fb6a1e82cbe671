"""The editions of the directory, each held against what the trail tells of it and against the one before."""

from collections.abc import Iterable, Iterator, Sequence

from client.rows import entry_of
from models.audit import Publication
from models.canonical import digest_bytes
from models.directory import DirectoryEdition, breaks, open_edition, read_edition
from models.errors import NotPermittedError
from models.records import AuditRecord, DirectoryRecord
from models.rows import Deviation, Row, deviations
from models.signing import Document, PublicKey


def misprints(looked: Iterable[Row], administrators: Sequence[PublicKey], audience: str) -> Iterator[Deviation]:
    """What is wrong with the rows of the directory, which come after the trail's entries about it, each in their order.

    The newest has to be signed by an administrator of today; it vouches for those before, whoever signed them.
    """
    told, found, before, newest = list[Row](), list[Row](), None, None
    for row in looked:
        if row.table == AuditRecord.__tablename__:
            try:
                told.append(_told(row))
            except ValueError:
                yield Deviation(f"audit row {row.values['position']}", "inserted", "it tells of no edition")
            continue
        name, text = f"{row.table} row {row.values['number']}", str(row.values["envelope"])
        found.append(Row(row.table, {**row.values, "envelope": digest_bytes(text.encode(errors="replace"))}))
        newest, edition = (name, text), _edition(text)
        if edition is None:
            yield Deviation(name, "changed", "it is no edition of the directory")
        elif before or len(found) == 1:
            yield from (Deviation(name, "broken", why) for why in breaks(before, edition))
        before = edition
    yield from deviations(told, found)
    if newest and administrators and (why := _unsigned(newest[1], administrators, audience)):
        yield Deviation(newest[0], "forged", why)


def _told(row: Row) -> Row:
    """The row of the edition that an entry tells of, with the digest of its envelope in place of it; ValueError."""
    entry = entry_of(row)
    said = Publication.model_validate_json(entry.body)
    values = {"number": said.number, "envelope": said.envelope, "published_at": entry.at}
    return Row(str(DirectoryRecord.__tablename__), values)


def _edition(text: str) -> DirectoryEdition | None:
    try:
        return open_edition(Document.model_validate_json(text))
    except ValueError:
        return None


def _unsigned(text: str, administrators: Sequence[PublicKey], audience: str) -> str:
    try:
        read_edition(Document.model_validate_json(text), administrators, audience)
    except NotPermittedError as error:
        return str(error)
    except ValueError:
        return ""
    return ""
