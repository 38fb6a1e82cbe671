"""One scheduled round of messages and alerts: short and disposable."""

from temporalio import workflow

from activities.delivery import Delivered, DeliveryActivities
from workflows import options


@workflow.defn(name="Delivery")
class Delivery:
    """Has what waits delivered, and says what did not get through."""

    @workflow.run
    async def run(self) -> Delivered:
        """What was done."""
        done = await workflow.execute_activity_method(
            DeliveryActivities.deliver_messages,
            start_to_close_timeout=options.DELIVERY_TIMEOUT,
            heartbeat_timeout=options.HEARTBEAT_TIMEOUT,
            retry_policy=options.STEP_RETRIES,
            summary="deliver messages and alerts",
        )
        if done.problems:
            workflow.set_current_details(f"{', '.join(done.problems)}: not delivered. `modelops channels` says why.")
        return done
