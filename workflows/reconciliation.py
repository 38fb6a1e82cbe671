"""One scheduled look at whether record, executions, environments and workers agree: short and disposable."""

from temporalio import workflow

from activities.reconciliation import Reconciled, ReconciliationActivities
from workflows import options


@workflow.defn(name="Reconciliation")
class Reconciliation:
    """Has everything compared, and says what was found."""

    @workflow.run
    async def run(self) -> Reconciled:
        """What has changed."""
        found = await workflow.execute_activity_method(
            ReconciliationActivities.reconcile,
            start_to_close_timeout=options.RECONCILE_TIMEOUT,
            heartbeat_timeout=options.HEARTBEAT_TIMEOUT,
            retry_policy=options.STEP_RETRIES,
            summary="compare the record with what runs and serves",
        )
        workflow.set_current_details(f"{found.holding} findings hold: `modelops findings` lists them.")
        return found
