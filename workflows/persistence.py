"""Writing that must get through: however long it takes, in view of everybody, and without filling the history."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import options
from workflows.failures import failure_of

_SHOWN = 120

Tell = Callable[[str], None]
"""Told why something cannot be written just now, and nothing once it is."""


async def insist(
    method: Callable[..., Any],
    argument: object,
    summary: str,
    tell: Tell,
    within: timedelta = options.RECORD_TIMEOUT,
    in_vain: str = "",
) -> None:
    """Perform an activity until it succeeds; ApplicationError if trying again cannot mend its failure (`in_vain`)."""
    policy, pause = options.RECORD_RETRIES, options.RECORD_PAUSE
    while True:
        try:
            await workflow.execute_activity_method(
                method,
                argument,
                start_to_close_timeout=within,
                heartbeat_timeout=options.HEARTBEAT_TIMEOUT,
                retry_policy=policy,
                summary=summary,
            )
        except ActivityError as error:
            failure = failure_of(error)
            if failure.type == in_vain:
                raise ApplicationError(failure.message, failure.remedy, type=in_vain, non_retryable=True) from None
            tell(f"{failure.message} {failure.remedy}".strip())
            why = f"Not done yet: {summary[:_SHOWN]} ({failure.message[:_SHOWN]}); trying again"
            await workflow.sleep(pause, summary=why)
            policy, pause = options.RECORD_PATIENCE, min(2 * pause, options.RECORD_PAUSE_AT_MOST)
        else:
            tell("")
            return
