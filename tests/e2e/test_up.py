"""`modelops up`: everything on one machine, and what people are told when it cannot be."""

import asyncio
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from client.api import Modelops
from examples import start_lifecycle
from examples.demo.premises import LOANS, Premises
from models.canonical import digest_bytes
from models.state import Phase
from models.status import Status
from worker.effects import State
from worker.model_repository import STATE_FILE
from worker.settings import PROJECT
from worker.slots import Slot, Slots


@pytest.fixture
def premises(tmp_path: Path) -> Premises:
    """A folder of its own."""
    found = Premises(tmp_path / "home")
    found.clear()
    return found


def run(
    premises: Premises, *arguments: str, program: tuple[str, ...] = ("client.cli",)
) -> subprocess.CompletedProcess[str]:
    """The `modelops` command, or another program, as a person runs it."""
    return subprocess.run(
        [sys.executable, "-m", *program, *arguments],
        cwd=PROJECT,
        env={**os.environ, **premises.environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _example_of_start() -> list[str]:
    """How the small script that starts a lifecycle says it is used."""
    (shown,) = re.findall(r"^`python -m (.*)`$", start_lifecycle.__doc__ or "", re.MULTILINE)
    return shlex.split(shown)


async def _awaiting(modelops: Modelops) -> Status:
    async with asyncio.timeout(90):
        while (status := await modelops.status("loan-approval")).phase is not Phase.AWAITING_VERSION:
            await asyncio.sleep(0.1)
    return status


@pytest.mark.long
async def test_everything_is_where_it_was_after_a_restart(premises: Premises) -> None:
    """A lifecycle, started by the small script, goes on where it was when `modelops up` starts again.

    Health and metrics answer; the same facts again change nothing.
    """
    settings = premises.settings()
    async with premises.running():
        async with Modelops.connect(settings) as modelops:
            started = await asyncio.to_thread(run, premises, *_example_of_start(), program=())
            assert "policy packs apply" in started.stdout, started.stderr
            before = await _awaiting(modelops)
        again = await asyncio.to_thread(run, premises, "model", "register", str(LOANS / "model.yaml"))
        assert again.stdout.startswith("Nothing changed: loan-approval is registered already, with these facts")
        async with httpx2.AsyncClient(trust_env=False) as http:
            health = await http.get(f"http://127.0.0.1:{settings.worker_metrics_port}/healthz")
            ours = await http.get(f"http://127.0.0.1:{settings.worker_metrics_port}/metrics")
            sdk = await http.get(f"http://127.0.0.1:{settings.sdk_metrics_port}/metrics")
        assert health.json() == {"status": "healthy", "problems": {}}
        assert 'modelops_steps_total{activity="classify",outcome="succeeded"} 1.0' in ours.text
        assert 'modelops_step_seconds_count{activity="classify"} 1.0' in ours.text
        assert "temporal_workflow_task_execution_latency" in sdk.text
        refused = await asyncio.to_thread(run, premises, "up")
        assert refused.returncode == 4
        assert "another `modelops up` is running" in refused.stderr
    async with premises.running(), Modelops.connect(settings) as modelops:
        assert await _awaiting(modelops) == before
        listed = await asyncio.to_thread(run, premises, "list", "--json")
    assert [row["model"] for row in json.loads(listed.stdout)] == ["loan-approval"]


async def test_what_fails_keeps_nothing_down(premises: Premises) -> None:
    """With one bundle that is gone everything starts; who starts it is told model, version and reason.

    A worker that dies is replaced, and health says so.
    """
    folder = premises.home / "environments" / "PROD"
    folder.mkdir(parents=True)
    gone = digest_bytes(b"gone")
    state = State(models={"churn": Slots(loaded=(Slot(version=3, bundle=gone),), default=gone)})
    (folder / STATE_FILE).write_text(state.model_dump_json())
    async with premises.running():
        said = (premises.home / "up.log").read_text()
        killed = premises.kill("worker", signal.SIGKILL)
        await _replaced(premises, killed)
    warning = next(line for line in said.splitlines() if line.startswith("warning: "))
    assert "inference-PROD cannot serve version 3 of model 'churn'" in warning
    assert gone in warning
    log = (premises.home / "logs" / "inference-PROD.log").read_text()
    assert "version 3 of model 'churn' cannot be served" in log


async def _replaced(premises: Premises, killed: int) -> None:
    """Wait until another worker is there, and healthy."""
    health = f"http://127.0.0.1:{premises.settings().worker_metrics_port}/healthz"
    async with asyncio.timeout(90), httpx2.AsyncClient(trust_env=False) as http:
        while True:
            try:
                answer = await http.get(health)
            except httpx2.TransportError:
                await asyncio.sleep(0.2)
                continue
            if answer.is_success and int((premises.home / "run" / "worker.pid").read_text()) != killed:
                break
            await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("TRAINERS", "foo", 4),
        ("DATABASE_URL", "postgresql://u:p@h:xx/db", 4),
        ("DATABASE_URL", "mysql://u:p@127.0.0.1/db", 4),
        ("DATABASE_URL", "postgresql://u:p@127.0.0.1:1/db", 5),
        ("HOME", str(PROJECT / "pyproject.toml"), 4),
    ],
)
def test_mistakes_are_told_in_words(premises: Premises, name: str, value: str, status: int) -> None:
    """An ordinary mistake ends with its exit status and what to do, not with a traceback."""
    premises.environment[f"MODELOPS_{name}"] = value
    refused = run(premises, "up")
    assert refused.returncode == status, refused.stderr
    assert "What to do: " in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_inventory_that_is_no_database_is_told(premises: Premises) -> None:
    """A file in the place of the inventory is named."""
    (premises.home / "inventory.db").write_text("a shopping list" * 100)
    refused = run(premises, "up")
    assert refused.returncode == 4, refused.stderr
    assert "inventory.db cannot be read as a database" in refused.stderr


def test_a_port_in_use_is_named(premises: Premises) -> None:
    """The port, the program that needs it and the variable that moves it are named; nothing is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        premises.environment["MODELOPS_TEMPORAL_ADDRESS"] = f"127.0.0.1:{port}"
        refused = run(premises, "up")
    assert refused.returncode == 5
    assert f"port {port}, which temporal needs, is in use" in refused.stderr
    assert "MODELOPS_TEMPORAL_ADDRESS" in refused.stderr


def test_without_a_server_every_command_says_so(premises: Premises) -> None:
    """A server that is down is named, with the remedy, and nothing comes to stdout."""
    refused = run(premises, "status", "loan-approval", "--json")
    assert refused.returncode == 5
    assert refused.stdout == ""
    assert "no Temporal server answers" in refused.stderr
    assert "modelops up" in refused.stderr
