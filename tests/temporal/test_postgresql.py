"""The same lifecycle, with its record in PostgreSQL: configuration only."""

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path

from temporalio.client import Client

from activities.adapters.sql_inventory import SqlInventory
from client.catalog import Catalog
from client.verification import verify
from models.audit import fold
from models.inventory import Environment
from models.messages import Action
from models.plan import Plan
from models.state import Phase, State, snapshot
from models.status import Status
from tests.postgresql import Postgres
from tests.temporal.house import House, plan_of


async def test_the_whole_loop_on_postgresql(temporal: Client, tmp_path: Path, postgres: Postgres) -> None:
    """A version earns its gates, serves and is retired; the record in PostgreSQL replays to the same end."""
    postgres.run("CREATE DATABASE lifecycle TEMPLATE template_modelops")
    plan = plan_of("credit-high-risk")
    house = House(temporal, tmp_path, "on-postgresql")
    inventory = SqlInventory(postgres.url("lifecycle"))
    house.parts = dataclasses.replace(house.parts, inventory=inventory)
    house.actuator_parts = dataclasses.replace(house.actuator_parts, inventory=inventory)
    with contextlib.closing(inventory):
        await _whole_loop(house, plan, inventory)


def steady_with(version: int) -> Callable[[Status], bool]:
    """Whether a version serves, and nothing is going on."""
    return lambda status: status.phase is Phase.STEADY and status.serving.get(Environment.PROD) == version


async def test_the_worker_and_the_actuator_under_accounts_of_their_own(
    temporal: Client, tmp_path: Path, postgres: Postgres
) -> None:
    """The same with an account for each; whoever only looks finds everything in order."""
    postgres.run("CREATE DATABASE accounts TEMPLATE template_modelops")
    postgres.grant("accounts")
    plan, house = plan_of("low-risk"), House(temporal, tmp_path, "under-accounts")
    ours = SqlInventory(postgres.url("accounts", "modelops_worker"))
    theirs = SqlInventory(postgres.url("accounts", "modelops_actuator"))
    house.parts = dataclasses.replace(house.parts, inventory=ours)
    house.actuator_parts = dataclasses.replace(house.actuator_parts, inventory=theirs)
    with contextlib.closing(ours), contextlib.closing(theirs):
        async with house:
            await house.start(plan)
            for version in (1, 2):
                await house.submit()
                await house.until(steady_with(version))
            await house.request(Action.ROLLBACK)
            await house.until(steady_with(1))
            await house.request(Action.RETIRE)
            await house.handle.result()
    with Catalog(postgres.url("accounts", "modelops_reader")) as catalog:
        found = verify(catalog, catalog.record(house.model))
    assert (*found.problems, *found.rows, *found.replay) == ()


async def _whole_loop(house: House, plan: Plan, inventory: SqlInventory) -> None:
    async with house:
        await house.start(plan)
        status = await house.to_production()
        assert inventory.deployments(house.model)[Environment.PROD][0] == 1
        await house.request(Action.RETIRE)
        await house.handle.result()
        folded = fold(plan, State(model=house.model, owner=status.owner), inventory.trail(house.model))
        assert folded.problems == ()
        assert snapshot(folded.state).phase is Phase.ENDED
