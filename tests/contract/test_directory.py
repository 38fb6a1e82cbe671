"""The directory, in files and in both databases: the same answers; and what nobody can do to what is published."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest
import yaml
from sqlalchemy import Engine, create_engine, event
from sqlmodel import SQLModel

from activities.adapters.sql_directory import SqlDirectory
from activities.adapters.yaml_directory import YamlDirectory
from activities.ports import Directory
from client.catalog import Catalog
from client.examination import Examiner, Finding, Seals
from client.story import tell as tell_lines
from client.verification import verify
from models.audit import AuditKind, Publication
from models.canonical import canonical, digest_bytes
from models.directory import PAYLOAD_TYPE, DirectoryEdition, following
from models.errors import ConflictError, DigestMismatchError, NotPermittedError, UnknownNameError
from models.evidence import Electorate
from models.keys import EnrolledKey, Keyholder, Keyring
from models.people import People
from models.records import AuditRecord, DirectoryRecord
from models.signing import key_id, seal_document
from tests.contract.backdoor import chain_problems, execute, rewrite, rows
from tests.contract.conftest import database_of_its_own
from tests.contract.story import Record, Tell, until
from tests.editions import ADA, BEA, MORNING, edition, people, signed
from tests.signers import AUDIENCE, keyring, private_key, signer

NOW = MORNING + timedelta(hours=12)
ANA = key_id(signer("ana").public)
ROLES = {"r": "credit"}


class Place(Protocol):
    """Where a directory is kept."""

    @property
    def directory(self) -> Directory:
        """The adapter."""

    def say(self, known: People, keys: Keyring) -> None:
        """This is the directory from now on."""


class Files:
    """An administrator writes files."""

    def __init__(self, folder: Path) -> None:
        self._people, self._keys = folder / "people.yaml", folder / "keys.json"
        self.directory = YamlDirectory(self._people, self._keys, AUDIENCE, lambda: NOW)

    def say(self, known: People, keys: Keyring) -> None:
        """Both are written anew."""
        self._people.write_text(yaml.safe_dump(known.model_dump(mode="json")))
        self._keys.write_text(keys.model_dump_json())


class Press:
    """Administrators publish."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.directory = self.process()
        self.last: DirectoryEdition | None = None

    def process(self, administrators: Sequence[str] = (ADA, BEA)) -> SqlDirectory:
        """What another process sees."""
        return SqlDirectory(self.url, administrators, AUDIENCE, lambda: NOW)

    def say(self, known: People, keys: Keyring) -> None:
        """The next edition is signed and published."""
        self.last = following(self.last, AUDIENCE, "ada", known, keys, MORNING)
        self.directory.publish(signed(self.last))

    def publish(self, content: DirectoryEdition) -> DirectoryEdition:
        """An edition is signed and published."""
        self.directory.publish(signed(content))
        return content

    def refusals(self, old: SqlDirectory) -> set[str]:
        """Why a process that has seen what was there before does not go on, and why one that starts now does not."""
        found = set()
        with closing(self.process()) as new:
            for process in (old, new):
                with pytest.raises((DigestMismatchError, NotPermittedError)) as refused:
                    process.electorate(ROLES)
                found.add(str(refused.value).rpartition(": ")[2])
        return found

    def examined(self, *administrators: str) -> Sequence[Finding]:
        """What `modelops audit verify` finds."""
        with Catalog(self.url) as catalog:
            seals = Seals((), (), AUDIENCE, datetime.now(UTC), administrators or (ADA, BEA))
            return Examiner(catalog, seals).conclude((), (), (), ()).findings

    def put(self, text: str, number: int) -> None:
        """With the owner's rights, another text stands in a row."""
        table, engine = SQLModel.metadata.tables["directory"], create_engine(self.url)
        with engine.begin() as connection:
            connection.execute(table.delete().where(table.c.number == number))
            connection.execute(table.insert().values(number=number, envelope=text, published_at=NOW))
        engine.dispose()

    def forge(self, text: str, number: int) -> None:
        """The same, and the trail is made anew: its entry tells of that text."""
        self.put(text, number)
        said = Publication(number=number, by="ada", envelope=digest_bytes(text.encode()))

        def edit(entries: list[AuditRecord]) -> list[AuditRecord]:
            told = AuditRecord(**entries[-1].model_dump() | {"body": canonical(said).decode(), "at": NOW})
            return [*entries[: number - 1], told]

        rewrite(self.url, edit)


@pytest.fixture
def press(inventory_url: str) -> Iterator[Press]:
    """Nothing is published yet."""
    built = Press(inventory_url)
    yield built
    built.directory.close()


@pytest.fixture
def first(press: Press) -> DirectoryEdition:
    """An edition, which the press has read, too."""
    content = press.publish(edition({"ana": ["credit"], "bo": ["risk"]}))
    assert press.directory.newest() == content
    return content


@pytest.fixture
def second(press: Press, first: DirectoryEdition) -> DirectoryEdition:
    """In the next one Ana's key is revoked."""
    gone = first.keys.revoke(ANA, MORNING, "stolen")
    content = press.publish(edition({"ana": ["credit"], "bo": ["risk"]}, gone, first))
    assert press.directory.newest() == content
    return content


@pytest.fixture(params=["files", "sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, numbers: Iterator[int]) -> Iterator[Place]:
    """Each way to keep a directory."""
    if request.param == "files":
        yield Files(tmp_path)
        return
    with database_of_its_own(request, tmp_path, numbers) as url:
        built = Press(url)
        with closing(built.directory):
            yield built


def test_keys_come_with_their_holders(kept: Place) -> None:
    """Those that count now, of holders and of those who are asked for by name and are in the directory."""
    known = people({"ana": ["credit"], "bo": ()})
    kept.say(known, Keyring())
    assert kept.directory.electorate(ROLES) == Electorate(people={"r": ("ana",)}, audience=AUDIENCE)
    gate = EnrolledKey(person="gate", public=signer("gate").public, kind=Keyholder.GATEWAY, enrolled=NOW)
    keys = keyring(("ana", "bo", "eve")).enrol(gate)
    kept.say(known, keys)
    assert kept.directory.electorate(ROLES).keys == {"ana": (signer("ana").public,)}
    assert sorted(kept.directory.electorate(ROLES, ("bo", "eve")).keys) == ["ana", "bo"]
    assert kept.directory.electorate({}).gateways == (gate.public,)
    assert kept.directory.keyring() == keys
    kept.say(known, keys.revoke(ANA, NOW, "stolen"))
    assert kept.directory.electorate(ROLES).keys == {}


def test_a_change_counts_at_the_next_call(kept: Place) -> None:
    """Who joins and who leaves; a group that nobody is in gives an empty role."""
    roles = {"r": "credit", "s": "risk"}
    kept.say(people({"ana": ["credit"]}), Keyring())
    assert kept.directory.electorate(roles).people == {"r": ("ana",), "s": ()}
    kept.say(people({"bo": ["risk"], "abe": ["risk"]}), Keyring())
    assert kept.directory.electorate(roles).people == {"r": (), "s": ("abe", "bo")}


def test_who_is_away(kept: Place) -> None:
    """Who covers for somebody holds the role in their place, by the directory's clock."""
    away = people(
        {"ana": ["credit"]}, absences=[{"from": NOW.date().isoformat(), "until": "2026-12-31", "cover": "bo"}]
    )
    kept.say(People(people={**away.people, **people({"bo": ()}).people}), keyring(("ana", "bo")))
    found = kept.directory.electorate(ROLES)
    assert (found.people, found.away, sorted(found.keys)) == ({"r": ("bo",)}, {"r": {"ana": "bo"}}, ["ana", "bo"])


def test_nothing_is_published_yet(press: Press) -> None:
    """Nobody is known, and what to do is said."""
    assert press.directory.kept() is None
    with pytest.raises(UnknownNameError) as refused:
        press.directory.electorate(ROLES)
    assert "modelops directory publish" in refused.value.remedy


def test_each_edition_is_an_entry_of_the_trail(press: Press, second: DirectoryEdition) -> None:
    """In the transaction of its row, with the same time; the entry names the bytes, and the story tells it."""
    with Catalog(press.url) as catalog:
        entries = list(catalog.trail())
    written = rows(press.url)["directory"]
    assert [(entry.kind, entry.model) for entry in entries] == [(AuditKind.DIRECTORY, None)] * 2
    for entry, (number, envelope, at) in zip(entries, written, strict=True):
        said = Publication.model_validate_json(entry.body)
        assert (said.number, said.envelope, entry.at) == (number, digest_bytes(str(envelope).encode()), at)
    assert [line.text for line in tell_lines(entries)][-1] == "ada published edition 2 of the directory."
    assert chain_problems(press.url) == []
    assert press.examined() == ()
    one, two = press.directory.kept(1), press.directory.kept()
    assert two is not None
    assert one is not None
    assert (two.edition, two.signer, one.edition.number) == (second, ADA, 1)


def test_looking_again_is_cheap(press: Press, second: DirectoryEdition) -> None:
    """What was verified is not read again, as long as it is the newest: one statement, by an index."""
    said = list[str]()

    def listen(*arguments: object) -> None:
        said.append(str(arguments[2]))

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        assert press.directory.electorate(ROLES, ("bo",)).keys.keys() == {"bo"}
        assert press.directory.keyring() == second.keys
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    assert [statement for statement in said if "envelope" in statement] == []
    assert sum("FROM" in statement for statement in said) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"number": 4}, "edition 3 would be next"),
        ({"number": 2}, "edition 3 would be next"),
        ({"before": digest_bytes(b"x")}, "follows another edition 2"),
        ({"at": MORNING}, "older than the one before"),
        ({"keys": keyring(("ana", "bo"))}, "was revoked as of 2026-03-02 08:00 UTC, and would count again"),
        ({"keys": Keyring()}, "is missing"),
    ],
)
def test_what_does_not_follow_is_not_published(
    press: Press, second: DirectoryEdition, change: dict[str, object], words: str
) -> None:
    """Whoever signs it: nothing is written."""
    before = rows(press.url)
    with pytest.raises(ConflictError, match=words):
        press.publish(edition({"ana": []}, second.keys, second).model_copy(update=change))
    with pytest.raises(NotPermittedError, match="no administrator has signed"):
        press.directory.publish(signed(edition({"ana": []}, second.keys, second), by="ana"))
    assert rows(press.url) == before


def test_of_several_who_publish_at_once_one_does(press: Press, first: DirectoryEdition) -> None:
    """The others are told to look at what was published meanwhile; then they can follow."""
    rivals = [
        edition({f"p{number}": ["credit"]}, first.keys, first, by) for number, by in enumerate(["ada", "bea"] * 3)
    ]

    def attempt(content: DirectoryEdition) -> str:
        try:
            with closing(press.process()) as directory:
                directory.publish(signed(content))
        except ConflictError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(len(rivals)) as pool:
        said = list(pool.map(attempt, rivals))
    assert sum(not one for one in said) == 1
    assert all("edition 3 would be next" in one for one in said if one)
    won = press.directory.newest()
    assert won == rivals[said.index("")]
    assert press.publish(edition({"ana": []}, first.keys, won)).number == 3
    assert press.examined() == ()


def test_a_row_that_is_withheld(press: Press, second: DirectoryEdition) -> None:
    """The trail tells of it: no process goes back, nobody publishes over it, and the missing row is named."""
    execute(press.url, "DELETE FROM directory WHERE number = 2")
    assert press.refusals(press.directory) == {"by the audit trail edition 2 is the newest, and the table has 1."}
    with pytest.raises(DigestMismatchError):
        press.publish(edition({"ana": []}, second.keys, second))
    (found,) = press.examined()
    assert (found.row, found.kind) == ("directory row 2", "removed")
    execute(press.url, "DELETE FROM directory")
    assert press.refusals(press.directory) == {"by the audit trail edition 2 is the newest, and the table has none."}


def test_an_edition_that_is_withheld_with_all_trace_of_it(press: Press, second: DirectoryEdition) -> None:
    """Whoever has seen it does not go back; who starts now takes the one before, which only a checkpoint could tell."""
    execute(press.url, "DELETE FROM directory WHERE number = 2")
    rewrite(press.url, lambda entries: entries[:1])
    with pytest.raises(DigestMismatchError, match="edition 2, which was there before, is gone"):
        press.directory.electorate(ROLES)
    with closing(press.process()) as new:
        assert new.newest().number == 1
    execute(press.url, "DELETE FROM directory", "DELETE FROM audit")
    with pytest.raises(DigestMismatchError, match="edition 2, which was there before, is gone"):
        press.directory.electorate(ROLES)


def test_a_trail_without_its_entry(press: Press, first: DirectoryEdition) -> None:
    """A row of which the trail tells nothing counts for nothing, however it is signed."""
    press.put(signed(edition({"eve": ["credit"]}, first.keys, first)).model_dump_json(), 2)
    assert press.refusals(press.directory) == {"by the audit trail edition 1 is the newest, and the table has 2."}
    assert ("directory row 2", "inserted") in {(found.row, found.kind) for found in press.examined()}
    execute(press.url, "DELETE FROM audit")
    assert "the audit trail does not tell of edition 2." in press.refusals(press.directory)


def test_an_edition_that_was_put_in_its_place(press: Press, first: DirectoryEdition, second: DirectoryEdition) -> None:
    """Another one that an administrator signed, when somebody else was quicker: the trail, or who saw it, tells."""
    rival = signed(edition({"ana": ["credit"]}, first.keys, first, "bea")).model_dump_json()
    press.put(rival, 2)
    with closing(press.process()) as new, pytest.raises(DigestMismatchError, match="not the one that was published"):
        new.newest()
    press.forge(rival, 2)
    with pytest.raises(DigestMismatchError, match="edition 2 is another one than before"):
        press.directory.newest()
    assert second.keys != first.keys


@pytest.mark.parametrize("by", ["ana", "eve"])
def test_an_edition_that_somebody_else_has_signed(press: Press, second: DirectoryEdition, by: str) -> None:
    """With a trail made anew: nobody who is no administrator enrols a key, in nobody's eyes."""
    forged = edition({"eve": ["credit"]}, keyring(("eve",)), second)
    press.forge(signed(forged, by).model_dump_json(), 3)
    assert press.refusals(press.directory) == {"nobody in it is believed"}
    found = {(finding.row, finding.kind) for finding in press.examined()}
    assert found == {("directory row 3", "forged"), ("directory row 3", "broken")}


@pytest.mark.parametrize("payload", [b"{}", b"x", canonical(edition({}))])
def test_an_edition_that_is_none(press: Press, first: DirectoryEdition, payload: bytes) -> None:
    """Whatever an administrator has signed, for another purpose or another installation, is not taken for one."""
    kind = PAYLOAD_TYPE if payload != canonical(edition({})) else "application/vnd.modelops.statement+json"
    press.forge(seal_document(payload, kind, private_key("ada")).model_dump_json(), 1)
    with closing(press.process()) as new:
        with pytest.raises(NotPermittedError, match="is no edition of the directory"):
            new.newest()
        with pytest.raises(DigestMismatchError, match="cannot be read"):
            new.kept()
    assert ("directory row 1", "changed") in {(found.row, found.kind) for found in press.examined()}
    press.forge(payload.decode(), 1)
    with closing(press.process()) as new, pytest.raises(DigestMismatchError, match="edition 1 is no envelope"):
        new.newest()
    assert ("directory row 1", "changed") in {(found.row, found.kind) for found in press.examined()}


EDITS = {"number": "number + 7", "envelope": "replace(envelope, 'ada', 'eve') || ' '", "published_at": "'2026-01-01'"}


@pytest.mark.parametrize("column", DirectoryRecord.model_fields)
def test_every_column_of_every_row_is_compared(press: Press, second: DirectoryEdition, column: str) -> None:
    """Whatever is edited, the row is named; also a row that is missing or was put in."""
    for number in (1, second.number):
        execute(press.url, f"UPDATE directory SET {column} = {EDITS[column]} WHERE number = {number}")
        assert f"directory row {number}" in {found.row for found in press.examined()}, number
    execute(press.url, f"DELETE FROM directory WHERE {column} IS NOT NULL")
    assert [found.kind for found in press.examined()] == ["removed", "removed"]


def test_an_entry_that_tells_of_no_edition(press: Press, second: DirectoryEdition) -> None:
    """Whatever the trail says there, nothing fails, and the entry is named."""
    rewrite(press.url, lambda entries: [entries[0], AuditRecord(**entries[1].model_dump() | {"body": "{}"})])
    assert press.refusals(press.directory) == {"the audit trail does not tell of edition 2."}
    assert {found.row for found in press.examined()} == {"audit row 2", "directory row 2"}


def test_an_administrator_who_leaves(press: Press, second: DirectoryEdition) -> None:
    """What they signed counts for nothing more; another one signs the same, and the record holds."""
    with closing(press.process((BEA,))) as rest:
        with pytest.raises(NotPermittedError, match="no administrator has signed"):
            rest.newest()
        assert [(found.row, found.kind) for found in press.examined(BEA)] == [("directory row 2", "forged")]
        kept = rest.kept()
        assert kept is not None
        assert (kept.edition, kept.signer) == (second, None)
        again = following(kept.edition, AUDIENCE, "bea", second.people, second.keys, NOW)
        rest.publish(signed(again))
        assert rest.newest() == again
    assert press.examined(BEA) == ()


def test_editions_do_not_disturb_models(
    press: Press, first: DirectoryEdition, record: Record, tell: Tell, inventory_url: str
) -> None:
    """Between the events of lifecycles editions are published: every model's record verifies."""
    record(until(tell("loan"), 5))
    press.publish(edition({"ana": []}, first.keys, first))
    record(tell("loan"))
    with Catalog(inventory_url) as catalog:
        verified = verify(catalog, catalog.record("loan"))
        assert verified.holds, verified
        assert AuditKind.DIRECTORY not in {entry.kind for entry in catalog.record("loan").history}
