"""What once stopped a lifecycle for good: it goes on, whatever meets in one workflow task, and however much."""

import asyncio

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowExecutionStatus

from models.inventory import Column
from models.messages import Action
from models.state import Phase
from tests.temporal.house import House, plan_of

CREDIT = plan_of("credit-high-risk", ("remind: [3d, 7d]", "remind: [1s, 7d]"))
LOW = plan_of("low-risk")


async def test_a_turn_that_comes_with_the_beginning(house: House) -> None:
    """Retirement asked for before the first workflow task: the first step is not started, and its turn is taken."""
    await house.register(LOW)
    await house.close()
    await house.begin(LOW)
    await house.handle.signal("request", house.asked(Action.RETIRE))
    await house.open()
    await house.until_phase(Phase.ENDED)


async def test_a_turn_that_comes_with_a_resumption(house: House) -> None:
    """A step that is resumed and called off in one workflow task is a step that was cancelled."""
    await house.start(LOW)
    await house.until_phase(Phase.AWAITING_VERSION)
    await house.request(Action.PAUSE)
    await house.submit()
    await house.recorded()
    await house.close()
    await house.handle.signal("request", house.asked(Action.RESUME))
    await house.handle.signal("request", house.asked(Action.RETIRE))
    await house.open()
    await house.until_phase(Phase.ENDED)


async def test_more_events_than_one_message_can_carry(house: House) -> None:
    """Megabytes of refused signals that came while no worker ran are recorded, a part at a time."""
    await house.start(LOW)
    await house.until_phase(Phase.AWAITING_VERSION)
    wide = house.version()
    columns = tuple(Column(name=f"{'column' * 15}-{number}") for number in range(1000))
    wide = wide.model_copy(update={"contract": wide.contract.model_copy(update={"inputs": columns})})
    await house.request(Action.PAUSE)
    await house.submit()
    before = await house.recorded()
    await house.close()
    await asyncio.gather(*(house.handle.signal("submit_version", house.handed_in(wide)) for _ in range(20)))
    await house.open()
    status = await house.until(lambda s: s.seq >= before.seq + 20)
    assert (await house.recorded()).seq == status.seq
    assert sum(len(entry.body) for entry in house.parts.inventory.trail(house.model)) > 2_000_000


async def test_a_request_to_cancel_is_not_followed(house: House) -> None:
    """Cancelling the workflow would leave the model serving and ungoverned: only `retire` ends a lifecycle."""
    await house.start(LOW)
    await house.until_phase(Phase.AWAITING_VERSION)
    await house.handle.cancel()
    await house.submit()
    await house.until_phase(Phase.STEADY)
    await house.handle.cancel()
    await asyncio.sleep(0.5)
    assert (await house.handle.describe()).status is WorkflowExecutionStatus.RUNNING
    await house.request(Action.RETIRE)
    await house.until_phase(Phase.ENDED)


@pytest.mark.leaves_broken("after a reset the history no longer tells what the record does, which it says itself")
async def test_a_reset_repeats_nothing_and_is_said(house: House) -> None:
    """A reset sends the driver back to a state where it was; what took effect since is not done again.

    The events that come instead of those on record are refused by it, and the status says why.
    """
    await house.start(LOW)
    await house.until_phase(Phase.AWAITING_VERSION)
    await house.submit()
    await house.until_phase(Phase.STEADY)
    before, effects = await house.recorded(), house.deployer.effects()
    run = (await house.handle.describe()).run_id
    history = await house.client.get_workflow_handle(house.handle.id, run_id=run).fetch_history()
    completed = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    await house.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=house.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=house.handle.id, run_id=run),
            workflow_task_finish_event_id=next(one.event_id for one in history.events if one.event_type == completed),
            request_id=run,
            reason="for the test",
        )
    )
    status = await house.until(lambda s: bool(s.troubles))
    assert "was reset or runs twice: compare its history with the audit trail" in status.troubles[0]
    assert house.deployer.effects() == effects
    events = [entry for entry in house.parts.inventory.trail(house.model) if entry.kind == "event"]
    assert len(events) == before.seq


async def test_a_message_that_cannot_be_sent_holds_nothing_up(house: House) -> None:
    """While nobody can be told, the status says why; who decides moves the version on all the same."""
    await house.start(CREDIT)
    await house.submit()
    await house.until_phase(Phase.DECIDING, "validation")
    directory = house.root / "directory.yaml"
    people = directory.read_text()
    directory.write_text("people: {")
    status = await house.until(lambda s: bool(s.troubles))
    assert status.troubles[0].startswith("People cannot be told:")
    await house.decide("dmitri")
    await house.decide("rosa")
    stuck = await house.until_phase(Phase.STUCK, "staging")
    assert stuck.failure is not None
    assert "is not plain YAML" in stuck.failure.message
    directory.write_text(people)
    await house.request(Action.RETRY)
    await house.until_phase(Phase.DECIDING, "staging")
