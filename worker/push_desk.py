"""The HTTP answer to an application that sends values of business metrics.

    POST /v1/metrics/SOURCE    a value or a list of them, with the source's bearer token (RFC 6750)
                               200 {"taken": how many, "new": how many of them were not there before}

All of a request is kept, or none. Errors are {"error": what happened and where, "remedy": what to do}: 400 no JSON; 401
no such source, or not its token; 405 not by POST; 409 another value of that moment is kept already; 413 too large; 422
what does not fit; 503 not now.
"""

import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from activities.adapters.sql_pushes import SqlPushes
from activities.metric_ports import Pushes
from models.errors import (
    ConflictError,
    InvalidInputError,
    MalformedError,
    ModelopsError,
    NotPermittedError,
    UnavailableError,
)
from models.metrics import Metrics, PushSource
from models.pushed import LARGEST, read_pushed
from worker.http_errors import no
from worker.metrics import read_metrics
from worker.settings import Settings, read_secret

_SHORTEST = 16
"""A token of fewer characters would be guessed."""
_STATUS: dict[type[ModelopsError], int] = {MalformedError: 400, ConflictError: 409, UnavailableError: 503}

log = structlog.stdlib.get_logger("modelops.push")


class Drawer(NamedTuple):
    """Where the values of one source are kept, and who may put some in: who has the token."""

    pushes: Pushes
    token: Callable[[], str]


class PushDesk:
    """Takes values, each source's with its own token."""

    def __init__(self, metrics: Metrics, drawers: Mapping[str, Drawer]) -> None:
        self._metrics = metrics
        self._drawers = drawers

    def routes(self) -> list[Route]:
        """What it answers."""
        return [Route("/v1/metrics/{source}", self._push, methods=["POST"])]

    async def _push(self, request: Request) -> Response:
        source = request.path_params["source"]
        try:
            drawer = self._drawers.get(source)
            if drawer is None or not _knows(request, drawer.token):
                return _refused(401, _stranger(source))
            body = await _body(request)
            if body is None:
                return _refused(413, ModelopsError(f"at most {LARGEST} bytes are taken at once", "send it in parts"))
            values = read_pushed(body, source, self._metrics, datetime.now(UTC))
            new = await run_in_threadpool(drawer.pushes.keep, values)
        except ModelopsError as error:
            return _refused(_STATUS.get(type(error), 422), error)
        log.info("taken", source=source, values=len(values), new=new)
        return JSONResponse({"taken": len(values), "new": new})


def _stranger(source: str) -> NotPermittedError:
    """The same of a source that is not there."""
    return NotPermittedError(
        f"'{source}' takes values from whoever has its token: this is not it",
        "send the header 'Authorization: Bearer TOKEN'; MODELOPS_METRICS says which sources there are, and where the "
        "token of each is",
    )


def _knows(request: Request, token: Callable[[], str]) -> bool:
    try:
        expected = token()
    except InvalidInputError as error:
        log.error("no token", reason=str(error))
        raise UnavailableError("the token of this source cannot be read here", "the log says more") from error
    if len(expected) < _SHORTEST:
        raise UnavailableError(f"the token of this source has less than {_SHORTEST} characters", "make a longer one")
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), expected.encode())


async def _body(request: Request) -> bytes | None:
    """None if it is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            return None
    return bytes(body)


def _refused(status: int, error: ModelopsError) -> Response:
    log.warning("refused", status=status, why=str(error))
    return no(status, error, {"WWW-Authenticate": "Bearer"} if status == 401 else None)


def desk_of(settings: Settings) -> PushDesk:
    """The desk for all sources that are pushed to, as configured; InvalidInputError."""
    metrics = read_metrics(settings)
    drawers = {
        name: Drawer(SqlPushes(name, settings.database, said.keep), partial(read_secret, said.token))
        for name, said in metrics.sources.items()
        if isinstance(said, PushSource)
    }
    return PushDesk(metrics, drawers)
