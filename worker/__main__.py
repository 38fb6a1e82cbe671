"""`python -m worker`: a worker process. Configured by MODELOPS_* variables; see worker/settings.py."""

import sys
from datetime import timedelta

from activities.adapters.sql_migration import migrate
from activities.adapters.sql_watch import SqlWatch
from worker.connection import connect
from worker.delivering import close_channels
from worker.figures import expose_figures
from worker.process import run, serve_until_stopped
from worker.schedules import (
    schedule_checkpoints,
    schedule_delivery,
    schedule_reconciliation,
    schedule_registry,
    unschedule_delivery,
    unschedule_registry,
)
from worker.search_attributes import register_search_attributes
from worker.settings import Settings
from worker.telemetry import count_findings
from worker.wiring import build_worker, choose_parts


async def serve(settings: Settings) -> None:
    """Be the worker of every lifecycle."""
    migrate(settings.database)
    client = await connect(settings, metrics_port=settings.sdk_metrics_port)
    await register_search_attributes(client)
    await schedule_checkpoints(client)
    parts = choose_parts(settings, client)
    worker = build_worker(client, parts, actuators=settings.actuator_identities)
    await schedule_reconciliation(client, worker.task_queue, timedelta(seconds=settings.reconcile_every))
    if parts.delivery:
        await schedule_delivery(client, worker.task_queue)
    else:
        await unschedule_delivery(client, worker.task_queue)
        close_channels(settings)
    if settings.mlflow:
        await schedule_registry(client, worker.task_queue, timedelta(seconds=settings.mlflow.every))
    else:
        await unschedule_registry(client, worker.task_queue)
    count_findings(parts.findings.findings)
    expose_figures(SqlWatch(settings.database).figures)
    await serve_until_stopped(worker, settings, settings.worker_metrics_port)


if __name__ == "__main__":
    sys.exit(run(serve))
