"""Whoever may start workflows may order any step, and begin any lifecycle: nothing enters the record by that."""

import dataclasses
from typing import Any, cast

import pytest
from temporalio import workflow
from temporalio.client import WorkflowContinuedAsNewError, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.notification import Notice
from activities.ports import Scanner
from client.api import Modelops
from models.canonical import Frozen, digest, replace
from models.evidence import EffectKey, StepKind, StepOrder
from models.inventory import Environment, RiskTier, VersionStatus
from models.journal import Assignment, Journal, JournalEntry, LifecycleInput
from models.plan import GatePlan, Plan
from models.rebuilding import resumed
from models.state import Phase, State, change
from tests.temporal.attackers import DEV, ONE, PROD, TEST, Held, order, rightful
from tests.temporal.house import House, claimed, facts_of, plan_of

LOW = plan_of("low-risk")
CREDIT = plan_of("credit-high-risk")

STEPS = {
    "classify": StepKind.CLASSIFY,
    "register_version": StepKind.REGISTER,
    "scan_artifact": StepKind.SCAN,
    "evaluate_version": StepKind.EVALUATE,
    "package_version": StepKind.PACKAGE,
    "ask_approvers": StepKind.ASK,
    "train_version": StepKind.TRAIN,
    "start_monitors": StepKind.MONITOR,
    "stop_monitors": StepKind.STOP_MONITORS,
    "assess_consumers": StepKind.ASSESS_CONSUMERS,
    "notify_consumers": StepKind.NOTIFY_CONSUMERS,
    "archive_model": StepKind.ARCHIVE,
}


async def test_a_step_that_another_workflow_orders(house: House) -> None:
    """Not one: else a clean artifact, scanned under the key of the next step, would answer for one that is not."""
    await house.start(CREDIT)
    await house.submit()
    await house.until_phase(Phase.DECIDING, "validation")
    await house.recorded()
    recorded = house.whole_trail()
    forged = JournalEntry.model_validate_json(next(e.body for e in reversed(recorded) if e.kind == "event"))
    forged = replace(forged, seq=forged.seq + 1)
    for activity, kind in STEPS.items():
        made = StepOrder(model=house.model, visit=4, step=kind, kind=kind, stage="development", version=1)
        assert "is not the lifecycle of" in await order(house, activity, Assignment(order=made, journal=(forged,)))
    notice = Notice(
        key=EffectKey(model=house.model, visit=0, step="x"), groups=(), people=("rosa",), subject="Approve!"
    )
    assert "is not the lifecycle of" in await order(house, "notify_people", notice)
    assert "is not the lifecycle of" in await order(house, "record_events", Journal(entries=(forged,)))
    assert house.whole_trail() == recorded
    await house.approve("validation", "dmitri", "rosa")
    await house.approve("staging", "lena", "paul")
    await house.until_phase(Phase.STEADY)
    await rightful(house, CREDIT, ONE)


async def test_a_step_under_the_name_of_a_terminated_lifecycle(house: House) -> None:
    """With the name free, a clean artifact could be scanned for one that is not: it is not this version's."""
    await house.start(LOW)
    held = Held(house.parts.scanner, "scan", arguments=2)
    house.parts = dataclasses.replace(house.parts, scanner=cast(Scanner, held))
    await house.close()
    await house.open()
    evil, clean = house.version(note="evil"), house.version()
    await house.update("submit_version", house.handed_in(evil))
    await held.begun()
    await house.handle.terminate("the name is wanted")
    held.let_go()
    house.parts.store.fetch(clean.artifact)
    made = StepOrder(model=house.model, visit=2, step="package", kind=StepKind.PACKAGE, stage="development", version=1)
    for kind, activity, artifact in (
        (StepKind.SCAN, "scan_artifact", clean.artifact.digest),
        (StepKind.EVALUATE, "evaluate_version", clean.artifact.digest),
        (StepKind.PACKAGE, "package_version", None),
    ):
        task = Assignment(order=replace(made, step=kind.value, kind=kind, artifact=artifact))
        said = await order(house, activity, task, house.handle.id)
        assert f"version 1 of '{house.model}' is registered with artifact {evil.artifact.digest}" in said
    for misnamed in (replace(made, kind=StepKind.SCAN), replace(made, step="scan")):
        said = await order(house, "scan_artifact", Assignment(order=misnamed), house.handle.id)
        assert f"'{misnamed.step}' of stage 'development' is no step to scan" in said
    given = resumed(house.model, LOW, house.parts.inventory.trail(house.model))
    await Modelops(house.client, queue=house.queue).rebuild(facts_of(house.model, RiskTier.LOW), given)
    await house.until(lambda status: status.statuses.get(1) is VersionStatus.REJECTED)
    await rightful(house, LOW, ())


async def test_events_of_another_model(house: House) -> None:
    """The lifecycle of one model brings nothing into the record of another."""
    await house.start(LOW)
    await house.until_phase(Phase.AWAITING_VERSION)
    await house.recorded()
    recorded = house.whole_trail()
    entry = JournalEntry.model_validate_json(next(e.body for e in reversed(recorded) if e.kind == "event"))
    forged = replace(entry, seq=entry.seq + 1)
    other = replace(forged, model="another-model", seq=1)
    for entries in ((other, forged), (forged,)):
        refused = await order(house, "record_events", Journal(entries=entries), "model/another-model")
        assert "is not" in refused
    assert house.whole_trail() == recorded
    await rightful(house, LOW, ())


async def begun(house: House, plan: Plan, owner: str = "olga") -> str:
    """Why a lifecycle that somebody begins comes to an end at once."""
    given = LifecycleInput(plan=plan, state=State(model=house.model, owner=owner), proof=claimed(plan))
    started = await house.client.start_workflow(plan.template, given, id=f"model/{house.model}", task_queue=house.queue)
    with pytest.raises(WorkflowFailureError) as caught:
        await started.result()
    assert isinstance(caught.value.cause, ApplicationError)
    return caught.value.cause.message


async def test_a_lifecycle_of_another_owner(house: House) -> None:
    """Who owns a model may not approve it, and may retire it: the registry says who that is, not the starter."""
    await house.register(LOW)
    assert await begun(house, LOW, owner="eve") == f"'{house.model}' is owned by olga, not by eve"
    await house.begin(LOW)
    await house.submit()
    await house.until_phase(Phase.STEADY)
    await rightful(house, LOW, ((TEST, 1), (PROD, 1)))


def stripped(approvals: dict[str, int]) -> Plan:
    """A plan whose gates ask fewer people, or nobody; its proof is claimed."""
    stages = tuple(
        replace(stage, gate=_stripped(stage.gate, approvals)) if stage.gate and stage.gate.asks_people else stage
        for stage in CREDIT.stages
    )
    return CREDIT.model_copy(update={"stages": stages})


def _stripped(gate: GatePlan, approvals: dict[str, int]) -> GatePlan:
    kept = {role: count for role, count in approvals.items() if role in gate.approvals}
    return replace(gate, approvals=kept) if kept else GatePlan(id=gate.id, question="", checks=gate.checks)


@pytest.mark.parametrize(
    ("approvals", "approving", "counted"),
    [({}, (), 0), ({"risk": 1}, (("validation", "rosa"),), 1), ({"legal": 1}, (("staging", "lena"),), 1)],
)
async def test_a_quorum_that_was_stripped(
    house: House, approvals: dict[str, int], approving: tuple[tuple[str, str], ...], counted: int
) -> None:
    """A lifecycle begun under a plan that asks less than production does gets as far as the test environment."""
    plan = stripped(approvals)
    await house.start(plan)
    await house.submit()
    for stage, person in approving:
        await house.approve(stage, person)
    stuck = await house.until_phase(Phase.STUCK, "production")
    assert stuck.failure is not None
    said = f"{counted} people who did not build version 1 have approved it; PROD asks 2 of every model of tier high"
    assert said in stuck.failure.message
    await rightful(house, plan, ((DEV, 1), (TEST, 1)))


async def test_a_plan_for_models_that_do_little_harm(house: House) -> None:
    """A model of high risk is turned away at intake by a plan without gates, and its versions enter nowhere."""
    await house.client.execute_workflow(
        "ModelRegistration",
        facts_of(house.model, RiskTier.MEDIUM),
        id=f"register/{house.model}",
        task_queue=house.queue,
    )
    await house.begin(LOW)
    await house.until_phase(Phase.ENDED)
    await rightful(house, LOW, [(environment, None) for environment in Environment])


class Smuggled(Frozen):
    """A state that somebody made, and where it is to go on."""

    type: str
    queue: str
    given: LifecycleInput


@workflow.defn(name="Smuggler")
class Smuggler:
    """Goes on, under the name of a lifecycle, as that lifecycle: on the honest worker, with a state of its own."""

    @workflow.run
    async def run(self, smuggled: Smuggled) -> None:
        """The next run is the lifecycle's."""
        workflow.continue_as_new(workflow=smuggled.type, args=[smuggled.given], task_queue=smuggled.queue)


PASSED: dict[str, Any] = {"stage": "production", "phase": Phase.WORKING, "visit": 6}


@pytest.mark.leaves_broken("the lifecycle itself was forged: what holds is that no environment believes it")
async def test_a_state_that_a_workflow_goes_on_with(house: House) -> None:
    """What the run before hands on is believed by the lifecycle; the record is not deceived, and no environment."""
    await house.start(CREDIT)
    await house.submit()
    await house.until_phase(Phase.DECIDING, "validation")
    true = await house.recorded()
    recorded, bundle = house.whole_trail(), house.parts.inventory.earned(house.model, 1).bundle
    await house.handle.terminate("the name is wanted")
    promotion = StepOrder(
        model=house.model,
        visit=6,
        step="promote",
        kind=StepKind.PROMOTE,
        stage="production",
        version=1,
        artifact=house.parts.inventory.earned(house.model, 1).artifact,
        bundle=bundle,
        environment=PROD,
    )
    state = change(State(model=house.model, owner="eve"), **PASSED, seq=true.seq, in_flight=promotion)
    smuggled = Smuggled(type=CREDIT.template, queue=house.queue, given=LifecycleInput(plan=CREDIT, state=state))
    queue = f"smugglers-{house.queue}"
    async with Worker(
        house.client,
        task_queue=queue,
        workflows=[Smuggler],
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id="smugglers",
    ):
        started = await house.client.start_workflow(Smuggler.run, smuggled, id=house.handle.id, task_queue=queue)
        with pytest.raises(WorkflowContinuedAsNewError):
            await started.result(follow_runs=False)
        stuck = await house.until_phase(Phase.STUCK, "production")
    assert stuck.failure is not None
    assert f"'{house.model}' is in stage 'validation', visit 3; the order is of 'production', visit 6" in (
        stuck.failure.message
    )
    assert house.whole_trail()[: len(recorded)] == recorded
    assert [(one.environment, one.version) for one in house.deployer.effects()] == [(DEV, 1)]
    assert digest(house.parts.inventory.governing_plan(house.model)) == digest(CREDIT)
