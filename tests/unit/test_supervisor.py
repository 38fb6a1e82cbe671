"""`modelops up` from inside: one program that never gets ready, and a folder that cannot hold data."""

import asyncio
import json
import os
import socket
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from models.errors import InvalidInputError, UnavailableError
from models.inventory import Environment
from worker import supervisor
from worker.embedded import DEPLOY_TOKEN, WITHHELD, Program, waves
from worker.patience import Patience, Work, processor_time
from worker.settings import Settings

ANSWERING = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503)
        self.end_headers()

HTTPServer(("127.0.0.1", int(sys.argv[1])), Answering).serve_forever()
"""


IDLE = """
import time
began = time.process_time()
while time.process_time() < began + 0.3:
    pass
time.sleep(600)
"""


def up(home: Path) -> list[str]:
    """What is said until it ends."""
    said: list[str] = []
    asyncio.run(supervisor.supervise(Settings(home=home), said.append, lambda: said.append("ready")))
    return said


def test_a_program_that_is_never_ready_is_named_with_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is told that a program did not get ready in time learns what it answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Program(
        "sulking", (sys.executable, "-c", ANSWERING, str(port)), {port: "PORT"}, f"http://127.0.0.1:{port}/", {}
    )
    monkeypatch.setattr(supervisor, "waves", lambda _: ((program,),))
    monkeypatch.setattr(supervisor, "READY_WITHIN", 1.5)
    monkeypatch.setattr(supervisor, "READY_AT_MOST", 3.0)
    with pytest.raises(
        UnavailableError, match=r"sulking did not answer 200 at .* within \d s, but 503; the last"
    ) as met:
        up(tmp_path)
    assert "GET / HTTP" in str(met.value)
    assert "run `modelops up` again when it has less" in met.value.remedy


def test_a_program_that_works_is_waited_for_and_one_that_sleeps_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits is told; of the one that sleeps, that it has said nothing in this start, whatever its log holds."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "idle.log").write_text("what the start before has said\n")
    idle = Program("idle", (sys.executable, "-c", IDLE), {}, "http://127.0.0.1:9/", {})
    monkeypatch.setattr(supervisor, "waves", lambda _: ((idle,),))
    monkeypatch.setattr(supervisor, "READY_WITHIN", 1.0)
    said = list[str]()
    with pytest.raises(UnavailableError, match="but nothing; it has said nothing") as met:
        asyncio.run(supervisor.supervise(Settings(home=tmp_path), said.append, lambda: None))
    assert str(met.value).startswith("idle did not answer 200 at http://127.0.0.1:9/")
    assert any("it is at work, and is waited for" in line for line in said)


@pytest.mark.parametrize(
    ("done", "over_after"),
    [
        ([], 60),
        ([Work(0.5, 0)] * 9, 60),
        ([Work(0.7, 0)] * 9, 120),
        ([Work(30, 0), Work(30.7, 0), Work(31.2, 0)], 180),
        ([Work(0, 5), Work(0, 6), Work(0, 6)], 180),
        ([Work(60 * number, 0) for number in range(1, 99)], 600),
    ],
)
def test_patience_ends_with_work(done: list[Work], over_after: int) -> None:
    """After a minute in which a program had less than a hundredth of a processor and said nothing; or ten in all."""
    patience = Patience(100.0, within=60.0, at_most=600.0)
    work, looked = iter(done), list[int]()
    for second in range(1, 1000):
        if patience.is_due(100.0 + second):
            looked.append(second)
            if patience.is_over(100.0 + second, next(work, done[-1] if done else Work(0, 0))):
                break
    assert looked[-1] == over_after
    assert patience.waited(100.0 + over_after) == over_after


def test_the_processor_time_of_a_process_grows_as_it_works() -> None:
    """Of all its threads; of one that is not there nothing is known."""
    before = processor_time(os.getpid())
    while processor_time(os.getpid()) <= before:
        sum(range(10_000))
    assert processor_time(2**22 + 1) == 0.0


def test_secrets_reach_only_those_who_need_them(tmp_path: Path) -> None:
    """The token is the actuator's and the inference servers', the account the actuator's; the worker has neither."""
    token, account = "t" * 32, "sqlite:////actuator.db"
    settings = Settings(home=tmp_path, deploy_token=SecretStr(token), actuator_database_url=SecretStr(account))
    given = {program.name: set(program.environment.values()) for wave in waves(settings) for program in wave}
    assert {name for name, values in given.items() if token in values} == {
        "actuator",
        *(f"inference-{environment}" for environment in Environment),
    }
    assert {name for name, values in given.items() if account in values} == {"actuator"}


WRITING = "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w'))"


def test_a_token_is_made_anew_and_inherited_by_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each start makes a token that its owner alone may read; a secret of the caller's reaches no program by itself."""
    found, seen = tmp_path / "environment.json", list[Settings]()

    def programs(settings: Settings) -> tuple[tuple[Program, ...], ...]:
        seen.append(settings)
        return ((Program("prying", (sys.executable, "-c", WRITING, str(found)), {}, "http://127.0.0.1:9/", {}),),)

    monkeypatch.setattr(supervisor, "waves", programs)
    for name in WITHHELD - {DEPLOY_TOKEN}:
        monkeypatch.setenv(name, "sqlite:////of-the-caller.db")
    for _ in range(2):
        with pytest.raises(UnavailableError, match="prying ended with status 0"):
            up(tmp_path)
    file = tmp_path / "run" / "deploy-token"
    assert file.stat().st_mode & 0o777 == 0o600
    first, second = (settings.token for settings in seen)
    assert second == file.read_text() != first
    assert WITHHELD.isdisjoint(json.loads(found.read_text()))


@pytest.mark.parametrize("place", ["file", "file/home"])
def test_a_home_that_cannot_hold_data_is_named(tmp_path: Path, place: str) -> None:
    """A home that is a file, or lies under one, is refused with the name of the variable."""
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInputError, match="data cannot be kept in") as refused:
        up(tmp_path / place)
    assert "MODELOPS_HOME" in refused.value.remedy
