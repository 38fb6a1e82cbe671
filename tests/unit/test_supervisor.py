"""`modelops up` from inside: one program that never gets ready, and a folder that cannot hold data."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from models.errors import InvalidInputError, UnavailableError
from worker import supervisor
from worker.embedded import Program
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
    monkeypatch.setattr(supervisor, "READY_WITHIN", 3.0)
    with pytest.raises(UnavailableError, match=r"sulking did not answer 200 at .* within 3 s, but 503"):
        up(tmp_path)


@pytest.mark.parametrize("place", ["file", "file/home"])
def test_a_home_that_cannot_hold_data_is_named(tmp_path: Path, place: str) -> None:
    """A home that is a file, or lies under one, is refused with the name of the variable."""
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInputError, match="data cannot be kept in") as refused:
        up(tmp_path / place)
    assert "MODELOPS_HOME" in refused.value.remedy
