"""Executions that somebody resets, terminates or deletes in the middle of a gate: no effect and no decision twice."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from client.api import Modelops
from models.rebuilding import resumed
from models.state import Phase
from models.status import Status
from tests.temporal.attackers import ONE, rightful
from tests.temporal.house import Acknowledged, House, facts_of, plan_of
from tests.temporal.test_rebuilding import lose

pytestmark = pytest.mark.long

CREDIT = plan_of("credit-high-risk")
A_WHILE = 3.0


async def rebuilt(house: House) -> Status:
    """The lifecycle goes on from the record."""
    given = resumed(house.model, CREDIT, house.parts.inventory.trail(house.model))
    return await Modelops(house.client, queue=house.queue).rebuild(facts_of(house.model, CREDIT.tiers[0]), given)


async def decided(house: House, *people: str) -> list[Acknowledged]:
    """People decide at the open gate, and are answered."""
    given = []
    for person in people:
        envelope = await house.decision(person)
        given.append(Acknowledged(envelope, await house.update("decide", envelope)))
    return given


@pytest.mark.parametrize("how", ["terminated", "deleted"])
async def test_lost_between_two_decisions(house: House, how: str) -> None:
    """It is the same opening of the gate afterwards: what was decided counts, once, and what was signed before may."""
    await house.start(CREDIT)
    await house.submit()
    await house.until_phase(Phase.DECIDING, "validation")
    given = await decided(house, "dmitri")
    signed = await house.decision("rosa")
    before = await house.recorded()
    await lose(house, how)
    assert (await rebuilt(house)).gate == before.gate
    assert "dmitri has already decided" in await house.refusal("decide", given[0].envelope)
    await house.handle.signal("decide", given[0].envelope)
    given.append(Acknowledged(signed, await house.update("decide", signed)))
    await house.until_phase(Phase.DECIDING, "staging")
    await house.recorded()
    await lose(house, how)
    await rebuilt(house)
    given += await decided(house, "lena", "paul")
    await house.until_phase(Phase.STEADY)
    await rightful(house, CREDIT, ONE, given)


async def runs(house: House) -> AsyncIterator[tuple[str, Sequence[HistoryEvent]]]:
    """The runs of a lifecycle, the last one first, each with its history."""
    run: str = (await house.handle.describe()).run_id
    while run:
        history = await house.client.get_workflow_handle(house.handle.id, run_id=run).fetch_history()
        yield run, history.events
        run = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id


async def reset(house: House, run: str, event: int) -> None:
    """A run goes on anew from one of its workflow tasks; the one that ran is over."""
    await house.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=house.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=house.handle.id, run_id=run),
            workflow_task_finish_event_id=event,
            request_id=f"{run}/{event}",
            reason="for the test",
        )
    )


async def test_reset_to_every_workflow_task_at_which_people_decided(house: House) -> None:
    """Each reset sends the decisions in again, and the promotion after them: nothing of it happens or counts twice."""
    await house.start(CREDIT)
    await house.submit()
    await house.until_phase(Phase.DECIDING, "validation")
    given = await decided(house, "dmitri", "rosa")
    await house.until_phase(Phase.DECIDING, "staging")
    given += await decided(house, "lena", "paul")
    await house.until_phase(Phase.STEADY)
    before, effects, recorded = await house.recorded(), house.deployer.effects(), house.whole_trail()
    places = [
        (run, event.event_id)
        async for run, events in runs(house)
        if any(e.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED for e in events)
        for event in events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    assert len(places) > 10
    for run, event in places:
        await reset(house, run, event)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(A_WHILE):
                await house.until(lambda status: bool(status.troubles) or status.seq >= before.seq)
        assert house.deployer.effects() == effects
        assert house.whole_trail() == recorded
    await house.handle.terminate("it was reset")
    assert await rebuilt(house) == before
    await rightful(house, CREDIT, ONE, given)
