"""The inference server of one environment: `python -m worker.inference --environment PROD --port 8503 ...`.

Open Inference Protocol v2 over REST for every model of the environment, and the model repository extension

    POST /v2/repository/index                    what is loaded; {"ready": true} for what can answer
    POST /v2/repository/models/{name}/load       a bundle beside the default: versions/{v}/infer answers
    POST /v2/repository/models/{name}/unload     with a key, the model; with a bundle, only that one if it is beside

whose bodies are {"parameters": {"version": "2", "bundle": "sha256:...", "idempotency_key": "..."}}. Our own are

    POST /v2/repository/models/{name}/switch     a loaded bundle becomes the default; the one before stays loaded
    GET  /v2/models/{name}/versions/{v}/sample   an inference request that the version must be able to answer
    GET  /effects                                the switches and unloads that were applied, once per key

Load, unload and switch need the deploy token (RFC 6750: `Authorization: Bearer ...`), which the server is started with
in MODELOPS_DEPLOY_TOKEN; everything else is open to whoever reaches it, which is this machine unless told otherwise.

Errors are {"error": "..."}: 400 the request is wrong, 401 it changes something and has not the token, 404 no such model
or version, 409 it contradicts what is there, 503 not now, 500 the model itself failed.
"""

import argparse
import contextlib
import fcntl
import hmac
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

import uvicorn
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.oci_bundles import OciBundles
from models.canonical import Digest, Slug
from models.errors import (
    ConflictError,
    InvalidInputError,
    ModelopsError,
    NotPermittedError,
    UnavailableError,
    UnknownNameError,
)
from models.inventory import Environment
from worker.inference_protocol import answer, describe, parse_request, read_columns
from worker.keeping import public_keys
from worker.model_repository import ModelRepository, Order
from worker.served_model import ServedModel
from worker.settings import read_settings

SERVER = {"name": "modelops-inference", "version": "1.0"}
EXTENSIONS = ["model_repository", "modelops_switch", "modelops_sample", "modelops_effects"]
MAX_BODY = 32 * 1024 * 1024
ALREADY_RUNNING = 2

UNAUTHORIZED = 401

_STATUS = {
    UnavailableError: 503,
    UnknownNameError: 404,
    ConflictError: 409,
    NotPermittedError: UNAUTHORIZED,
    InvalidInputError: 400,
    ModelopsError: 500,
}
_NAME: TypeAdapter[str] = TypeAdapter(Slug)
_LOG = logging.getLogger("modelops.inference")
_Body = TypeVar("_Body", bound=BaseModel)


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OrderBody(_Closed):
    """The body of load and switch."""

    parameters: Order


class Unload(_Closed):
    """`bundle` drops one bundle that is beside; without it the model is withdrawn, which needs a key."""

    bundle: Digest | None = None
    idempotency_key: str = ""
    environment: Environment | None = None


class UnloadBody(_Closed):
    """The body of unload."""

    parameters: Unload


class IndexBody(BaseModel):
    """The body of index."""

    ready: bool = False


class InferenceServer:
    """The protocol's endpoints over one model repository."""

    def __init__(self, repository: ModelRepository, token: str) -> None:
        self._repository = repository
        self._token = token.encode()

    async def describe_server(self, request: Request) -> Response:
        """The server's name, version, extensions and environment."""
        return JSONResponse({**SERVER, "extensions": EXTENSIONS, "environment": self._repository.environment})

    async def live(self, request: Request) -> Response:
        """200 while the process answers."""
        return JSONResponse({"live": True})

    async def ready(self, request: Request) -> Response:
        """200 if every version that should be loaded is, else 503."""
        ready = self._repository.ready()
        return JSONResponse({"live": True, "ready": ready}, 200 if ready else 503)

    async def describe_model(self, request: Request) -> Response:
        """The inputs and outputs of a model; `parameters` tells version, bundle, columns and threshold."""
        model = self._model(request)
        return JSONResponse(
            {
                "name": model.name,
                "versions": [str(version) for version in self._repository.versions(model.name)],
                "platform": model.platform,
                "inputs": [{"name": name, "datatype": kind, "shape": shape} for name, kind, shape in model.inputs],
                "outputs": [
                    {"name": "score", "datatype": "FP32", "shape": [-1]},
                    {"name": "label", "datatype": "INT64", "shape": [-1]},
                ],
                "parameters": {
                    "version": str(model.version),
                    "bundle": model.bundle,
                    "columns": model.columns,
                    "threshold": model.contract.threshold,
                },
            }
        )

    async def model_ready(self, request: Request) -> Response:
        """200 if the model can answer, else 404 or 503."""
        return JSONResponse({"name": self._model(request).name, "ready": True})

    async def sample(self, request: Request) -> Response:
        """A request that this version must be able to answer."""
        return JSONResponse(self._model(request).sample.model_dump(mode="json", exclude_defaults=True))

    async def infer(self, request: Request) -> Response:
        """Predictions."""
        body, model = await request.body(), self._model(request)
        # a small request costs less than the way to another thread, a large one must not hold up the others
        result = await run_in_threadpool(_infer, model, body)
        return Response(result, media_type="application/json")

    async def index(self, request: Request) -> Response:
        """What is loaded, and what was withdrawn."""
        body = await request.body()
        wanted = _parse(IndexBody, body or b"{}")
        entries = [one for one in self._repository.index() if one.state == "READY" or not wanted.ready]
        return JSONResponse([entry.model_dump(mode="json") for entry in entries])

    async def load(self, request: Request) -> Response:
        """Load a bundle beside the default; `applied` tells that its switch happened before."""
        name, order = await self._order(request)
        report = await run_in_threadpool(self._repository.load, name, order)
        return JSONResponse(report.model_dump(mode="json"))

    async def switch(self, request: Request) -> Response:
        """Make a loaded bundle the default."""
        name, order = await self._order(request)
        return JSONResponse({"switched": await run_in_threadpool(self._repository.switch, name, order)})

    async def unload(self, request: Request) -> Response:
        """Withdraw a model, or drop one bundle that is beside."""
        self._authorize(request)
        name, order = _model_name(request), _parse(UnloadBody, await _json_body(request)).parameters
        self._check_environment(order.environment)
        if order.bundle:
            done = await run_in_threadpool(self._repository.discard, name, order.bundle)
        elif order.idempotency_key:
            done = await run_in_threadpool(self._repository.withdraw, name, order.idempotency_key)
        else:
            raise InvalidInputError("parameters.idempotency_key is needed to unload a model")
        return JSONResponse({"unloaded": done})

    async def effects(self, request: Request) -> Response:
        """The switches and unloads that were applied, oldest first."""
        return JSONResponse([effect.model_dump(mode="json") for effect in self._repository.effects()])

    def _model(self, request: Request) -> ServedModel:
        version = request.path_params.get("version")
        return self._repository.served(request.path_params["name"], version)

    async def _order(self, request: Request) -> tuple[str, Order]:
        self._authorize(request)
        order = _parse(OrderBody, await _json_body(request)).parameters
        self._check_environment(order.environment)
        return _model_name(request), order

    def _authorize(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), self._token):
            raise NotPermittedError(
                f"what {self._repository.environment} serves is changed by the actuator alone: this is not its token",
                "set the same MODELOPS_DEPLOY_TOKEN for the actuator and the inference servers",
            )

    def _check_environment(self, wanted: Environment | None) -> None:
        if wanted not in (None, self._repository.environment):
            raise ConflictError(f"this is the inference server of {self._repository.environment}, not of {wanted}")


def create_app(repository: ModelRepository, token: str) -> Starlette:
    """The server as an ASGI application; who has the token may change what it serves."""
    server = InferenceServer(repository, token)
    routes = [_get("/v2", server.describe_server), _get("/v2/", server.describe_server)]
    routes += [_get("/v2/health/live", server.live), _get("/v2/health/ready", server.ready)]
    for model in ("/v2/models/{name}", "/v2/models/{name}/versions/{version:int}"):
        routes += [_get(model, server.describe_model), _get(f"{model}/ready", server.model_ready)]
        routes += [_post(f"{model}/infer", server.infer)]
    routes += [_get("/v2/models/{name}/versions/{version:int}/sample", server.sample)]
    routes += [_post("/v2/repository/index", server.index), _get("/effects", server.effects)]
    for verb in (server.load, server.unload, server.switch):
        routes += [_post(f"/v2/repository/models/{{name}}/{verb.__name__}", verb)]
    handlers = {HTTPException: _http_error, ModelopsError: _our_error}
    return Starlette(routes=routes, exception_handlers=handlers, max_body_size=MAX_BODY)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped; 2 if it cannot start, with one line on stderr that says why."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        token = read_settings().token
        with _listen(options) as listener, _own(options):
            store = FileArtifactStore(options.store, allowed_roots=())
            bundles = OciBundles(store, partial(public_keys, options.signers))
            repository = ModelRepository(options.environment, options.root, bundles)
            return _serve(create_app(repository, token), repository.environment, listener)
    except ModelopsError as error:
        sys.stderr.write(f"{options.environment} cannot start: {error}: {error.remedy}\n")
        return ALREADY_RUNNING


def _serve(app: Starlette, environment: Environment, listener: socket.socket) -> int:
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5, lifespan="off")
    host, port = listener.getsockname()[:2]
    _LOG.info("%s serves at http://%s:%d", environment, host, port)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    description = "The inference server of one environment."
    parser = argparse.ArgumentParser(prog="python -m worker.inference", description=description)
    parser.add_argument("--environment", type=Environment, choices=list(Environment), required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: this machine only)")
    parser.add_argument("--root", type=Path, required=True, help="the folder of this server's state")
    parser.add_argument("--store", type=Path, required=True, help="the folder of the artifact store")
    parser.add_argument("--signers", type=Path, required=True, help="the public keys whose bundles are served, by line")
    return parser.parse_args(arguments)


def _listen(options: argparse.Namespace) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # asyncio turns Nagle's delay off (40 ms per answer) only where the protocol is given
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((options.host, options.port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else str(error)
        remedy = "stop what listens there, or choose another with --port"
        raise UnavailableError(f"port {options.port} of {options.host} is not free ({reason})", remedy) from error
    return listener


def _own(options: argparse.Namespace) -> IO[str]:
    """Hold the state's folder for as long as the process lives: two servers on one state would undo each other."""
    try:
        options.root.mkdir(parents=True, exist_ok=True)
        lock: IO[str] = (options.root / "lock").open("w")
    except OSError as error:
        raise UnavailableError(f"{options.root} cannot be used ({error.strerror})", "choose another --root") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise UnavailableError(f"another server uses {options.root}", "stop it, or choose another --root") from error
    return lock


def _infer(model: ServedModel, body: bytes) -> bytes:
    request = parse_request(body)
    return answer(request, model.name, model.version, model.predict(read_columns(request, model.columns)))


def _parse(kind: type[_Body], body: bytes) -> _Body:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise InvalidInputError(f"this is not a {kind.__name__}: {describe(error)}") from error


async def _json_body(request: Request) -> bytes:
    # only JSON: a page in a browser cannot send that to another origin without being allowed to
    if request.headers.get("content-type", "").split(";")[0] != "application/json":
        raise InvalidInputError("the content-type must be application/json")
    return await request.body()


def _model_name(request: Request) -> str:
    try:
        return _NAME.validate_python(request.path_params["name"])
    except ValidationError as error:
        raise InvalidInputError(f"'{request.path_params['name']}' is not a model's name") from error


def _get(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
    return Route(path, endpoint, methods=["GET"])


def _post(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
    return Route(path, endpoint, methods=["POST"])


async def _our_error(request: Request, error: Exception) -> Response:
    status = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
    remedy = error.remedy if isinstance(error, ModelopsError) else ""
    asks = {"www-authenticate": "Bearer"} if status == UNAUTHORIZED else None
    return JSONResponse({"error": f"{error}: {remedy}" if remedy else str(error)}, status, asks)


async def _http_error(request: Request, error: Exception) -> Response:
    status, detail = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, str(error))
    return JSONResponse({"error": f"{request.method} {request.url.path}: {detail}"}, status)


if __name__ == "__main__":
    sys.exit(main())
