"""Logs, metrics and health of a worker process."""

import json
import logging
import math
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

import structlog
from prometheus_client import Counter, Gauge, Histogram, make_wsgi_app

from models.errors import ModelopsError, UnavailableError
from models.reconciliation import Finding, FindingKind

STEPS = Counter("modelops_steps_total", "Attempts of steps, by activity and outcome.", ["activity", "outcome"])
STEP_SECONDS = Histogram("modelops_step_seconds", "Seconds that an attempt of a step took.", ["activity"])

FINDINGS = Gauge("modelops_findings", "Findings of the reconciliation that hold, by kind.", ["kind"])

Health = Callable[[], dict[str, str]]
"""What is wrong, by part; empty when all is well."""


def configure_logging(format: str, level: str) -> None:
    """One line per event on stderr, for people or as JSON; the standard library's logs take the same way."""
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer() if format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)


def count_findings(holding: Callable[[], Sequence[Finding]]) -> None:
    """Have each scrape count the findings that hold by the record, whichever worker saw them; NaN if it is silent."""

    def count(kind: FindingKind) -> float:
        try:
            return sum(one.kind is kind for one in holding())
        except ModelopsError:
            return math.nan

    for kind in FindingKind:
        FINDINGS.labels(kind).set_function(partial(count, kind))


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Scrapes and probes are not worth a line each."""


def serve_telemetry(port: int, health: Health) -> WSGIServer:
    """`/metrics` for Prometheus and `/healthz` (200, or 503 and what is wrong) on one port, in a thread.

    UnavailableError if the port is taken.
    """
    metrics = make_wsgi_app()

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/healthz":
            answer: Iterable[bytes] = metrics(environ, start)
            return answer
        problems = health()
        status = "503 Service Unavailable" if problems else "200 OK"
        start(status, [("Content-Type", "application/json")])
        return [json.dumps({"status": "unhealthy" if problems else "healthy", "problems": problems}).encode()]

    try:
        server = make_server("127.0.0.1", port, app, handler_class=_Quiet)
    except OSError as error:
        raise UnavailableError(
            f"port {port} for metrics and health cannot be opened: {error.strerror}",
            "stop what uses it, or set MODELOPS_WORKER_METRICS_PORT (for the actuator: MODELOPS_ACTUATOR_METRICS_PORT)",
        ) from error
    threading.Thread(target=server.serve_forever, name="telemetry", daemon=True).start()
    return server
