"""What the worker has the clock start, whatever models there are: made or renewed by every worker that starts."""

from dataclasses import replace
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from models.errors import UnavailableError
from workflows import options
from workflows.checkpoint import AuditCheckpoint
from workflows.delivery import Delivery
from workflows.reconciliation import Reconciliation
from workflows.registry import RegistryRound

CHECKPOINTS = "audit/checkpoint"


def reconciliation_of(task_queue: str) -> str:
    """The schedule that compares everything for a task queue, and the beginning of the ids of its workflows."""
    return f"reconciliation/{task_queue}"


async def schedule_checkpoints(client: Client, task_queue: str = options.TASK_QUEUE) -> None:
    """Have the audit trail sealed every hour; UnavailableError."""
    action = ScheduleActionStartWorkflow(
        AuditCheckpoint.run, id=CHECKPOINTS, task_queue=task_queue, static_summary="seal the audit trail"
    )
    await _keep(client, action, options.CHECKPOINT_EVERY)


async def schedule_reconciliation(client: Client, task_queue: str, every: timedelta) -> None:
    """Have everything compared every so often; UnavailableError."""
    action = ScheduleActionStartWorkflow(
        Reconciliation.run,
        id=reconciliation_of(task_queue),
        task_queue=task_queue,
        static_summary="whether record, executions, environments and workers agree",
    )
    await _keep(client, action, every)


def delivery_of(task_queue: str) -> str:
    """The schedule of the rounds of delivery."""
    return f"delivery/{task_queue}"


async def schedule_delivery(client: Client, task_queue: str) -> None:
    """Have messages and alerts delivered every minute; UnavailableError."""
    action = ScheduleActionStartWorkflow(
        Delivery.run, id=delivery_of(task_queue), task_queue=task_queue, static_summary="messages and alerts"
    )
    await _keep(client, action, options.DELIVERY_EVERY)


async def unschedule_delivery(client: Client, task_queue: str) -> None:
    """Have nothing delivered any more; no error if nothing was. UnavailableError."""
    await _end(client, delivery_of(task_queue))


def registry_of(task_queue: str) -> str:
    """The schedule of the rounds with somebody else's registry."""
    return f"registry/{task_queue}"


async def schedule_registry(client: Client, task_queue: str, every: timedelta) -> None:
    """Have what is registered elsewhere looked at every so often; UnavailableError."""
    action = ScheduleActionStartWorkflow(
        RegistryRound.run,
        id=registry_of(task_queue),
        task_queue=task_queue,
        static_summary="versions that are registered elsewhere, and aliases there",
    )
    await _keep(client, action, every)


async def unschedule_registry(client: Client, task_queue: str) -> None:
    """Have nobody else's registry looked at any more; no error if none was. UnavailableError."""
    await _end(client, registry_of(task_queue))


async def _end(client: Client, name: str) -> None:
    try:
        await client.get_schedule_handle(name).delete()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise UnavailableError(f"the Temporal server does not answer: {error.message}", "start again") from error


async def _keep(client: Client, action: ScheduleActionStartWorkflow, every: timedelta) -> None:
    """One schedule, named as its workflows, however often this is done. One that somebody paused stays so."""
    schedule = Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )

    def renewed(known: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(replace(schedule, state=known.description.schedule.state))

    try:
        await client.create_schedule(action.id, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(action.id).update(renewed)
    except RPCError as error:
        raise UnavailableError(
            f"the Temporal server refused the schedule '{action.id}': {error.message}", "is it up? then start again"
        ) from error
