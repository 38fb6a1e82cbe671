"""`modelops` as a process of its own: exit status, what goes where, and a clean end."""

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FACTS = ROOT / "examples" / "loan_approval" / "model.yaml"


def nobody_listens() -> str:
    """An address where nobody answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def run(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    """A command in a new process, with its own data folder and no server."""
    environment = {**os.environ, "MODELOPS_HOME": str(home), "MODELOPS_TEMPORAL_ADDRESS": nobody_listens()}
    command = [sys.executable, "-m", "client.cli", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_server_down(tmp_path: Path) -> None:
    """Without a server each call ends with status 5 and says how to start one; stdout stays empty."""
    for words in (("status", "loans", "--json"), ("model", "register", str(FACTS))):
        found = run(*words, home=tmp_path)
        assert (found.returncode, found.stdout) == (5, ""), found
        assert "no Temporal server answers" in found.stderr
        assert "modelops up" in found.stderr
        assert "Traceback" not in found.stderr


def test_statuses(tmp_path: Path) -> None:
    """The exit status of the process is the command's."""
    assert run("template", "explain", "MO201", home=tmp_path).returncode == 0
    assert run("template", "show", "none", home=tmp_path).returncode == 6


def test_reader_that_goes_away(tmp_path: Path) -> None:
    """A reader that takes only the beginning of the output causes no traceback."""
    command = f"{sys.executable} -m client.cli template show credit-high-risk --json | head -c 1"
    environment = {**os.environ, "MODELOPS_HOME": str(tmp_path)}
    found = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (found.stdout, found.stderr) == ("{", "")
