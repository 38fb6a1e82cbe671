"""The connection to Temporal: one runtime per process, made before the first client."""

import logging
from functools import cache

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

from models.errors import UnavailableError
from worker.settings import Settings


@cache
def runtime(metrics_port: int | None = None) -> Runtime:
    """The process's runtime. Core's warnings go to Python's logging, never to stdout, where they would spoil JSON."""
    forwarding = LogForwardingConfig(logger=logging.getLogger("temporalio.core"))
    filter = TelemetryFilter(core_level="WARN", other_level="ERROR")
    metrics = PrometheusConfig(bind_address=f"127.0.0.1:{metrics_port}") if metrics_port is not None else None
    return Runtime(
        telemetry=TelemetryConfig(logging=LoggingConfig(filter=filter, forwarding=forwarding), metrics=metrics)
    )


async def connect(settings: Settings, metrics_port: int | None = None) -> Client:
    """A client of the configured namespace; UnavailableError if no server answers."""
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
    """What the settings say of encryption: none, with the system's authorities, or with the given files."""
    if not settings.wants_tls:
        return False
    files = (settings.temporal_tls_ca, settings.temporal_tls_cert, settings.temporal_tls_key)
    ca, certificate, key = (path.read_bytes() if path else None for path in files)
    return TLSConfig(server_root_ca_cert=ca, client_cert=certificate, client_private_key=key)
