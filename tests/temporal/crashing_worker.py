"""A worker process of its own, with quick parts, that kills itself at a chosen boundary: before and after each call
of a port, and inside each transaction of the inventory just before it commits. It is the worker, the actuator, or both.

Boundaries count from the moment at which the process first records one of some stages, once a version is known, until
it records that it is steady there, or has left them. Each is appended to a file under the root, so that a run without
a crash tells how many there are.
"""

import asyncio
import contextlib
import dataclasses
import inspect
import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Awaitable
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Engine, event
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.adapters.temporal_scheduler import TemporalScheduler
from models.journal import JournalEntry
from models.state import Phase
from tests.temporal.doubles import RecordingDeployer, quick_actuator_parts, quick_parts
from worker import wiring
from worker.connection import runtime
from worker.telemetry import configure_logging
from worker.wiring import ActuatorParts, Parts, build_actuator, build_worker
from workflows import options

NOTICED_WITHIN = timedelta(seconds=2)
"""How long a dead worker's activities and workflow tasks are waited for; in production it is longer."""


class Office(StrEnum):
    """What a process does."""

    WORKER = "worker"
    ACTUATOR = "actuator"


class Errand(NamedTuple):
    """Where a process works and as what; it dies at the `fatal` boundary of `version` in `stages`, or never.

    A boundary goes by its name and, from the second time on, by which time it is: another run may well ask once more
    how far something is. `counting`: boundaries count from the start. `throughout`: also
    once it is steady. `scheduled`: monitors are real Schedules.
    """

    address: str
    queue: str
    root: Path
    fatal: str | None = None
    version: int = 2
    stages: tuple[str, ...] = ("production",)
    offices: tuple[Office, ...] = tuple(Office)
    counting: bool = False
    throughout: bool = False
    scheduled: bool = False


class WorkerProcess:
    """A worker in a process that ends by SIGKILL alone."""

    def __init__(self, errand: Errand) -> None:
        processes = multiprocessing.get_context("forkserver")
        # What a worker imports takes a second; the server that workers are forked from has it already.
        processes.set_forkserver_preload([__name__])
        self._process = processes.Process(target=work, args=(errand,), daemon=True)
        self._process.start()

    async def died(self) -> bool:
        """Wait for its end; whether it was by SIGKILL."""
        await asyncio.to_thread(self._process.join)
        return self._process.exitcode == -signal.SIGKILL

    async def kill(self) -> None:
        """SIGKILL from outside."""
        self._process.kill()
        await self.died()


class Boundaries:
    """Counts the boundaries of one stretch, and kills the process at the fatal one."""

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._log = errand.root / f"boundaries-{'-'.join(errand.offices)}.txt"
        self._counting = errand.counting
        self._passed = Counter[str]()

    def enter(self, name: str, arguments: tuple[object, ...]) -> None:
        """A call is about to be made."""
        entry = arguments[0] if arguments else None
        if isinstance(entry, JournalEntry) and entry.snapshot.stage in self._errand.stages:
            said = entry.snapshot
            self._counting = self._counting or self._errand.version in said.statuses
        self.reach(f"before {name}")

    def leave(self, name: str, arguments: tuple[object, ...]) -> None:
        """A call has been answered."""
        self.reach(f"after {name}")
        entry = arguments[0] if arguments else None
        if isinstance(entry, JournalEntry):
            left = entry.snapshot.stage not in self._errand.stages
            rests = entry.snapshot.phase is Phase.STEADY and not self._errand.throughout
            self._counting = self._counting and not left and not rests

    def reach(self, boundary: str) -> None:
        """One more, and perhaps the last."""
        if not self._counting:
            return
        self._passed[boundary] += 1
        if (time := self._passed[boundary]) > 1:
            boundary = f"{boundary} ({time})"
        with self._log.open("a") as log:
            log.write(boundary + "\n")
        if boundary == self._errand.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


class _Watched:
    """A part of a worker with a boundary before and after each of its calls."""

    def __init__(self, part: object, name: str, boundaries: Boundaries) -> None:
        self._part, self._name, self._boundaries = part, name, boundaries

    def __getattr__(self, method: str) -> Any:
        inner, name = getattr(self._part, method), f"{self._name}.{method}"

        def call(*arguments: object) -> object:
            self._boundaries.enter(name, arguments)
            _current.call = name
            answer = inner(*arguments)
            if inspect.isawaitable(answer):
                return self._awaited(name, arguments, answer)
            self._boundaries.leave(name, arguments)
            return answer

        return call

    async def _awaited(self, name: str, arguments: tuple[object, ...], answer: Awaitable[object]) -> object:
        answered = await answer
        self._boundaries.leave(name, arguments)
        return answered


_current = threading.local()


_Some = TypeVar("_Some", Parts, ActuatorParts)


_CONFIGURED = "surroundings"


def watched(parts: _Some, boundaries: Boundaries) -> _Some:
    """The parts with boundaries around them, but for what is configured."""
    there = [field.name for field in dataclasses.fields(parts) if getattr(parts, field.name) is not None]
    names = [name for name in there if name != _CONFIGURED]
    changes: dict[str, Any] = {name: _Watched(getattr(parts, name), name, boundaries) for name in names}
    return dataclasses.replace(parts, **changes)


def watch_commits(boundaries: Boundaries) -> None:
    """A boundary inside each transaction, just before it commits."""

    def committing(_: object) -> None:
        if _current.call.startswith("inventory.commit_"):
            boundaries.reach(f"in {_current.call}, before its transaction commits")

    event.listen(Engine, "commit", committing)


def work(errand: Errand) -> None:
    """Be a worker until killed, or until the process that started this one is gone; all that it says is in its log."""
    log = os.open(errand.root / f"{'-'.join(errand.offices)}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    configure_logging("json", "INFO")
    options.HEARTBEAT_TIMEOUT = NOTICED_WITHIN
    options.RECORD_TIMEOUT = NOTICED_WITHIN
    options.STEP_RETRIES = options.TRAINING_RETRIES = RetryPolicy(timedelta(milliseconds=100), maximum_attempts=5)
    # Workflow tasks meant for a dead worker's cache would wait ten seconds before another one may have them.
    wiring.CACHED_LIFECYCLES = 0
    asyncio.run(_serve(errand))


async def _serve(errand: Errand) -> None:
    client = await Client.connect(errand.address, data_converter=pydantic_data_converter, runtime=runtime())
    boundaries, parts = Boundaries(errand), quick_parts(errand.root)
    if errand.scheduled:
        parts = dataclasses.replace(parts, schedules=TemporalScheduler(client, "MonitorCheck", errand.queue))
    watch_commits(boundaries)
    actuator_parts = quick_actuator_parts(errand.root, parts, RecordingDeployer(errand.root / "effects.txt"))
    starter = multiprocessing.parent_process()
    async with contextlib.AsyncExitStack() as open:
        if Office.WORKER in errand.offices:
            await open.enter_async_context(build_worker(client, watched(parts, boundaries), errand.queue))
        if Office.ACTUATOR in errand.offices:
            await open.enter_async_context(build_actuator(client, watched(actuator_parts, boundaries), errand.queue))
        if starter:
            await asyncio.to_thread(starter.join)
