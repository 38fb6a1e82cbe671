"""`modelops up`: everything on one machine."""

import asyncio

from client.console import say
from worker.settings import read_settings
from worker.supervisor import supervise


def up() -> None:
    """Run everything on this machine: Temporal, inference servers, worker, actuator. Ctrl-C stops it in order.

    Data is kept in MODELOPS_HOME; every setting is a variable MODELOPS_... (worker/settings.py lists them).
    """
    chosen = read_settings()
    asyncio.run(supervise(chosen, say, lambda: say(f"Ready. Web UI: {chosen.temporal_ui}   Stop with Ctrl-C.")))
