"""Temporal's errors in our words: what happened, and what to do about it."""

from temporalio.client import Client
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from models.errors import (
    ConflictError,
    DigestMismatchError,
    InvalidInputError,
    MissingColumnError,
    ModelopsError,
    NotPermittedError,
    RefusedError,
    SignatureError,
    UnavailableError,
    UnknownNameError,
)
from models.messages import Failure
from workflows.failures import failure_of

_KINDS: tuple[type[ModelopsError], ...] = (
    ConflictError,
    DigestMismatchError,
    InvalidInputError,
    MissingColumnError,
    NotPermittedError,
    SignatureError,
    UnavailableError,
    UnknownNameError,
)
_OURS = {kind.__name__: kind for kind in _KINDS} | {"Refused": RefusedError}
_DENIED = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED)


def rebuilt(cause: BaseException) -> ModelopsError:
    """Our error as it was before it travelled through Temporal."""
    if isinstance(cause, ActivityError | ApplicationError):
        failure = failure_of(cause)
    else:
        failure = Failure(type=type(cause).__name__, message=str(cause))
    kind = _OURS.get(failure.type)
    if kind is None:
        return UnavailableError(f"{failure.type}: {failure.message}", failure.remedy or "the worker's log says more")
    return kind(failure.message, failure.remedy)


def server_error(client: Client, error: RPCError) -> ModelopsError:
    """What the server itself has against a call."""
    where = f"the Temporal server at {client.service_client.config.target_host}"
    if error.status is RPCStatusCode.INVALID_ARGUMENT:
        return InvalidInputError(f"{where} refuses this: {error.message}", "a worker registers what is missing")
    if error.status in _DENIED:
        return InvalidInputError(f"{where} does not let us in: {error.message}", "check MODELOPS_TEMPORAL_API_KEY")
    if error.status is RPCStatusCode.NOT_FOUND:
        return InvalidInputError(f"{where} says: {error.message}", "check MODELOPS_TEMPORAL_NAMESPACE")
    return UnavailableError(f"{where} does not answer: {error.message}", "is `modelops up` running? then try again")
