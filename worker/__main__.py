"""`python -m worker`: a worker process. Configured by MODELOPS_* variables; see worker/settings.py."""

import asyncio
import signal
import sys

import structlog

from activities.adapters.sql_migration import migrate
from models.errors import ModelopsError, UnavailableError
from worker.connection import connect
from worker.schedules import schedule_checkpoints
from worker.search_attributes import register_search_attributes
from worker.settings import Settings, read_settings
from worker.telemetry import configure_logging, serve_telemetry
from worker.wiring import build_worker, choose_parts

INVALID, UNAVAILABLE = 4, 5

log = structlog.stdlib.get_logger("modelops.worker")


async def serve(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM, then finish what is running."""
    migrate(settings.database)
    client = await connect(settings, metrics_port=settings.sdk_metrics_port)
    await register_search_attributes(client)
    await schedule_checkpoints(client)
    worker = build_worker(client, choose_parts(settings, client))
    telemetry = serve_telemetry(
        settings.worker_metrics_port, lambda: {} if worker.is_running else {"worker": "not polling"}
    )
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    log.info("started", temporal=settings.temporal_address, task_queue=worker.task_queue)
    async with worker:
        await stop.wait()
        log.info("stopping")
    telemetry.shutdown()


def main() -> int:
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


if __name__ == "__main__":
    sys.exit(main())
