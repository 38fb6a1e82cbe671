"""Speaking to a lifecycle whose worker, server or database may be gone just now."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta

from temporalio.client import (
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError

from models.canonical import digest
from models.inventory import VersionStatus
from models.messages import HandedIn, Receipt
from models.signing import Envelope
from models.state import Phase
from models.status import Status
from tests.temporal.house import House

RECOVERED_WITHIN = 60.0
ASKED_AGAIN_AFTER = timedelta(seconds=2)
SILENCE = (RPCError, TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError, WorkflowQueryFailedError)
"""What it is not to be answered."""


async def eventually(house: House, what: Callable[[Status], bool], within: float = RECOVERED_WITHIN) -> Status:
    """The first status that satisfies a condition, asked for however often nobody answers."""
    async with asyncio.timeout(within):
        while True:
            with contextlib.suppress(*SILENCE):
                status: Status = await house.handle.query("status", result_type=Status, rpc_timeout=ASKED_AGAIN_AFTER)
                if what(status):
                    return status
            await asyncio.sleep(0.05)


async def send(house: House, name: str, message: Envelope | HandedIn, turn: int = 0) -> Receipt:
    """Send, and wait a little for the answer; what was sent in the same turn before is asked after, not sent again."""
    async with asyncio.timeout(2 * ASKED_AGAIN_AFTER.total_seconds()):
        sent = house.handle.execute_update(name, message, id=f"{digest(message)}/{turn}", rpc_timeout=ASKED_AGAIN_AFTER)
        return Receipt.model_validate(await sent)


async def insist(house: House, name: str, message: Envelope | HandedIn) -> int:
    """Send until it is answered; how often it was not. What is refused when sent again was taken without an answer."""
    unanswered, turn = 0, 0
    while True:
        try:
            receipt = await send(house, name, message, turn)
        except SILENCE:
            unanswered += 1
        except WorkflowUpdateFailedError as error:
            if "cannot be found out now" in str(error.cause):
                turn += 1
                continue
            if not unanswered:
                raise
            return unanswered
        else:
            if name == "decide" and isinstance(message, Envelope):
                house.remember(message, receipt)
            return unanswered


def waits_at(gate: str) -> Callable[[Status], bool]:
    """Whether people are asked at a gate."""
    return lambda status: status.phase is Phase.DECIDING and status.gate is not None and status.gate.gate == gate


def steady_with(version: int) -> Callable[[Status], bool]:
    """Whether a version is the champion, and nothing is going on."""
    return lambda s: s.phase is Phase.STEADY and s.statuses.get(version) is VersionStatus.CHAMPION
