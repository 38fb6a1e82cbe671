"""What a look at a trial costs the actuator: the first one, and one after a hundredth more was answered."""

import json
import multiprocessing
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest

from activities.adapters.oip_traffic import OipTraffic
from models.inventory import Column, DataContract, Environment, Protected
from models.traffic import Answer
from tests.bench.table import show
from worker.orders import read_query
from worker.traffic_log import TrafficLog

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1_800)]

BEGAN = datetime(2026, 1, 5, 12, tzinfo=UTC)
MODEL = "loans"
FEW, MANY = 100_000, 1_000_000
NEW = 100
"""One in so many is new at the second look."""
MB = 1024
GROWTH_MB = 64.0
FASTER = 3.0
CONTRACT = DataContract(
    inputs=(Column(name="income"),),
    outputs=(Column(name="score"),),
    label="approved",
    protected=(Protected(column="sex", reference="male"),),
)


class Looked(NamedTuple):
    """Two looks: what they found in all, seconds of each, the peak of the memory in MB."""

    answers: int
    cases: int
    first: float
    second: float
    peak: float


def _answer(number: int) -> bytes:
    """A tenth of all is the challenger's; everybody asks twice."""
    answer = Answer(
        at=BEGAN + timedelta(microseconds=number),
        unit=f"customer-{number // 2}",
        version=2 if number // 2 % 10 == 0 else 1,
        microseconds=1_000 + number * 7 % 9_000,
        rows=1,
        scores=(number * 13 % 1000 / 1000,),
        labels=(number % 2,),
    )
    return answer.model_dump_json(exclude_defaults=True).encode() + b"\n"


def _write(root: Path, begin: int, end: int) -> None:
    log = root / "traffic" / MODEL / f"{BEGAN:%Y-%m-%d}.jsonl"
    outcomes = root / "outcomes" / MODEL / f"{begin:09}.csv"
    for file in (log, outcomes):
        file.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as lines:
        lines.writelines(map(_answer, range(begin, end)))
    rows = (f"customer-{n},{n % 2},{n % 50},{'male' if n % 3 else 'female'}\n" for n in range(begin // 2, end // 2))
    outcomes.write_text("unit,approved,value,sex\n" + "".join(rows))


@contextmanager
def _served(root: Path) -> Iterator[str]:
    """The log as the inference server gives it out."""
    log = TrafficLog(root, timedelta(days=36_500))
    log.start()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            self.send_response(200)
            self.end_headers()
            if asked.path.endswith("/traffic"):
                query = read_query(dict(parse_qsl(asked.query)))
                for chunk in log.read(MODEL, query.since, frozenset(query.versions), query.position):
                    self.wfile.write(chunk)
            else:
                self.wfile.write(json.dumps({"parameters": {"contract": CONTRACT.model_dump(mode="json")}}).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
    log.stop()


def _look(root: Path, url: str, looks: "multiprocessing.connection.Connection") -> None:
    traffic = OipTraffic({Environment.PROD: url}, "token", root / "outcomes", root / "observed", timeout=600)
    while looks.recv():
        began = time.perf_counter()
        seen = traffic.observe(Environment.PROD, MODEL, 1, 2, BEGAN)
        known = seen.measures["accuracy"]
        answers, cases = (
            seen.champion_requests + seen.challenger_requests,
            known.champion.count + known.challenger.count,
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
        looks.send((answers, cases, time.perf_counter() - began, peak))


def _measured(root: Path, answers: int) -> Looked:
    """In a process of its own, whose memory is measured."""
    _write(root, 0, answers)
    with _served(root) as url:
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=_look, args=(root, url, theirs))
        process.start()
        ours.send(True)
        _, _, first, _ = ours.recv()
        _write(root, answers, answers + answers // NEW)
        ours.send(True)
        total, cases, second, peak = ours.recv()
        ours.send(False)
        process.join()
    return Looked(total, cases, first, second, peak)


def test_a_look_at_millions_needs_no_more_memory(tmp_path: Path) -> None:
    """Ten times as many answers need about the same memory; a later look reads what is new, and is quicker."""
    few, many = (_measured(tmp_path / str(answers), answers) for answers in (FEW, MANY))
    rows = [
        (f"{one.answers:,} answers, {one.cases:,} cases", [f"{value:.1f}" for value in one[2:]]) for one in (few, many)
    ]
    show("Looks at a trial", ("first look, s", "later look, s", "peak, MB"), rows)
    for one, answers in ((few, FEW), (many, MANY)):
        assert one.answers == answers + answers // NEW
        assert one.cases == one.answers // 2
    assert many.peak - few.peak < GROWTH_MB
    assert many.first / many.second > FASTER
