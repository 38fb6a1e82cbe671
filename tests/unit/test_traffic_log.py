"""The traffic log: whole lines, in their order, never in the way of anybody, and deleted after their time."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.traffic import Answer, Position
from worker import traffic_log
from worker.traffic_log import TrafficLog

NOW = datetime.now(UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[TrafficLog]:
    """One that writes."""
    started = TrafficLog(tmp_path)
    started.start()
    yield started
    started.stop()


def said(unit: str, at: datetime = NOW, version: int = 1) -> Answer:
    """An answer to one row."""
    return Answer(at=at, unit=unit, version=version, microseconds=7, rows=1, scores=(0.5,), labels=(1,))


def read(log: TrafficLog, since: datetime = LONG_AGO, *versions: int) -> list[Answer]:
    """What is read back."""
    lines = b"".join(log.read("loans", since, versions or (1, 2))).splitlines()
    return [Answer.model_validate_json(line) for line in lines]


def files(root: Path) -> list[str]:
    """The names of the files."""
    return sorted(path.name for path in root.glob("traffic/loans/*"))


def test_what_was_answered_is_read_back_at_once(log: TrafficLog, tmp_path: Path) -> None:
    """Every line is there when it is asked for, in its order; only those of the versions and since the moment."""
    yesterday = NOW - timedelta(days=1)
    answers = [said("a", yesterday), said("b"), said("c", version=2), said("d", version=3)]
    for answer in answers:
        log.add("loans", lambda answer=answer: answer)  # type: ignore[misc]
    log.add("cards", lambda: said("e"))
    assert read(log) == answers[:3]
    assert read(log, NOW) == answers[1:3]
    assert read(log, LONG_AGO, 3) == answers[3:]
    assert files(tmp_path) == [f"{yesterday:%Y-%m-%d}.jsonl", f"{NOW:%Y-%m-%d}.jsonl"]


def test_who_asks_again_goes_on_from_where_it_ended(log: TrafficLog, tmp_path: Path) -> None:
    """With a position only what is new is read, of each day; a line that is not whole yet is read when it is."""

    def news(position: Position) -> tuple[list[str], Position]:
        *lines, last = b"".join(log.read("loans", LONG_AGO, (1,), position)).splitlines()
        return [Answer.model_validate_json(line).unit for line in lines], Position.model_validate_json(last)

    yesterday = NOW - timedelta(days=1)
    log.add("loans", lambda: said("a", yesterday))
    log.add("loans", lambda: said("b", version=2))
    found, position = news(Position())
    assert (found, len(position.days)) == (["a"], 2)
    assert news(position) == ([], position)
    log.add("loans", lambda: said("c", yesterday))
    log.add("loans", lambda: said("d"))
    found, position = news(position)
    assert found == ["c", "d"]
    file = tmp_path / "traffic" / "loans" / f"{NOW:%Y-%m-%d}.jsonl"
    whole = said("e").model_dump_json().encode() + b"\n"
    with file.open("ab", buffering=0) as torn:
        torn.write(whole[:20])
        assert news(position) == ([], position)
        torn.write(whole[20:])
    assert news(position)[0] == ["e"]


def test_only_the_owner_may_read_it(log: TrafficLog, tmp_path: Path) -> None:
    """Units may be personal."""
    log.add("loans", lambda: said("a"))
    read(log)
    (file,) = tmp_path.glob("traffic/loans/*")
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_a_line_that_a_killed_process_left_unfinished_costs_no_other(log: TrafficLog, tmp_path: Path) -> None:
    """What follows a torn line begins on a line of its own."""
    file = tmp_path / "traffic" / "loans" / f"{NOW:%Y-%m-%d}.jsonl"
    file.parent.mkdir(parents=True)
    file.write_bytes(said("a").model_dump_json().encode() + b'\n{"at":"20')
    log.add("loans", lambda: said("b"))
    assert [answer.unit for answer in read(log)] == ["a", "b"]


def test_files_are_deleted_after_their_time(tmp_path: Path) -> None:
    """Also those of a model that nobody asks any more; the day on which the time ends is kept."""
    for model in ("loans", "cards"):
        folder = tmp_path / "traffic" / model
        folder.mkdir(parents=True)
        for days in (0, 30, 31):
            (folder / f"{NOW - timedelta(days=days):%Y-%m-%d}.jsonl").touch()
    log = TrafficLog(tmp_path, timedelta(days=30))
    log.start()
    read(log)
    log.stop()
    assert len(files(tmp_path)) == len(list((tmp_path / "traffic" / "cards").iterdir())) == 2


def test_a_full_queue_drops_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever answers never waits for the disk."""
    monkeypatch.setattr(traffic_log, "QUEUED_AT_MOST", 10)
    log = TrafficLog(tmp_path)
    for _ in range(25):
        log.add("loans", lambda: said("a"))
    assert log.dropped == 15
    log.start()
    assert len(read(log)) == 10
    log.stop()


def test_a_disk_that_takes_nothing_stops_nobody(log: TrafficLog, tmp_path: Path) -> None:
    """What cannot be written is counted, and the log goes on when it can."""
    (tmp_path / "traffic").touch()
    log.add("loans", lambda: said("a"))
    assert read(log) == []
    assert log.dropped == 1
    (tmp_path / "traffic").unlink()
    log.add("loans", lambda: said("b"))
    assert [answer.unit for answer in read(log)] == ["b"]


def test_lines_of_many_threads_are_all_there(log: TrafficLog) -> None:
    """Nothing is lost or torn between threads, nor when it is stopped."""

    def add() -> None:
        for _ in range(500):
            log.add("loans", lambda: said("a"))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    began = time.perf_counter()
    log.stop()
    assert time.perf_counter() - began < 10
    assert len(read(log)) == 2000
