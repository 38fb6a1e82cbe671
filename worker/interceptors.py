"""What happens around every activity: it beats, it is counted, its log lines carry its ids."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence

import structlog
from temporalio import activity
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from models.journal import Assignment
from worker.telemetry import STEP_SECONDS, STEPS

BEATS_PER_TIMEOUT = 3

log = structlog.stdlib.get_logger("modelops.activity")


class Beating(Interceptor):
    """Heartbeats for every activity that has a heartbeat timeout, so that a dead worker is noticed soon."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Wrap the execution of one activity."""
        return _Beating(next)


class _Beating(ActivityInboundInterceptor):
    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        # While a step runs in a thread, activity.heartbeat() waits for the event loop: called there, it stands still.
        remembering = _Remembering(outbound)
        self._beat = remembering.again
        super().init(remembering)

    async def execute_activity(self, input: ExecuteActivityInput) -> object:
        timeout = activity.info().heartbeat_timeout
        if not timeout:
            return await super().execute_activity(input)
        async with _beats(timeout.total_seconds() / BEATS_PER_TIMEOUT, self._beat):
            return await super().execute_activity(input)


class _Remembering(ActivityOutboundInterceptor):
    """Says again what the step has said last, or its own beats would hide that from people."""

    _said: Sequence[object] = ()

    def heartbeat(self, *details: object) -> None:
        """The step beats."""
        self._said = details
        super().heartbeat(*details)

    def again(self) -> None:
        """The worker beats for it."""
        super().heartbeat(*self._said)


@contextlib.asynccontextmanager
async def _beats(every: float, beat: Callable[[], None]) -> AsyncIterator[None]:
    async def go_on() -> None:
        while True:
            await asyncio.sleep(every)
            beat()

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()


class Observing(Interceptor):
    """Counts and times attempts, and binds their ids to every log line."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Wrap the execution of one activity."""
        return _Observing(next)


class _Observing(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> object:
        info = activity.info()
        order = next((argument.order for argument in input.args if isinstance(argument, Assignment)), None)
        ids = {"model": order.model, "visit": order.visit, "step": order.step} if order else {}
        began = time.perf_counter()
        with structlog.contextvars.bound_contextvars(
            workflow_id=info.workflow_id, activity=info.activity_type, attempt=info.attempt, **ids
        ):
            try:
                result = await super().execute_activity(input)
            except BaseException as error:
                _count(info.activity_type, "failed", began)
                log.warning("failed", error=type(error).__name__, reason=str(error)[:500])
                raise
            seconds = _count(info.activity_type, "succeeded", began)
            log.info("done", seconds=round(seconds, 3))
            return result


def _count(activity_type: str, outcome: str, began: float) -> float:
    """Seconds since `began`, which are on the metrics then."""
    seconds = time.perf_counter() - began
    STEPS.labels(activity_type, outcome).inc()
    STEP_SECONDS.labels(activity_type).observe(seconds)
    return seconds
