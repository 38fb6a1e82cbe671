"""A gate's whole visit, with the worker, the server or the database gone at any moment of it."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.adapters.sql_findings import SqlFindings
from activities.adapters.sql_inventory import SqlInventory
from models.status import Status
from tests.postgresql import Postgres
from tests.temporal.crashing_worker import NOTICED_WITHIN, Errand, WorkerProcess
from tests.temporal.doubles import quick_actuator_parts
from tests.temporal.dying import rested, wrong
from tests.temporal.house import House, plan_of
from tests.temporal.insisting import eventually, insist, steady_with, waits_at
from tests.temporal.invariants import check_invariants
from workflows import options

pytestmark = pytest.mark.long

GATE = "independent-validation"
PLAN = plan_of(
    "credit-high-risk",
    ("    do: [evaluate]\n    gate:\n      id: independent-validation", "    gate:\n      id: independent-validation"),
)
CREDIT = plan_of("credit-high-risk")
COMMITS = ("inventory.commit_event", "inventory.commit_effect")
WRITTEN = ("in inventory.commit_", "after inventory.commit_")
"""Where something is half written, or written and not known to be: between two reads nothing is new."""


class Visit:
    """A version that comes to a gate, is asked about and approved twice, and goes on."""

    def __init__(self, client: Client, root: Path, fatal: str | None) -> None:
        root.mkdir()
        self.fatal = fatal
        self.house = House(client, root, f"gate-{root.name}")
        self._worker = self._process(fatal)

    def _process(self, fatal: str | None = None) -> WorkerProcess:
        address = self.house.client.service_client.config.target_host
        return WorkerProcess(
            Errand(address, self.house.queue, self.house.root, fatal, version=1, stages=("validation",))
        )

    async def run(self) -> None:
        """Until the next gate asks."""
        reviving = asyncio.create_task(self._revive())
        try:
            await self.house.start(PLAN, task_timeout=NOTICED_WITHIN)
            await self.house.submit()
            await self._decide("dmitri")
            await self._decide("rosa")
            await eventually(self.house, waits_at("release"))
            if self.fatal:
                assert reviving.done(), "it was not killed at its boundary"
            await check_invariants(self.house, PLAN)
        finally:
            reviving.cancel()
            await self._worker.kill()
            with contextlib.suppress(RPCError):
                await self.house.handle.terminate("the test has ended")

    async def _revive(self) -> None:
        if self.fatal and await self._worker.died():
            self._worker = self._process()

    async def _decide(self, person: str) -> None:
        """Once nothing goes on, so that the boundaries come in the same order each time."""
        await eventually(self.house, waits_at(GATE))
        await rested(self.house)
        await insist(self.house, "decide", await self.house.decision(person))

    @property
    def boundaries(self) -> list[str]:
        """What was passed from the gate's beginning to its end."""
        return (self.house.root / "boundaries-worker-actuator.txt").read_text().splitlines()


@pytest.mark.timeout(300)
async def test_a_worker_may_die_at_any_boundary_of_a_gate(temporal: Client, tmp_path: Path) -> None:
    """Killed inside or after any transaction, everybody is asked and counted once, and told once."""
    whole = Visit(temporal, tmp_path / "whole", None)
    await whole.run()
    places = whole.boundaries
    assert {f"in {call}, before its transaction commits" for call in COMMITS} <= set(places)
    fatal = [place for place in places if place.startswith(WRITTEN)]
    assert await wrong(fatal, lambda room, boundary: Visit(temporal, tmp_path / room, boundary)) == {}


class Away:
    """A database of a PostgreSQL server that nobody is let into for a while; whoever is in is thrown out."""

    def __init__(self, postgres: Postgres, name: str) -> None:
        self._postgres, self._name = postgres, name

    def __enter__(self) -> None:
        self._postgres.run(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false")
        self._postgres.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._name}'")

    def __exit__(self, *_: object) -> None:
        self._postgres.run(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true")


async def test_the_database_may_be_away_while_people_decide(
    temporal: Client, tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever decides is answered all the same; what was answered, and what was under way, is recorded once it is back.

    It goes away before the first decision at each gate, and before the last, after which the next step is due.
    """
    monkeypatch.setattr(options, "RECORD_PAUSE", timedelta(seconds=1))
    postgres.run("CREATE DATABASE away TEMPLATE template_modelops")
    house = House(temporal, tmp_path, "the-database-is-away")
    house.database = postgres.url("away")
    with contextlib.closing(SqlInventory(house.database)) as inventory:
        house.parts = replace(house.parts, inventory=inventory, findings=SqlFindings(house.database))
        house.actuator_parts = quick_actuator_parts(tmp_path, house.parts, house.deployer)
        async with house:
            await house.start(CREDIT)
            await house.submit()
            for gate, people in ((GATE, ("dmitri", "rosa")), ("release", ("lena", "paul"))):
                for person in people:
                    await eventually(house, waits_at(gate))
                    await rested(house)
                    with Away(postgres, "away"):
                        await house.decide(person)
                        await eventually(house, _in_trouble)
            await eventually(house, steady_with(1))
            await check_invariants(house, CREDIT)
    assert len(house.acknowledged) == 4


def _in_trouble(status: Status) -> bool:
    return bool(status.troubles or status.step)
