"""Versions are handed in to lifecycles by an update; a lifecycle that does not run is begun first."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from models.errors import RefusedError, UnavailableError
from models.messages import HandedIn, Receipt

Begin = Callable[[str, str], Awaitable[None]]
"""Begins the lifecycle of a registered model on a template."""


class TemporalLifecycles:
    """Fits `Lifecycles`. Each answer may take so long (`patience`)."""

    def __init__(self, client: Client, begin: Begin, patience: timedelta) -> None:
        self._client = client
        self._begin = begin
        self._patience = patience

    async def hand_in(self, model: str, template: str, given: HandedIn) -> int:
        """Hand a version in; what happened is told by the number of the event. RefusedError, UnavailableError."""
        try:
            return await self._update(model, given)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise _unavailable(str(error)) from error
        await self._begin(model, template)
        try:
            return await self._update(model, given)
        except RPCError as error:
            raise _unavailable(str(error)) from error

    async def _update(self, model: str, given: HandedIn) -> int:
        handle = self._client.get_workflow_handle(f"model/{model}")
        try:
            receipt = await handle.execute_update(
                "submit_version", given, result_type=Receipt, rpc_timeout=self._patience
            )
        except WorkflowUpdateFailedError as error:
            raise RefusedError(str(error.cause), "sign for it anew, and register it again") from error
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            raise _unavailable("no answer in time") from error
        return Receipt.model_validate(receipt).seq


def _unavailable(said: str) -> UnavailableError:
    return UnavailableError(f"the lifecycle does not answer: {said}", "it is tried again in the next round")
