"""Where the demo plays: a folder, free ports, and `modelops up` running in it."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from models.environments import usual_environments
from worker.settings import PROJECT, Settings

EXAMPLES = PROJECT / "examples"
LOANS = EXAMPLES / "loan_approval"
USUAL_PORTS = (7233, 8233, 7243, 8501, 8502, 8503, 9464, 9465, 9466, 8510)
START_WITHIN = 90.0
STOP_WITHIN = 30.0


class Premises:
    """The embedded default in one folder, on the usual ports where they are free, for one of the examples."""

    def __init__(self, home: Path, example: Path = LOANS) -> None:
        self.home = home
        self.example = example
        ports = _free(USUAL_PORTS)
        self._surroundings = usual_environments(ports[3:6])
        self.environment = {
            "MODELOPS_HOME": str(home),
            "MODELOPS_TEMPORAL_ADDRESS": f"127.0.0.1:{ports[0]}",
            "MODELOPS_TEMPORAL_UI": f"http://127.0.0.1:{ports[1]}",
            "MODELOPS_TEMPORAL_HTTP_PORT": str(ports[2]),
            "MODELOPS_WORKER_METRICS_PORT": str(ports[6]),
            "MODELOPS_SDK_METRICS_PORT": str(ports[7]),
            "MODELOPS_ACTUATOR_METRICS_PORT": str(ports[8]),
            "MODELOPS_CLEARANCE": f"http://127.0.0.1:{ports[9]}",
            "MODELOPS_TRAINERS": json.dumps({example.name.replace("_", "-"): str(example / "train.py")}),
            "MODELOPS_DIRECTORY": str(LOANS / "directory.yaml"),
            "MODELOPS_ADVISORIES": str(home / "advisories"),
            "MODELOPS_REPOSITORIES": json.dumps({f"modelops/examples/{example.name}": str(home / "repository")}),
            "MODELOPS_WALLET": str(home / "wallet"),
            "MODELOPS_PASSPHRASE": "only for the demo",
        }
        self._furnish()

    def clear(self) -> None:
        """Begin with an empty folder."""
        shutil.rmtree(self.home, ignore_errors=True)
        self._furnish()

    def _furnish(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        text = self._surroundings.model_dump_json(exclude_none=True)
        (self.home / "environments.yaml").write_text(text)

    def settings(self) -> Settings:
        """As the programs of `modelops up` read them."""
        os.environ.update(self.environment)
        return Settings()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """`modelops up`, from ready to stopped."""
        with (self.home / "up.log").open("wb") as log:
            up = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "client.cli", "up"),
                cwd=PROJECT,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            await self._until_ready(up)
            yield
        finally:
            if up.returncode is None:
                up.send_signal(signal.SIGTERM)
                await asyncio.wait_for(up.wait(), STOP_WITHIN)

    async def _until_ready(self, up: asyncio.subprocess.Process) -> None:
        async with asyncio.timeout(START_WITHIN):
            while "Ready." not in (said := (self.home / "up.log").read_text()):
                if up.returncode is not None:
                    raise RuntimeError(f"`modelops up` ended with status {up.returncode}:\n{said}")
                await asyncio.sleep(0.1)

    def kill(self, program: str, how: signal.Signals) -> int:
        """Send a signal to one of the programs of `modelops up`; its process id."""
        process = int((self.home / "run" / f"{program}.pid").read_text())
        os.kill(process, how)
        return process


def _free(wanted: tuple[int, ...]) -> list[int]:
    with contextlib.ExitStack() as held:
        found = []
        for port in wanted:
            probe = held.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                probe.bind(("127.0.0.1", 0))
            found.append(probe.getsockname()[1])
    return found


async def run_program(*command: str) -> str:
    """What one of the example's programs says, in this Python; an error with its words if it fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}:\n{said.decode()}")
    return said.decode().strip()
