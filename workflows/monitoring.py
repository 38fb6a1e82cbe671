"""One scheduled look at a model in production: short, disposable, silent unless there is a breach."""

from temporalio import workflow

from activities.monitoring import MonitoringActivities
from models.monitoring import MonitorOrder, MonitorOutcome
from workflows import attributes, options
from workflows.monitor_card import render


@workflow.defn(name="MonitorCheck")
class MonitorCheck:
    """Measures the newest window and tells the lifecycle of a breach."""

    @workflow.run
    async def run(self, order: MonitorOrder) -> MonitorOutcome:
        """What was found, at the moment that a schedule started it for: of a run that is made up for, long ago."""
        scheduled = workflow.info().typed_search_attributes.get(attributes.SCHEDULED)
        if scheduled:
            order = order.model_copy(update={"at": scheduled})
        outcome = await workflow.execute_activity_method(
            MonitoringActivities.measure_window,
            order,
            start_to_close_timeout=options.MEASURE_TIMEOUT,
            heartbeat_timeout=options.HEARTBEAT_TIMEOUT,
            retry_policy=options.STEP_RETRIES,
            summary=f"measure the newest window of {order.model} for {order.monitor.id}",
        )
        workflow.set_current_details(render(order, outcome))
        if outcome.breach:
            lifecycle = workflow.get_external_workflow_handle(f"model/{order.model}")
            await lifecycle.signal("report_breach", outcome.breach)
        return outcome
