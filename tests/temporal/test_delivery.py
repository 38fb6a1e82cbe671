"""Messages of a real lifecycle go out by a real Schedule, as an administrator's file says."""

import asyncio
import base64
import dataclasses
import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.service import RPCError

from activities.delivery import Delivered
from client.catalog import Catalog
from models.reconciliation import FindingKind
from models.state import Phase
from tests.contract.sinks import HttpSink, Manners, http_sink
from tests.temporal.house import WITHIN, House, plan_of
from tests.temporal.test_reconciliation import look
from worker.delivering import Delivering, delivering_of
from worker.schedules import delivery_of, schedule_delivery, unschedule_delivery
from worker.settings import Settings
from workflows import options

HIGH = plan_of("credit-high-risk")
SECRET = "whsec_" + base64.b64encode(b"canary-of-a-secret-0123456789").decode()


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    """Where events arrive."""
    with http_sink() as opened:
        yield opened


@pytest.fixture
async def house(
    temporal: Client,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    sink: HttpSink,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[House]:
    """A house whose messages go to the sink."""
    monkeypatch.setenv("EVENTS_SECRET", SECRET)
    monkeypatch.setattr(options, "RECORD_GRACE", timedelta(seconds=0.1))
    house = House(temporal, tmp_path, request.node.name)
    house.parts = dataclasses.replace(house.parts, delivery=channels_in(tmp_path, house.database, sink.url))
    async with house:
        await deliver(house)
        yield house


def channels_in(folder: Path, database: str, url: str) -> Delivering:
    """The parts that the file chooses."""
    topics = "[decision, escalation, stuck]"
    (folder / "channels.yaml").write_text(
        f"channels: {{events: {{kind: webhook, url: '{url}', secret: {{env: EVENTS_SECRET}}, topics: {topics}}}}}"
    )
    chosen = delivering_of(Settings(home=folder, database_url=SecretStr(database)))
    assert chosen is not None
    return chosen


async def deliver(house: House) -> Delivered:
    """One round, as the schedule has it."""
    return Delivered.model_validate(
        await house.client.execute_workflow(
            "Delivery", id=delivery_of(house.queue), task_queue=house.queue, result_type=Delivered
        )
    )


async def deciding(house: House) -> None:
    """A version waits for people, who are in the outbox."""
    await house.start(HIGH)
    await house.submit()
    await house.until_phase(Phase.DECIDING)
    await house.recorded()


async def test_approvers_hear_of_it_by_schedule(house: House, sink: HttpSink) -> None:
    """Made twice it is one schedule; triggered, it tells each approver once."""
    await deciding(house)
    for _ in range(2):
        await schedule_delivery(house.client, house.queue)
    handle = house.client.get_schedule_handle(delivery_of(house.queue))
    try:
        await handle.trigger()
        with Catalog(house.database) as catalog:
            people = catalog.notified(house.model)
        async with asyncio.timeout(WITHIN):
            while len(sink.posts) < len(people):
                await asyncio.sleep(0.05)
    finally:
        for _ in range(2):
            await unschedule_delivery(house.client, house.queue)
    with pytest.raises(RPCError, match="not found"):
        await handle.describe()
    told = [json.loads(one.body)["data"] for one in sink.posts]
    assert [one["recipient"] for one in told] == people
    assert {one["topic"] for one in told} == {"decision"}
    assert (await deliver(house)).sent == 0


async def test_what_does_not_arrive_is_a_finding(house: House, sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """The round says so, the reconciliation opens a finding; when it arrives, it holds no more. No secret anywhere."""
    monkeypatch.setattr("activities.adapters.sql_outbox.pause_after", lambda failures: timedelta())
    await deciding(house)
    sink.manners = Manners(status=503)
    for _ in range(5):
        assert (await deliver(house)).problems == {"events": "channel 'events' answers 503"}
    await look(house)
    found = [one for one in house.parts.findings.findings() if one.kind is FindingKind.UNDELIVERED]
    assert [one.about for one in found] == ["events"]
    with Catalog(house.database) as catalog:
        (through,) = catalog.deliveries()
    assert (through.failing, through.problem) == (1, "channel 'events' answers 503")
    sink.manners = Manners()
    assert (await deliver(house)).sent == through.waiting
    await look(house)
    assert [one for one in house.parts.findings.findings() if one.kind is FindingKind.UNDELIVERED] == []
    history = await house.client.get_workflow_handle(delivery_of(house.queue)).fetch_history()
    kept = history.to_json() + (house.root / "house.log").read_text()
    assert "canary" not in kept
    assert SECRET not in kept
