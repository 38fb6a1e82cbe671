"""`python -m worker`: a worker process. Configured by MODELOPS_* variables; see worker/settings.py."""

import asyncio
import signal
import sys

import structlog
from pydantic import ValidationError

from activities.adapters.sql_migration import migrate
from models.errors import ModelopsError
from worker.connection import connect
from worker.search_attributes import register_search_attributes
from worker.settings import Settings
from worker.telemetry import configure_logging, serve_telemetry
from worker.wiring import build_worker, choose_parts

log = structlog.stdlib.get_logger("modelops.worker")


async def serve(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM, then finish what is running."""
    migrate(settings.database)
    client = await connect(settings, metrics_port=settings.sdk_metrics_port)
    await register_search_attributes(client)
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
    """0 after a requested stop, 5 if the process could not start or go on."""
    try:
        settings = Settings()
    except ValidationError as error:
        sys.stderr.write(f"settings: {error}\n")
        return 4
    configure_logging(settings.log_format, settings.log_level)
    try:
        asyncio.run(serve(settings))
    except ModelopsError as error:
        log.error(str(error), remedy=error.remedy, error=type(error).__name__)
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
