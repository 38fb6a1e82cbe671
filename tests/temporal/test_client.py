"""The client against a real server and a real worker: what it does, and what it says when something is missing."""

import asyncio
import dataclasses
import re
import shlex
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowQueryRejectedError
from temporalio.common import QueryRejectCondition, TypedSearchAttributes

from activities.adapters.child_prover import ChildProver
from activities.adapters.temporal_scheduler import TemporalScheduler
from client import api
from client.api import Modelops, lifecycle_id
from examples import approve
from models.canonical import Digest
from models.errors import ConflictError, InvalidInputError, RefusedError, UnavailableError, UnknownNameError
from models.evidence import ScanReport
from models.inventory import Environment, RiskTier, VersionStatus
from models.journal import LifecycleInput
from models.messages import Action, Choice
from models.plan import Plan, Proof
from models.state import Phase, State
from models.status import Status
from tests.signers import signer
from tests.temporal.doubles import TextScanner
from tests.temporal.house import WITHIN, House, claimed, facts_of, plan_of
from tests.temporal.shell import run
from worker.wiring import build_worker
from workflows import attributes

CREDIT = plan_of("credit-high-risk")
LOW = plan_of("low-risk")
PROVED = claimed(CREDIT)
SOMETHING_ELSE = "sha256:" + "0" * 64


@pytest.fixture
def modelops(house: House) -> Modelops:
    """A client of the house's worker."""
    return Modelops(house.client, ui="http://ui", queue=house.queue)


async def started(house: House, modelops: Modelops) -> None:
    """A registered model whose lifecycle waits for a version."""
    facts = facts_of(house.model, RiskTier.HIGH)
    await modelops.register(facts)
    await modelops.start(facts, CREDIT, PROVED)
    await house.until_phase(Phase.AWAITING_VERSION)


async def at_validation(house: House, modelops: Modelops) -> None:
    """Its first version waits for the validators."""
    await started(house, modelops)
    await modelops.submit(house.model, house.version(), signer("ana"))
    await house.until_phase(Phase.DECIDING, "validation")


async def test_register_is_idempotent(house: House, modelops: Modelops) -> None:
    """The same facts again change nothing; other facts under the same id are a conflict, with the reason."""
    facts = facts_of(house.model, RiskTier.HIGH)
    assert await modelops.register(facts) == await modelops.register(facts)
    with pytest.raises(ConflictError, match="registered already, with other facts") as caught:
        await modelops.register(facts.model_copy(update={"title": "Other"}))
    assert caught.value.remedy


async def test_registered_at_the_same_time(house: House, modelops: Modelops) -> None:
    """Of two registrations at once the second waits for the first; other facts then still are a conflict."""
    facts = facts_of(house.model, RiskTier.HIGH)
    first, second = await asyncio.gather(modelops.register(facts), modelops.register(facts))
    assert first == second
    name, others = f"{house.model}-2", ("Ours", "Theirs")
    both = [facts.model_copy(update={"id": name, "title": title}) for title in others]
    outcomes = await asyncio.gather(*map(modelops.register, both), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ConflictError", "StepResult"]


async def test_a_tier_that_does_not_follow_is_refused(house: House, modelops: Modelops) -> None:
    """The server finds the tier itself: whoever declares another one, or answers nothing, registers nothing."""
    facts = facts_of(house.model, RiskTier.HIGH)
    for change, said in (
        ({"risk_tier": RiskTier.LOW}, "risk_tier: 'low' is not the tier that follows: impact serious: 6 points"),
        ({"assessment": None}, "assessment: is missing"),
    ):
        with pytest.raises(InvalidInputError, match=said):
            await modelops.register(facts.model_copy(update=change))
    await modelops.register(facts)


async def test_registration_outlives_the_question(house: House) -> None:
    """Facts that were handed in while no worker ran are registered when one comes; asking again gets the answer."""
    facts, queue = facts_of(house.model, RiskTier.HIGH), f"{house.queue}-later"
    alone = Modelops(house.client, queue=queue)
    with pytest.raises(UnavailableError, match="carried out as soon as a worker can"):
        await alone.register(facts)
    async with build_worker(house.client, house.parts, queue):
        assert "policy packs apply" in (await alone.register(facts)).summary


async def test_registration_ends(house: House, modelops: Modelops, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that polled and does not answer is waited for, which is said, and not for long."""
    await modelops.register(facts_of(house.model, RiskTier.HIGH))
    await house.close()
    monkeypatch.setattr(api, "_REGISTRATION_TIMEOUT", timedelta(seconds=3))
    heard = list[str]()
    waiting = Modelops(house.client, queue=house.queue, tell=heard.append)
    with pytest.raises(
        UnavailableError, match=r"no answer within 3 s; a worker polled .* as soon as a worker can"
    ) as end:
        await waiting.register(facts_of(f"{house.model}-2", RiskTier.HIGH))
    assert [said.partition(":")[0] for said in heard] == ["Waiting for a worker"]
    assert "`modelops up` or `python -m worker`" in end.value.remedy


async def test_start_is_visible(house: House, modelops: Modelops) -> None:
    """A lifecycle starts under its template's name, findable by model, owner and tier, and says what it is."""
    facts = facts_of(house.model, RiskTier.HIGH)
    await modelops.register(facts)
    await modelops.start(facts, CREDIT, PROVED)
    found = await house.handle.describe()
    assert found.workflow_type == "credit-high-risk"
    assert isinstance(found.typed_search_attributes, TypedSearchAttributes)
    wanted = ((attributes.MODEL, house.model), (attributes.OWNER, "olga"), (attributes.TIER, "high"))
    assert all(found.typed_search_attributes[key] == value for key, value in wanted)
    await house.until_phase(Phase.AWAITING_VERSION)
    assert await found.memo_value("title") == "Loans"
    run = found.raw_description.workflow_execution_info.first_run_id
    first = await house.client.get_workflow_handle(found.id, run_id=run).describe()
    assert await first.static_summary() == "Loans · template credit-high-risk 1.0.0 · tier high"
    assert "decide about loans" in (await first.static_details() or "")
    assert await (await house.handle.describe()).memo_value("title") == "Loans"


async def test_started_only_once(house: House, modelops: Modelops) -> None:
    """A model has one lifecycle, also after it was retired."""
    await started(house, modelops)
    with pytest.raises(ConflictError, match="has a lifecycle already"):
        await modelops.start(facts_of(house.model, RiskTier.HIGH), CREDIT, PROVED)
    await modelops.request(house.model, Action.RETIRE, signer("rosa"), "over")
    await house.handle.result()
    with pytest.raises(ConflictError, match="running or ended"):
        await modelops.start(facts_of(house.model, RiskTier.HIGH), CREDIT, PROVED)
    with pytest.raises(RefusedError, match=r"ended at .*: the model is retired"):
        await modelops.submit(house.model, house.version(), signer("ana"))
    assert (await modelops.status(house.model)).phase is Phase.ENDED


async def test_tier_is_not_governed(modelops: Modelops) -> None:
    """A template that does not govern the model's tier is refused before anything starts."""
    with pytest.raises(RefusedError, match="has risk tier low; template 'credit-high-risk' governs high, critical"):
        await modelops.start(facts_of("low-model", RiskTier.LOW), CREDIT, PROVED)
    with pytest.raises(UnknownNameError):
        await modelops.status("low-model")


async def test_decide(house: House, modelops: Modelops) -> None:
    """A decision is about the version that waits, and the answer says what is still owed."""
    await at_validation(house, modelops)
    receipt = await modelops.decide(house.model, "independent-validation", Choice.APPROVE, signer("rosa"), "sound")
    assert "1 of data_science" in receipt.waiting_for
    await modelops.decide(
        *(house.model, "independent-validation", Choice.REJECT, signer("dmitri"), "unfair"),
        role="data_science",
        findings=["It has not seen the self-employed."],
    )
    status = await house.until(lambda s: s.statuses.get(1) is VersionStatus.REJECTED)
    assert status.gate is None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"person": "ana"}, "ana is the developer of version 1"),
        ({"person": "lena"}, "lena holds none of the roles"),
        ({"gate": "release"}, "gate 'release' of .* is not open: gate 'independent-validation' is"),
        ({"artifact": SOMETHING_ELSE}, "the decision is about sha256:000"),
        ({"person": "dmitri", "role": "risk"}, "dmitri does not hold the role 'risk'; they hold data_science"),
        ({"person": "rosa", "key": "ana"}, "rosa has no key sha256:.* that counts here"),
    ],
)
async def test_refused_decisions(house: House, modelops: Modelops, given: dict[str, Any], reason: str) -> None:
    """A decision that cannot count is refused with the reason, and where to look."""
    await at_validation(house, modelops)
    person, key = given.pop("person", "rosa"), given.pop("key", "")
    decision = {"gate": "independent-validation", "choice": Choice.APPROVE, "reason": "x", **given}
    with pytest.raises(RefusedError, match=reason) as caught:
        await modelops.decide(house.model, signer=signer(person, key=key), **decision)
    assert "`modelops " in caught.value.remedy


async def test_refused_requests(house: House, modelops: Modelops) -> None:
    """What makes no sense now is refused with the reason, and what no person can be is invalid."""
    await started(house, modelops)
    with pytest.raises(RefusedError, match="the lifecycle is not paused"):
        await modelops.request(house.model, Action.RESUME, signer("ana"), "why not")
    with pytest.raises(RefusedError, match=r"gate 'release' of .* is not open"):
        await modelops.decide(house.model, "release", Choice.APPROVE, signer("lena"), "fine")
    with pytest.raises(InvalidInputError, match="person: 'Ana!' is not a name"):
        await modelops.request(house.model, Action.PAUSE, signer("Ana!"), "why not")
    with pytest.raises(RefusedError, match="sam is not the model's owner and holds no role of its lifecycle"):
        await modelops.request(house.model, Action.RETIRE, signer("sam"), "why not")
    with pytest.raises(RefusedError, match="mallory has no key"):
        await modelops.request(house.model, Action.PAUSE, signer("mallory"), "why not")


async def test_nobody_waits_for_what_is_paused(house: House, modelops: Modelops) -> None:
    """`modelops status --until` gives up at once on a lifecycle that is paused, and says how it goes on."""
    await started(house, modelops)
    await modelops.request(house.model, Action.PAUSE, signer("ana"), "maintenance")
    await modelops.submit(house.model, house.version(), signer("ana"))
    found = await run(house, "status", house.model, "--until", "steady", "--within", "300")
    assert found.returncode == 3
    assert "it is paused" in found.stderr
    assert f"modelops resume {house.model} --as YOU --reason WHY" in found.stderr


async def test_approve_as_the_example_does(house: House, modelops: Modelops) -> None:
    """The small script approves what waits, as its docstring shows, and says what is asked then; or why it cannot."""
    await at_validation(house, modelops)
    (shown,) = re.findall(r"^For example: `python -m (.*)`$", approve.__doc__ or "", re.MULTILINE)
    example = [word.replace("loan-approval", house.model) for word in shlex.split(shown)]
    found = await run(house, *example[1:], program=example[0])
    assert found.returncode == 0, found.stderr
    assert "1 of data_science (dmitri)" in found.stdout
    again = await run(house, *example[1:], program=example[0])
    assert again.returncode == 1
    assert again.stderr.startswith("rosa has already decided at this visit")
    assert again.stderr.count("\n") == 2


async def test_left_messages(house: House, modelops: Modelops) -> None:
    """A message can be left while no worker runs, and counts when one comes."""
    await started(house, modelops)
    await house.close()
    await modelops.leave(house.model, "submit_version", house.handed_in(house.version()))
    await house.open()
    await house.until_phase(Phase.DECIDING, "validation")


async def test_no_worker(house: House) -> None:
    """Where no worker polls, a query and an update fail soon, name the task queue, and say what to start."""
    facts, alone = facts_of(house.model, RiskTier.HIGH), Modelops(house.client, queue=f"{house.queue}-nobody")
    await alone.start(facts, CREDIT, PROVED)
    assert not await alone.has_worker()
    with pytest.raises(UnavailableError, match=r"no worker is polling task queue '.*-nobody'") as caught:
        await alone.status(house.model)
    assert "python -m worker" in caught.value.remedy
    with pytest.raises(UnavailableError, match="Whether the message was taken is not known"):
        await alone.request(house.model, Action.RETIRE, signer("rosa"), "over")


@pytest.mark.leaves_broken("the lifecycle is terminated")
async def test_a_run_that_is_over_when_it_is_asked(
    house: House, modelops: Modelops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lifecycle that goes on in its next run just then is asked there; one that was terminated is said to be."""
    await started(house, modelops)
    ask, statuses = modelops._ask, [WorkflowExecutionStatus.CONTINUED_AS_NEW]

    async def late(model: str, refusing: QueryRejectCondition | None = None) -> Status:
        if statuses:
            raise WorkflowQueryRejectedError(statuses.pop())
        return await ask(model, refusing)

    monkeypatch.setattr(modelops, "_ask", late)
    assert (await modelops.status(house.model)).phase is Phase.AWAITING_VERSION
    assert statuses == []
    await house.recorded()
    await house.handle.terminate("by somebody")
    with pytest.raises(RefusedError, match="was terminated at"):
        await modelops.status(house.model)


async def test_unknown_lifecycle(house: House, modelops: Modelops) -> None:
    """A model without a lifecycle is unknown, whatever is said to it."""
    with pytest.raises(UnknownNameError, match="no model 'nobody' has a lifecycle"):
        await modelops.status("nobody")
    for action in (Action.RETIRE, Action.RETRAIN):
        with pytest.raises(UnknownNameError, match="no model 'nobody' has a lifecycle") as caught:
            await modelops.request("nobody", action, signer("rosa"), "over")
        assert "modelops model register FILE" in caught.value.remedy


async def test_a_worker_is_known_once_it_has_polled(modelops: Modelops) -> None:
    """One that was started a moment ago may not have asked for work yet."""
    async with asyncio.timeout(WITHIN):
        while not await modelops.has_worker():
            await asyncio.sleep(0.05)


async def test_undecodable_input(house: House, modelops: Modelops, temporal: Client) -> None:
    """A lifecycle that was started with something else than a plan and a state says that it ended by this failure."""
    with pytest.raises(WorkflowFailureError):
        await temporal.execute_workflow("credit", {"no": "plan"}, id=lifecycle_id(house.model), task_queue=house.queue)
    with pytest.raises(RefusedError, match=r"ended by a failure .* the input is not a plan and a state"):
        await modelops.status(house.model)


async def test_a_plan_that_is_not_proved_starts_nothing(house: House, modelops: Modelops) -> None:
    """A proof of another plan is refused at once; a lifecycle that somebody starts without one fails at once."""
    facts = facts_of(house.model, RiskTier.HIGH)
    await modelops.register(facts)
    with pytest.raises(RefusedError, match="proof is of another plan"):
        await modelops.start(facts, CREDIT, claimed(plan_of("low-risk")))
    started = await house.client.start_workflow(
        CREDIT.template,
        LifecycleInput(plan=CREDIT, state=State(model=house.model, owner="olga")),
        id=lifecycle_id(house.model),
        task_queue=house.queue,
    )
    with pytest.raises(WorkflowFailureError) as caught:
        await started.result()
    assert "is not proved by this compiler and kernel" in str(caught.value.cause)


async def test_the_worker_proves_the_plan_itself(house: House, modelops: Modelops) -> None:
    """Whoever claims a proof that nobody could make starts nothing either: the lifecycle fails with the story.

    The model is none the worse for it: its lifecycle begins when somebody starts it under another plan.
    """
    await house.close()
    house.parts = dataclasses.replace(house.parts, prover=ChildProver())
    await house.open()
    await house.register(LOW)
    gates = {**LOW.environment_gates, Environment.PROD: ("legal",)}
    await house.begin(LOW.model_copy(update={"environment_gates": gates}))
    with pytest.raises(WorkflowFailureError) as caught:
        await house.handle.result()
    assert "goes into PROD that has not passed legal" in str(caught.value.cause)
    await modelops.start(facts_of(house.model, RiskTier.LOW), LOW, claimed(LOW))
    await house.until_phase(Phase.AWAITING_VERSION)


class Pondering:
    """Proves a plan when it is told to."""

    def __init__(self) -> None:
        self.done = threading.Event()

    def prove(self, plan: Plan) -> Proof:
        """In its own time."""
        self.done.wait(WITHIN)
        return claimed(plan)


async def test_a_lifecycle_answers_while_its_plan_is_proved(house: House, modelops: Modelops) -> None:
    """A proof takes as long as it takes; who asks meanwhile is answered, and what is said is not lost."""
    await house.close()
    prover = Pondering()
    house.parts = dataclasses.replace(house.parts, prover=prover)
    await house.open()
    await house.register(LOW)
    await house.begin(LOW)
    async with asyncio.timeout(5):
        await modelops.status(house.model)
        await modelops.request(house.model, Action.PAUSE, signer("ana"), "maintenance")
        await modelops.request(house.model, Action.RESUME, signer("ana"), "done")
        assert (await modelops.status(house.model)).phase is Phase.WORKING
    assert [entry.kind for entry in house.whole_trail()] == ["effect"]
    prover.done.set()
    await house.until_phase(Phase.AWAITING_VERSION)
    assert [entry.kind for entry in house.whole_trail()][:4] == ["effect", "plan", "event", "event"]


async def test_monitors(house: House, modelops: Modelops) -> None:
    """A model's monitors, and no other's, are started when asked for; a model without any has none to start.

    The command says where windows of data go as long as there is none.
    """
    scheduler, other = TemporalScheduler(house.client, "MonitorCheck", house.queue), f"{house.model}-2"
    names = await modelops.check_monitors(house.model)
    assert names == []
    for model in (house.model, other):
        await scheduler.start(model, CREDIT)
    async with asyncio.timeout(20):
        while len(names) < len(CREDIT.monitors):
            await asyncio.sleep(0.1)
            names = await modelops.check_monitors(house.model)
    assert names == [f"monitor/{house.model}/{name}" for name in ("drift", "upkeep", "value")]
    described = await house.client.get_schedule_handle(f"monitor/{house.model}/drift").describe()
    untouched = await house.client.get_schedule_handle(f"monitor/{other}/drift").describe()
    assert described.info.num_actions + described.info.num_actions_skipped_overlap >= 1
    assert untouched.info.num_actions == 0
    await started(house, modelops)
    found = await run(house, "monitor", "run", house.model)
    assert found.stdout.startswith(f"Started monitor/{house.model}/drift.")
    assert f"no window of production data is in {house.root / 'windows' / house.model}" in found.stdout
    for model in (house.model, other):
        await scheduler.stop(model, CREDIT)


class SlowScanner(TextScanner):
    """Its first attempt fails, its second says how far it is and waits."""

    def __init__(self) -> None:
        self.attempts = 0
        self.go_on = threading.Event()

    def scan(self, path: Path, digest: Digest, parts: Mapping[str, Path] | None = None) -> ScanReport:
        """As `TextScanner`, in the end."""
        self.attempts += 1
        if self.attempts == 1:
            raise UnavailableError("the scanner's disk is away", "wait")
        activity.heartbeat("file 3 of 9")
        assert self.go_on.wait(WITHIN)
        return super().scan(path, digest, parts)


async def test_what_is_underway_is_told(house: House, modelops: Modelops) -> None:
    """A step that is tried again says so, with what it failed with and how far it is by now; once done, no more."""
    scanner = SlowScanner()
    house.parts = dataclasses.replace(house.parts, scanner=scanner)
    await house.close()
    await house.open()
    await started(house, modelops)
    await modelops.submit(house.model, house.version(), signer("ana"))
    async with asyncio.timeout(WITHIN):
        while not (going := [one for one in await modelops.underway(house.model) if one.progress]):
            await asyncio.sleep(0.1)
    assert [str(one) for one in going] == [
        "scan_artifact: attempt 2; the last one failed: the scanner's disk is away; file 3 of 9"
    ]
    shown = await run(house, "status", house.model)
    assert str(going[0]) in shown.stdout.replace("\n", " ")
    scanner.go_on.set()
    await house.until_phase(Phase.DECIDING, "validation")
    assert not any(one.tells for one in await modelops.underway(house.model))


async def test_link(modelops: Modelops) -> None:
    """The link leads to the lifecycle's page."""
    assert modelops.link("loans") == "http://ui/namespaces/default/workflows/model%2Floans"
