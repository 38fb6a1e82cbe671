"""A decision by plain curl, as the README shows it."""

import asyncio
import json
import re
import subprocess
from pathlib import Path

from models.state import Phase
from tests.temporal.house import House, plan_of

README = Path(__file__).parents[2] / "README.md"
SHOWN = re.compile(r"^\$ (curl \S+/batch-operations/.*?\}\]\}\}\')$", re.MULTILINE | re.DOTALL)


def shown_command() -> str:
    """The README's own command."""
    found = SHOWN.search(README.read_text())
    assert found is not None
    return found[1]


async def test_the_readmes_curl_decides_once(house: House, http_port: int) -> None:
    """The command of the README, with this gate's visit and artifact, counts once however often it is sent."""
    await house.start(plan_of("credit-high-risk"))
    await house.submit()
    await house.until_phase(Phase.DECIDING)
    decision = await house.decision("rosa")
    command = (
        shown_command()
        .replace("127.0.0.1:7243", f"127.0.0.1:{http_port}")
        .replace("model/loan-approval", f"model/{house.model}")
        .replace("rosa-decides-1", f"rosa-decides-{house.model}")
        .replace("sha256:...", decision.artifact)
        .replace('"visit": 3', f'"visit": {decision.visit}')
    )
    await asyncio.to_thread(_run, command)
    status = await house.until(lambda s: s.gate is not None and len(s.gate.decisions) == 1)
    assert status.gate is not None
    assert status.gate.decisions[0].person == "rosa"
    async with asyncio.timeout(20):
        while "already" not in (said := json.loads(await asyncio.to_thread(_run, command)).get("message", "")):
            assert "batch" in said, "the server takes one batch operation at a time"
    gate = (await house.recorded()).gate
    assert gate is not None
    assert len(gate.decisions) == 1


def _run(command: str) -> str:
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=20, check=True).stdout
