"""The inference server of one environment: `python -m worker.inference --environment PROD --port 8503 ...`.

Open Inference Protocol v2 over REST for every model of the environment, and the model repository extension

    POST /v2/repository/index                    what is loaded; {"ready": true} for what can answer
    POST /v2/repository/models/{name}/load       a bundle beside the default: versions/{v}/infer answers
    POST /v2/repository/models/{name}/unload     with a key, the model; with a bundle, only that one if it is beside

whose bodies are {"parameters": {"version": "2", "bundle": "sha256:...", "idempotency_key": "..."}}. Our own are

    POST /v2/repository/models/{name}/switch     a loaded bundle becomes the default; the one before stays warm
    POST /v2/repository/models/{name}/divide     a loaded bundle answers a share beside the default, or none does
    GET  /v2/models/{name}/versions/{v}/sample   an inference request that the version must be able to answer
    GET  /v2/models/{name}/traffic               what some versions answered since a moment, a line of JSON each
    GET  /v2/models/{name}/versions/{v}/service  how many requests it had in a period, how many failed, how late it was
    GET  /effects                                the switches, divisions and unloads that were applied, once per key

Load, unload, switch, divide and traffic need the deploy token (RFC 6750: `Authorization: Bearer ...`), which the server
is started with in MODELOPS_DEPLOY_TOKEN; everything else is open to whoever reaches it, which is this machine unless
told otherwise.

Errors are {"error": "..."}: 400 the request is wrong, 401 it changes something and has not the token, 404 no such model
or version, 409 it contradicts what is there, 503 not now, 500 the model itself failed.
"""

import argparse
import contextlib
import fcntl
import logging
import socket
import sys
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import IO

import uvicorn
from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.oci_bundles import OciBundles
from models.canonical import Duration
from models.errors import ModelopsError, UnavailableError
from models.inventory import Environment
from worker.inference_endpoints import create_app
from worker.keeping import public_keys
from worker.model_repository import WARM, ModelRepository
from worker.settings import read_settings
from worker.traffic_log import KEPT, TrafficLog

ALREADY_RUNNING = 2

_SECONDS: TypeAdapter[int] = TypeAdapter(Duration)
_LOG = logging.getLogger("modelops.inference")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped; 2 if it cannot start, with one line on stderr that says why."""
    options = read_options(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        token = read_settings().token
        with _listen(options) as listener, _own(options):
            store = FileArtifactStore(options.store, allowed_roots=())
            bundles = OciBundles(store, partial(public_keys, options.signers))
            repository = ModelRepository(options.environment, options.root, bundles, options.warm)
            app = create_app(repository, TrafficLog(options.root, options.keep_traffic), token)
            return _serve(app, repository.environment, listener)
    except ModelopsError as error:
        sys.stderr.write(f"{options.environment} cannot start: {error}: {error.remedy}\n")
        return ALREADY_RUNNING


def _serve(app: Starlette, environment: Environment, listener: socket.socket) -> int:
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5, lifespan="on")
    host, port = listener.getsockname()[:2]
    _LOG.info("%s serves at http://%s:%d", environment, host, port)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What the server is started with; argparse ends the process if it makes no sense."""
    description = "The inference server of one environment."
    parser = argparse.ArgumentParser(prog="python -m worker.inference", description=description)
    parser.add_argument("--environment", type=Environment, choices=list(Environment), required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: this machine only)")
    parser.add_argument("--root", type=Path, required=True, help="the folder of this server's state")
    parser.add_argument("--store", type=Path, required=True, help="the folder of the artifact store")
    parser.add_argument(
        "--warm", type=_span, default=WARM, help="how long the version before the default stays loaded (default: 7d)"
    )
    parser.add_argument(
        "--keep-traffic", type=_span, default=KEPT, help="how long what was answered is kept (default: 90d)"
    )
    parser.add_argument("--signers", type=Path, required=True, help="the public keys whose bundles are served, by line")
    return parser.parse_args(arguments)


def _span(text: str) -> timedelta:
    try:
        return timedelta(seconds=_SECONDS.validate_python(text))
    except ValidationError as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a duration: write one like 12h or 7d") from error


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


if __name__ == "__main__":
    sys.exit(main())
