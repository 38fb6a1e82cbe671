"""What the engine has seen of a lifecycle: the histories of its runs, and what they say of the record."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from client.caller import CALL_TIMEOUT
from models.canonical import canonical, digest
from models.evidence import EffectKey
from models.journal import JournalEntry, LifecycleInput

_SIGNED = frozenset({"decide", "request", "submit_version"})


class Heard:
    """What some runs of a lifecycle tell: the events and effects that they had recorded, and what people sent them.

    `since` is the event after which the first of these runs began; `plans` are those that they ran on. `events` are
    bodies of entries by their seq, `kept` those whose recording was confirmed; of the effects, `ordered` and `done`; of
    the signed messages, the payloads that were `sent` and those that were `answered`.
    """

    def __init__(self) -> None:
        self.runs: tuple[WorkflowHistory, ...] = ()
        self.since = 0
        self.plans: set[str] = set()
        self.events: dict[int, set[str]] = {}
        self.kept: dict[int, HistoryEvent] = {}
        self.ordered: set[str] = set()
        self.done: dict[str, HistoryEvent] = {}
        self.sent: set[str] = set()
        self.answered: dict[str, HistoryEvent] = {}

    def effect(self, key: EffectKey) -> None:
        """A step that was ordered."""
        self.ordered.add(str(key))


async def listen(client: Client, workflow_id: str) -> Heard:
    """All runs that the server still has, from the latest back to the first; RPCError."""
    runs = list[WorkflowHistory]()
    run: str | None = (await client.get_workflow_handle(workflow_id).describe(rpc_timeout=CALL_TIMEOUT)).run_id
    while run:
        try:
            history = await client.get_workflow_handle(workflow_id, run_id=run).fetch_history(rpc_timeout=CALL_TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND or not runs:
                raise
            break
        runs.append(history)
        run = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return await understand(tuple(reversed(runs)), client.data_converter)


async def understand(runs: tuple[WorkflowHistory, ...], converter: DataConverter) -> Heard:
    """What some runs tell, oldest first."""
    heard = Heard()
    heard.runs = runs
    for history in runs:
        await _Listener(converter, heard).hear(history.events)
    return heard


class _Listener:
    """Listens to one run."""

    def __init__(self, converter: DataConverter, heard: Heard) -> None:
        self._converter = converter
        self._heard = heard
        self._journals: dict[int, Sequence[int]] = {}
        self._keys: dict[int, str] = {}
        self._updates: dict[int, str] = {}

    async def hear(self, events: Sequence[HistoryEvent]) -> None:
        """One event after the other."""
        for event in events:
            match event.WhichOneof("attributes"):
                case "workflow_execution_started_event_attributes":
                    self._begin(await self._read(event.workflow_execution_started_event_attributes.input.payloads))
                case "activity_task_scheduled_event_attributes":
                    scheduled = event.activity_task_scheduled_event_attributes
                    self._order(event.event_id, await self._read(scheduled.input.payloads))
                case "activity_task_completed_event_attributes":
                    self._answer(event.activity_task_completed_event_attributes.scheduled_event_id, event)
                case "workflow_execution_signaled_event_attributes":
                    signal = event.workflow_execution_signaled_event_attributes
                    self._send(signal.signal_name, await self._read(signal.input.payloads))
                case "workflow_execution_update_accepted_event_attributes":
                    request = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
                    payload = self._send(request.name, await self._read(request.args.payloads))
                    self._updates[event.event_id] = payload
                case "workflow_execution_update_completed_event_attributes":
                    completed = event.workflow_execution_update_completed_event_attributes
                    payload = self._updates.get(completed.accepted_event_id, "")
                    if payload and completed.outcome.HasField("success"):
                        self._heard.answered[payload] = event

    async def _read(self, payloads: Sequence[Payload]) -> dict[str, Any]:
        """The one argument, if it is a JSON object."""
        if not payloads:
            return {}
        try:
            values = await self._converter.decode(payloads[:1])
        except (RuntimeError, ValueError, KeyError):
            return {}
        return values[0] if isinstance(values[0], dict) else {}

    def _begin(self, given: dict[str, Any]) -> None:
        try:
            begun = LifecycleInput.model_validate(given)
        except ValidationError:
            return
        if not self._heard.plans:
            self._heard.since = begun.state.seq
        self._heard.plans.add(digest(begun.plan))

    def _order(self, number: int, given: dict[str, Any]) -> None:
        self._journals[number] = [entry.seq for entry in self._entries(given)]
        order = given.get("order") or {}
        asked = given.get("key") or {name: order.get(name) for name in EffectKey.model_fields}
        try:
            key = EffectKey.model_validate(asked)
        except ValidationError:
            return
        self._keys[number] = str(key)
        self._heard.effect(key)

    def _entries(self, given: dict[str, Any]) -> Iterator[JournalEntry]:
        for one in given.get("journal") or given.get("entries") or ():
            try:
                entry = JournalEntry.model_validate(one)
            except ValidationError:
                continue
            self._heard.events.setdefault(entry.seq, set()).add(canonical(entry).decode())
            yield entry

    def _answer(self, number: int, event: HistoryEvent) -> None:
        if key := self._keys.get(number):
            self._heard.done[key] = event
        for seq in self._journals.get(number, ()):
            self._heard.kept[seq] = event

    def _send(self, name: str, given: dict[str, Any]) -> str:
        if name not in _SIGNED:
            return ""
        envelope = given.get("envelope") or given
        payload = str(envelope.get("payload", ""))
        self._heard.sent.add(payload)
        return payload
