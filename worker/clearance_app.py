"""The HTTP answer to "may this digest enter that environment?", and GitHub's deployment protection rule.

    GET  /v1/clearance?digest=sha256:...&environment=PROD[&nonce=...]   200 yes, 403 no: a signed envelope either way
    POST /v1/github/deployment-protection-rule                          GitHub's webhook; 202, the answer follows
    POST /v1/metrics/SOURCE                                             values of business metrics: `worker.push_desk`
    GET  /healthz

Errors are {"error": what happened and where, "remedy": what to do}: 400 the question is wrong, 401 a webhook that
GitHub has not signed, 404 nothing is there, 405 not by this method, 503 not now. Nothing but 200 is a yes.
"""

import asyncio
from collections.abc import Sequence

import structlog
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from activities.clearance import Clearances
from models.clearance_check import read_clearance
from models.clearance_statement import Question
from models.errors import (
    DigestMismatchError,
    InvalidInputError,
    ModelopsError,
    NotPermittedError,
    UnavailableError,
    UnknownNameError,
)
from worker.github_gate import GithubGate, Wanted
from worker.http_errors import broken, lost, no

_AT_ONCE = 4
_LARGEST = 2 * 1024 * 1024
_NAMES = {"subject": "digest"}
_STATUS: dict[type[ModelopsError], int] = {
    DigestMismatchError: 503,
    NotPermittedError: 401,
    UnknownNameError: 404,
    UnavailableError: 503,
}

log = structlog.stdlib.get_logger("modelops.clearance")


class ClearanceApp:
    """The routes. A question tells a record anew, which takes its time: a few are answered at once, the others wait."""

    def __init__(self, clearances: Clearances, github: GithubGate | None = None, others: Sequence[Route] = ()) -> None:
        """`others` are answered beside its own."""
        self._clearances = clearances
        self._others = others
        self._github = github
        self._busy = asyncio.Semaphore(_AT_ONCE)

    def build(self) -> Starlette:
        """The application."""
        routes = [
            Route("/v1/clearance", self._clearance, methods=["GET"]),
            Route("/v1/github/deployment-protection-rule", self._protection_rule, methods=["POST"]),
            Route("/healthz", _healthy, methods=["GET"]),
            *self._others,
        ]
        handlers = {ModelopsError: _our_error, HTTPException: lost, Exception: broken}
        return Starlette(routes=routes, exception_handlers=handlers)

    async def _clearance(self, request: Request) -> Response:
        asked = _question(request)
        async with self._busy:
            envelope = await run_in_threadpool(self._clearances.ask, asked)
        verdict = read_clearance(envelope).verdict
        log.info("asked", subject=asked.subject, environment=asked.environment.value, verdict=verdict)
        return Response(envelope.model_dump_json(), 200 if verdict == "yes" else 403, media_type="application/json")

    async def _protection_rule(self, request: Request) -> Response:
        if self._github is None:
            raise UnknownNameError("no GitHub App is configured", "set MODELOPS_GITHUB")
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > _LARGEST:
                raise InvalidInputError(f"a webhook has at most {_LARGEST} bytes")
        wanted = self._github.read(bytes(body), request.headers.get("x-hub-signature-256", ""))
        later = BackgroundTask(self._review, self._github, wanted) if wanted else None
        return JSONResponse({"taken": wanted is not None}, 202, background=later)

    async def _review(self, github: GithubGate, wanted: Wanted) -> None:
        async with self._busy:
            await run_in_threadpool(github.review, wanted)


def _question(request: Request) -> Question:
    given = request.query_params
    unknown = set(given) - {"digest", "environment", "nonce"}
    if unknown or len(given.multi_items()) != len(given):
        raise InvalidInputError("ask with digest, environment and nonce, once each", "see the documentation")
    try:
        return Question.model_validate(
            {"subject": given.get("digest"), "environment": given.get("environment"), "nonce": given.get("nonce")}
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = _NAMES.get(str(first["loc"][0]), str(first["loc"][0]))
        raise InvalidInputError(f"{name}: {first['msg']}", "ask ?digest=sha256:...&environment=PROD") from error


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("healthy")


async def _our_error(_: Request, error: Exception) -> Response:
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)
    return no(status, error if isinstance(error, ModelopsError) else ModelopsError(str(error)))
