"""Reconciliation by the clock: one schedule for a task queue, made or renewed by every worker that starts."""

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
from temporalio.service import RPCError

from models.errors import UnavailableError
from workflows.reconciliation import Reconciliation


def schedule_id(task_queue: str) -> str:
    """The schedule's id, and the beginning of those of its workflows."""
    return f"reconciliation/{task_queue}"


async def schedule_reconciliation(client: Client, task_queue: str, every: timedelta) -> None:
    """Have everything compared every so often; UnavailableError. A schedule that somebody paused stays so."""
    action = ScheduleActionStartWorkflow(
        Reconciliation.run,
        id=schedule_id(task_queue),
        task_queue=task_queue,
        static_summary="whether record, executions, environments and workers agree",
    )
    schedule = Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )

    def renewed(known: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(replace(schedule, state=known.description.schedule.state))

    try:
        await client.create_schedule(schedule_id(task_queue), schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(schedule_id(task_queue)).update(renewed)
    except RPCError as error:
        raise UnavailableError(
            f"the Temporal server refused the schedule of reconciliation: {error.message}", "is it up? then start again"
        ) from error
