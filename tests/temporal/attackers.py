"""What somebody can do who may use the namespace, and the one look at what came of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from models.canonical import Frozen
from models.inventory import Environment
from models.plan import Plan
from tests.temporal.house import WITHIN, Acknowledged, House
from tests.temporal.invariants import check_invariants

Effect = tuple[Environment, int | None]
DEV, TEST, PROD = Environment.DEV, Environment.TEST, Environment.PROD
ONE = ((DEV, 1), (TEST, 1), (PROD, 1))
"""What a first version of high risk does outside when it has earned every gate."""


async def rightful(
    house: House, plan: Plan, effects: Sequence[Effect], acknowledged: Sequence[Acknowledged] = ()
) -> None:
    """Just these effects took place outside, each once and on record; every invariant holds."""
    happened = [(one.environment, one.version) for one in house.deployer.effects()]
    assert happened == list(effects), happened
    house.acknowledged += acknowledged
    await check_invariants(house, plan)


class Order(Frozen):
    """An activity that somebody wants done, and on whose queue."""

    queue: str
    activity: str
    argument: Any


@workflow.defn(name="Orderer")
class Orderer:
    """Somebody's own workflow."""

    @workflow.run
    async def run(self, order: Order) -> Any:
        """What the activity answers, asked once."""
        return await workflow.execute_activity(
            order.activity,
            order.argument,
            task_queue=order.queue,
            start_to_close_timeout=timedelta(seconds=WITHIN),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


async def refused(
    house: House, activity: str, argument: object, workflow_id: str = "", queue: str = ""
) -> ApplicationError:
    """How an activity refuses what a workflow of somebody's own orders; of the ordinary worker, or of a queue."""
    given = Order(queue=queue or house.queue, activity=activity, argument=argument)
    own, name = f"orders-{house.queue}", workflow_id or f"orders/{house.model}/{activity}"
    async with Worker(
        house.client,
        task_queue=own,
        workflows=[Orderer],
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id="attackers",
    ):
        with pytest.raises(WorkflowFailureError) as caught:
            await house.client.execute_workflow(Orderer.run, given, id=name, task_queue=own)
    assert isinstance(caught.value.cause, ActivityError)
    assert isinstance(caught.value.cause.cause, ApplicationError)
    return caught.value.cause.cause


async def order(house: House, activity: str, argument: object, workflow_id: str = "") -> str:
    """Why an activity of the ordinary worker refuses what a workflow of somebody's own orders."""
    return (await refused(house, activity, argument, workflow_id)).message


class Held:
    """A part of the honest worker that takes its time: meanwhile somebody else answers in its place."""

    def __init__(self, part: Any, name: str, arguments: int) -> None:
        """Only a call with so many arguments is held."""
        self._part = part
        self._name = name
        self._arguments = arguments
        self._begun, self._go_on = Event(), Event()

    def __getattr__(self, name: str) -> Any:
        return self._wait if name == self._name else getattr(self._part, name)

    def _wait(self, *given: Any) -> Any:
        if len(given) == self._arguments:
            self._begun.set()
            assert self._go_on.wait(WITHIN)
        return getattr(self._part, self._name)(*given)

    async def begun(self) -> None:
        """Wait until it is at work."""
        await until(self._begun.is_set)

    def let_go(self) -> None:
        """It does what it was asked."""
        self._go_on.set()

    def hold(self) -> None:
        """From now on it takes its time again."""
        self._begun.clear()
        self._go_on.clear()


async def until(what: Callable[[], bool]) -> None:
    """Wait for something to be so."""
    async with asyncio.timeout(WITHIN):
        while not what():
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def answered(house: House, held: Held, activity: str, result: object) -> AsyncIterator[None]:
    """While the honest worker is at it, somebody else completes its activity by id; then it may go on."""
    try:
        await held.begun()
        activity_id = await pending(house, activity)
        told = house.client.get_async_activity_handle(workflow_id=house.handle.id, run_id=None, activity_id=activity_id)
        await told.complete(result)
        yield
    finally:
        held.let_go()


async def pending(house: House, activity: str) -> str:
    """The id of an activity that runs: anybody who may read the namespace sees it."""
    async with asyncio.timeout(WITHIN):
        while True:
            described = await house.handle.describe()
            for one in described.raw_description.pending_activities:
                if one.activity_type.name == activity:
                    return one.activity_id
            await asyncio.sleep(0.02)
