"""A worker in a process of its own, which tells its resident memory in bytes for every line that it is sent."""

import asyncio
import gc
import logging
import os
import resource
import sys
from pathlib import Path
from unittest.mock import patch

import structlog
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from tests.bench.by_hand import Waiting
from tests.bench.parts import instant_parts
from tests.temporal.house import plan_of
from worker.connection import runtime
from worker.wiring import build_worker
from workflows import lifecycle
from workflows.sandbox import sandboxed

_STATM = Path("/proc/self/statm")


def resident() -> int:
    """Bytes of this process in memory; where the system does not tell, the most there ever were."""
    gc.collect()
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def _main(address: str, kind: str, cached: str, root: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    client = await Client.connect(address, data_converter=pydantic_data_converter, runtime=runtime())
    parts, _ = instant_parts(Path(root), plan_of("credit-high-risk"), lambda what: None)
    config = build_worker(client, parts, "never-polled").config()
    config["task_queue"] = f"waiting-{kind}-{cached}"
    config["max_cached_workflows"] = int(cached)
    if kind == "by-hand":
        config["workflows"] = [Waiting]
        restrictions = sandboxed().restrictions.with_passthrough_modules("tests")
        config["workflow_runner"] = SandboxedWorkflowRunner(restrictions=restrictions)
    # The lifecycles begin at a gate, as the next run of one would.
    with patch.object(lifecycle, "_continued", return_value=True):
        async with Worker(**config):
            print("ready", flush=True)
            while await asyncio.to_thread(sys.stdin.readline):
                print(resident(), flush=True)
    os._exit(0)  # the SDK's runtime may abort at the interpreter's end


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
