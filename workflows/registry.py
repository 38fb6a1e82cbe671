"""One scheduled round with somebody else's registry: short and disposable."""

from temporalio import workflow

from activities.registry import RegistryActivities
from workflows import options


@workflow.defn(name="RegistryRound")
class RegistryRound:
    """Has new versions handed in and aliases set."""

    @workflow.run
    async def run(self) -> tuple[str, ...]:
        """What was done, in words."""
        told = await workflow.execute_activity_method(
            RegistryActivities.follow_registry,
            start_to_close_timeout=options.REGISTRY_TIMEOUT,
            heartbeat_timeout=options.HEARTBEAT_TIMEOUT,
            retry_policy=options.REGISTRY_RETRIES,
            summary="hand in what is registered elsewhere; have aliases follow the record",
        )
        workflow.set_current_details("\n".join(f"    {line}" for line in told) or "Nothing is new.")
        return told
