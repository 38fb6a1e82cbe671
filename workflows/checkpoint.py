"""The audit trail is sealed by the clock, by the actuator, which alone has the notary's key: short, disposable."""

from temporalio import workflow

from activities.checkpoint import CheckpointActivities
from workflows import options


@workflow.defn(name="AuditCheckpoint")
class AuditCheckpoint:
    """Signs where the trail ends, and keeps that outside the database."""

    @workflow.run
    async def run(self) -> str:
        """What was sealed."""
        told = await workflow.execute_activity_method(
            CheckpointActivities.write_checkpoint,
            task_queue=options.actuator_queue(workflow.info().task_queue),
            start_to_close_timeout=options.CHECKPOINT_TIMEOUT,
            retry_policy=options.STEP_RETRIES,
            summary="seal the audit trail",
        )
        workflow.set_current_details(told)
        return told
