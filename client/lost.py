"""An execution that is over without having ended: what became of it, and what it heard that is not on record."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC
from typing import Any, NamedTuple, cast

from temporalio.api.common.v1 import Payloads
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from client.caller import CALL_TIMEOUT
from models.audit import AuditEntry
from models.errors import ConflictError, RefusedError
from models.journal import LifecycleInput
from models.messages import Breach, HandedIn
from models.rebuilding import Heard, Message, message_of, unrecorded
from models.signing import Envelope

_SENT: dict[str, Any] = {
    "decide": Envelope,
    "submit_version": HandedIn,
    "report_breach": Breach,
    "request": Envelope,
}
"""What each signal and update of a lifecycle brings along."""


class Lost(NamedTuple):
    """How an execution ended, and what it heard beyond the record; None of one whose history is gone."""

    how: str
    unrecorded: tuple[Heard, ...] | None


async def look_for(client: Client, workflow_id: str, recorded: Sequence[AuditEntry]) -> Lost:
    """What is left of an execution; ConflictError if it runs, RefusedError if it ended by itself.

    `recorded` are the audit entries of its model.
    """
    try:
        found = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=CALL_TIMEOUT)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return Lost("deleted", None)
    model = workflow_id.removeprefix("model/")
    if found.status is WorkflowExecutionStatus.RUNNING:
        raise ConflictError(f"the lifecycle of '{model}' runs: nothing is lost", f"`modelops status {model}`")
    if found.status is WorkflowExecutionStatus.COMPLETED:
        raise RefusedError(f"the lifecycle of '{model}' has ended", f"`modelops history {model}` tells it all")
    heard = [one async for one in _heard(client, workflow_id, found.run_id)]
    since = min((found.start_time, *(one.at for one in heard)))
    how = found.status.name.lower().replace("_", " ") if found.status else "closed"
    return Lost(how, tuple(unrecorded(heard, recorded, since)))


async def _heard(client: Client, workflow_id: str, run_id: str) -> AsyncIterator[Heard]:
    """Every message in the history of a run, after those that the run before left to it unrecorded."""
    async for event in client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history_events():
        at, convert = event.event_time.ToDatetime(tzinfo=UTC), client.data_converter
        match event.WhichOneof("attributes"):
            case "workflow_execution_started_event_attributes":
                given = event.workflow_execution_started_event_attributes.input
                for one in await _left(convert, given):
                    yield one
            case "workflow_execution_signaled_event_attributes":
                signal = event.workflow_execution_signaled_event_attributes
                if message := await _message(convert, signal.signal_name, signal.input):
                    yield Heard(at, message, answered=False)
            case "workflow_execution_update_accepted_event_attributes":
                update = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
                if message := await _message(convert, update.name, update.args):
                    yield Heard(at, message, answered=True)


async def _left(convert: DataConverter, given: Payloads) -> list[Heard]:
    try:
        (began,) = await convert.decode(given.payloads, [LifecycleInput])
    except Exception:  # whatever is no input of ours has left nothing
        return []
    messages = [(entry.event.at, message_of(entry.event.body)) for entry in began.journal]
    return [Heard(at, message, answered=True) for at, message in messages if message]


async def _message(convert: DataConverter, name: str, given: Payloads) -> Message | None:
    """What was said; None if the lifecycle could not read it, either."""
    if name not in _SENT:
        return None
    try:
        (said,) = await convert.decode(given.payloads, [_SENT[name]])
    except Exception:  # a signal that does not fit its type never was an event
        return None
    return cast(Message, said)
