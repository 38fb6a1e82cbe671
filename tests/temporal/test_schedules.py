"""Real Schedules: paused, resumed and made up for by us or in the Web UI; whatever keeps a monitor silent is found."""

import asyncio
import contextlib
import dataclasses
import itertools
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import Client, Schedule, ScheduleIntervalSpec, ScheduleUpdate, ScheduleUpdateInput
from temporalio.service import RPCError

from activities.adapters.temporal_executions import TemporalExecutions
from activities.adapters.temporal_scheduler import JITTER, TemporalScheduler
from client.api import Modelops
from client.catalog import Catalog
from models.errors import RefusedError
from models.inventory import Environment
from models.messages import Action
from models.reconciliation import FindingKind
from models.watching import note_of
from tests.contract.backdoor import execute
from tests.temporal.house import House
from tests.temporal.shell import run
from tests.temporal.test_monitoring import CREDIT, QUIET, arrive, measured, until_measured
from tests.temporal.test_reconciliation import look
from worker.schedules import registry_of, schedule_registry, unschedule_registry
from workflows import attributes, options

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PAUSED, DIFFERS = FindingKind.MONITOR_PAUSED, FindingKind.MONITOR_DIFFERS


@contextlib.asynccontextmanager
async def looked_after(client: Client, root: Path, name: str) -> AsyncIterator[House]:
    """A house in production whose schedules are real, and compared with what they should be."""
    house = House(client, root, name)
    scheduler = TemporalScheduler(client, "MonitorCheck", house.queue)
    executions = TemporalExecutions(client, attributes.MODEL.name, timedelta(seconds=5))
    house.parts = dataclasses.replace(house.parts, schedules=scheduler, watches=scheduler, executions=executions)
    async with house:
        await house.start(CREDIT)
        await house.to_production()
        await house.recorded()
        yield house
        await scheduler.stop(house.model, CREDIT)


@pytest.fixture
async def watched(
    temporal: Client, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    """Such a house, with a reconciler that is not patient."""
    monkeypatch.setattr(options, "RECORD_GRACE", timedelta(seconds=0.2))
    async with looked_after(temporal, tmp_path, request.node.name) as house:
        yield house


def all_begun(every: timedelta) -> datetime:
    """The last moment at which a look, however late its jitter has it, had begun for sure."""
    now = datetime.now(UTC)
    return now - (now - EPOCH - every * JITTER) % every


async def found(house: House) -> list[tuple[FindingKind, str]]:
    """What one look of the reconciler leaves to hold of this model."""
    await look(house)
    return [(one.kind, one.text) for one in house.parts.findings.findings() if one.model == house.model]


async def test_a_monitor_that_is_silenced_is_found(watched: House) -> None:
    """Paused by us, or in the Web UI, edited, deleted: each on record until it is mended, with who and why.

    That a model is suspended is none, and is said to who has its monitors run.
    """
    handle = watched.client.get_schedule_handle(f"monitor/{watched.model}/drift")
    schedules = Modelops(watched.client, queue=watched.queue).schedules
    assert await found(watched) == []
    await schedules.pause(watched.model, ["drift"], note_of("paused", "rosa", "The feed is moved."))
    ((kind, text),) = await found(watched)
    assert (kind, "paused by rosa: The feed is moved." in text) == (PAUSED, True)
    seen = (await schedules.look(watched.model, ["drift"]))["drift"]
    assert (seen.paused, seen.note) == (True, "paused by rosa: The feed is moved.")
    await schedules.resume(watched.model, ["drift"], note_of("resumed", "rosa", "It is moved."))
    assert await found(watched) == []
    await handle.pause(note="from the page of schedules")
    assert [kind for kind, _ in await found(watched)] == [PAUSED]
    await handle.unpause()
    await handle.update(_slower)
    assert await found(watched) == [
        (DIFFERS, f"monitor 'drift' of '{watched.model}' runs otherwise than the plan says: not every 1d")
    ]
    await handle.delete()
    ((kind, text),) = await found(watched)
    assert (kind, "has no schedule" in text) == (DIFFERS, True)
    with pytest.raises(RefusedError, match="not watched by drift"):
        await schedules.pause(watched.model, ["drift"], "x")
    await TemporalScheduler(watched.client, "MonitorCheck", watched.queue).start(watched.model, CREDIT)
    assert await found(watched) == []
    with Catalog(watched.database) as catalog:
        kinds = [one.kind for one in catalog.findings(watched.model, resolved=True)]
    assert kinds == [PAUSED, PAUSED, DIFFERS, DIFFERS]
    await watched.request(Action.SUSPEND)
    await watched.until(lambda s: Environment.PROD not in s.serving and s.step is None)
    await watched.recorded()
    assert await found(watched) == []
    asked = await run(watched, "monitor", "run", watched.model)
    assert (asked.returncode, "it is suspended, and its monitors have ended" in asked.stderr) == (3, True)
    told = await run(watched, "status", watched.model, "--json")
    assert json.loads(told.stdout)["suspended"]["person"] == "olga"


def _slower(known: ScheduleUpdateInput) -> ScheduleUpdate:
    """What somebody edits."""
    schedule: Schedule = known.description.schedule
    schedule.spec.intervals = [ScheduleIntervalSpec(every=timedelta(days=400))]
    return ScheduleUpdate(schedule)


async def test_looks_are_made_up_for(watched: House) -> None:
    """Each that was due, one after another, also of a monitor that is paused; again, nothing is measured anew."""
    schedules = Modelops(watched.client, queue=watched.queue).schedules
    arrive(watched, "1-quiet", {**QUIET})
    await schedules.pause(watched.model, ["drift"], "paused by rosa: The feed is moved.")
    until = all_begun(timedelta(days=1))
    for _ in range(2):
        await schedules.backfill(watched.model, ["drift"], until - timedelta(days=3), until)
    handle = watched.client.get_schedule_handle(f"monitor/{watched.model}/drift")
    async with asyncio.timeout(60):
        while (await handle.describe()).info.num_actions < 6:
            await asyncio.sleep(0.2)
    await until_measured(watched, 1)
    assert [one.verdict for one in measured(watched)] == ["pass"]


def serve_since(house: House, since: datetime) -> None:
    """What serves has done so since a moment (UTC)."""
    execute(house.database, f"UPDATE deployment SET since = '{since:%Y-%m-%d %H:%M:%S}' WHERE environment = 'PROD'")


async def test_each_look_that_is_made_up_for_is_of_its_own_period(watched: House) -> None:
    """Weeks of a monitor that reads the record every week, in their order, since the version serves; again, nothing."""
    schedules, until = Modelops(watched.client, queue=watched.queue).schedules, all_begun(timedelta(days=7))
    serve_since(watched, until - timedelta(days=20))
    handle = watched.client.get_schedule_handle(f"monitor/{watched.model}/upkeep")
    for _ in range(2):
        await schedules.backfill(watched.model, ["upkeep"], until - timedelta(days=42), until)
    async with asyncio.timeout(60):
        while (await handle.describe()).info.num_actions < 12 or len(measured(watched)) < 3:
            await asyncio.sleep(0.2)
    windows = [one.window for one in measured(watched) if one.monitor == "upkeep"]
    moments = [datetime.strptime(f"{name} +0000", "record at %Y-%m-%d %H:%M UTC %z") for name in windows]
    assert [later - earlier for earlier, later in itertools.pairwise(moments)] == [timedelta(days=7)] * 2
    assert timedelta() <= until - moments[-1] < timedelta(days=7)


async def test_a_round_that_nobody_wants_any_more_ends(temporal: Client) -> None:
    """A worker without MLflow leaves no schedule of it behind; one that never had any does no harm."""
    queue = "queue-of-no-mlflow"
    await schedule_registry(temporal, queue, timedelta(minutes=1))
    handle = temporal.get_schedule_handle(registry_of(queue))
    await handle.describe()
    for _ in range(2):
        await unschedule_registry(temporal, queue)
    with pytest.raises(RPCError, match="not found"):
        await handle.describe()


async def test_what_people_say_and_see(watched: House) -> None:
    """Paused with a key and a reason; the list, and the status, say so; what is about the model in a tracker, too."""
    model = watched.model
    paused = await run(watched, "monitor", "pause", model, "drift", "--as", "rosa", "--reason", "The feed is moved.")
    assert (paused.returncode, "Paused drift." in paused.stdout) == (0, True), paused.stderr
    listed = json.loads((await run(watched, "monitor", "list", model, "--json")).stdout)
    assert listed[0]["schedule"] == "paused: paused by rosa: The feed is moved."
    await look(watched)
    execute(
        watched.database,
        "INSERT INTO delivery (channel, key, message, failures, made_at, due, model, ticket, page) VALUES "
        f"('tickets', '1.0', '{{}}', 0, '2026-03-02', '2026-03-02', '{model}', 'ML-17', 'https://x.example/ML-17')",
    )
    status = (await run(watched, "status", model)).stdout
    assert "is paused, and nothing is measured: paused by rosa" in status
    assert "Ticket ML-17: https://x.example/ML-17" in status
    since = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    early = await run(watched, "monitor", "backfill", model, "drift", "--from", since)
    assert (early.returncode, "version 1 serves since" in early.stderr) == (3, True), early.stderr
    serve_since(watched, datetime.now(UTC) - timedelta(days=3))
    made_up = await run(watched, "monitor", "backfill", model, "drift", "--from", since)
    assert (made_up.returncode, "about 3 looks" in made_up.stdout) == (0, True), made_up.stderr
    assert (await run(watched, "monitor", "resume", model, "--as", "rosa", "--reason", "Moved.")).returncode == 0
    assert await found(watched) == []
