"""A decision by plain curl, as the README shows it."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

from models.state import Phase
from tests.signers import PASSPHRASE, fill
from tests.temporal.house import House, plan_of

README = Path(__file__).parents[2] / "README.md"
SHOWN = re.compile(r"^\$ decision=(.*?)^```", re.MULTILINE | re.DOTALL)


def shown_commands() -> str:
    """The README's own commands."""
    found = SHOWN.search(README.read_text())
    assert found is not None
    assert found[1].count("\n$ ") == 1
    return f"decision={found[1]}".replace("\n$ ", "\n")


async def test_the_readmes_curl_decides_once(house: House, http_port: int) -> None:
    """The README's commands, for another model and port, count once, at the visit it names; sent again they are 409."""
    await house.start(plan_of("credit-high-risk"))
    await house.until_phase(Phase.AWAITING_VERSION)
    await house.submit()
    await house.until_phase(Phase.DECIDING)
    commands = (
        shown_commands()
        .replace("127.0.0.1:7243", f"127.0.0.1:{http_port}")
        .replace("loan-approval", house.model)
        .replace("curl ", "curl -s -o /dev/null -w '%{http_code}' ")
    )
    assert await asyncio.to_thread(_run, commands, house) == "200"
    status = await house.until(lambda s: s.gate is not None and len(s.gate.decisions) == 1)
    assert status.gate is not None
    assert (status.gate.visit, status.gate.decisions[0].person) == (4, "rosa")
    async with asyncio.timeout(40):
        while (code := await asyncio.to_thread(_run, commands, house)) != "409":
            assert code == "429", "the server takes one batch operation at a time"
    gate = (await house.recorded()).gate
    assert gate is not None
    assert len(gate.decisions) == 1


def _run(commands: str, house: House) -> str:
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    address = house.client.service_client.config.target_host
    fill(house.root / "wallet", "rosa")
    given = {
        **os.environ,
        "PATH": tools,
        "MODELOPS_TEMPORAL_ADDRESS": address,
        "MODELOPS_WALLET": str(house.root / "wallet"),
        "MODELOPS_PASSPHRASE": PASSPHRASE,
    }
    ran = subprocess.run(["sh", "-c", commands], env=given, capture_output=True, text=True, timeout=30, check=True)
    return ran.stdout
