"""Every way to tamper with the trail, on both databases: each is found, and the place is named."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlmodel import SQLModel

from activities.adapters.file_checkpoints import FileCheckpoints
from activities.adapters.file_notary import FileNotary
from activities.adapters.sql_directory import SqlDirectory
from activities.adapters.sql_inventory import SqlInventory
from client.catalog import Catalog
from client.examination import Examiner, Finding, Seals, open_dossier
from models.audit import Tampering
from models.canonical import digest_bytes
from models.records import AuditRecord
from tests.contract.backdoor import rewrite
from tests.contract.story import Record, Tell
from tests.editions import ADA, edition, signed
from tests.signers import AUDIENCE

AUDIT, HEAD = SQLModel.metadata.tables["audit"], SQLModel.metadata.tables["audit_head"]
FIRST, LAST = 21, 53
"""Where the trail was sealed."""

Values = dict[str, Any]


class Crime:
    """A sealed database, and somebody with its owner's rights."""

    def __init__(self, url: str, kept: Path) -> None:
        self.url, self.kept = url, kept
        self.engine: Engine = create_engine(url)
        self._catalog = Catalog(url)
        with self.engine.connect() as connection:
            self.rows: list[Values] = [
                dict(row._asdict()) for row in connection.execute(AUDIT.select().order_by(AUDIT.c.position))
            ]

    def examined(self, *models: str) -> Sequence[Finding]:
        """What is found in the trail, and in what is recorded of some models."""
        keys = (self.kept / "notary.pub").read_text().split()
        seals = Seals(FileCheckpoints(self.kept / "kept").all(), keys, AUDIENCE, datetime.now(UTC))
        examiner = Examiner(self._catalog, seals)
        dossiers = [open_dossier(self._catalog.record(model)) for model in models]
        return examiner.conclude(dossiers, (), (), ()).findings

    def leave(self) -> None:
        """Give all connections back."""
        self._catalog.__exit__()
        self.engine.dispose()

    def write(self, rows: Sequence[Values]) -> None:
        """These are the rows of the trail now, and the head says where they end."""
        with self.engine.begin() as connection:
            connection.execute(AUDIT.delete())
            if rows:
                connection.execute(AUDIT.insert(), list(rows))
            last = max(
                rows, key=lambda row: int(row["position"]), default={"position": 0, "hash": "sha256:" + "0" * 64}
            )
            connection.execute(HEAD.update().values(position=last["position"], hash=last["hash"]))

    @contextmanager
    def one_changed(self, place: int, values: Values) -> Iterator[None]:
        """One row with other values, for a while."""
        before = self.rows[place - 1]
        with self.engine.begin() as connection:
            connection.execute(AUDIT.update().where(AUDIT.c.position == place).values(**values))
        yield
        with self.engine.begin() as connection:
            where = AUDIT.c.position == values.get("position", place)
            connection.execute(AUDIT.update().where(where).values(**before))


@pytest.fixture
def crime(record: Record, tell: Tell, inventory: SqlInventory, inventory_url: str, tmp_path: Path) -> Iterator[Crime]:
    """The whole life of `loan`, sealed in the middle and at the end."""
    notary = FileNotary(inventory, FileCheckpoints(tmp_path / "kept"), tmp_path / "notary.key", AUDIENCE)
    story = tell("loan")
    record(story[: FIRST - 1])
    notary.checkpoint()
    record(story)
    notary.checkpoint()
    scene = Crime(inventory_url, tmp_path)
    assert len(scene.rows) == LAST
    assert scene.examined("loan") == ()
    yield scene
    scene.leave()


def other(column: str, row: Values) -> Any:
    """Another value of a column, as plausible as the one that is there."""
    return {
        "position": 1_000 + row["position"],
        "model": "churn",
        "kind": "event" if row["kind"] != "event" else "effect",
        "at": row["at"] + timedelta(microseconds=1),
        "body": row["body"].replace("1", "2", 1),
        "previous": digest_bytes(b"x"),
        "hash": digest_bytes(str(row["position"]).encode()),
        "seq": 1_000 + row["position"],
    }[column]


def places(found: Sequence[Finding]) -> set[str]:
    """Every row that is named."""
    return {finding.row for finding in found}


BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)]
"""Every row and column takes its time: on PostgreSQL with what takes minutes."""


@pytest.mark.parametrize("inventory_url", BOTH, indirect=True)
def test_every_column_of_every_row(crime: Crime) -> None:
    """A single changed value is found, and its row named; what the chain does not cover, the fold of the trail does."""
    columns = [column.name for column in AUDIT.columns]
    assert set(columns) == set(AuditRecord.model_fields)
    for row in crime.rows:
        for column in columns:
            place, models = row["position"], ("loan",) if column == "seq" else ()
            with crime.one_changed(place, {column: other(column, row)}):
                assert f"audit row {place}" in places(crime.examined(*models)), (place, column)
    assert crime.examined("loan") == ()


def test_every_column_of_an_entry_about_the_directory(crime: Crime) -> None:
    """It is of no model, and found with all; so is a row of the directory of which no entry tells any more."""
    with closing(SqlDirectory(crime.url, (ADA,), AUDIENCE)) as directory:
        directory.publish(signed(edition({"ana": ["credit"]})))
    scene = Crime(crime.url, crime.kept)
    assert scene.examined("loan") == ()
    place, row = LAST + 1, scene.rows[LAST]
    for column in AuditRecord.model_fields:
        with scene.one_changed(place, {column: other(column, row)}):
            found = places(scene.examined("loan"))
            assert f"audit row {place}" in found, column
            assert column not in ("kind", "at", "body") or "directory row 1" in found, column
    assert scene.examined("loan") == ()
    scene.leave()


@pytest.mark.long
def test_every_row_deleted_doubled_or_swapped(crime: Crime) -> None:
    """Also with the numbers of all later rows mended, the first row that is out of place is named."""
    rows = crime.rows
    for index in range(len(rows)):
        place = index + 1
        without = [*rows[:index], *rows[index + 1 :]]
        closed = [row | {"position": number} for number, row in enumerate(without, 1)]
        copied = rows[index] | {"hash": "sha256:forged", "seq": None}
        doubled = [row | {"position": n} for n, row in enumerate([*rows[:place], copied, *rows[place:]], 1)]
        deeds = {"deleted": without, "closed": closed, "inserted": doubled}
        if place < len(rows):
            pair = [rows[place] | {"position": place}, rows[index] | {"position": place + 1}]
            deeds["swapped"] = [*rows[:index], *pair, *rows[place + 1 :]]
        for deed, made in deeds.items():
            crime.write(made)
            found = crime.examined()
            named = [int(row.split()[-1]) for row in places(found) if row.startswith("audit row")]
            cut = place == LAST and deed in ("deleted", "closed")
            assert cut or place <= min(named) <= place + 1, (deed, place, found)
            assert not cut or places(found) == {"checkpoint 2"}
    crime.write(rows)


def test_every_truncation(crime: Crime) -> None:
    """With the head set back the chain is whole; the checkpoint tells from where on it is missing, and since when."""
    for left in range(LAST):
        crime.write(crime.rows[:left])
        (found,) = crime.examined()
        assert (found.kind, found.row) == (Tampering.REMOVED, "checkpoint 1" if left < FIRST else "checkpoint 2")
        assert f"the trail ends at entry {left};" in found.message
        assert (found.since is None) == (left < FIRST)


def test_every_place_from_which_the_chain_is_made_anew(crime: Crime) -> None:
    """With owner rights the chain is recomputed and sound; the first checkpoint behind the edit catches it."""

    def edited(index: int, rows: list[AuditRecord]) -> list[AuditRecord]:
        rows[index].at += timedelta(microseconds=1)
        return rows

    for index in range(LAST):
        rewrite(crime.url, partial(edited, index))
        (found,) = crime.examined()
        checkpoint, first = (1, 1) if index < FIRST else (2, FIRST + 1)
        last = FIRST if index < FIRST else LAST
        assert (found.kind, found.row) == (Tampering.REWRITTEN, f"checkpoint {checkpoint}")
        assert f"entries {first} to {last} are not those that it seals" in found.message
        assert found.until is not None
        crime.write(crime.rows)


def test_rows_dropped_or_invented_in_a_chain_made_anew(crime: Crime) -> None:
    """Whatever becomes of the content, a sound chain that is another one is not what was sealed."""

    def dropped(index: int, rows: list[AuditRecord]) -> list[AuditRecord]:
        return [*rows[:index], *rows[index + 1 :]]

    def invented(index: int, rows: list[AuditRecord]) -> list[AuditRecord]:
        copied = AuditRecord(**rows[index].model_dump() | {"seq": None})
        return [*rows[: index + 1], copied, *rows[index + 1 :]]

    def turned(index: int, rows: list[AuditRecord]) -> list[AuditRecord]:
        return [*rows[:index], *reversed(rows[index:])]

    for index in range(0, LAST, 7):
        for edit in (dropped, invented, turned):
            rewrite(crime.url, partial(edit, index))
            found = crime.examined()
            assert {one.kind for one in found} <= {Tampering.REWRITTEN, Tampering.REMOVED}, index
            assert found, index
            crime.write(crime.rows)


def test_a_database_that_was_rolled_back(
    record: Record, tell: Tell, inventory: SqlInventory, inventory_url: str, tmp_path: Path
) -> None:
    """Every table is as it was some time ago, and consistent: only the checkpoint tells."""
    notary = FileNotary(inventory, FileCheckpoints(tmp_path / "kept"), tmp_path / "notary.key", AUDIENCE)
    record(tell("loan")[: FIRST - 1])
    engine, tables = create_engine(inventory_url), SQLModel.metadata.sorted_tables
    with engine.connect() as connection:
        old = {table: [row._asdict() for row in connection.execute(table.select())] for table in tables}
    record(tell("loan"))
    notary.checkpoint()
    with engine.begin() as connection:
        for table in reversed(tables):
            connection.execute(table.delete())
        for table in tables:
            if old[table]:
                connection.execute(table.insert(), old[table])
    engine.dispose()
    scene = Crime(inventory_url, tmp_path)
    (found,) = scene.examined("loan")
    scene.leave()
    assert (found.kind, found.row) == (Tampering.REMOVED, "checkpoint 1")
    assert f"the trail ends at entry {FIRST}; when it was sealed, it went up to entry {LAST}" in found.message


def test_checkpoints_that_were_all_removed(crime: Crime) -> None:
    """A notary that has a key has sealed something, unless the trail has only just begun."""
    (crime.kept / "kept" / "checkpoints.jsonl").unlink()
    assert crime.examined() == ()
    crime.write([{**row, "at": row["at"] - timedelta(hours=3)} for row in crime.rows])
    (found,) = (one for one in crime.examined() if one.row == "checkpoint 1")
    message = "the notary has a key, and no checkpoint is kept: they were removed"
    assert (found.kind, found.message) == (Tampering.REMOVED, message)


def test_a_decision_that_nobody_signed(crime: Crime) -> None:
    """In a chain made anew, a decision without its envelope, or with another reason than was signed, is named."""
    place = next(row["position"] for row in crime.rows if '"event":"decided"' in row["body"])

    def reworded(body: str) -> str:
        return body.replace("It is sound.", "It is fine.")

    def excused(body: str) -> str:
        return body.replace('"envelope":', '"objection":"x","envelope":')

    def stripped(body: str) -> str:
        read = json.loads(body)
        del read["event"]["body"]["envelope"]
        return json.dumps(read)

    def rewritten(edit: Callable[[str], str], rows: list[AuditRecord]) -> list[AuditRecord]:
        before = rows[place - 1].body
        rows[place - 1].body = edit(before)
        assert rows[place - 1].body != before
        return rows

    for edit, kind, words in (
        (
            reworded,
            Tampering.FORGED,
            "decision.reason is recorded as 'It is fine.'; by what was signed it is 'It is so",
        ),
        (excused, Tampering.FORGED, "objection is recorded as 'x'"),
        (stripped, Tampering.UNSIGNED, "decided counted, and nobody has signed it"),
    ):
        rewrite(crime.url, partial(rewritten, edit))
        found = crime.examined("loan")
        assert any((f"audit row {place}", kind) == (one.row, one.kind) and words in one.message for one in found), found
        crime.write(crime.rows)
