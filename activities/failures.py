"""The one translator from our errors to Temporal's: what happened, what to do about it, whether retrying helps."""

from typing import NoReturn

from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from models.errors import ModelopsError

MESSAGE_LIMIT = 2_000
"""Characters of a failure message that enter a history."""


def to_application_error(error: ModelopsError) -> ApplicationError:
    """The same failure as Temporal carries it: type is our class, the first detail is the remedy."""
    return ApplicationError(
        str(error)[:MESSAGE_LIMIT],
        error.remedy[:MESSAGE_LIMIT],
        type=type(error).__name__,
        non_retryable=not error.retryable,
    )


class FailureTranslator(Interceptor):
    """Worker interceptor that translates at the boundary, for every activity."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Wrap the execution of one activity."""
        return _Translating(next)


class _Translating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> object:
        try:
            return await super().execute_activity(input)
        except ModelopsError as error:
            _raise(error)


def _raise(error: ModelopsError) -> NoReturn:
    raise to_application_error(error) from None
