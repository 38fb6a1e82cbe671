"""The server of one bundle, in a container of KServe or SageMaker: `python -m worker.container [serve]`.

What those put beside it, the bundle as an OCI image layout, is verified and loaded: every byte, and its signature.
It answers as both ask (at port 8080):

    GET  /v2, /v2/health/live, /v2/health/ready            Open Inference Protocol v2, which KServe asks
    GET  /v2/models/{name}, /v2/models/{name}/ready
    POST /v2/models/{name}/infer
    GET  /ping                                             "Custom Inference Code with Hosting Services", which
    POST /invocations                                      SageMaker asks; bodies as for /infer

whatever name it is asked by: KServe has names of its own.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from activities.adapters.oci_bundles import verified
from activities.adapters.oci_layout import OciLayout
from models.errors import ModelopsError, UnknownNameError
from worker.inference_endpoints import MAX_BODY, SERVER, describe, infer, run
from worker.inference_errors import http_error, our_error
from worker.keeping import public_keys
from worker.served_model import ServedModel, served

PORT = 8080
PLACES = (Path("/mnt/models"), Path("/opt/ml/model"))
"""Where KServe and SageMaker put what they have fetched."""
SIGNERS = Path("/etc/modelops/bundle.pub")
CANNOT_START = 2

_LOG = logging.getLogger("modelops.container")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped; 2 if it cannot start, with one line on stderr that says why."""
    options = read_options(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        model = load(options.bundle, options.signers)
    except ModelopsError as error:
        sys.stderr.write(f"cannot start: {error}: {error.remedy}\n")
        return CANNOT_START
    _LOG.info("version %d of %s answers at port %d", model.version, model.name, options.port)
    uvicorn.run(create_app(model), host=options.host, port=options.port, log_level="warning", access_log=False)
    return 0


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What the server is started with; argparse ends the process if it makes no sense."""
    parser = argparse.ArgumentParser(prog="python -m worker.container", description="The server of one bundle.")
    parser.add_argument("serve", nargs="?", choices=["serve"], help="as SageMaker starts it; it makes no difference")
    parser.add_argument("--bundle", type=Path, help=f"the folder of the bundle (default: {PLACES[0]} or {PLACES[1]})")
    parser.add_argument(
        "--signers", type=Path, default=SIGNERS, help="the public keys whose bundles are served, by line"
    )
    parser.add_argument("--host", default="0.0.0.0", help="the address to listen on (default: all)")  # noqa: S104 - a container's own
    parser.add_argument("--port", type=int, default=PORT)
    return parser.parse_args(arguments)


def load(folder: Path | None, signers: Path) -> ServedModel:
    """The model of the bundle in a folder; SignatureError, DigestMismatchError, UnknownNameError, InvalidInputError."""
    place = folder or next((one for one in PLACES if one.is_dir()), None)
    if place is None:
        raise UnknownNameError(f"there is no bundle in {' or '.join(map(str, PLACES))}", "mount it, or say --bundle")
    layout = OciLayout(place)
    content, _ = verified(layout, layout.bundle, public_keys(signers))
    return served(content)


class OneModel:
    """The endpoints of a server that has just one model."""

    def __init__(self, model: ServedModel) -> None:
        self._model = model

    async def describe_server(self, request: Request) -> Response:
        """The server's name and version."""
        return JSONResponse({**SERVER, "extensions": []})

    async def well(self, request: Request) -> Response:
        """200: it would not answer at all if its model were not loaded."""
        return JSONResponse({"live": True, "ready": True})

    async def describe_model(self, request: Request) -> Response:
        """The inputs and outputs of the model."""
        return JSONResponse(describe(self._model, [self._model.version]))

    async def infer(self, request: Request) -> Response:
        """Predictions."""
        body = await request.body()
        return Response(await run(partial(infer, self._model, body), body, self._model), media_type="application/json")


def create_app(model: ServedModel) -> Starlette:
    """The server as an ASGI application."""
    one = OneModel(model)
    well = ("/ping", "/v2/health/live", "/v2/health/ready", "/v2/models/{name}/ready")
    routes = [
        Route("/v2", one.describe_server),
        *(Route(path, one.well) for path in well),
        Route("/v2/models/{name}", one.describe_model),
        *(Route(path, one.infer, methods=["POST"]) for path in ("/invocations", "/v2/models/{name}/infer")),
    ]
    handlers = {HTTPException: http_error, ModelopsError: our_error}
    return Starlette(routes=routes, exception_handlers=handlers, max_body_size=MAX_BODY)


if __name__ == "__main__":
    sys.exit(main())
