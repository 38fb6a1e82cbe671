"""Whoever may use the namespace may poll any queue and answer for any activity: nothing is deployed by that."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from activities.ledger import Ledger
from activities.ports import Inventory
from models.evidence import StepKind, StepOrder, StepResult
from models.inventory import Environment
from models.journal import Assignment
from models.messages import Action
from models.state import Phase
from tests.temporal.house import WITHIN, House, plan_of
from tests.temporal.test_forged_orders import forge
from worker.connection import runtime
from workflows import options

LOW = plan_of("low-risk")
PROD = Environment.PROD
IDLE = 1.0


class Impostor:
    """Says of every promotion that it was done; or takes it, and leaves the answer to others.

    It records what comes with an order, as any worker may: otherwise the record could not go on, and people would see.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._ledger = Ledger(inventory)
        self.heard: list[StepOrder] = []
        self.taken: list[str] = []

    @activity.defn(name="promote_version")
    def claim(self, task: Assignment) -> StepResult:
        """A lie."""
        self._ledger.record(task, StepKind.PROMOTE)
        self.heard.append(task.order)
        return StepResult(summary="it serves", endpoint="http://nowhere.example", bundle=task.order.bundle)

    def has_taken(self, orders: int) -> bool:
        """Whether it has so many."""
        return len(self.taken) == orders

    @activity.defn(name="promote_version")
    def take(self, task: Assignment) -> StepResult:
        """Somebody else will answer."""
        self._ledger.record(task, StepKind.PROMOTE)
        self.taken.append(activity.info().activity_id)
        activity.raise_complete_async()


@contextlib.asynccontextmanager
async def polling(house: House, queue: str, method: Callable[[Assignment], StepResult]) -> AsyncIterator[None]:
    """An impostor at work on somebody's queue, over a connection of its own."""
    host = house.client.service_client.config.target_host
    client = await Client.connect(host, data_converter=pydantic_data_converter, runtime=runtime())
    with ThreadPoolExecutor(2) as threads:
        async with Worker(
            client, task_queue=queue, activities=[method], activity_executor=threads, build_id="impostor"
        ):
            yield


async def until(what: Callable[[], bool]) -> None:
    """Wait for something to be so."""
    async with asyncio.timeout(WITHIN):
        while not what():
            await asyncio.sleep(0.05)


def untouched(house: House) -> bool:
    """Whether no environment was told anything, and the champion table tells of nothing."""
    return house.deployer.calls() == [] and house.parts.inventory.deployments(house.model) == {}


async def without_an_actuator(house: House) -> None:
    """The worker works on; a version waits for somebody who may promote it."""
    await house.close()
    await house.open_worker()
    await house.start(LOW)
    await house.submit()
    await house.until(lambda status: status.stage == "staging")


async def test_an_impostor_on_the_ordinary_queue_hears_of_no_promotion(house: House) -> None:
    """Promotions never pass there; the actuator carries them out when it comes."""
    impostor = Impostor(house.parts.inventory)
    await without_an_actuator(house)
    async with polling(house, house.queue, impostor.claim):
        await asyncio.sleep(IDLE)
    assert impostor.heard == []
    assert untouched(house)
    await house.open_actuator()
    await house.until(lambda status: status.phase is Phase.STEADY)
    assert house.parts.inventory.deployments(house.model)[PROD].version == 1


async def test_what_an_impostor_claims_was_never_deployed(house: House) -> None:
    """On the actuator's own queue it can deceive the lifecycle: neither an environment nor the champion table.

    What it claims to have deployed cannot be gone back to either; what is promoted afterwards is, by whoever may.
    """
    impostor = Impostor(house.parts.inventory)
    await without_an_actuator(house)
    async with polling(house, options.actuator_queue(house.queue), impostor.claim):
        await house.until(lambda status: status.phase is Phase.STEADY)
    assert [order.environment for order in impostor.heard] == ["TEST", "PROD"]
    assert untouched(house)
    await house.open_actuator()
    await house.submit()
    await house.until(lambda status: status.phase is Phase.STEADY and status.serving.get(PROD) == 2)
    assert house.parts.inventory.deployments(house.model)[PROD].version == 2
    calls = house.deployer.calls()
    await house.request(Action.ROLLBACK)
    stuck = await house.until_phase(Phase.STUCK)
    assert stuck.failure is not None
    assert stuck.failure.type == "NotPermittedError"
    assert "version 1 of" in stuck.failure.message
    assert "has never served in PROD" in stuck.failure.message
    assert house.deployer.calls() == calls


@pytest.mark.leaves_broken("the engine believes an impostor that nothing else believes")
async def test_an_activity_completed_by_its_id_deploys_nothing(house: House) -> None:
    """Anybody may answer for an activity whose id they know; the environments and the table know better."""
    impostor = Impostor(house.parts.inventory)
    await without_an_actuator(house)
    async with polling(house, options.actuator_queue(house.queue), impostor.take):
        for number in (1, 2):
            await until(partial(impostor.has_taken, number))
            told = house.client.get_async_activity_handle(
                workflow_id=house.handle.id, run_id=None, activity_id=impostor.taken[-1]
            )
            await told.complete(StepResult(summary="it serves", endpoint="http://nowhere.example"))
        await house.until(lambda status: status.phase is Phase.STEADY)
    assert untouched(house)


@pytest.mark.leaves_broken("the lifecycle is terminated, and somebody else's workflow has its name")
async def test_an_order_that_nobody_is_due(house: House) -> None:
    """What is in every particular like the champion's own promotion is refused: another workflow's, and out of turn."""
    await house.start(LOW)
    await house.submit()
    await house.until_phase(Phase.STEADY)
    await house.recorded()
    inventory, calls = house.parts.inventory, house.deployer.calls()
    (stage, visit), earned = inventory.visit(house.model), inventory.earned(house.model, 1)
    order = StepOrder(
        model=house.model,
        visit=visit,
        step="promote-again",
        kind=StepKind.PROMOTE,
        stage=stage,
        version=1,
        artifact=earned.artifact,
        bundle=earned.bundle,
        environment=PROD,
    )
    assert "is not the lifecycle of" in await forge(house, f"forged/{house.model}", order)
    await house.handle.terminate("the name is wanted")
    said = await forge(house, f"model/{house.model}", order)
    assert said == f"by the record, '{house.model}' waits for no step: it is in stage 'production', steady"
    assert house.deployer.calls() == calls
