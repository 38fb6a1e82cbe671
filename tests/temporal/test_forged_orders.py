"""Whoever may start workflows may order a promotion: it happens only where the record bears it out."""

from typing import Any

import pytest
from temporalio.client import WorkflowContinuedAsNewError, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from models.canonical import digest_bytes
from models.evidence import StepKind, StepOrder
from models.inventory import Environment
from models.journal import Assignment, LifecycleInput
from models.state import Phase, State, change
from tests.temporal.attackers import refused
from tests.temporal.house import House, plan_of
from workflows import options

CREDIT = plan_of("credit-high-risk")


async def order_of(house: House, **given: object) -> StepOrder:
    """A promotion of the version that waits, or as given."""
    status = await house.status()
    assert status.version is not None
    order = StepOrder(
        model=house.model,
        visit=status.visit,
        step="promote-again",
        kind=StepKind.PROMOTE,
        stage=status.stage,
        version=status.version.number,
        artifact=status.version.artifact,
        bundle=house.parts.inventory.earned(house.model, status.version.number).bundle,
        environment=Environment.PROD,
    )
    return order.model_copy(update=given)


async def forge(house: House, workflow_id: str, order: StepOrder) -> str:
    """Why an order is refused that comes from a workflow of somebody's own."""
    queue = options.actuator_queue(house.queue)
    error = await refused(house, "promote_version", Assignment(order=order), workflow_id, queue)
    assert error.type == "NotPermittedError"
    return error.message


async def waiting_for_release(house: House) -> None:
    """A version that nobody has released yet."""
    await house.start(CREDIT)
    await house.submit()
    await house.approve("validation", "dmitri", "rosa")
    await house.until_phase(Phase.DECIDING, "staging")
    await house.recorded()


async def test_an_order_of_another_workflow(house: House) -> None:
    """Only the model's own lifecycle may order; nothing was deployed, and the lifecycle goes on."""
    await waiting_for_release(house)
    assert "is not the lifecycle of" in await forge(house, f"forged/{house.model}", await order_of(house))
    assert Environment.PROD not in house.parts.inventory.deployments(house.model)
    await house.approve("staging", "lena", "paul")
    await house.until_phase(Phase.STEADY)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "does not promote to PROD"),
        ({"environment": Environment.TEST, "visit": 99}, "the order is of 'staging', visit 99"),
        ({"stage": "production"}, "is in stage 'staging'"),
        ({"environment": Environment.TEST, "artifact": digest_bytes(b"other")}, "is registered with artifact"),
        ({"environment": Environment.TEST, "bundle": digest_bytes(b"other")}, "is registered with bundle"),
    ],
)
@pytest.mark.leaves_broken("the lifecycle is terminated, and somebody else's workflow has its name")
async def test_an_order_under_the_name_of_a_terminated_lifecycle(
    house: House, given: dict[str, object], reason: str
) -> None:
    """With the lifecycle gone its name is free; the record still knows where it was and what it may deploy."""
    await waiting_for_release(house)
    order = await order_of(house, **given)
    await house.handle.terminate("by the forger")
    assert reason in await forge(house, f"model/{house.model}", order)
    assert Environment.PROD not in house.parts.inventory.deployments(house.model)


async def test_a_lifecycle_under_a_foreign_name(house: House) -> None:
    """The state of one model cannot be driven by a workflow that is called otherwise."""
    await house.register(CREDIT)
    started = await house.client.start_workflow(
        CREDIT.template,
        LifecycleInput(plan=CREDIT, state=State(model=house.model, owner="olga")),
        id="model/somebody-else",
        task_queue=house.queue,
    )
    with pytest.raises(WorkflowFailureError) as caught:
        await started.result()
    assert isinstance(caught.value.cause, ApplicationError)
    assert caught.value.cause.type == "UnusableInput"


async def begin_in_the_middle(house: House, schedule: str = "", **given: Any) -> WorkflowHandle[Any, Any]:
    """Somebody's own start of a lifecycle, with a state that has something behind it, and without a proof."""
    await house.register(CREDIT)
    state = change(State(model=house.model, owner="olga"), **given)
    return await house.client.start_workflow(
        CREDIT.template,
        LifecycleInput(plan=CREDIT, state=state),
        id=f"model/{house.model}",
        task_queue=house.queue,
        cron_schedule=schedule,
    )


@pytest.mark.parametrize("given", [{"stage": "production", "phase": Phase.STEADY}, {"seq": 7}])
async def test_a_lifecycle_that_begins_in_the_middle(house: House, given: dict[str, Any]) -> None:
    """A later state would bring gates along that nobody passed, and a plan that nobody proved: it starts nothing."""
    started = await begin_in_the_middle(house, **given)
    with pytest.raises(WorkflowFailureError) as caught:
        await started.result()
    assert "a lifecycle begins at its beginning" in str(caught.value.cause)


async def test_a_lifecycle_that_begins_in_the_middle_again_and_again(house: House) -> None:
    """A run that the server starts by a clock has one before it, and is not the next run of a lifecycle for that."""
    run = await begin_in_the_middle(house, "@every 1s", stage="production", phase=Phase.STEADY)
    for _ in range(3):
        with pytest.raises(WorkflowContinuedAsNewError) as ended:
            await run.result(follow_runs=False)
        run = house.client.get_workflow_handle(run.id, run_id=ended.value.new_execution_run_id)
