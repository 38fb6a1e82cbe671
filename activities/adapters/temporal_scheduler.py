"""Monitors as Temporal Schedules: none of their history is the lifecycle's."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
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

from models.canonical import spell_duration
from models.errors import UnavailableError
from models.monitoring import MonitorOrder, monitor_orders
from models.plan import MonitorPlan, Plan
from models.watching import Watch, schedule_of

JITTER = 0.1
"""Part of a period over which starts are spread: too many at once queue."""

_AT_ONCE = 8


class TemporalScheduler:
    """Fits the ports `Schedules` and `Watches`."""

    def __init__(self, client: Client, workflow: str, task_queue: str) -> None:
        self._client = client
        self._workflow = workflow
        self._task_queue = task_queue

    async def start(self, model: str, plan: Plan) -> Sequence[str]:
        """One schedule per monitor, named `monitor/<model>/<monitor>`; one that exists stays as it is."""
        for order in monitor_orders(model, plan):
            try:
                await self._client.create_schedule(schedule_of(model, order.monitor.id), self._schedule(order))
            except ScheduleAlreadyRunningError:
                continue
            except RPCError as error:
                raise _unavailable(error) from error
        return [schedule_of(model, monitor.id) for monitor in plan.monitors]

    async def stop(self, model: str, plan: Plan) -> None:
        """Delete the model's schedules by name: a list of them may lag behind and miss the newest."""
        for monitor in plan.monitors:
            try:
                await self._client.get_schedule_handle(schedule_of(model, monitor.id)).delete()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise _unavailable(error) from error

    async def look(self, orders: Iterable[MonitorOrder]) -> Mapping[str, Watch]:
        """The schedules that there are of those, by name, compared with what they should be; UnavailableError."""
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def seen(order: MonitorOrder) -> tuple[str, Watch | None]:
            async with at_once:
                return schedule_of(order.model, order.monitor.id), await self._watch(order)

        found = await asyncio.gather(*map(seen, orders))
        return {name: watch for name, watch in found if watch}

    async def _watch(self, order: MonitorOrder) -> Watch | None:
        try:
            found = await self._client.get_schedule_handle(schedule_of(order.model, order.monitor.id)).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise _unavailable(error) from error
        state, upcoming = found.schedule.state, found.info.next_action_times
        differs = await self._differs(order, found.schedule)
        return Watch(state.paused, state.note or "", differs, upcoming[0] if upcoming else None)

    async def _differs(self, order: MonitorOrder, found: Schedule) -> str:
        """In what a schedule is otherwise than it should be; nothing if it is not."""
        wanted = self._schedule(order)
        if found.spec.intervals != wanted.spec.intervals or found.spec.calendars or found.spec.cron_expressions:
            return f"not every {spell_duration(order.monitor.every)}"
        if found.state.limited_actions or found.spec.end_at or found.spec.skip:
            return "it ends, or leaves out times"
        action = found.action
        if not isinstance(action, ScheduleActionStartWorkflow) or action.workflow != self._workflow:
            return "it starts something else"
        try:
            (asked,) = await self._client.data_converter.decode(list(action.args), [MonitorOrder])
        except Exception:
            # Whatever a converter makes of what somebody wrote there: it is not ours.
            return "it is told something that cannot be read"
        if action.task_queue != self._task_queue or asked != order:
            return "it looks at something else"
        return ""

    def _schedule(self, order: MonitorOrder) -> Schedule:
        monitor: MonitorPlan = order.monitor
        action = ScheduleActionStartWorkflow(
            self._workflow,
            order,
            id=schedule_of(order.model, monitor.id),
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


def _unavailable(error: RPCError) -> UnavailableError:
    return UnavailableError(f"the Temporal server refused a schedule: {error.message}", "is the server up? then retry")
