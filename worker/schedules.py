"""What the worker has the clock start, whatever models there are."""

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.service import RPCError

from models.errors import UnavailableError
from workflows import options
from workflows.checkpoint import AuditCheckpoint

CHECKPOINTS = "audit/checkpoint"


async def schedule_checkpoints(client: Client, task_queue: str = options.TASK_QUEUE) -> None:
    """Have the audit trail sealed every hour; one schedule, however often this is done. UnavailableError."""
    action = ScheduleActionStartWorkflow(
        AuditCheckpoint.run, id=CHECKPOINTS, task_queue=task_queue, static_summary="seal the audit trail"
    )
    schedule = Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=options.CHECKPOINT_EVERY)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )
    try:
        await client.create_schedule(CHECKPOINTS, schedule)
    except ScheduleAlreadyRunningError:
        return
    except RPCError as error:
        raise UnavailableError(
            f"the Temporal server refused the schedule '{CHECKPOINTS}': {error.message}", "is the server up? then retry"
        ) from error
