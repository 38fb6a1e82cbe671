"""What a waiting lifecycle weighs in a worker's memory, beside the least that a waiting workflow can weigh."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHandle

from models.journal import LifecycleInput
from models.state import Phase, State, change
from tests.bench.table import show
from tests.temporal.house import claimed, plan_of
from tests.unit.kernel_world import World

pytestmark = pytest.mark.bench

LIFECYCLES = 1_000
WARM = 50
AT_ONCE = 50
CACHED, EVICTED = 2_000, 10
FIRST_TASK = 4
"""Events of a history when its first workflow task is done."""

KB = 1024
TIMES_A_WAIT = 4.0
LEFT_BEHIND = 0.25

CREDIT = plan_of("credit-high-risk")


def _at_a_gate() -> State:
    world = World(CREDIT)
    world.now = datetime.now(UTC)
    world.start()
    world.run("development")
    world.submit()
    world.run("validation")
    assert world.state.phase is Phase.DECIDING
    return world.state


class Weighed:
    """A worker process and the lifecycles that wait in it."""

    def __init__(self, client: Client, process: asyncio.subprocess.Process, kind: str, cached: int) -> None:
        self._client = client
        self._process = process
        self._kind = kind
        self._cached = cached

    async def weigh(self) -> float:
        """Bytes per waiting lifecycle."""
        await self._wait_for(WARM, "warm")
        before = await self._resident()
        await self._wait_for(LIFECYCLES, "cold")
        return (await self._resident() - before) / LIFECYCLES

    async def _wait_for(self, number: int, which: str) -> None:
        gate, places = _at_a_gate(), asyncio.Semaphore(AT_ONCE)

        async def one(index: int) -> WorkflowHandle[object, object]:
            model = f"{which}-{self._kind}-{self._cached}-{index}"
            async with places:
                return await self._start(model, change(gate, model=model))

        for handle in await asyncio.gather(*(one(index) for index in range(number))):
            await self._settled(handle)

    async def _start(self, model: str, state: State) -> WorkflowHandle[object, object]:
        return await self._client.start_workflow(
            CREDIT.template if self._kind == "ours" else "waiting-by-hand",
            LifecycleInput(plan=CREDIT, state=state, proof=claimed(CREDIT)) if self._kind == "ours" else model,
            id=f"model/{model}",
            task_queue=f"waiting-{self._kind}-{self._cached}",
        )

    async def _settled(self, handle: WorkflowHandle[object, object]) -> None:
        while (await handle.describe()).history_length < FIRST_TASK:
            await asyncio.sleep(0.05)

    async def _resident(self) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"\n")
        return int(await self._process.stdout.readline())


@contextlib.asynccontextmanager
async def _worker(client: Client, kind: str, cached: int, root: Path) -> AsyncIterator[Weighed]:
    address = client.service_client.config.target_host
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.waiting_worker", address, kind, str(cached), str(root)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    assert await process.stdout.readline() == b"ready\n"
    yield Weighed(client, process, kind, cached)
    process.stdin.close()
    await process.wait()


async def _weigh(client: Client, kind: str, cached: int, root: Path) -> float:
    async with _worker(client, kind, cached, root) as weighed:
        return await weighed.weigh()


async def test_memory(temporal: Client, tmp_path: Path) -> None:
    """A thousand lifecycles at a human gate weigh a small multiple of a thousand bare waits, and nothing if evicted."""
    ours, evicted, theirs = [
        await _weigh(temporal, kind, cached, tmp_path)
        for kind, cached in (("ours", CACHED), ("ours", EVICTED), ("by-hand", CACHED))
    ]
    rows = [
        ("at a gate, cached / bare wait", (f"{ours / theirs:.2f}", f"{ours / KB:.0f}")),
        ("at a gate, evicted / bare wait", (f"{evicted / theirs:.2f}", f"{evicted / KB:.0f}")),
    ]
    show(f"memory, {LIFECYCLES} lifecycles, a bare wait being {theirs / KB:.0f} kB", ("ratio", "kB each"), rows)
    assert ours / theirs <= TIMES_A_WAIT
    assert evicted / ours <= LEFT_BEHIND
