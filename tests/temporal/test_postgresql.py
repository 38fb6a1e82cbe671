"""The same lifecycle, with its record in PostgreSQL: configuration only."""

import contextlib
import dataclasses
from pathlib import Path

from temporalio.client import Client

from activities.adapters.sql_inventory import SqlInventory
from models.audit import fold
from models.inventory import Environment
from models.messages import Action
from models.plan import Plan
from models.state import Phase, State, snapshot
from tests.postgresql import Postgres
from tests.temporal.house import House, plan_of


async def test_the_whole_loop_on_postgresql(temporal: Client, tmp_path: Path, postgres: Postgres) -> None:
    """A version earns its gates, serves and is retired; the record in PostgreSQL replays to the same end."""
    postgres.run("CREATE DATABASE lifecycle TEMPLATE template_modelops")
    plan = plan_of("credit-high-risk")
    house = House(temporal, tmp_path, "on-postgresql")
    inventory = SqlInventory(postgres.url("lifecycle"))
    house.parts = dataclasses.replace(house.parts, inventory=inventory)
    with contextlib.closing(inventory):
        await _whole_loop(house, plan, inventory)


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
