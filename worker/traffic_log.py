"""What the versions of an environment answered, line by line: `traffic/<model>/YYYY-MM-DD.jsonl`, days in UTC.

Whoever answers a request only puts a value into a queue. A thread writes what is there a few times a second; who
comes while the queue is full is dropped and counted. A process that is killed loses what it had not written yet.
The files hold units, which may be personal: their owner alone can read them, and after their time they are deleted.
"""

import contextlib
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Container, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, takewhile
from pathlib import Path

from pydantic import ValidationError

from models.metrics import Period
from models.service import ServiceReport, report_service
from models.traffic import Answer, Position

FOLDER = "traffic"
QUEUED_AT_MOST = 20_000
BATCH = 100
EVERY = 0.2
WITHIN = 10.0
CHUNK = 64 * 1024
KEPT = timedelta(days=90)
"""How long a file is kept, unless told otherwise."""

_LOG = logging.getLogger("modelops.inference")


class TrafficLog:
    """The traffic log of one environment."""

    def __init__(self, root: Path, kept: timedelta = KEPT) -> None:
        self._root = root / FOLDER
        self._kept = kept
        self._queue: deque[tuple[str, Callable[[], Answer]]] = deque()
        self._pruned = date.min
        self._wanted, self._written = threading.Event(), threading.Condition()
        self._turns = 0
        self._stopping = False
        self._writer = threading.Thread(target=self._write, name="traffic-log", daemon=True)
        self.dropped = 0

    def start(self) -> None:
        """Begin to write."""
        self._writer.start()

    def stop(self) -> None:
        """Write what is queued, and end."""
        self._stopping = True
        self._wanted.set()
        self._writer.join(WITHIN)

    def add(self, model: str, answer: Callable[[], Answer]) -> None:
        """Queue one line, which is made when it is written; it never waits."""
        if len(self._queue) >= QUEUED_AT_MOST:
            self._drop(1)
        else:
            self._queue.append((model, answer))

    def read(
        self, model: str, since: datetime, versions: Container[int], position: Position | None = None
    ) -> Iterator[bytes]:
        """The lines of some versions since a moment, oldest day first, in chunks; all that was queued is in them.

        With a position, only what came after it; the last line is then where the log ends, to go on from.
        """
        self._flush()
        held, ends = bytearray(), dict(position.days) if position else {}
        for file in sorted((self._root / model).glob("*.jsonl")):
            if file.stem >= f"{since.astimezone(UTC):%Y-%m-%d}":
                for line in _lines(file, ends.get(file.stem, 0)):
                    ends[file.stem] = ends.get(file.stem, 0) + len(line)
                    if _wanted(line, since, versions):
                        held += line
                    if len(held) >= CHUNK:
                        yield bytes(held)
                        held.clear()
        if position:
            held += Position(days=ends).model_dump_json().encode() + b"\n"
        yield bytes(held)

    def count(self, model: str, version: int, period: Period) -> ServiceReport:
        """How a version answered in a period; all that was queued is in it."""
        self._flush()
        days = [f"{moment.astimezone(UTC):%Y-%m-%d}" for moment in period]
        files = [one for one in sorted((self._root / model).glob("*.jsonl")) if days[0] <= one.stem <= days[1]]
        lines = (_read(line) for file in files for line in _lines(file, 0))
        return report_service((answer for answer in lines if answer), version, period)

    def _flush(self) -> None:
        """Wait for a turn of the writer that began after this."""
        with self._written:
            wanted = self._turns + 2
            self._wanted.set()
            self._written.wait_for(lambda: self._turns >= wanted or not self._writer.is_alive(), WITHIN)

    def _write(self) -> None:
        while not (self._stopping and not self._queue):
            self._wanted.wait(EVERY)
            self._wanted.clear()
            self._prune()
            while batch := [self._next() for _ in range(min(BATCH, len(self._queue)))]:
                self._append(batch)
            with self._written:
                self._turns += 1
                self._written.notify_all()

    def _next(self) -> tuple[str, Answer]:
        model, answer = self._queue.popleft()
        return model, answer()

    def _append(self, batch: Sequence[tuple[str, Answer]]) -> None:
        for (model, day), lines in groupby(batch, lambda one: (one[0], one[1].at.date())):
            data = b"".join(answer.model_dump_json(exclude_defaults=True).encode() + b"\n" for _, answer in lines)
            try:
                _append(self._root / model / f"{day}.jsonl", data)
            except OSError as error:
                _LOG.warning("the traffic of model '%s' cannot be written: %s", model, error)
                self._drop(data.count(b"\n"))

    def _drop(self, lines: int) -> None:
        with self._written:
            self.dropped += lines

    def _prune(self) -> None:
        today = datetime.now(UTC).date()
        if today == self._pruned:
            return
        self._pruned = today
        for file in self._root.glob("*/*.jsonl"):
            if file.stem < f"{today - self._kept}":
                with contextlib.suppress(OSError):
                    file.unlink()


def _append(file: Path, data: bytes) -> None:
    """Add whole lines; a line that a killed process has left unfinished is ended first."""
    try:
        opened = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    except FileNotFoundError:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(opened, "r+b", buffering=0) as stream:
        end = stream.seek(0, os.SEEK_END)
        torn = end and os.pread(opened, 1, end - 1) != b"\n"
        stream.write(b"\n" + data if torn else data)


def _lines(file: Path, begin: int) -> Iterator[bytes]:
    """Whole lines; nothing of a file that is deleted meanwhile."""
    try:
        with file.open("rb") as stream:
            stream.seek(begin)
            yield from takewhile(lambda line: line.endswith(b"\n"), stream)
    except FileNotFoundError:
        return


def _wanted(line: bytes, since: datetime, versions: Container[int]) -> bool:
    answer = _read(line)
    return answer is not None and answer.version in versions and answer.at >= since


def _read(line: bytes) -> Answer | None:
    """The answer in a line; None if it is none."""
    try:
        return Answer.model_validate_json(line)
    except ValidationError:
        return None
