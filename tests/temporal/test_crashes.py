"""Nothing happens twice and nothing is lost, whatever dies and when."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from models.canonical import Digest
from models.evidence import EffectKey
from models.inventory import Environment
from tests.temporal.crashing_worker import NOTICED_WITHIN, Errand, Office, WorkerProcess
from tests.temporal.doubles import RecordingDeployer
from tests.temporal.dying import wrong
from tests.temporal.house import House, plan_of
from tests.temporal.insisting import RECOVERED_WITHIN, eventually, steady_with, waits_at
from tests.temporal.invariants import check_invariants
from worker.connection import runtime
from worker.embedded import waves
from worker.search_attributes import register_search_attributes
from worker.settings import Settings
from workflows import options

CREDIT = plan_of("credit-high-risk")
LOW = plan_of("low-risk")
COMMIT_EFFECT = "inventory.commit_effect"


def errand_of(house: House, fatal: str | None = None, offices: tuple[Office, ...] = tuple(Office)) -> Errand:
    """What a process does for a house."""
    return Errand(house.client.service_client.config.target_host, house.queue, house.root, fatal, offices=offices)


class Promotion:
    """A champion, and a second version that replaces it, by a worker and an actuator of which one may die."""

    def __init__(self, client: Client, root: Path, mortal: Office, fatal: str | None) -> None:
        root.mkdir()
        self.fatal = fatal
        self.mortal = mortal
        self.house = House(client, root, f"crash-{mortal}-{root.name}")

    async def run(self) -> None:
        """Until the second version is the steady champion."""
        house, (living,) = self.house, set(Office) - {self.mortal}
        worker = WorkerProcess(errand_of(house, self.fatal, (self.mortal,)))
        other = WorkerProcess(errand_of(house, offices=(living,)))
        try:
            await house.start(LOW, task_timeout=NOTICED_WITHIN)
            await house.submit()
            await eventually(house, steady_with(1))
            await house.submit()
            if self.fatal:
                assert await worker.died(), "it was not killed at its boundary"
                worker = WorkerProcess(errand_of(house, offices=(self.mortal,)))
            await eventually(house, steady_with(2))
            await check_invariants(house, LOW)
        finally:
            await asyncio.gather(worker.kill(), other.kill())
            with contextlib.suppress(RPCError):
                await house.handle.terminate("the test has ended")

    @property
    def boundaries(self) -> list[str]:
        """What was passed from production's beginning to its end."""
        return (self.house.root / f"boundaries-{self.mortal}.txt").read_text().splitlines()

    @property
    def deployments(self) -> int:
        """How often production was told to serve the second version."""
        calls = self.house.deployer.calls()
        return sum((call.environment, call.version) == (Environment.PROD, 2) for call in calls)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("mortal", "must", "deployments"),
    [
        (Office.ACTUATOR, {"before deployer.deploy", f"in {COMMIT_EFFECT}, before its transaction commits"}, {1, 2}),
        (Office.WORKER, {"before inventory.commit_event"}, {1}),
    ],
)
async def test_it_may_die_at_any_boundary_of_a_promotion(
    temporal: Client, tmp_path: Path, mortal: Office, must: set[str], deployments: set[int]
) -> None:
    """Killed before or after any call or inside any transaction, the promotion happens once and is recorded once.

    Only an actuator that dies between an effect and its record deploys a second time, under the same key.
    """
    whole = Promotion(temporal, tmp_path / "whole", mortal, None)
    await whole.run()
    places = whole.boundaries
    assert must <= set(places)
    crashed: list[Promotion] = []

    def promotion(room: str, fatal: str) -> Promotion:
        crashed.append(Promotion(temporal, tmp_path / room, mortal, fatal))
        return crashed[-1]

    assert await wrong(places, promotion) == {}
    assert {promotion.deployments for promotion in crashed} == deployments


async def test_a_worker_may_die_while_people_decide(temporal: Client, tmp_path: Path) -> None:
    """A decision that was acknowledged counts, whoever dies right afterwards; nobody is asked a second time."""
    house = House(temporal, tmp_path, "dies-at-the-gate")
    worker = WorkerProcess(errand_of(house))
    try:
        await house.start(CREDIT, task_timeout=NOTICED_WITHIN)
        await house.submit()
        for gate, people in (("independent-validation", ("dmitri", "rosa")), ("release", ("lena", "paul"))):
            for person in people:
                await eventually(house, waits_at(gate))
                await house.decide(person)
                await worker.kill()
                worker = WorkerProcess(errand_of(house))
        status = await eventually(house, steady_with(1))
        assert status.serving[Environment.PROD] == 1
        await check_invariants(house, CREDIT)
    finally:
        await worker.kill()
        with contextlib.suppress(RPCError):
            await house.handle.terminate("the test has ended")


class TemporalServer:
    """A dev server of its own, as `modelops up` starts it, on a file that outlives it."""

    def __init__(self, root: Path) -> None:
        ports = [_free_port() for _ in range(3)]
        self.address = f"127.0.0.1:{ports[0]}"
        settings = Settings(
            home=root,
            temporal_address=self.address,
            temporal_ui=f"http://127.0.0.1:{ports[1]}",
            temporal_http_port=ports[2],
        )
        ((program,), _) = waves(settings)
        self._command = program.command
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start, or start again."""
        quiet = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(*self._command, stdout=quiet, stderr=quiet)

    async def kill(self) -> None:
        """SIGKILL."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def connect(self) -> Client:
        """A client, as soon as the server answers."""
        async with asyncio.timeout(RECOVERED_WITHIN):
            while True:
                try:
                    return await Client.connect(self.address, data_converter=pydantic_data_converter, runtime=runtime())
                except RuntimeError:
                    await asyncio.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
async def own_server(tmp_path: Path) -> AsyncIterator[TemporalServer]:
    """A server that a test may kill."""
    root = tmp_path / "server"
    root.mkdir()
    server = TemporalServer(root)
    await server.start()
    yield server
    await server.kill()


async def test_the_temporal_server_may_die(own_server: TemporalServer, tmp_path: Path) -> None:
    """Killed just after each decision, also with the next step under way, it goes on with everything once."""
    client = await own_server.connect()
    await register_search_attributes(client)
    house = House(client, tmp_path, "the-server-dies")
    worker = WorkerProcess(errand_of(house))
    try:
        await house.start(CREDIT, task_timeout=NOTICED_WITHIN)
        await house.submit()
        for gate, people in (("independent-validation", ("dmitri", "rosa")), ("release", ("lena", "paul"))):
            for person in people:
                await eventually(house, waits_at(gate))
                await house.decide(person)
                await own_server.kill()
                await own_server.start()
        await eventually(house, steady_with(1))
        await check_invariants(house, CREDIT)
    finally:
        await worker.kill()


class SlowDeployer(RecordingDeployer):
    """In production it takes longer than a worker's silence is put up with."""

    def deploy(self, environment: Environment, model: str, version: int, bundle: Digest, key: EffectKey) -> str:
        """Later."""
        if environment is Environment.PROD:
            time.sleep(1.5 * NOTICED_WITHIN.total_seconds())
        return super().deploy(environment, model, version, bundle, key)


async def test_a_slow_step_is_not_taken_for_a_dead_worker(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that takes longer than the heartbeat timeout is beaten for, and needs no second attempt."""
    monkeypatch.setattr(options, "HEARTBEAT_TIMEOUT", NOTICED_WITHIN)
    house = House(temporal, tmp_path, "slow")
    house.actuator_parts = replace(house.actuator_parts, deployer=SlowDeployer(tmp_path / "effects.txt"))
    async with house:
        await house.start(LOW)
        await house.submit()
        await eventually(house, steady_with(1))
        attempts = [
            event.activity_task_started_event_attributes.attempt
            async for event in house.handle.fetch_history_events()
            if event.HasField("activity_task_started_event_attributes")
        ]
        assert set(attempts) == {1}
        await check_invariants(house, LOW)
