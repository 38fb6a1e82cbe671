"""The README's tour, run line by line as a newcomer would."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples.demo.premises import Premises
from models.inventory import Environment
from worker.environments import environments_of
from worker.settings import PROJECT

pytestmark = pytest.mark.timeout(400)

TOUR = re.compile(r"<!-- tour.*?-->(.*?)<!-- end of tour -->", re.DOTALL)
NOT_RUN = (". .venv", "export ", "modelops up")
"""The environment and `modelops up` are the fixture's: on free ports, in a folder of its own."""


def tour() -> list[str]:
    """The commands of the tour."""
    found = TOUR.search((PROJECT / "README.md").read_text())
    assert found is not None
    lines = [line[2:] for line in found[1].splitlines() if line.startswith("$ ")]
    return [line for line in lines if not line.startswith(NOT_RUN)]


async def test_the_tour_runs(tmp_path: Path) -> None:
    """Every command of the tour ends with status 0, in order, from an empty folder to a retired model."""
    premises = Premises(tmp_path / "home")
    premises.clear()
    commands = tour()
    assert len(commands) > 15
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ports = {"http://127.0.0.1:8503": dict(environments_of(premises.settings()).locals())[Environment.PROD].url}
    async with premises.running():
        for command in commands:
            there = command.replace(".modelops/", f"{premises.home}/")
            for usual, found in ports.items():
                there = there.replace(usual, found)
            ran = await asyncio.to_thread(
                subprocess.run,
                ["sh", "-c", there],
                cwd=PROJECT,
                env={**os.environ, **premises.environment, "PATH": tools},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
