"""Events on their way to the record: with the next step, into the next run, or by themselves.

An event is recorded by an activity that the history has already committed to. A local activity would be cheaper to
look at, but it writes before the workflow task is complete: when that task is lost, the next one may see the same
events in another order, and the record would have told something that never happened.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.audit import AuditActivities
from models.journal import Journal, JournalEntry
from models.plan import Plan
from workflows import options
from workflows.failures import failure_of

_SHOWN = 120
_NAMED = 4


class Recorder:
    """Keeps every event until it is known to be on record. `trouble` says why nothing can be written just now."""

    def __init__(self, entries: Iterable[JournalEntry], show: Callable[[], None]) -> None:
        self._entries = list(entries)
        self._sent = 0
        self._flushing = False
        self._show = show
        self.trouble = ""

    @property
    def pending(self) -> tuple[JournalEntry, ...]:
        """What is not known to be on record."""
        return tuple(self._entries)

    @property
    def unsent(self) -> bool:
        """Whether something is neither on record nor on its way."""
        return not self._flushing and bool(self._entries) and self._entries[-1].seq > self._sent

    def add(self, entry: JournalEntry) -> None:
        """One more event."""
        self._entries.append(entry)

    def take(self) -> tuple[JournalEntry, ...]:
        """Everything pending, for somebody who records it. What is taken twice is recorded once."""
        if self._entries:
            self._sent = self._entries[-1].seq
        return self.pending

    def confirm(self, taken: tuple[JournalEntry, ...]) -> None:
        """What was taken is on record."""
        if taken:
            self._entries = [entry for entry in self._entries if entry.seq > taken[-1].seq]

    def lose(self) -> None:
        """Whether what was taken is on record is not known: it has to be sent again."""
        self._sent = 0

    async def flush(self) -> None:
        """Record what is pending; one at a time, however much is said meanwhile."""
        self._flushing = True
        taken = self.take()
        told = ", ".join(entry.event.body.event.replace("_", " ") for entry in taken[:_NAMED])
        await self.write(AuditActivities.record_events, Journal(entries=taken), f"record: {told}")
        self.confirm(taken)
        self._flushing = False

    async def keep_plan(self, plan: Plan) -> None:
        """Record a plan. It is the same plan whenever this is done again, so the cheaper local activity will do."""
        await self.write(AuditActivities.record_plan, plan, "record the plan", workflow.execute_local_activity_method)

    async def write(
        self,
        method: Callable[..., Any],
        argument: object,
        summary: str,
        execute: Callable[..., Awaitable[Any]] = workflow.execute_activity_method,
    ) -> None:
        """However long it takes, in view of everybody, and without filling the history."""
        policy, pause = options.RECORD_RETRIES, options.RECORD_PAUSE
        while True:
            try:
                await execute(
                    method,
                    argument,
                    start_to_close_timeout=options.RECORD_TIMEOUT,
                    retry_policy=policy,
                    summary=summary,
                )
            except ActivityError as error:
                failure = failure_of(error)
                self.trouble = f"{failure.message} {failure.remedy}".strip()
                self._show()
                why = f"The record does not answer: {failure.message[:_SHOWN]}; trying again"
                await workflow.sleep(pause, summary=why)
                policy, pause = options.RECORD_PATIENCE, min(2 * pause, options.RECORD_PAUSE_AT_MOST)
            else:
                self.trouble = ""
                return
