"""The endpoints of the inference server; what each is for is written in `worker.inference`."""

import asyncio
import contextlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from models.canonical import Slug
from models.errors import (
    ConflictError,
    InvalidInputError,
    ModelopsError,
    NotPermittedError,
)
from models.inventory import Environment
from worker.inference_errors import http_error, our_error
from worker.inference_protocol import answer, parse_request, read_columns
from worker.mirror import Copy
from worker.model_repository import ModelRepository
from worker.orders import DivisionBody, IndexBody, Order, OrderBody, UnloadBody, parse_body, read_period, read_query
from worker.router import Router
from worker.served_model import ServedModel
from worker.traffic_log import TrafficLog

SERVER = {"name": "modelops-inference", "version": "1.0"}
EXTENSIONS = [
    "model_repository",
    "modelops_switch",
    "modelops_divide",
    "modelops_sample",
    "modelops_traffic",
    "modelops_service",
    "modelops_effects",
]
MAX_BODY = 32 * 1024 * 1024

_JSON = "application/json"
_SMALL = 8 * 1024
_COOL_EVERY = 60.0
_NAME: TypeAdapter[str] = TypeAdapter(Slug)
_Answer = TypeVar("_Answer")


class InferenceServer:
    """The protocol's endpoints over one model repository."""

    def __init__(self, repository: ModelRepository, log: TrafficLog, token: str) -> None:
        self._repository = repository
        self._log = log
        self._router = Router(log)
        self._token = token.encode()

    @contextlib.asynccontextmanager
    async def running(self, app: Starlette) -> AsyncIterator[None]:
        """What goes on beside the requests."""
        self._log.start()
        self._router.mirror.start()
        cooling = asyncio.create_task(self._cool())
        yield
        cooling.cancel()
        await run_in_threadpool(self._router.mirror.stop)
        await run_in_threadpool(self._log.stop)

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
        more = {"dropped_lines": self._log.dropped, "dropped_copies": self._router.mirror.dropped}
        return JSONResponse(describe(model, self._repository.versions(model.name), more))

    async def model_ready(self, request: Request) -> Response:
        """200 if the model can answer, else 404 or 503."""
        return JSONResponse({"name": self._model(request).name, "ready": True})

    async def sample(self, request: Request) -> Response:
        """A request that this version must be able to answer."""
        return JSONResponse(self._model(request).sample.model_dump(mode="json", exclude_defaults=True))

    async def infer(self, request: Request) -> Response:
        """Predictions: of the version that is named, else of whoever answers for the model."""
        body = await request.body()
        if "version" in request.path_params:
            model = self._model(request)
            reply = await run(partial(infer, model, body), body, model)
            return Response(reply, media_type=_JSON)
        route = self._repository.route(request.path_params["name"])
        answered = await run(partial(self._router.answer, route, body), body, route.champion, route.challenger)
        after = BackgroundTask(self._mirror, answered.copy) if answered.copy else None
        return Response(answered.body, media_type=_JSON, background=after)

    async def traffic(self, request: Request) -> Response:
        """What was answered, as newline-delimited JSON."""
        self._authorize(request)
        name, asked = _model_name(request), read_query(request.query_params)
        lines = self._log.read(name, asked.since, frozenset(asked.versions), asked.position)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    async def service(self, request: Request) -> Response:
        """How a version answered in a period: counts, and nothing of whom it was about."""
        name, period = _model_name(request), read_period(request.query_params)
        report = await run_in_threadpool(self._log.count, name, request.path_params["version"], period)
        return JSONResponse(report.model_dump(mode="json"))

    async def index(self, request: Request) -> Response:
        """What is loaded, and what was withdrawn."""
        body = await request.body()
        wanted = parse_body(IndexBody, body or b"{}")
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

    async def divide(self, request: Request) -> Response:
        """Have a loaded bundle answer a share of the requests beside the default, or none."""
        self._authorize(request)
        name, order = _model_name(request), parse_body(DivisionBody, await _json_body(request)).parameters
        self._check_environment(order.environment)
        return JSONResponse({"divided": await run_in_threadpool(self._repository.divide, name, order)})

    async def unload(self, request: Request) -> Response:
        """Withdraw a model, or drop one bundle that is beside."""
        self._authorize(request)
        name, order = _model_name(request), parse_body(UnloadBody, await _json_body(request)).parameters
        self._check_environment(order.environment)
        if order.bundle:
            done = await run_in_threadpool(self._repository.discard, name, order.bundle)
        elif order.idempotency_key:
            done = await run_in_threadpool(self._repository.withdraw, name, order.idempotency_key)
        else:
            raise InvalidInputError("parameters.idempotency_key is needed to unload a model")
        return JSONResponse({"unloaded": done})

    async def effects(self, request: Request) -> Response:
        """The switches, divisions and unloads that were applied, oldest first."""
        return JSONResponse([effect.model_dump(mode="json") for effect in self._repository.effects()])

    async def _mirror(self, copy: Copy) -> None:
        """A coroutine, or Starlette would hand it to another thread, which takes longer than the answer."""
        self._router.mirror.add(copy)

    async def _cool(self) -> None:
        while True:
            await run_in_threadpool(self._repository.cool)
            await asyncio.sleep(_COOL_EVERY)

    def _model(self, request: Request) -> ServedModel:
        return self._repository.served(request.path_params["name"], request.path_params.get("version"))

    async def _order(self, request: Request) -> tuple[str, Order]:
        self._authorize(request)
        order = parse_body(OrderBody, await _json_body(request)).parameters
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


def create_app(repository: ModelRepository, log: TrafficLog, token: str) -> Starlette:
    """The server as an ASGI application; who has the token may change what it serves."""
    server = InferenceServer(repository, log, token)
    routes = [_post("/v2/models/{name}/infer", server.infer)]
    routes += [_get("/v2", server.describe_server), _get("/v2/", server.describe_server)]
    routes += [_get("/v2/health/live", server.live), _get("/v2/health/ready", server.ready)]
    for model in ("/v2/models/{name}", "/v2/models/{name}/versions/{version:int}"):
        routes += [_get(model, server.describe_model), _get(f"{model}/ready", server.model_ready)]
    routes += [_post("/v2/models/{name}/versions/{version:int}/infer", server.infer)]
    routes += [_get("/v2/models/{name}/versions/{version:int}/sample", server.sample)]
    routes += [_get("/v2/models/{name}/traffic", server.traffic)]
    routes += [_get("/v2/models/{name}/versions/{version:int}/service", server.service)]
    routes += [_post("/v2/repository/index", server.index), _get("/effects", server.effects)]
    for verb in (server.load, server.unload, server.switch, server.divide):
        routes += [_post(f"/v2/repository/models/{{name}}/{verb.__name__}", verb)]
    handlers = {HTTPException: http_error, ModelopsError: our_error}
    return Starlette(routes=routes, exception_handlers=handlers, lifespan=server.running, max_body_size=MAX_BODY)


def describe(model: ServedModel, versions: Iterable[int], more: Mapping[str, int] = MappingProxyType({})) -> object:
    """What the protocol says of a model, with what else a server has to say of it."""
    return {
        "name": model.name,
        "versions": [str(version) for version in versions],
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
            "contract": model.contract.model_dump(mode="json"),
            **more,
        },
    }


def infer(model: ServedModel, body: bytes) -> bytes:
    """The predictions for a request, as a response's body; InvalidInputError, ModelopsError if the model fails."""
    request = parse_request(body)
    return answer(request, model.name, model.version, model.predict(read_columns(request, model.columns)))


async def run(work: Callable[[], _Answer], body: bytes, *models: ServedModel | None) -> _Answer:
    """A small request costs less than the way to another thread and back; any other must not hold up the others."""
    if len(body) <= _SMALL and all(model is None or model.quick for model in models):
        return work()
    return await run_in_threadpool(work)


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
