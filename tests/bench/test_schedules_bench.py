"""Five hundred monitors on one server: at what rate their checks start, how late, and what is busy meanwhile."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

import pytest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    WorkflowExecution,
)
from temporalio.common import SearchAttributeKey

from models.monitoring import monitor_orders
from tests.bench.table import show
from tests.temporal.house import House, plan_of

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1_800)]

SCHEDULES = 500
EVERY = timedelta(minutes=1)
PERIODS = 3
LATEST = 120
"""Seconds that the last of them are waited for."""

CREDIT = plan_of("credit-high-risk")
NOMINAL = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
_TICK = os.sysconf("SC_CLK_TCK")


class Busy(NamedTuple):
    """Seconds of CPU, and the share of the machine that everybody used."""

    ours: float
    server: float
    everybody: float


def _cpu() -> Busy:
    with Path("/proc/stat").open() as file:
        ticks = [int(one) for one in file.readline().split()[1:]]
    user, system = os.times()[:2]
    return Busy(user + system, sum(_children()), (sum(ticks) - ticks[3] - ticks[4]) / _TICK)


def _children() -> Iterator[float]:
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            yield (int(fields[11]) + int(fields[12])) / _TICK


@asynccontextmanager
async def scheduled(house: House, jitter: timedelta) -> AsyncIterator[float]:
    """All of them, each a look at the one model that serves; how many a second could be made."""
    (order, *_) = monitor_orders(house.model, CREDIT)
    names = [f"monitor/{house.model}/bench-{number}-{jitter}" for number in range(SCHEDULES)]
    at_once = asyncio.Semaphore(16)

    async def make(name: str) -> None:
        action = ScheduleActionStartWorkflow("MonitorCheck", order, id=name, task_queue=house.queue)
        spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=EVERY)], jitter=jitter)
        policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP)
        async with at_once:
            await house.client.create_schedule(name, Schedule(action=action, spec=spec, policy=policy))

    begun = time.monotonic()
    await asyncio.gather(*map(make, names))
    yield SCHEDULES / (time.monotonic() - begun)
    for name in names:
        await house.client.get_schedule_handle(name).delete()


async def looked(client: Client, since: datetime, until: datetime) -> list[WorkflowExecution]:
    """The checks that were due between two moments."""
    query = f"WorkflowType = 'MonitorCheck' AND TemporalScheduledStartTime >= '{since.isoformat()}'"
    found = [one async for one in client.list_workflows(query)]
    return [one for one in found if (due := one.typed_search_attributes.get(NOMINAL)) and due < until]


def _spread(values: list[float]) -> tuple[str, ...]:
    cuts = quantiles(values, n=100)
    return tuple(f"{one:.2f}" for one in (cuts[49], cuts[94], max(values)))


@pytest.mark.parametrize("jitter", [EVERY * 0.1, timedelta()], ids=["spread over a tenth", "all at once"])
async def test_five_hundred_monitors(temporal: Client, tmp_path: Path, jitter: timedelta) -> None:
    """None is left out, and each has ended before its next one."""
    async with House(temporal, tmp_path, "bench") as house:
        await house.start(CREDIT)
        await house.to_production()
        (tmp_path / f"{house.model}-1.json").write_text('{"drift": 0.04, "live_auc": 0.8, "live_adverse_impact": 0.9}')
        async with scheduled(house, jitter) as made:
            now = datetime.now(UTC)
            first = now.replace(second=0, microsecond=0) + EVERY
            until = first + PERIODS * EVERY
            await asyncio.sleep((first - now).total_seconds())
            before = _cpu()
            await asyncio.sleep((until - datetime.now(UTC)).total_seconds())
            after = _cpu()
            found = await looked(temporal, first, until)
            with suppress(TimeoutError):
                async with asyncio.timeout(LATEST):
                    while len(found) < PERIODS * SCHEDULES or not all(one.close_time for one in found):
                        await asyncio.sleep(5)
                        found = await looked(temporal, first, until)
    _report(jitter, made, found, before, after)
    assert len(found) == PERIODS * SCHEDULES
    assert all(one.close_time and one.close_time - one.start_time < EVERY for one in found)


def _report(jitter: timedelta, made: float, found: list[WorkflowExecution], before: Busy, after: Busy) -> None:
    seconds = (PERIODS * EVERY).total_seconds()
    late = [(one.start_time - one.typed_search_attributes[NOMINAL]).total_seconds() for one in found]
    took = [(one.close_time - one.start_time).total_seconds() for one in found if one.close_time]
    ends = sorted(one.close_time.timestamp() for one in found if one.close_time)
    peak = max(sum(1 for other in ends if one <= other < one + 1) for one in ends)
    cpu = [f"{(new - old) / seconds:.2f} cores" for old, new in zip(before, after, strict=True)]
    show(
        f"{SCHEDULES} schedules, each every {EVERY}, jitter {jitter}, {PERIODS} periods; seconds",
        ("median", "95 %", "most"),
        [
            ("from nominal to start", _spread(late)),
            ("from start to end of a check", _spread(took)),
        ],
    )
    show(
        f"{len(found)} checks of {PERIODS * SCHEDULES}",
        ("schedules made/s", "checks/s", "most ended in 1 s"),
        [("rate", (f"{made:.0f}", f"{len(found) / seconds:.1f}", str(peak)))],
    )
    show("busy meanwhile", ("worker", "server", "whole machine"), [("CPU", tuple(cpu))])
