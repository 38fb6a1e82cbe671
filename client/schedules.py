"""The schedules of monitors: paused, resumed, and made up for, as the Web UI's page of schedules does it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from temporalio.client import Client, ScheduleBackfill, ScheduleHandle, ScheduleOverlapPolicy
from temporalio.service import RPCError, RPCStatusCode

from client.caller import CALL_TIMEOUT, Caller
from models.canonical import Slug
from models.errors import RefusedError
from models.watching import Watch, schedule_of

_BEFORE = timedelta(microseconds=1)
"""The server leaves out the beginning of a time that is made up for, and takes its end."""


class MonitorSchedules:
    """Those of one namespace. UnavailableError if the server does not answer, RefusedError where there is none."""

    def __init__(self, client: Client, caller: Caller) -> None:
        self._client = client
        self._caller = caller

    async def look(self, model: Slug, monitors: Sequence[Slug]) -> Mapping[Slug, Watch]:
        """Those that there are, by monitor."""
        found = dict[Slug, Watch]()
        for monitor in monitors:
            async with self._caller.translated(schedule_of(model, monitor)):
                try:
                    seen = await self._handle(model, monitor).describe(rpc_timeout=CALL_TIMEOUT)
                except RPCError as error:
                    if error.status is RPCStatusCode.NOT_FOUND:
                        continue
                    raise
            state, upcoming = seen.schedule.state, seen.info.next_action_times
            found[monitor] = Watch(state.paused, state.note or "", "", upcoming[0] if upcoming else None)
        return found

    async def pause(self, model: Slug, monitors: Sequence[Slug], note: str) -> None:
        """Have them look no more until they are resumed."""
        for monitor in await self._known(model, monitors):
            async with self._caller.translated(schedule_of(model, monitor)):
                await self._handle(model, monitor).pause(note=note, rpc_timeout=CALL_TIMEOUT)

    async def resume(self, model: Slug, monitors: Sequence[Slug], note: str) -> None:
        """Have them look again."""
        for monitor in await self._known(model, monitors):
            async with self._caller.translated(schedule_of(model, monitor)):
                await self._handle(model, monitor).unpause(note=note, rpc_timeout=CALL_TIMEOUT)

    async def backfill(self, model: Slug, monitors: Sequence[Slug], since: datetime, until: datetime) -> None:
        """Have every look made that was due between two moments, one after another, whether it was made or not."""
        asked = ScheduleBackfill(since - _BEFORE, until, overlap=ScheduleOverlapPolicy.BUFFER_ALL)
        for monitor in await self._known(model, monitors):
            async with self._caller.translated(schedule_of(model, monitor)):
                await self._handle(model, monitor).backfill(asked, rpc_timeout=CALL_TIMEOUT)

    async def _known(self, model: Slug, monitors: Sequence[Slug]) -> Sequence[Slug]:
        """The same; nothing is done to any of them if one is missing."""
        known = await self.look(model, monitors)
        missing = [one for one in monitors if one not in known]
        if missing:
            raise RefusedError(
                f"'{model}' is not watched by {', '.join(missing)}: there is no schedule",
                "monitors begin when a version goes into production, and end when it is suspended or retired",
            )
        return monitors

    def _handle(self, model: Slug, monitor: Slug) -> ScheduleHandle:
        return self._client.get_schedule_handle(schedule_of(model, monitor))
