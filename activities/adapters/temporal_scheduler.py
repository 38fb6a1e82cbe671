"""Monitors as Temporal Schedules: none of their history is the lifecycle's."""

from collections.abc import Sequence
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
    ScheduleState,
)
from temporalio.service import RPCError, RPCStatusCode

from models.errors import UnavailableError
from models.monitoring import MonitorOrder, monitor_orders
from models.plan import MonitorPlan, Plan

JITTER = 0.1
"""Part of a period over which starts are spread: too many at once queue."""


class TemporalScheduler:
    """Fits the port `Schedules`."""

    def __init__(self, client: Client, workflow: str, task_queue: str) -> None:
        self._client = client
        self._workflow = workflow
        self._task_queue = task_queue

    async def start(self, model: str, plan: Plan) -> Sequence[str]:
        """One schedule per monitor, named `monitor/<model>/<monitor>`; one that exists stays as it is."""
        for order in monitor_orders(model, plan):
            try:
                await self._client.create_schedule(_name(model, order.monitor.id), self._schedule(order))
            except ScheduleAlreadyRunningError:
                continue
            except RPCError as error:
                raise _unavailable(error) from error
        return [_name(model, monitor.id) for monitor in plan.monitors]

    async def stop(self, model: str, plan: Plan) -> None:
        """Delete the model's schedules by name: a list of them may lag behind and miss the newest."""
        for monitor in plan.monitors:
            try:
                await self._client.get_schedule_handle(_name(model, monitor.id)).delete()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise _unavailable(error) from error

    def _schedule(self, order: MonitorOrder) -> Schedule:
        monitor: MonitorPlan = order.monitor
        action = ScheduleActionStartWorkflow(
            self._workflow,
            order,
            id=_name(order.model, monitor.id),
            task_queue=self._task_queue,
            static_summary=f"{monitor.id} of {order.model}: {', '.join(kpi.name for kpi in order.kpis)}",
        )
        every = timedelta(seconds=monitor.every)
        return Schedule(
            action=action,
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)], jitter=every * JITTER),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
            state=ScheduleState(note=f"a breach starts: {monitor.then}"),
        )


def _name(model: str, monitor: str) -> str:
    return f"monitor/{model}/{monitor}"


def _unavailable(error: RPCError) -> UnavailableError:
    return UnavailableError(f"the Temporal server refused a schedule: {error.message}", "is the server up? then retry")
