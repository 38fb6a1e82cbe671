"""The connection to Temporal: one runtime per process, made before the first client."""

import logging
from functools import cache
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import RPCError, TLSConfig

from models.errors import InvalidInputError, UnavailableError
from worker.settings import Settings


@cache
def runtime(metrics_port: int | None = None) -> Runtime:
    """The process's runtime; UnavailableError if the port of the metrics is taken.

    Core's warnings go to Python's logging, never to stdout, where they would spoil JSON.
    """
    forwarding = LogForwardingConfig(logger=logging.getLogger("temporalio.core"))
    filter = TelemetryFilter(core_level="WARN", other_level="ERROR")
    metrics = PrometheusConfig(bind_address=f"127.0.0.1:{metrics_port}") if metrics_port is not None else None
    logs = LoggingConfig(filter=filter, forwarding=forwarding)
    try:
        return Runtime(telemetry=TelemetryConfig(logging=logs, metrics=metrics))
    except ValueError as error:
        raise UnavailableError(
            f"port {metrics_port} for the metrics of Temporal's SDK cannot be opened: {error}",
            "stop what uses it, or set MODELOPS_SDK_METRICS_PORT",
        ) from error


async def connect(settings: Settings, metrics_port: int | None = None) -> Client:
    """A client of the configured namespace; UnavailableError if no server answers, InvalidInputError of `tls_of`."""
    key = settings.temporal_api_key
    try:
        return await Client.connect(
            settings.temporal_address,
            namespace=settings.temporal_namespace,
            api_key=key.get_secret_value() if key else None,
            tls=tls_of(settings),
            data_converter=pydantic_data_converter,
            runtime=runtime(metrics_port),
        )
    except (RuntimeError, RPCError) as error:
        raise UnavailableError(
            f"no Temporal server answers at {settings.temporal_address}",
            "start the embedded one with `modelops up`, or set MODELOPS_TEMPORAL_ADDRESS",
        ) from error


def tls_of(settings: Settings) -> TLSConfig | bool:
    """What the settings say of encryption: none, with the system's authorities, or with the given files.

    InvalidInputError if a file cannot be read, or if the client has a certificate without a key or a key without one.
    """
    if not settings.wants_tls:
        return False
    ca = _pem("CA", settings.temporal_tls_ca)
    certificate = _pem("CERT", settings.temporal_tls_cert)
    key = _pem("KEY", settings.temporal_tls_key)
    if (certificate is None) != (key is None):
        raise InvalidInputError(
            "the client's certificate and its key belong together, and one of them is missing",
            "set both MODELOPS_TEMPORAL_TLS_CERT and MODELOPS_TEMPORAL_TLS_KEY, or neither",
        )
    return TLSConfig(server_root_ca_cert=ca, client_cert=certificate, client_private_key=key)


def _pem(name: str, path: Path | None) -> bytes | None:
    try:
        return path.read_bytes() if path else None
    except OSError as error:
        raise InvalidInputError(
            f"MODELOPS_TEMPORAL_TLS_{name}: {path} cannot be read: {error.strerror}", "name a PEM file"
        ) from error
