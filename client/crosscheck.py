"""The record beside the engine: an entry without its event, an event without its entry, a state that is another one."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from temporalio.api.history.v1 import HistoryEvent

from client.api import Modelops, lifecycle_id
from client.examination import Dossier, Examiner, Finding
from client.histories import Heard
from models.audit import AuditEntry, AuditKind, EffectRecord, Tampering
from models.canonical import digest
from models.errors import UnknownNameError
from models.journal import JournalEntry
from models.messages import Attempted, Decided, Requested, VersionSubmitted
from models.state import Phase
from models.status import Status, describe

_LOOKS = 10
_LOOK_AGAIN = 1.0

Read = Callable[[], Dossier]
"""Reads the record of a model as it is now."""


class Crosschecked(NamedTuple):
    """What is wrong, what could not be compared, and which model was."""

    findings: tuple[Finding, ...]
    remarks: tuple[str, ...] = ()
    compared: tuple[str, ...] = ()


async def crosscheck(modelops: Modelops, examiner: Examiner, dossier: Dossier, read: Read) -> Crosschecked:
    """Compare the record of a model that has a lifecycle with its execution; UnavailableError."""
    model = dossier.record.model
    try:
        status = await modelops.status(model)
        dossier, status = await _settled(modelops, status, read)
        heard = await modelops.heard(model)
    except UnknownNameError:
        return _gone(dossier)
    # What the engine has seen to be recorded was recorded before; what is on record was ordered before.
    comparison = _Comparison(examiner, dossier, heard, await asyncio.to_thread(read))
    gone = f"{model}: the server keeps its lifecycle from event {heard.since + 1} on; what was before is not compared"
    remarks = (gone,) if heard.since else ()
    found = (*comparison.state(status), *comparison.entries(), *comparison.events())
    return Crosschecked(found, remarks, (model,))


async def _settled(modelops: Modelops, status: Status, read: Read) -> tuple[Dossier, Status]:
    """Record and status once all that has happened is on record, or patience ends."""
    for _ in range(_LOOKS):
        dossier = await asyncio.to_thread(read)
        if dossier.record.events >= status.seq:
            break
        await asyncio.sleep(_LOOK_AGAIN)
    return dossier, await modelops.status(dossier.record.model)


def _gone(dossier: Dossier) -> Crosschecked:
    model, state = dossier.record.model, dossier.rerun.state
    missing = f"the server has no execution '{lifecycle_id(model)}'"
    if state and state.phase is Phase.ENDED:
        return Crosschecked((), (f"{model}: {missing} any more; its lifecycle has ended",))
    message = f"{missing}, whose {dossier.record.events} events are on record"
    return Crosschecked((_finding(model, Tampering.REMOVED, message),))


def _finding(model: str, kind: Tampering, message: str, event: HistoryEvent | None = None) -> Finding:
    number, since = (f", event {event.event_id}", _time(event)) if event else ("", None)
    return Finding(model=model, row=f"{lifecycle_id(model)}{number}", kind=kind, message=message, since=since)


def _time(event: HistoryEvent) -> datetime:
    return event.event_time.ToDatetime(tzinfo=UTC)


class _Comparison:
    """One model. `dossier` is older than what was heard, `later` is younger."""

    def __init__(self, examiner: Examiner, dossier: Dossier, heard: Heard, later: Dossier) -> None:
        self._examiner = examiner
        self._dossier = dossier
        self._heard = heard
        self._model = dossier.record.model
        self._events, self._effects, self._sent = _contents(later)
        self._settled = later.record.events

    def state(self, status: Status) -> Iterator[Finding]:
        """Where the execution says that it is something else than where the recorded events lead."""
        plan, state = self._dossier.rerun.plan, self._dossier.rerun.state
        if plan is None or state is None:
            return
        if status.seq < state.seq:
            message = f"the execution has seen {status.seq} events, and {state.seq} are on record: it was set back"
            yield _finding(self._model, Tampering.REMOVED, message)
        if self._settled < status.seq:
            message = f"the execution has seen {status.seq} events, and {self._settled} are on record"
            yield _finding(self._model, Tampering.REMOVED, message)
        if status.seq != state.seq:
            return
        told = describe(plan, digest(plan), state, status.troubles)
        for name in type(told).model_fields:
            was, should = getattr(status, name), getattr(told, name)
            if was != should:
                message = f"the execution says that {name} is {was!r}; by the record it is {should!r}"
                yield _finding(self._model, Tampering.CHANGED, message)

    def entries(self) -> Iterator[Finding]:
        """Entries that no execution has asked for, from where on there is a history."""
        plan = self._dossier.plan
        if plan and self._heard.plans != {plan}:
            ran = ", ".join(sorted(self._heard.plans)) or "none that can be read"
            yield _finding(self._model, Tampering.CHANGED, f"the record is of plan {plan}, the execution of {ran}")
        events = self._dossier.rerun.events
        known = [one.position for one in events if one.recorded and one.recorded.seq <= self._heard.since]
        for entry in self._dossier.record.history:
            if entry.position <= max(known, default=0):
                continue
            if reason := self._unheard(entry):
                message = f"audit row {entry.position}: {reason}"
                yield self._examiner.entry(self._model, entry.position, Tampering.INSERTED, message)

    def _unheard(self, entry: AuditEntry) -> str:
        try:
            if entry.kind == AuditKind.EFFECT:
                key = EffectRecord.model_validate_json(entry.body).key
                ordered = key.visit == 0 or str(key) in self._heard.ordered
                return "" if ordered else f"no execution has ordered effect {key}"
            if entry.kind == AuditKind.EVENT:
                recorded = JournalEntry.model_validate_json(entry.body)
                known = self._heard.events.get(recorded.seq, set())
                if entry.body not in known:
                    return (
                        f"event {recorded.seq} is "
                        + ("another one by" if known else "not in")
                        + " the engine's history"
                    )
                payload = _payload(recorded)
                return (
                    f"nobody has sent what event {recorded.seq} says" if payload not in ("", *self._heard.sent) else ""
                )
        except ValueError:
            return ""
        return ""

    def events(self) -> Iterator[Finding]:
        """What the engine has seen done or answered, and the record knows nothing of."""
        for seq, event in self._heard.kept.items():
            if seq not in self._events:
                message = f"event {seq} was recorded, and is not on record any more"
                yield _finding(self._model, Tampering.REMOVED, message, event)
        for key, event in self._heard.done.items():
            if key not in self._effects:
                message = f"effect {key} was performed, and is not on record"
                yield _finding(self._model, Tampering.REMOVED, message, event)
        for payload, event in self._heard.answered.items():
            if payload not in self._sent:
                message = "somebody's signed message was accepted, and is not on record"
                yield _finding(self._model, Tampering.REMOVED, message, event)


def _contents(dossier: Dossier) -> tuple[set[int], set[str], set[str]]:
    """The events, effects and signed messages that are on record."""
    events, effects, sent = set[int](), set[str](), set[str]()
    for entry in dossier.record.history:
        try:
            if entry.kind == AuditKind.EFFECT:
                effects.add(str(EffectRecord.model_validate_json(entry.body).key))
            elif entry.kind == AuditKind.EVENT:
                recorded = JournalEntry.model_validate_json(entry.body)
                events.add(recorded.seq)
                sent.add(_payload(recorded))
        except ValueError:
            continue
    return events, effects, sent


def _payload(recorded: JournalEntry) -> str:
    body = recorded.event.body
    if isinstance(body, Decided | Attempted | Requested | VersionSubmitted) and body.envelope:
        return body.envelope.payload
    return ""
