"""Lifecycles as the Temporal server knows them, and who polls a task queue."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from models.errors import UnavailableError
from models.reconciliation import Execution, Place
from models.state import Phase
from models.status import Status

_AT_ONCE = 8
_PREFIX = "model/"
_KINDS = (TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)


class TemporalExecutions:
    """Fits `Executions`. `attribute` finds the executions of lifecycles; each has so much `patience`."""

    def __init__(self, client: Client, attribute: str, patience: timedelta) -> None:
        self._client = client
        self._attribute = attribute
        self._patience = patience

    async def look(self, models: Iterable[str]) -> Mapping[str, Execution]:
        """The executions of some models, with their places, and every other one that is open; UnavailableError."""
        asked, at_once = frozenset(models), asyncio.Semaphore(_AT_ONCE)

        async def described(model: str) -> tuple[str, Execution | None]:
            async with at_once:
                return model, await self._describe(model, asks=model in asked)

        try:
            names = asked | {name async for name in self._open()}
            found = await asyncio.gather(*map(described, sorted(names)))
        except RPCError as error:
            raise _unavailable(error) from error
        return {model: execution for model, execution in found if execution}

    async def pollers(self, queue: str) -> frozenset[str]:
        """The identities that polled a task queue in the last minutes, for whatever; UnavailableError."""
        found = set[str]()
        for kind in _KINDS:
            request = DescribeTaskQueueRequest(
                namespace=self._client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
            )
            try:
                answer = await self._client.workflow_service.describe_task_queue(request, timeout=self._patience)
            except RPCError as error:
                raise _unavailable(error) from error
            found |= {poller.identity for poller in answer.pollers}
        return frozenset(found)

    async def _open(self) -> AsyncIterator[str]:
        query = f"{self._attribute} IS NOT NULL AND ExecutionStatus = 'Running'"
        async for one in self._client.list_workflows(query):
            if one.id.startswith(_PREFIX):
                yield one.id.removeprefix(_PREFIX)

    async def _describe(self, model: str, asks: bool) -> Execution | None:
        handle = self._client.get_workflow_handle(f"{_PREFIX}{model}")
        try:
            found = await handle.describe(rpc_timeout=self._patience)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        fate = found.status.name.lower().replace("_", " ") if found.status else "unknown"
        seen = Execution(fate, found.start_time)
        return await self._ask(found, seen) if asks and seen.runs else seen

    async def _ask(self, found: WorkflowExecutionDescription, seen: Execution) -> Execution:
        handle = self._client.get_workflow_handle(found.id)
        try:
            status = await handle.query("status", result_type=Status, rpc_timeout=self._patience)
        except (RPCError, WorkflowQueryFailedError):
            return seen._replace(silent=True)
        place = Place(status.stage, status.visit, status.seq, status.phase is Phase.ENDED)
        return seen._replace(place=place)


def _unavailable(error: RPCError) -> UnavailableError:
    return UnavailableError(f"the Temporal server does not answer: {error.message}", "is the server up? then retry")
