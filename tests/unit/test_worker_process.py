"""The worker and the actuator as processes of their own: what stops a start is told in words, with its exit status."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def start(home: Path, program: str = "worker", **variables: str) -> subprocess.CompletedProcess[str]:
    """A worker without a server, which must end by itself."""
    named = {f"MODELOPS_{name}": value for name, value in variables.items()}
    return subprocess.run(
        [sys.executable, "-m", program],
        cwd=ROOT,
        env={**os.environ, "MODELOPS_HOME": str(home), **named},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("name", "value"), [("TRAINERS", "foo"), ("TEMPORAL_TLS_CA", "/nope")])
def test_a_mistake_in_a_variable(tmp_path: Path, name: str, value: str) -> None:
    """A variable that does not fit ends the start with status 4 and words instead of a traceback."""
    ended = start(tmp_path, **{name: value})
    assert ended.returncode == 4, ended
    assert "Traceback" not in ended.stderr


def test_an_actuator_without_a_token(tmp_path: Path) -> None:
    """Who can deploy nothing does not start: the variable is named, and neither server nor database is asked first."""
    ended = start(tmp_path, "worker.actuator")
    assert ended.returncode == 4, ended
    assert "MODELOPS_DEPLOY_TOKEN" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_of_the_metrics_that_is_taken(tmp_path: Path) -> None:
    """The port is named with the variable that moves it; the status is 5."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = start(tmp_path, SDK_METRICS_PORT=port)
    assert ended.returncode == 5, ended
    assert f"port {port}" in ended.stderr
    assert "MODELOPS_SDK_METRICS_PORT" in ended.stderr
    assert "Traceback" not in ended.stderr
