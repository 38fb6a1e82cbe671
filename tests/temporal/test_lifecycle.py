"""The lifecycle on a real Temporal server: messages, gates, failures, continue-as-new."""

import asyncio
import json

import pytest
from temporalio.client import Client
from temporalio.common import RetryPolicy

from models.audit import verify_chain
from models.evidence import StepKind
from models.inventory import Environment, VersionStatus
from models.messages import Action, Breach, Choice
from models.state import Phase
from tests.temporal.house import House, plan_of
from workflows import options

CREDIT = plan_of("credit-high-risk")
LOW = plan_of("low-risk")


async def test_the_whole_loop(house: House) -> None:
    """Registration, an unfair version sent back, two gates, production, a breach, a challenger, retirement."""
    await house.start(CREDIT)
    await house.until_phase(Phase.AWAITING_VERSION)
    await house.submit({"auc": 0.82, "adverse_impact": 0.77, "calibration_error": 0.03})
    status = await house.until(lambda s: s.phase is Phase.AWAITING_VERSION and s.statuses != {})
    assert status.statuses == {1: VersionStatus.REJECTED}
    status = await house.to_production()
    assert status.serving[Environment.PROD] == 2
    await house.handle.signal("report_breach", Breach(monitor="drift", window="w1", reasons=("drift 0.4 > 0.25",)))
    await house.until(lambda s: s.version is not None and s.version.number == 3)
    await house.approve("validation", "dmitri", "rosa")
    await house.approve("staging", "lena", "paul")
    status = await house.until(lambda s: s.champion is not None and s.champion.number == 3 and s.phase is Phase.STEADY)
    assert status.statuses[2] is VersionStatus.PREVIOUS
    await house.request(Action.RETIRE)
    result = await house.handle.result()
    assert result["phase"] == "ended"
    trail = house.parts.inventory.trail(house.model)
    assert len(trail) > 30
    assert house.parts.inventory.deployments(house.model) == {}


async def test_low_risk_needs_nobody(house: House) -> None:
    """A clean low-risk version reaches production by itself."""
    await house.start(LOW)
    await house.submit()
    status = await house.until_phase(Phase.STEADY)
    assert status.serving == {Environment.TEST: 1, Environment.PROD: 1}


async def test_a_malicious_artifact_is_turned_away(house: House) -> None:
    """A scan that is not clean rejects the version before anything else touches it."""
    await house.start(LOW)
    await house.submit(note="evil")
    status = await house.until(lambda s: s.statuses.get(1) is VersionStatus.REJECTED)
    assert status.phase is Phase.AWAITING_VERSION
    assert house.deployer.effects() == []


async def refusals(house: House) -> list[str]:
    """Why what was sent and did not count did not, by the record."""
    await house.recorded()
    bodies = [json.loads(entry.body) for entry in house.parts.inventory.trail(house.model) if entry.kind == "event"]
    return [body["refusal"] for body in bodies if body["refusal"]]


async def test_self_approval_is_refused_and_on_record(house: House) -> None:
    """The developer's own approval is refused with the reason, and that it was tried is in the audit trail."""
    await house.start(CREDIT)
    await house.submit()
    await house.until_phase(Phase.DECIDING)
    assert "separation of duties" in await house.refusal("decide", await house.decision("ana"))
    (refusal,) = await refusals(house)
    assert "separation of duties" in refusal


async def test_a_signal_that_cannot_count_is_recorded_as_refused(house: House) -> None:
    """The signal door has no answer; the refusal is in the audit trail."""
    await house.start(CREDIT)
    await house.submit()
    await house.until_phase(Phase.DECIDING)
    before = await house.status()
    await house.handle.signal("decide", await house.decision("ana"))
    await house.until(lambda s: s.seq == before.seq + 1)
    await house.decide("rosa")
    await house.until(lambda s: s.gate is not None and len(s.gate.decisions) == 1)
    (refusal,) = await refusals(house)
    assert "separation of duties" in refusal


async def test_a_rejection_by_signal_counts(house: House) -> None:
    """A script or the Web UI may decide by signal with the same payload."""
    await house.start(CREDIT)
    await house.submit()
    await house.until_phase(Phase.DECIDING)
    await house.handle.signal("decide", await house.decision("rosa", Choice.REJECT))
    status = await house.until_phase(Phase.AWAITING_VERSION)
    assert status.statuses == {1: VersionStatus.REJECTED}


async def test_a_step_that_keeps_failing_waits_for_a_person(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its retries a step is stuck with cause and remedy; a person retries, and everything goes on."""
    monkeypatch.setattr(options, "STEP_RETRIES", RetryPolicy(maximum_attempts=2))
    house.deployer.broken = 2
    await house.start(LOW)
    await house.submit()
    status = await house.until_phase(Phase.STUCK)
    assert status.failure is not None
    assert (status.failure.type, status.failure.remedy) == ("UnavailableError", "start it")
    await house.request(Action.RETRY)
    await house.until_phase(Phase.STEADY)


async def test_a_failed_smoke_test_keeps_the_champion(house: House) -> None:
    """A version that answers nonsense is rejected; the champion still serves."""
    await house.start(LOW)
    await house.submit()
    await house.until_phase(Phase.STEADY)
    house.deployer.refuses = True
    await house.submit()
    status = await house.until(lambda s: s.statuses.get(2) is VersionStatus.REJECTED)
    assert status.phase is Phase.STEADY
    assert status.serving[Environment.PROD] == 1


async def test_rollback_restores_the_previous_champion(house: House) -> None:
    """The previous champion serves again, and what replaced it is withdrawn."""
    await house.start(LOW)
    for number in (1, 2):
        await house.submit()
        await house.until(lambda s, n=number: s.champion is not None and s.champion.number == n)  # type: ignore[misc]
    await house.until_phase(Phase.STEADY)
    await house.request(Action.ROLLBACK)
    status = await house.until(lambda s: s.statuses.get(2) is VersionStatus.WITHDRAWN)
    assert status.serving[Environment.PROD] == 1
    assert house.parts.inventory.deployments(house.model)[Environment.PROD][0] == 1


async def test_pause_and_resume(house: House) -> None:
    """While paused no step starts."""
    await house.start(LOW)
    await house.until_phase(Phase.AWAITING_VERSION)
    await house.request(Action.PAUSE)
    await house.submit()
    status = await house.status()
    assert status.paused
    assert status.step is None
    await house.request(Action.RESUME)
    await house.until_phase(Phase.STEADY)


async def test_each_stage_is_a_run_of_its_own(house: House) -> None:
    """The lifecycle continues as new at stage boundaries, and loses nothing."""
    await house.start(LOW)
    first = (await house.handle.describe()).run_id
    await house.submit()
    await house.until_phase(Phase.STEADY)
    description = await house.handle.describe()
    assert description.run_id != first
    assert description.history_length < 30


async def test_the_record_agrees_with_the_workflow(house: House) -> None:
    """The audit chain verifies, and counts as many events as the lifecycle has seen."""
    await house.start(LOW)
    await house.submit()
    await house.until_phase(Phase.STEADY)
    status = await house.recorded()
    trail = house.parts.inventory.trail(house.model)
    assert verify_chain(house.whole_trail()) == []
    events = [entry for entry in trail if entry.kind == "event"]
    assert len(events) == status.seq


async def test_it_is_found_by_search_attributes(house: House, temporal: Client) -> None:
    """A lifecycle is found by model, stage, and the role that it waits for."""
    await house.start(CREDIT)
    await house.submit()
    await house.until_phase(Phase.DECIDING)
    query = f"ModelopsModel='{house.model}' AND ModelopsStage='validation' AND ModelopsWaitsFor='risk'"
    found: list[str] = []
    async with asyncio.timeout(10):
        while not found:
            found = [listed.id async for listed in temporal.list_workflows(query)]
    assert found == [f"model/{house.model}"]


async def test_an_undecodable_input_fails_with_the_reason(house: House, temporal: Client) -> None:
    """A start with something else than a plan and a state ends at once instead of hanging."""
    handle = await temporal.start_workflow("nonsense", {"plan": 1}, id="model/nonsense", task_queue=house.queue)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the SDK's wrapper; its cause is what counts
        await handle.result()
    assert "not a plan and a state" in str(caught.value.__cause__)


async def test_steps_are_named_in_the_timeline(house: House) -> None:
    """Activities carry a sentence that says what they do."""
    await house.start(LOW)
    await house.submit()
    await house.until_phase(Phase.STEADY)
    assert StepKind.PROMOTE in {step.kind for step in LOW.stage("production").steps}
    summaries = [
        event.user_metadata.summary.data.decode()
        async for event in house.handle.fetch_history_events()
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    assert summaries[0] == f'"promote version 1 of {house.model} into PROD (production)"'
    assert summaries[1:] == ['"record: step succeeded"']


async def test_odd_signals_stop_nothing(house: House) -> None:
    """A signal without its JSON, with a number too large or with control characters: the lifecycle goes on."""
    await house.start(CREDIT)
    await house.submit()
    await house.until_phase(Phase.DECIDING)
    await house.handle.signal("decide")
    await house.handle.signal("request", None)
    odd = (await house.decision("rosa")).model_dump(mode="json")
    await house.handle.signal("decide", odd | {"visit": 2**60})
    await house.handle.signal("decide", odd | {"payload": "bm90aGluZw=="})
    await house.handle.signal("submit_version", {"submission": {}, "envelope": odd})
    await house.handle.signal("report_breach", {"monitor": "drift", "window": "w\x00", "reasons": ["drift \x00"]})
    await house.approve("validation", "dmitri", "rosa")
    await house.approve("staging", "lena", "paul")
    await house.until_phase(Phase.STEADY)
    await house.recorded()
