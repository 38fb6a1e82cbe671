"""Events on their way to the record: with the next step, into the next run, or by themselves.

An event is recorded by an activity that the history has already committed to. A local activity would be cheaper to
look at, but it writes before the workflow task is complete: when that task is lost, the next one may see the same
events in another order, and the record would have told something that never happened.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from activities.audit import AuditActivities, Beginning
from models.journal import Journal, JournalEntry
from workflows import options
from workflows.persistence import Tell, insist

_NAMED = 4


class _Sized(NamedTuple):
    entry: JournalEntry
    bytes: int


class Recorder:
    """Keeps every event until it is known to be on record; `tell` hears why nothing can be written just now."""

    def __init__(self, entries: Iterable[JournalEntry], tell: Tell) -> None:
        self._entries = deque[_Sized]()
        self._bytes = 0
        self._sent = 0
        self._flushing = False
        self._tell = tell
        for entry in entries:
            self.add(entry)

    @property
    def pending(self) -> tuple[JournalEntry, ...]:
        """What is not known to be on record."""
        return tuple(sized.entry for sized in self._entries)

    @property
    def unsent(self) -> bool:
        """Whether something is neither on record nor on its way."""
        return not self._flushing and bool(self._entries) and self._entries[-1].entry.seq > self._sent

    @property
    def crowded(self) -> bool:
        """Whether more is pending than may travel at once: a payload that is too large would stop the lifecycle."""
        return self._bytes > options.JOURNAL_BYTES

    def add(self, entry: JournalEntry) -> None:
        """One more event."""
        self._entries.append(_Sized(entry, len(entry.model_dump_json())))
        self._bytes += self._entries[-1].bytes

    def take(self) -> tuple[JournalEntry, ...]:
        """The oldest pending events, as many as may travel, for somebody who records them; twice is as good as once."""
        taken, size = list[JournalEntry](), 0
        for sized in self._entries:
            size += sized.bytes
            if taken and size > options.JOURNAL_BYTES:
                break
            taken.append(sized.entry)
        if taken:
            self._sent = taken[-1].seq
        return tuple(taken)

    def confirm(self, taken: tuple[JournalEntry, ...]) -> None:
        """What was taken is on record."""
        while taken and self._entries and self._entries[0].entry.seq <= taken[-1].seq:
            self._bytes -= self._entries.popleft().bytes

    def lose(self) -> None:
        """Whether what was taken is on record is not known: it has to be sent again."""
        self._sent = 0

    async def flush(self) -> None:
        """Record what is pending; one at a time, however much is said meanwhile."""
        self._flushing = True
        taken = self.take()
        told = ", ".join(entry.event.body.event.replace("_", " ") for entry in taken[:_NAMED])
        await insist(AuditActivities.record_events, Journal(entries=taken), f"record: {told}", self._tell)
        self.confirm(taken)
        self._flushing = False

    async def keep_plan(self, beginning: Beginning) -> None:
        """Have the plan of a lifecycle that begins proved and recorded; ApplicationError if it cannot begin with it.

        A local activity would be cheaper, and while it proves, which takes a minute or more, nobody would be answered.
        """
        await insist(
            AuditActivities.record_plan,
            beginning,
            "prove and record the plan",
            self._tell,
            within=options.PROVE_TIMEOUT,
            in_vain="NotPermittedError",
        )
