"""A model enters the inventory."""

from temporalio import workflow

from activities.registration import RegistrationActivities
from models.evidence import StepResult
from models.inventory import ModelFacts
from workflows import options


@workflow.defn(name="ModelRegistration")
class ModelRegistration:
    """Registers a model's facts: rows are written by activities alone."""

    @workflow.run
    async def run(self, facts: ModelFacts) -> StepResult:
        """What was registered; other facts under the same id fail."""
        return await workflow.execute_activity_method(
            RegistrationActivities.register_model,
            facts,
            start_to_close_timeout=options.REGISTER_TIMEOUT,
            retry_policy=options.REGISTER_RETRIES,
            summary=f"register {facts.id}",
        )
