"""Programs of the project, as one of the house's people runs them."""

import asyncio
import os
import subprocess
import sys

from tests.signers import PASSPHRASE, fill
from tests.temporal.house import House
from worker.settings import PROJECT

_WIDE = {"COLUMNS": "400"}


async def run(house: House, *words: str, program: str = "client.cli") -> subprocess.CompletedProcess[str]:
    """A command, with the house's server, data and a wallet with everybody's key."""
    wallet = house.root / "wallet"
    fill(wallet, "rosa", "dmitri", "ana", "tom")
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", program, *words],
        cwd=PROJECT,
        env={
            **os.environ,
            **_WIDE,
            "MODELOPS_HOME": str(house.root),
            "MODELOPS_TEMPORAL_ADDRESS": house.client.service_client.config.target_host,
            "MODELOPS_WALLET": str(wallet),
            "MODELOPS_PASSPHRASE": PASSPHRASE,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
