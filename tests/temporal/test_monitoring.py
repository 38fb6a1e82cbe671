"""Monitors: real Temporal Schedules that look at windows of data and tell the lifecycle of a breach."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from activities.adapters.temporal_scheduler import TemporalScheduler
from client.catalog import Catalog
from models.canonical import replace
from models.inventory import Environment, Measured
from models.messages import Action
from models.monitoring import tightened_order
from models.plan import Remedy
from models.state import Phase
from tests.temporal.house import House, plan_of
from tests.temporal.tried import effects

CREDIT = plan_of("credit-high-risk")
QUIET = {"drift": 0.04, "live_auc": 0.8, "live_adverse_impact": 0.9}
DRIFTED = {"drift": 0.6, "live_auc": 0.8, "live_adverse_impact": 0.9}


@pytest.fixture
async def watched(temporal: Client, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """A house whose schedules are real."""
    house = House(temporal, tmp_path, request.node.name)
    scheduler = TemporalScheduler(temporal, "MonitorCheck", house.queue)
    house.parts = dataclasses.replace(house.parts, schedules=scheduler)
    async with house:
        yield house
        await scheduler.stop(house.model, CREDIT)


def arrive(house: House, name: str, readings: dict[str, float]) -> None:
    """A window of production data arrives."""
    (house.root / f"{house.model}-{name}.json").write_text(json.dumps(readings))


async def look(house: House) -> None:
    """The schedule fires now; while its last look runs, it would leave one out."""
    schedule = house.client.get_schedule_handle(f"monitor/{house.model}/drift")
    async with asyncio.timeout(20):
        while (await schedule.describe()).info.running_actions:
            await asyncio.sleep(0.05)
    await schedule.trigger()


def measured(house: House) -> list[Measured]:
    """What the monitor recorded."""
    with Catalog(house.database) as catalog:
        return list(catalog.measurements(house.model))


async def until_measured(house: House, count: int) -> list[Measured]:
    """The measurements, once there are as many."""
    async with asyncio.timeout(20):
        while len(found := measured(house)) < count:
            await asyncio.sleep(0.1)
    return found


async def test_a_quiet_window_changes_nothing_and_a_drifted_one_retrains(watched: House) -> None:
    """A window that passes leaves the champion alone; one that fails starts retraining, once."""
    await watched.start(CREDIT)
    await watched.to_production()
    arrive(watched, "1-quiet", {**QUIET})
    await look(watched)
    assert [found.verdict for found in await until_measured(watched, 1)] == ["pass"]
    before = await watched.status()
    assert before.phase is Phase.STEADY
    arrive(watched, "2-drifted", {**DRIFTED})
    await look(watched)
    status = await watched.until(lambda s: s.version is not None)
    assert status.serving[Environment.PROD] == 1
    assert [found.verdict for found in measured(watched)] == ["pass", "fail"]
    (trained,) = [effect.result for effect in effects(watched) if effect.key.step == "train"]
    assert f"with window {measured(watched)[-1].window}" in trained.summary


async def test_one_window_is_measured_once(watched: House) -> None:
    """A schedule that fires again before new data arrives measures nothing anew."""
    await watched.start(CREDIT)
    await watched.to_production()
    arrive(watched, "1-quiet", {**QUIET})
    await look(watched)
    await until_measured(watched, 1)
    await look(watched)
    await asyncio.sleep(1)
    assert len(measured(watched)) == 1


async def test_a_second_window_that_cannot_be_measured_is_a_failure(watched: House) -> None:
    """Data without a column that the model needs start nothing; where the next ones lack it, too, they do."""
    await watched.start(CREDIT)
    await watched.to_production()
    arrive(watched, "1-odd", {"missing": 1.0})
    await look(watched)
    (found,) = await until_measured(watched, 1)
    assert found.verdict == "inconclusive"
    assert "no column 'obrat'" in found.reasons[0]
    assert (await watched.status()).phase is Phase.STEADY
    arrive(watched, "2-odd", {"missing": 2.0})
    await look(watched)
    await watched.until(lambda s: s.version is not None)
    assert [one.verdict for one in measured(watched)] == ["inconclusive", "fail"]


async def test_no_window_yet_is_no_breach(watched: House) -> None:
    """A champion that has only begun to serve is not silent."""
    await watched.start(CREDIT)
    await watched.to_production()
    await look(watched)
    await asyncio.sleep(1)
    assert measured(watched) == []
    assert (await watched.status()).phase is Phase.STEADY


async def test_a_person_has_the_champion_retrained(watched: House) -> None:
    """Signed like any request; the new version has every gate before it, and the champion serves on."""
    await watched.start(CREDIT)
    await watched.to_production()
    await watched.request(Action.RETRAIN)
    status = await watched.until(lambda s: s.version is not None)
    assert (status.version and status.version.number, status.serving[Environment.PROD]) == (2, 1)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await watched.request(Action.RETRAIN)
    assert "a champion is retrained while nothing else is under way" in str(refused.value.cause)


async def test_retirement_ends_the_schedules(watched: House, temporal: Client) -> None:
    """After retirement no schedule of the model is left, however fresh it was: lists of them lag behind."""
    schedule = temporal.get_schedule_handle(f"monitor/{watched.model}/drift")
    await watched.start(CREDIT)
    await watched.to_production()
    await schedule.describe()
    await watched.request(Action.RETIRE)
    await watched.handle.result()
    with pytest.raises(RPCError) as gone:
        await schedule.describe()
    assert gone.value.status is RPCStatusCode.NOT_FOUND


async def test_a_breach_tightens_for_a_while(watched: House, temporal: Client) -> None:
    """Another schedule looks more often and ends by itself; it is told in the list, and gone with the others."""
    brakes = CREDIT.monitors[0].brakes
    drift = replace(CREDIT.monitors[0], then=Remedy.TIGHTEN, tightened=3_600)
    await watched.start(replace(CREDIT, monitors=(drift, *CREDIT.monitors[1:])))
    await watched.to_production()
    arrive(watched, "1-drifted", {**DRIFTED})
    await look(watched)
    status = await watched.until(lambda s: s.tightened is not None and s.phase is Phase.STEADY)
    schedule = temporal.get_schedule_handle(f"monitor/{watched.model}/drift/tightened")
    spec = (await schedule.describe()).schedule.spec
    assert status.tightened is not None
    assert spec.end_at == status.tightened.until
    assert [interval.every for interval in spec.intervals] == [timedelta(hours=1)]
    with Catalog(watched.database) as catalog:
        assert catalog.tightened(watched.model) == status.tightened
    arrive(watched, "2-drifted", {**DRIFTED, "drift": 0.7})
    await schedule.trigger()
    assert brakes.otherwise is Remedy.SUSPEND
    await watched.until(lambda s: s.stage == "suspended" and s.step is None)
    with pytest.raises(RPCError) as gone:
        await schedule.describe()
    assert gone.value.status is RPCStatusCode.NOT_FOUND
    with Catalog(watched.database) as catalog:
        assert catalog.tightened(watched.model) is None


async def test_a_monitor_is_tightened_once_and_begins_anew(temporal: Client, request: pytest.FixtureRequest) -> None:
    """Tightened again, it is until the later moment; when its monitors begin anew, nothing is left of that."""
    plan = replace(CREDIT, monitors=(replace(CREDIT.monitors[0], then=Remedy.TIGHTEN, tightened=3_600),))
    scheduler, model = TemporalScheduler(temporal, "MonitorCheck", "nobody"), request.node.name.replace("_", "-")
    order, until = tightened_order(model, plan, "drift"), datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    schedule = temporal.get_schedule_handle(f"monitor/{model}/drift/tightened")
    assert order is not None
    for later in (until, until + timedelta(days=1)):
        await scheduler.tighten(order, later)
        assert (await schedule.describe()).schedule.spec.end_at == later
    assert await scheduler.start(model, plan) == [f"monitor/{model}/drift"]
    with pytest.raises(RPCError) as gone:
        await schedule.describe()
    assert gone.value.status is RPCStatusCode.NOT_FOUND
    await scheduler.stop(model, plan)
