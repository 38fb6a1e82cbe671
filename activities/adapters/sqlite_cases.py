"""The cases of one trial and what became of them, in a file: their number is bounded by the disk, not by the memory.

Units may be personal: they are kept as keyed hashes, and the file is its owner's alone. It is made from the traffic log
and the outcomes, and can be deleted at any time: the next look makes it anew.
"""

import hashlib
import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from models.errors import UnavailableError
from models.tally import Case, Counts, Outcome, Sums, Tally, sums_of
from models.traffic import Position

_WAITS = 60.0
_ASKED_AT_ONCE = 500
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS cases (version INTEGER, unit BLOB, score REAL, selected INTEGER NOT NULL,"
    " mirrored INTEGER NOT NULL, PRIMARY KEY (version, unit)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS outcomes (unit BLOB PRIMARY KEY, label REAL, value REAL, groups TEXT NOT NULL)"
    " WITHOUT ROWID",
)
_FORGET = ("DELETE FROM notes", "DELETE FROM cases", "DELETE FROM outcomes")
_JOINED = (
    "SELECT score, selected, mirrored, label, value, groups FROM cases JOIN outcomes USING (unit) WHERE version = ?"
)


class SqliteCases:
    """What was counted of one trial so far; what is written in one `writing` is there whole, or not at all."""

    def __init__(self, connection: sqlite3.Connection, subject: str) -> None:
        self._connection = connection
        if self._note("subject") != subject:
            for statement in _FORGET:
                self._connection.execute(statement)
            self._write("subject", subject)
            self._write("key", os.urandom(16).hex())
        self._key = bytes.fromhex(self._note("key"))

    @property
    def position(self) -> Position:
        """How far the traffic log was read."""
        known = self._note("position")
        return Position.model_validate_json(known) if known else Position()

    def count(self, tallies: Mapping[int, Tally]) -> None:
        """Add what the versions answered next."""
        for version, tally in tallies.items():
            counts = self.counts(version)
            counts.merge(tally.counts)
            kept = {"requests": counts.requests, "failed": counts.failed, "times": counts.times}
            self._write(f"counts {version}", json.dumps(kept))
            rows = sorted((self._hash(unit), case) for unit, case in tally.cases.items())
            self._connection.executemany(
                "INSERT OR REPLACE INTO cases VALUES (?, ?, ?, ?, ?)", ((version, unit, *case) for unit, case in rows)
            )

    def read_up_to(self, position: Position) -> None:
        """All up to there is counted."""
        self._write("position", position.model_dump_json())

    def counts(self, version: int) -> Counts:
        """How much a version answered, and how fast."""
        kept = json.loads(self._note(f"counts {version}") or "{}")
        times = Counter({int(time): count for time, count in kept.get("times", {}).items()})
        return Counts(kept.get("requests", 0), kept.get("failed", 0), times)

    def sums(self, version: int) -> Sums:
        """The sums over a version's cases with outcomes."""
        groups: dict[str, Mapping[str, str]] = {}
        rows = self._connection.execute(_JOINED, (version,))
        return sums_of(
            (
                Case(score, bool(selected), bool(mirrored)),
                Outcome(label, value, groups[text] if text in groups else groups.setdefault(text, json.loads(text))),
            )
            for score, selected, mirrored, label, value, text in rows
        )

    def learned(self, files: Sequence[str]) -> int:
        """How many of some files of outcomes, each told by its stamp and read in this order, are known by heart.

        If one of those that were read has changed, all is forgotten, and none is.
        """
        known: list[str] = json.loads(self._note("files") or "[]")
        if known == list(files[: len(known)]):
            return len(known)
        self._connection.execute("DELETE FROM outcomes")
        self._write("files", "[]")
        return 0

    def learn(self, file: str, parts: Iterable[Mapping[str, Outcome]]) -> None:
        """Keep what the next file says, in parts: a later outcome of a unit replaces an earlier one."""
        for part in parts:
            rows = (
                (self._hash(unit), one.label, one.value, json.dumps(one.groups, sort_keys=True))
                for unit, one in part.items()
            )
            self._connection.executemany("INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?)", sorted(rows))
        self._write("files", json.dumps([*json.loads(self._note("files") or "[]"), file]))

    def outcomes(self, units: Sequence[str]) -> Sequence[Outcome]:
        """What is known of each of some units, in their order; nothing is known of one that nobody has told of."""
        hashes, found = [self._hash(unit) for unit in units], dict[bytes, Outcome]()
        groups: dict[str, Mapping[str, str]] = {}
        for first in range(0, len(hashes), _ASKED_AT_ONCE):
            some = hashes[first : first + _ASKED_AT_ONCE]
            query = f"SELECT unit, label, value, groups FROM outcomes WHERE unit IN ({','.join('?' * len(some))})"  # noqa: S608 - question marks alone
            for unit, label, value, text in self._connection.execute(query, some):
                found[unit] = Outcome(label, value, groups.setdefault(text, json.loads(text)))
        return [found.get(unit, Outcome()) for unit in hashes]

    def remember(self, name: str, value: str) -> None:
        """Keep a note, until the subject changes."""
        self._write(f"note {name}", value)

    def remembered(self, name: str) -> str:
        """A note, empty if there is none."""
        return self._note(f"note {name}")

    def _hash(self, unit: str) -> bytes:
        return hashlib.blake2b(unit.encode(), digest_size=16, key=self._key).digest()

    def _note(self, name: str) -> str:
        found = self._connection.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else ""

    def _write(self, name: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))


@contextmanager
def writing(file: Path, subject: str) -> Iterator[SqliteCases]:
    """What is kept in a file about a subject, nothing if it was about another one; one writer at a time.

    UnavailableError if it cannot be read; what is broken is deleted, for the next attempt to make it anew.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(file, timeout=_WAITS, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN IMMEDIATE")
        for table in _SCHEMA:
            connection.execute(table)
        yield SqliteCases(connection, subject)
        connection.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        if not isinstance(error, sqlite3.OperationalError):
            file.unlink(missing_ok=True)
        raise UnavailableError(f"what is kept in {file} cannot be read: {error}", "try again") from error
    finally:
        connection.close()
