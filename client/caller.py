"""Calls that end: each is answered, or fails within seconds and says whose silence it was."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pydantic import ValidationError
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import TerminatedError
from temporalio.service import RPCError, RPCStatusCode

from client.failures import rebuilt, server_error
from models.errors import InvalidInputError, ModelopsError, RefusedError, UnavailableError, UnknownNameError

CALL_TIMEOUT = timedelta(seconds=10)
"""One question to the server or, through it, to a worker."""

_POLL_TIMEOUT = timedelta(seconds=75)
"""A worker that lives polls at least this often: a poll lasts up to 60 s."""

_PATIENCE = 2.0
"""Seconds after which somebody who waits is told so, or that there is no worker."""

_SILENT = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.FAILED_PRECONDITION)

T = TypeVar("T")


class Caller:
    """Speaks to executions through one server, and to the workers of one task queue; `tell` hears why it takes long."""

    def __init__(self, client: Client, queue: str, tell: Callable[[str], None] | None = None) -> None:
        self.client = client
        self.queue = queue
        self._tell = tell

    @asynccontextmanager
    async def translated(self, workflow_id: str, note: str = "") -> AsyncIterator[None]:
        """Raise our errors instead of Temporal's. `note` is said of a message that nobody has answered in time."""
        try:
            yield
        except (WorkflowUpdateFailedError, WorkflowFailureError) as error:
            raise rebuilt(error.cause) from error
        except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
            raise await self._query_failed(workflow_id, error) from error
        except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError) as error:
            raise await self._silence(workflow_id, note) from error
        except RPCError as error:
            raise await self._rpc_failed(workflow_id, error, note) from error
        except ValidationError as error:
            raise InvalidInputError(
                f"the answer of '{workflow_id}' cannot be read: {error.errors()[0]['msg']}",
                "client and worker are of different versions: use the same",
            ) from error

    async def answer(self, workflow_id: str, asked: Coroutine[Any, Any, T], within: timedelta, note: str = "") -> T:
        """What a worker answers. That no worker polls is said early, not when patience ends."""
        task = asyncio.ensure_future(asked)
        try:
            async with asyncio.timeout(within.total_seconds()):
                done, _ = await asyncio.wait({task}, timeout=_PATIENCE)
                if not done:
                    await self._explain(workflow_id, note)
                return await task
        except TimeoutError as error:
            raise await self._silence(workflow_id, note, within) from error
        finally:
            task.cancel()

    async def _explain(self, workflow_id: str, note: str) -> None:
        """Say what a call waits for; that there is no worker ends it."""
        polled = await self.last_poll()
        if polled is None:
            raise await self._silence(workflow_id, note)
        if self._tell:
            self._tell(f"Waiting for a worker: the last one asked for work {_seconds_since(polled):.0f} s ago.")

    async def last_poll(self) -> datetime | None:
        """When a worker last asked for work; None if none has for longer than a living one would wait."""
        request = DescribeTaskQueueRequest(
            namespace=self.client.namespace,
            task_queue=TaskQueue(name=self.queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        answer = await self.client.workflow_service.describe_task_queue(request, timeout=CALL_TIMEOUT)
        polls = [poller.last_access_time.ToDatetime(tzinfo=UTC) for poller in answer.pollers]
        newest = max(polls, default=None)
        return newest if newest and _seconds_since(newest) < _POLL_TIMEOUT.total_seconds() else None

    async def _silence(self, workflow_id: str, note: str, within: timedelta = CALL_TIMEOUT) -> ModelopsError:
        """Why nobody answered: no worker, a worker that cannot carry the workflow on, or slowness."""
        try:
            polled, attempt = await self.last_poll(), await self._attempt(workflow_id)
        except RPCError as error:
            return server_error(self.client, error)
        if polled is None:
            return UnavailableError(
                f"no worker is polling task queue '{self.queue}'.{note}",
                "start one with `modelops up` or `python -m worker`, then try again",
            )
        if attempt > 1:
            return UnavailableError(
                f"the worker fails to carry '{workflow_id}' on, in attempt {attempt}.{note}",
                "the worker's log and the Web UI's event history say why; nothing is lost meanwhile",
            )
        return UnavailableError(
            f"no answer within {within.total_seconds():g} s; a worker polled task queue '{self.queue}' "
            f"{_seconds_since(polled):.0f} s ago.{note}",
            "if it was stopped since, start one with `modelops up` or `python -m worker`; if it is busy, try again",
        )

    async def _attempt(self, workflow_id: str) -> int:
        found = await self.describe(workflow_id)
        return int(found.raw_description.pending_workflow_task.attempt) if found else 0

    async def describe(self, workflow_id: str) -> WorkflowExecutionDescription | None:
        """What the server says of an execution without asking a worker; None if it has none. RPCError."""
        try:
            return await self.client.get_workflow_handle(workflow_id).describe(rpc_timeout=CALL_TIMEOUT)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise

    async def _query_failed(self, workflow_id: str, error: Exception) -> ModelopsError:
        ended = await self._ended(workflow_id)
        return ended or InvalidInputError(f"'{workflow_id}' cannot answer: {error}", "the worker's log says why")

    async def _rpc_failed(self, workflow_id: str, error: RPCError, note: str) -> ModelopsError:
        if error.status in _SILENT:
            return await self._silence(workflow_id, note)
        if error.status is RPCStatusCode.NOT_FOUND and "amespace" not in error.message:
            return await self._ended(workflow_id) or _unknown(workflow_id)
        return server_error(self.client, error)

    async def _ended(self, workflow_id: str) -> ModelopsError | None:
        """That an execution is over, and why; None if it goes on or never was."""
        try:
            found = await self.describe(workflow_id)
            if found is None or found.close_time is None:
                return None
            when = f"{found.close_time:%Y-%m-%d %H:%M} UTC"
            async with asyncio.timeout(CALL_TIMEOUT.total_seconds()):
                await self.client.get_workflow_handle(workflow_id, run_id=found.run_id).result(follow_runs=False)
        except WorkflowFailureError as failure:
            model = workflow_id.removeprefix("model/")
            how = "was terminated" if isinstance(failure.cause, TerminatedError) else "ended by a failure"
            return RefusedError(
                f"'{workflow_id}' {how} at {when}: {failure.cause}",
                f"the Web UI shows how; `modelops rebuild {model}` goes on from where the record says it was",
            )
        except RPCError as error:
            return server_error(self.client, error)
        return RefusedError(f"'{workflow_id}' ended at {when}: the model is retired", "`modelops history` tells it all")


def _unknown(workflow_id: str) -> UnknownNameError:
    kind, _, model = workflow_id.partition("/")
    if kind != "model":
        return UnknownNameError(f"the Temporal server has no '{workflow_id}'", "`modelops list` shows the models")
    return UnknownNameError(
        f"no model '{model}' has a lifecycle on the Temporal server",
        "`modelops list` shows which are registered; `modelops model register FILE`, then `modelops start`; "
        "`modelops rebuild` goes on with one that is lost",
    )


def _seconds_since(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()
