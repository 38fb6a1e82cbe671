"""A lifecycle whose execution was lost goes on from the record: terminated or deleted, in the middle of anything."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.service import RPCError, RPCStatusCode

from client.api import Modelops
from models.audit import AuditHead
from models.canonical import replace
from models.errors import ConflictError, NotPermittedError, RefusedError, UnavailableError
from models.evidence import EffectKey, StepResult
from models.inventory import Change, Deployed, Environment
from models.journal import JournalEntry, LifecycleInput
from models.messages import Action, Breach
from models.rebuilding import resumed
from models.reconciliation import Finding, FindingKind
from models.signing import Envelope, seal
from models.state import Phase, change
from models.status import Status
from tests.contract.backdoor import execute
from tests.temporal.house import WITHIN, House, facts_of, plan_of
from tests.temporal.invariants import check_invariants
from tests.temporal.shell import run
from workflows import options
from workflows.lifecycle import UNCONFIRMED

LOW = plan_of("low-risk")
UNEXPECTED = Finding(kind=FindingKind.SERVING_DIFFERS, model=None, about="PROD", text="PROD serves nothing")
ENVELOPE = seal(b"{}", "text/plain", Ed25519PrivateKey.generate())


@pytest.fixture
def modelops(house: House) -> Modelops:
    """A client of the house's worker."""
    return Modelops(house.client, queue=house.queue)


def recorded(house: House) -> LifecycleInput:
    """What the record leads to."""
    return resumed(house.model, LOW, house.parts.inventory.trail(house.model))


async def delete(house: House) -> None:
    """Nothing is left of any run of the lifecycle."""
    async with asyncio.timeout(WITHIN):
        while await exists(house):
            async for run in house.client.list_workflows(f"WorkflowId='model/{house.model}'"):
                execution = WorkflowExecution(workflow_id=run.id, run_id=run.run_id)
                request = DeleteWorkflowExecutionRequest(namespace=house.client.namespace, workflow_execution=execution)
                with contextlib.suppress(RPCError):
                    await house.client.workflow_service.delete_workflow_execution(request)
            await asyncio.sleep(0.1)


async def exists(house: House) -> bool:
    """Whether the server knows of an execution."""
    try:
        return bool(await house.handle.describe())
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False


async def lose(house: House, how: str) -> None:
    """The execution is terminated, or deleted."""
    await (house.handle.terminate("by accident") if how == "terminated" else delete(house))


async def serving(house: House) -> Status:
    """A first version serves."""
    await house.start(LOW)
    await house.submit()
    await house.until_phase(Phase.STEADY)
    return await house.recorded()


@pytest.mark.parametrize("how", ["terminated", "deleted"])
async def test_it_goes_on_where_the_record_says(house: House, modelops: Modelops, how: str) -> None:
    """The same stage, visit, versions and count of events; it takes the next version, and ends as any other."""
    before = await serving(house)
    await lose(house, how)
    lost = await modelops.lost(house.model, house.parts.inventory.trail(house.model))
    assert (lost.how, lost.unrecorded) == (how, () if how == "terminated" else None)
    assert await modelops.rebuild(facts_of(house.model, LOW.tiers[0]), recorded(house)) == before
    await house.submit()
    await house.until(lambda s: s.serving.get(Environment.PROD) == 2 and s.phase is Phase.STEADY)
    await check_invariants(house, LOW)


def asked(house: House, *actions: str) -> list[Envelope]:
    """What the owner signs, to be sent as it is, more than once."""
    return [house.asked(Action[name]) for name in actions]


async def test_an_order_in_flight_is_carried_out_once(
    house: House, modelops: Modelops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the lost execution had ordered is ordered again under the same key, also if it took effect unrecorded."""
    commit, tried = house.parts.inventory.commit_effect, asyncio.Event()

    def forgetful(key: EffectKey, result: StepResult, changes: Sequence[Change]) -> StepResult:
        if any(isinstance(one, Deployed) and one.environment is Environment.PROD for one in changes):
            house_loop.call_soon_threadsafe(tried.set)
            raise UnavailableError("the database is away")
        return commit(key, result, changes)

    house_loop = asyncio.get_running_loop()
    with monkeypatch.context() as patched:
        patched.setattr(house.parts.inventory, "commit_effect", forgetful)
        await house.start(LOW)
        await house.submit()
        await asyncio.wait_for(tried.wait(), WITHIN)
        await house.recorded()
        await house.handle.terminate("by accident")
    assert recorded(house).state.in_flight is not None
    await modelops.rebuild(facts_of(house.model, LOW.tiers[0]), recorded(house))
    await house.until_phase(Phase.STEADY)
    assert len(house.deployer.calls()) > len(house.deployer.effects()) == 2
    await check_invariants(house, LOW)


async def test_what_was_answered_and_not_recorded_is_named(
    house: House, modelops: Modelops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the lost execution took beyond the record is there as it was sent, and counts when it is sent again."""
    await serving(house)
    breach, pause, resume = Breach(monitor="drift", window="w1", reasons=("drift",)), *asked(house, "PAUSE", "RESUME")
    await house.request(Action.PAUSE)
    await house.recorded()

    with monkeypatch.context() as patched:
        patched.setattr(house.parts.inventory, "commit_event", away)
        await house.update("request", resume)
        await house.handle.signal("decide", ENVELOPE)
        await house.update("request", pause)
        await house.handle.signal("report_breach", breach)
        await house.handle.signal("report_breach", {"monitor": 1})
        await house.until(lambda s: s.seq >= recorded(house).state.seq + 3)
        await house.handle.terminate("by accident")
    lost = await modelops.lost(house.model, house.parts.inventory.trail(house.model))
    assert lost.unrecorded is not None
    assert [(one.message, one.answered) for one in lost.unrecorded] == [
        (resume, True),
        (ENVELOPE, False),
        (pause, True),
        (breach, False),
    ]
    status = await modelops.rebuild(facts_of(house.model, LOW.tiers[0]), recorded(house))
    assert status.paused
    for one in (lost.unrecorded[0], lost.unrecorded[2]):
        await house.update("request", one.message)
    await check_invariants(house, LOW)


async def test_nothing_is_taken_before_the_record_confirms(
    house: House, modelops: Modelops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update is refused and changes nothing; a signal waits, and counts once the state is confirmed."""
    before, asked, answer = await serving(house), asyncio.Event(), threading.Event()
    read, loop = house.parts.inventory.head, asyncio.get_running_loop()

    def slow() -> AuditHead:
        loop.call_soon_threadsafe(asked.set)
        assert answer.wait(WITHIN)
        return read()

    await house.handle.terminate("by accident")
    monkeypatch.setattr(house.parts.inventory, "head", slow)
    rebuilding = asyncio.create_task(modelops.rebuild(facts_of(house.model, LOW.tiers[0]), recorded(house)))
    await asyncio.wait_for(asked.wait(), WITHIN)
    assert "being rebuilt" in await house.refusal("submit_version", house.handed_in(house.version()))
    await house.handle.signal("request", house.asked(Action.PAUSE))
    unconfirmed = await house.status()
    assert (unconfirmed.seq, unconfirmed.paused) == (before.seq, False)
    assert unconfirmed.troubles[0].startswith(UNCONFIRMED)
    answer.set()
    await rebuilding
    await house.until(lambda s: s.paused and s.seq == before.seq + 1)
    await check_invariants(house, LOW)


FORGED: dict[str, dict[str, Any]] = {
    "stage is 'production', the record says 'development'": {"stage": "production", "phase": Phase.STEADY},
    "owner is 'eve', the record says 'olga'": {"owner": "eve"},
    "seq is 0": {"seq": 0, "stage": ""},
}


@pytest.mark.parametrize("said", FORGED)
async def test_a_state_that_the_record_does_not_lead_to(house: House, modelops: Modelops, said: str) -> None:
    """Whatever the starter claims, the worker asks the record: nothing happens, and the true one may come."""
    await house.start(LOW)
    await house.until_phase(Phase.AWAITING_VERSION)
    await house.recorded()
    await house.handle.terminate("by the forger")
    true, facts = recorded(house), facts_of(house.model, LOW.tiers[0])
    with pytest.raises(NotPermittedError, match=said):
        await modelops.rebuild(facts, replace(true, state=change(true.state, **FORGED[said])))
    assert house.deployer.effects() == []
    assert (await modelops.rebuild(facts, true)).phase is Phase.AWAITING_VERSION


@pytest.mark.leaves_broken("the forger's execution has taken the lifecycle's place")
async def test_a_plan_that_the_record_does_not_name(house: House, modelops: Modelops) -> None:
    """The state may be true and the plan another one, with fewer gates."""
    await serving(house)
    await house.handle.terminate("by the forger")
    forged = replace(recorded(house), plan=plan_of("low-risk", ("version: 1", "version: 2")))
    with pytest.raises(NotPermittedError, match="plan is sha256:"):
        await modelops.rebuild(facts_of(house.model, LOW.tiers[0]), forged)


@pytest.mark.leaves_broken("the trail stays edited")
async def test_a_trail_that_was_edited(house: House, modelops: Modelops) -> None:
    """A record that does not hold confirms nothing."""
    await serving(house)
    await house.handle.terminate("by the forger")
    true = recorded(house)
    execute(house.database, "UPDATE audit SET body = replace(body, 'olga', 'olaf') WHERE model IS NOT NULL")
    with pytest.raises(NotPermittedError, match="the audit trail does not hold"):
        await modelops.rebuild(facts_of(house.model, LOW.tiers[0]), true)


async def test_what_runs_or_has_ended_is_not_rebuilt(house: House, modelops: Modelops) -> None:
    """The server refuses a second execution beside one that runs, and after one that ended by itself; so do we."""
    await serving(house)
    facts, true = facts_of(house.model, LOW.tiers[0]), recorded(house)
    with pytest.raises(ConflictError, match="runs"):
        await modelops.lost(house.model, [])
    with pytest.raises(ConflictError, match="runs, or has ended"):
        await modelops.rebuild(facts, true)
    await house.request(Action.RETIRE)
    await house.handle.result()
    with pytest.raises(RefusedError, match="has ended"):
        await modelops.lost(house.model, [])
    with pytest.raises(ConflictError, match="has ended by itself"):
        await modelops.rebuild(facts, true)
    with pytest.raises(RefusedError, match="has ended"):
        recorded(house)


async def test_the_commands(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """`status` says how to go on with what is lost, `rebuild` does it, and names what has to be sent again."""
    await house.close()
    house.queue = options.TASK_QUEUE
    await house.open()
    await serving(house)
    (pause,) = asked(house, "PAUSE")
    tried, loop = asyncio.Event(), asyncio.get_running_loop()

    def refusing(entry: JournalEntry) -> None:
        loop.call_soon_threadsafe(tried.set)
        away(entry)

    with monkeypatch.context() as patched:
        patched.setattr(house.parts.inventory, "commit_event", refusing)
        await house.update("request", pause)
        await asyncio.wait_for(tried.wait(), WITHIN)
        await house.handle.terminate("by accident")
    lost = await run(house, "status", house.model)
    assert (lost.returncode, f"`modelops rebuild {house.model}`" in lost.stderr) == (3, True)
    found = await run(house, "rebuild", house.model)
    assert found.returncode == 0, found
    assert "whose execution was terminated. Now: version 1 serves" in found.stdout
    assert "and was answered): olga asked to pause, saying 'for the test'" in found.stdout
    assert pause.model_dump_json(exclude_defaults=True) in found.stdout
    house.parts.findings.commit_findings(frozenset({UNEXPECTED.model_copy(update={"model": house.model})}))
    assert "Contradicts the record: PROD serves nothing" in (await run(house, "status", house.model)).stdout
    again = await run(house, "rebuild", house.model)
    assert (again.returncode, "runs: nothing is lost" in again.stderr) == (3, True)
    await house.handle.terminate("by accident")
    told = json.loads((await run(house, "rebuild", house.model, "--json")).stdout)
    assert (told["lost"], told["unrecorded"], told["status"]["phase"]) == ("terminated", [], "steady")


def away(entry: JournalEntry) -> None:
    """No event can be recorded."""
    raise UnavailableError("the database is away")
