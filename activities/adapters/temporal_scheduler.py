"""Monitors as Temporal Schedules: none of their history is the lifecycle's."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

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
from models.monitoring import MonitorOrder, monitor_orders, tightened_order
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
                await self._client.create_schedule(_name(order), self._schedule(order))
            except ScheduleAlreadyRunningError:
                continue
            except RPCError as error:
                raise _unavailable(error) from error
        for order in _tightened(model, plan):
            await self._delete(_name(order))
        return [_name(order) for order in monitor_orders(model, plan)]

    async def tighten(self, order: MonitorOrder, until: datetime) -> None:
        """Another schedule, `monitor/<model>/<monitor>/tightened`; nothing is left of one that could not be made."""
        name = _name(order)
        await self._delete(name)
        try:
            await self._client.create_schedule(name, self._schedule(order, until))
        except RPCError as error:
            with suppress(UnavailableError):
                await self._delete(name)
            raise _unavailable(error) from error

    async def stop(self, model: str, plan: Plan) -> None:
        """Delete the model's schedules by name: a list of them may lag behind and miss the newest."""
        for order in (*monitor_orders(model, plan), *_tightened(model, plan)):
            await self._delete(_name(order))

    async def _delete(self, name: str) -> None:
        try:
            await self._client.get_schedule_handle(name).delete()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise _unavailable(error) from error

    async def look(self, orders: Iterable[MonitorOrder]) -> Mapping[str, Watch]:
        """The schedules that there are of those, by name, compared with what they should be; UnavailableError."""
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def seen(order: MonitorOrder) -> tuple[str, Watch | None]:
            async with at_once:
                return _name(order), await self._watch(order)

        found = await asyncio.gather(*map(seen, orders))
        return {name: watch for name, watch in found if watch}

    async def _watch(self, order: MonitorOrder) -> Watch | None:
        try:
            found = await self._client.get_schedule_handle(_name(order)).describe()
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

    def _schedule(self, order: MonitorOrder, until: datetime | None = None) -> Schedule:
        monitor: MonitorPlan = order.monitor
        action = ScheduleActionStartWorkflow(
            self._workflow,
            order,
            id=_name(order),
            task_queue=self._task_queue,
            static_summary=f"{monitor.id} of {order.model}: {', '.join(kpi.name for kpi in order.kpis)}",
        )
        every = timedelta(seconds=order.every)
        starts = monitor.brakes.otherwise if order.tightened else monitor.then
        return Schedule(
            action=action,
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)], jitter=every * JITTER, end_at=until),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
            state=ScheduleState(note=f"a breach starts: {starts}"),
        )


def _tightened(model: str, plan: Plan) -> Iterator[MonitorOrder]:
    """The checks of the monitors that a breach may tighten."""
    for monitor in plan.monitors:
        if order := tightened_order(model, plan, monitor.id):
            yield order


def _name(order: MonitorOrder) -> str:
    return schedule_of(order.model, order.monitor.id, order.tightened)


def _unavailable(error: RPCError) -> UnavailableError:
    return UnavailableError(f"the Temporal server refused a schedule: {error.message}", "is the server up? then retry")
