"""What the worker processes have in common: they start from the settings, serve until stopped, and end in words."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine

import structlog
from temporalio.worker import Worker

from models.errors import ModelopsError, UnavailableError
from worker.settings import Settings, read_settings
from worker.telemetry import configure_logging, serve_telemetry

INVALID, UNAVAILABLE = 4, 5

log = structlog.stdlib.get_logger("modelops.worker")


async def serve_until_stopped(worker: Worker, settings: Settings, telemetry_port: int) -> None:
    """Run until SIGINT or SIGTERM, then finish what is running."""
    telemetry = serve_telemetry(telemetry_port, lambda: {} if worker.is_running else {"worker": "not polling"})
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    log.info("started", temporal=settings.temporal_address, task_queue=worker.task_queue)
    async with worker:
        await stop.wait()
        log.info("stopping")
    telemetry.shutdown()


def run(serve: Callable[[Settings], Coroutine[None, None, None]]) -> int:
    """0 after a requested stop, 4 if something must be changed first, 5 if something does not answer."""
    try:
        settings = read_settings()
    except ModelopsError as error:
        sys.stderr.write(f"{error}: {error.remedy}\n")
        return INVALID
    configure_logging(settings.log_format, settings.log_level)
    try:
        asyncio.run(serve(settings))
    except ModelopsError as error:
        log.error(str(error), remedy=error.remedy, error=type(error).__name__)
        return UNAVAILABLE if isinstance(error, UnavailableError) else INVALID
    return 0
