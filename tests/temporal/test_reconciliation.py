"""One look at the world on a real server: what contradicts is found, shown, and resolved when it holds no more."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities.adapters.oip_index import OipIndex
from activities.adapters.temporal_executions import TemporalExecutions
from activities.reconciliation import Reconciled
from client.api import Modelops
from models.canonical import digest_bytes
from models.evidence import EffectKey
from models.inventory import Environment
from models.messages import Action
from models.reconciliation import FindingKind
from models.state import Phase
from tests.contract.backdoor import execute
from tests.temporal.house import WITHIN, House, facts_of, plan_of
from tests.temporal.invariants import check_invariants
from tests.temporal.test_rebuilding import lose, recorded
from worker.schedules import reconciliation_of, schedule_reconciliation
from workflows import attributes, options

LOW = plan_of("low-risk")
FOUND = tuple[FindingKind, str | None, str]


@pytest.fixture
async def house(
    temporal: Client, tmp_path: Path, request: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    """A house that looks at real executions, and is not patient."""
    monkeypatch.setattr(options, "RECORD_GRACE", timedelta(seconds=0.5))
    monkeypatch.setattr(options, "NEWBORN", timedelta())
    house = House(temporal, tmp_path, request.node.name)
    executions = TemporalExecutions(temporal, attributes.MODEL.name, timedelta(seconds=5))
    house.parts = dataclasses.replace(house.parts, executions=executions)
    async with house:
        yield house


async def look(house: House) -> Reconciled:
    """One look, as the schedule has it."""
    return Reconciled.model_validate(
        await house.client.execute_workflow(
            "Reconciliation", id=reconciliation_of(house.queue), task_queue=house.queue, result_type=Reconciled
        )
    )


async def holding(house: House) -> list[tuple[FindingKind, str]]:
    """What holds after one look; the lifecycles of other tests are none of the house's."""
    await look(house)
    found = house.parts.findings.findings()
    return [(one.kind, one.about) for one in found if one.model in (house.model, None)]


async def serving(house: House) -> None:
    """A first version serves."""
    await house.start(LOW)
    await house.submit()
    await house.until_phase(Phase.STEADY)
    await house.recorded()


@pytest.mark.parametrize("how", ["terminated", "deleted"])
async def test_lost_found_and_rebuilt(house: House, how: str) -> None:
    """Terminate or delete the execution: a finding within one look; rebuild it: resolved by the next."""
    await serving(house)
    assert await holding(house) == []
    await lose(house, how)
    assert await holding(house) == [(FindingKind.EXECUTION_GONE, house.model)]
    await Modelops(house.client, queue=house.queue).rebuild(facts_of(house.model, LOW.tiers[0]), recorded(house))
    assert await holding(house) == []
    kinds = [entry.kind for entry in house.parts.inventory.trail(house.model)]
    assert kinds.count("finding") == 2
    await check_invariants(house, LOW)


async def test_a_beginning_over_a_record(house: House) -> None:
    """Whoever begins a terminated lifecycle anew gets nothing done, is found, and the true one goes on afterwards."""
    await serving(house)
    effects = house.deployer.effects()
    await house.handle.terminate("by somebody")
    await house.begin(LOW)
    status = await house.until_phase(Phase.STUCK)
    assert status.failure is not None
    assert (status.failure.type, status.seq) == ("ConflictError", 2)
    assert await holding(house) == [(FindingKind.STATE_DIFFERS, house.model)]
    await house.handle.terminate("by whoever has seen the finding")
    await Modelops(house.client, queue=house.queue).rebuild(facts_of(house.model, LOW.tiers[0]), recorded(house))
    assert await holding(house) == []
    assert house.deployer.effects() == effects
    await check_invariants(house, LOW)


async def test_a_lifecycle_at_work_is_no_contradiction(house: House) -> None:
    """Looks in the middle of its work find nothing that is not so, and nothing once it has ended."""
    await house.start(LOW)
    for number in (1, 2, 3):
        await house.submit()
        assert await holding(house) == []
        await house.until(lambda s, n=number: s.phase is Phase.STEADY and s.serving[Environment.PROD] == n)  # type: ignore[misc]
    await house.request(Action.RETIRE)
    await house.handle.result()
    assert await holding(house) == []


async def test_a_record_that_is_gone_or_says_otherwise(house: House) -> None:
    """Rows that somebody edits or deletes contradict the execution that goes on."""
    await serving(house)
    execute(house.database, "UPDATE lifecycle SET visit = visit + 1")
    assert await holding(house) == [(FindingKind.STATE_DIFFERS, house.model)]
    execute(house.database, "DELETE FROM lifecycle")
    async with asyncio.timeout(WITHIN):
        while await holding(house) != [(FindingKind.RECORD_GONE, house.model)]:
            pass


async def test_an_alias_moved_by_hand(house: House) -> None:
    """Production serves another bundle than the record says, and is found; moved back, it is resolved."""
    await serving(house)
    right = house.parts.inventory.deployments(house.model)[Environment.PROD]
    for visit, bundle in ((998, digest_bytes(b"another")), (999, right.bundle)):
        key = EffectKey(model=house.model, visit=visit, step="by-hand")
        house.deployer.deploy(Environment.PROD, house.model, right.version, bundle, key)
        expected = [(FindingKind.SERVING_DIFFERS, "PROD")] if bundle != right.bundle else []
        assert await holding(house) == expected


@activity.defn(name="promote_version")
async def promote_version(task: Any) -> None:
    """What a rogue does with promotions."""


@pytest.mark.parametrize(("identity", "known"), [("4711@elsewhere", False), ("modelops-actuator@host", True)])
async def test_who_polls_the_actuators_queue(house: House, identity: str, known: bool) -> None:
    """Whoever takes orders from the actuator's queue under another name is found within one look."""
    queue = options.actuator_queue(house.queue)
    client = await Client.connect(house.client.service_client.config.target_host, identity=identity)
    async with Worker(client, task_queue=queue, activities=[promote_version], build_id="rogue"):
        polls = TemporalExecutions(house.client, attributes.MODEL.name, timedelta(seconds=5))
        async with asyncio.timeout(WITHIN):
            while identity not in await polls.pollers(queue):
                await asyncio.sleep(0.1)
        assert await holding(house) == ([] if known else [(FindingKind.UNKNOWN_WORKER, identity)])


async def test_a_silent_execution(house: House) -> None:
    """A lifecycle that runs and does not say where it is, is silent; one that nobody asks is only there."""
    await house.start(LOW)
    await house.until_phase(Phase.AWAITING_VERSION)
    await house.close()
    executions = TemporalExecutions(house.client, attributes.MODEL.name, timedelta(seconds=1))
    seen = (await executions.look([house.model, "nobody"]))[house.model]
    assert (seen.fate, seen.silent, seen.place) == ("running", True, None)
    async with asyncio.timeout(WITHIN):
        while not (found := (await executions.look([])).get(house.model)):
            await asyncio.sleep(0.1)
    assert (found.runs, found.silent) == (True, False)
    assert "nobody" not in await executions.look(["nobody"])
    await house.open()


async def test_a_silent_environment(house: House) -> None:
    """An inference server that does not answer is a finding, and what is found elsewhere is found nevertheless."""
    nobody = OipIndex({environment: "http://127.0.0.1:1" for environment in Environment}, timeout=1)
    await house.close()
    house.parts = dataclasses.replace(house.parts, environments=nobody)
    await house.open()
    assert sorted(await holding(house)) == [(FindingKind.SILENT, environment) for environment in sorted(Environment)]
    nobody.close()


async def test_the_schedule_is_made_once_and_renewed(house: House) -> None:
    """Workers that start make it or bring it up to date; it runs, and who paused it finds it paused."""
    for every in (3600, 1):
        await schedule_reconciliation(house.client, house.queue, timedelta(seconds=every))
    schedule = house.client.get_schedule_handle(reconciliation_of(house.queue))
    async with asyncio.timeout(WITHIN):
        while not (await schedule.describe()).info.recent_actions:
            await asyncio.sleep(0.2)
    await schedule.pause(note="for the test")
    await schedule_reconciliation(house.client, house.queue, timedelta(seconds=2))
    described = (await schedule.describe()).schedule
    assert described.state.paused
    assert described.spec.intervals[0].every == timedelta(seconds=2)
    await schedule.delete()
