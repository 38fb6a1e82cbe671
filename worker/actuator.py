"""`python -m worker.actuator`: the process that changes what environments serve, and the only one that can.

It alone has the deploy token and may write the table of deployments; it believes nothing that it cannot check itself.
"""

import sys

from worker.connection import connect
from worker.process import run, serve_until_stopped
from worker.settings import Settings
from worker.wiring import build_actuator, choose_actuator_parts


async def serve(settings: Settings) -> None:
    """Be the actuator. Its account in the database may change no tables: the worker migrates them."""
    parts = choose_actuator_parts(settings)
    parts.notary.introduce()
    actuator = build_actuator(await connect(settings), parts)
    await serve_until_stopped(actuator, settings, settings.actuator_metrics_port)


if __name__ == "__main__":
    sys.exit(run(serve))
