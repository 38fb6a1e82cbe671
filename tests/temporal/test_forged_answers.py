"""Anybody may answer for an activity whose id they know. Each lie is told to a real lifecycle, and comes to nothing."""

import dataclasses

import pytest

from models.evidence import Electorate, StepResult
from models.messages import Action, Breach, Choice
from models.plan import Remedy
from models.state import Phase
from models.verdict import Reading
from tests.signers import AUDIENCE, signer
from tests.temporal.attackers import DEV, ONE, PROD, TEST, Held, answered, rightful
from tests.temporal.doubles import GOOD
from tests.temporal.house import House, plan_of
from tests.temporal.test_audit import examined

LOW = plan_of("low-risk")
CREDIT = plan_of("credit-high-risk")
CLEAN = StepResult(summary="clean", readings=(Reading(name="threats", value=0, count=1),))


async def reopened(house: House, **parts: object) -> None:
    """The worker starts anew with other parts."""
    await house.close()
    house.parts = dataclasses.replace(house.parts, **parts)  # type: ignore[arg-type]
    await house.open()


async def test_a_scan_that_somebody_else_answered(house: House) -> None:
    """A malicious artifact is called clean: it reaches no environment; the next version does, once it is abandoned."""
    held = Held(house.parts.scanner, "scan", arguments=2)
    await reopened(house, scanner=held)
    await house.start(LOW)
    await house.submit(note="evil")
    async with answered(house, held, "scan_artifact", CLEAN):
        await house.until(lambda status: status.stage != "development" or status.step != "scan")
    stuck = await house.until_phase(Phase.STUCK, "staging")
    assert stuck.failure is not None
    assert "what step 'scan' of visit 2 is said to have found is not on record" in stuck.failure.message
    await rightful(house, LOW, ())
    await house.request(Action.ABANDON)
    await house.submit()
    await house.until_phase(Phase.STEADY)
    await rightful(house, LOW, ((TEST, 2), (PROD, 2)))


async def test_an_evaluation_that_somebody_else_answered(house: House) -> None:
    """Better readings than were measured: everybody approves of them, and the actuator knows what was measured."""
    held = Held(house.parts.evaluator, "evaluate", arguments=3)
    await reopened(house, evaluator=held)
    await house.start(CREDIT)
    await house.submit({**GOOD, "auc": 0.5})
    flattering = StepResult(
        summary="splendid", readings=tuple(Reading(name=name, value=value, count=500) for name, value in GOOD.items())
    )
    async with answered(house, held, "evaluate_version", flattering):
        pass
    stuck = await house.until_phase(Phase.STUCK, "development")
    assert stuck.failure is not None
    assert "what step 'evaluate' of visit 2 is said to have found is not on record" in stuck.failure.message
    await rightful(house, CREDIT, ())


IMPOSTORS = {
    "under their own names": ("mallory", "eve"),
    "under the names of those who may": ("dmitri", "rosa"),
}


@pytest.mark.parametrize("names", IMPOSTORS)
async def test_who_may_decide_said_by_somebody_else(house: House, names: str) -> None:
    """An electorate of the attacker's keys opens the gate to the attacker, in the lifecycle; not to an environment."""
    first, second = IMPOSTORS[names]
    held = Held(house.parts.directory, "electorate", arguments=1)
    await reopened(house, directory=held)
    await house.start(CREDIT)
    await house.submit()
    keys = {person: (signer(person, key="mallory").public,) for person in (first, second)}
    told = Electorate(people={"data_science": (first,), "risk": (second,)}, audience=AUDIENCE, keys=keys)
    async with answered(house, held, "ask_approvers", StepResult(summary="asked", electorate=told)):
        await house.until(lambda status: status.gate is not None and status.gate.holders["risk"] == (second,))
        gate = (await house.status()).gate
        assert gate is not None
        assert gate.about is not None
        for person, role in ((first, "data_science"), (second, "risk")):
            forged = signer(person, key="mallory").decide(gate.about, Choice.APPROVE, role, "trust me")
            await house.update("decide", forged)
    stuck = await house.until_phase(Phase.STUCK, "staging")
    assert stuck.failure is not None
    assert f"{first} at 'independent-validation'" in stuck.failure.message
    await rightful(house, CREDIT, ((DEV, 1),))


async def test_who_somebody_is_said_by_somebody_else(house: House) -> None:
    """A forged answer of the directory lets a version in that its submitter has not signed for: no environment does."""
    held = Held(house.parts.directory, "electorate", arguments=2)
    await reopened(house, directory=held)
    await house.start(CREDIT)
    await house.until_phase(Phase.AWAITING_VERSION)
    forged = signer("ana", key="dmitri").submit(AUDIENCE, house.model, house.version())
    known = Electorate(people={}, audience=AUDIENCE, keys={"ana": (signer("dmitri").public,)})
    await house.handle.signal("submit_version", forged)
    async with answered(house, held, "identify", known):
        await house.until(lambda status: status.version is not None)
    stuck = await house.until_phase(Phase.STUCK, "development")
    assert stuck.failure is not None
    assert "nobody answers for version 1: ana has no key" in stuck.failure.message
    await rightful(house, CREDIT, ())
    await house.request(Action.ABANDON)
    await house.to_production()
    await rightful(house, CREDIT, ((DEV, 2), (TEST, 2), (PROD, 2)))


@pytest.mark.parametrize("action", [Action.SUSPEND, Action.RETIRE, Action.ROLLBACK])
async def test_who_asked_said_by_somebody_else(house: House, action: Action) -> None:
    """A forged answer of the directory turns the lifecycle; what serves goes on until the owner stands for it."""
    held = Held(house.parts.directory, "electorate", arguments=2)
    held.let_go()
    await reopened(house, directory=held)
    await house.start(CREDIT)
    for _ in range(2):
        await house.to_production()
    held.hold()
    forged = signer("olga", key="mallory").request(AUDIENCE, house.model, action, "because I say so")
    known = Electorate(people={}, audience=AUDIENCE, keys={"olga": (signer("olga", key="mallory").public,)})
    await house.handle.signal("request", forged)
    async with answered(house, held, "identify", known):
        stuck = await house.until(lambda status: status.failure is not None)
    assert stuck.failure is not None
    assert "olga has no key" in stuck.failure.message
    found = (await examined(house)).findings
    assert len(found) == 1
    assert "requested counted, although by the registry key" in found[0].message
    served = (*ONE, (DEV, 2), (TEST, 2), (PROD, 2))
    await rightful(house, CREDIT, served)
    if action is not Action.RETIRE:
        await house.request(Action.ABANDON)
        await house.until_phase(Phase.STEADY)
        await rightful(house, CREDIT, (*served, (PROD, 2)))


async def test_a_breach_that_nobody_measured(house: House) -> None:
    """Anybody may signal one: where the plan suspends for it, the model serves on."""
    monitor = CREDIT.monitors[0].model_copy(update={"then": Remedy.SUSPEND})
    plan = CREDIT.model_copy(update={"monitors": (monitor,)})
    await house.start(plan)
    await house.to_production()
    await house.handle.signal("report_breach", Breach(monitor=monitor.id, window="w1", reasons=("because I say so",)))
    stuck = await house.until_phase(Phase.STUCK, "suspended")
    assert stuck.failure is not None
    assert "by the measurements on record, 'drift' is not in breach on window w1" in stuck.failure.message
    await rightful(house, plan, ONE)
    await house.request(Action.RETRY)
    await house.until(lambda status: PROD not in status.serving)
