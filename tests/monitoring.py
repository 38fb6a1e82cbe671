"""Real Prometheus and Alertmanager, from the packages of the system."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

READY_WITHIN = 30.0


def program(name: str) -> str:
    """Where a program is; without it the test fails, and says what to install."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(
            f"{name} is not installed. Install Debian's packages prometheus and prometheus-alertmanager: "
            "`sh deploy/install-debian.sh monitoring`",
            pytrace=False,
        )
    return found


@contextmanager
def running(command: Sequence[str], ready: str, log: Path) -> Iterator[None]:
    """A server, from when it answers until the end of the block."""
    with log.open("wb") as told, subprocess.Popen(command, stdout=told, stderr=told, cwd=log.parent) as process:
        try:
            _await(process, ready, log)
            yield
        finally:
            process.terminate()


def _await(process: subprocess.Popen[bytes], ready: str, log: Path) -> None:
    give_up = time.monotonic() + READY_WITHIN
    while True:
        try:
            if httpx2.get(ready, trust_env=False).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        if process.poll() is not None or time.monotonic() > give_up:
            pytest.fail(f"{ready} does not answer: {log.read_text()[-2_000:]}")
        time.sleep(0.05)
