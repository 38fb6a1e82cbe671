"""A failed activity as the kernel knows it."""

import asyncio

from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutError

from models.messages import Failure

_LIMIT = 1_000


def failure_of(error: BaseException) -> Failure:
    """Type, message and remedy of what made an activity fail for good, or kept it from being started."""
    cause = error.cause if isinstance(error, ActivityError) else error
    match cause:
        case ApplicationError():
            remedy = cause.details[0] if cause.details and isinstance(cause.details[0], str) else ""
            return Failure(type=cause.type or "Error", message=cause.message[:_LIMIT], remedy=remedy[:_LIMIT])
        case TimeoutError():
            message = f"no answer in time ({cause.type.name.lower().replace('_', ' ') if cause.type else 'timeout'})"
            return Failure(type="Timeout", message=message, remedy="is a worker running? then retry")
        case CancelledError() | asyncio.CancelledError():
            return Failure(type="Cancelled", message="stopped on request", remedy="")
        case _:
            return Failure(type=type(error).__name__, message=str(cause or error)[:_LIMIT], remedy="retry or abandon")
