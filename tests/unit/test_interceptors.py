"""What happens around every activity."""

import asyncio
import dataclasses
from datetime import timedelta

from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ActivityOutboundInterceptor, ExecuteActivityInput

from worker.interceptors import Beating

TIMEOUT = timedelta(milliseconds=30)


class Ear(ActivityOutboundInterceptor):
    """What the server hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def heartbeat(self, *details: object) -> None:
        """A beat."""
        self.heard.append(details)


class Slow(ActivityInboundInterceptor):
    """A step that says which run it waits for, once, and waits."""

    def __init__(self) -> None:
        pass

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        """How it speaks."""
        self._outbound = outbound

    async def execute_activity(self, input: ExecuteActivityInput) -> None:
        """For as long as its beats may take."""
        self._outbound.heartbeat("run 1")
        await asyncio.sleep(2 * TIMEOUT.total_seconds())


async def test_beats_of_the_worker_do_not_hide_what_the_step_has_said() -> None:
    """People see in the Web UI which run is waited for, however seldom the step itself beats."""
    environment, ear = ActivityEnvironment(), Ear()
    environment.info = dataclasses.replace(environment.info, heartbeat_timeout=TIMEOUT)
    around = Beating().intercept_activity(Slow())
    around.init(ear)
    given = ExecuteActivityInput(fn=print, args=(), executor=None, headers={})
    await environment.run(around.execute_activity, given)
    assert len(ear.heard) > 2
    assert set(ear.heard) == {("run 1",)}
