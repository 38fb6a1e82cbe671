"""The check of the invariants sees what it is for: each is broken on purpose, and found."""

import shutil
from collections.abc import Callable
from pathlib import Path

from models.evidence import EffectKey
from models.inventory import Environment
from models.messages import Action
from models.state import Phase
from models.status import Status
from tests.contract.backdoor import execute
from tests.temporal.house import House, plan_of
from tests.temporal.invariants import Acknowledged, check_invariants, violations

CREDIT = plan_of("credit-high-risk")

SECOND_DEPLOYMENT = """INSERT INTO deployment (model, environment, version, bundle, endpoint, since)
                       SELECT model, environment, version, bundle, endpoint, since FROM deployment LIMIT 1"""


async def champion(house: House) -> list[Acknowledged]:
    """One more version earns every gate; what its approvers were answered."""
    await house.submit()
    given = []
    for stage, people in (("validation", ("dmitri", "rosa")), ("staging", ("lena", "paul"))):
        for person in people:
            await house.until_phase(Phase.DECIDING, stage)
            decision = await house.decision(person)
            given.append(Acknowledged(decision, await house.update("decide", decision)))
    await house.until_phase(Phase.STEADY)
    return given


async def test_a_whole_life_keeps_them(house: House) -> None:
    """Two champions, a rollback and retirement leave nothing to object to."""
    await house.start(CREDIT)
    given = [*await champion(house), *await champion(house)]
    await check_invariants(house, CREDIT, given)
    await house.request(Action.ROLLBACK)
    await house.until(lambda s: s.phase is Phase.STEADY and s.serving[Environment.PROD] == 1)
    await check_invariants(house, CREDIT, given)
    await house.request(Action.RETIRE)
    await house.handle.result()
    await check_invariants(house, CREDIT, given)


async def test_each_is_missed_when_it_is_broken(house: House, tmp_path: Path) -> None:
    """What is done twice, without a gate, off the record or otherwise than the workflow says is named."""
    await house.start(CREDIT)
    given = await champion(house)
    status = await house.recorded()
    found = {name: _after(harm, house, tmp_path / name, status) for name, harm in _HARM.items()}
    assert found == {
        "promoted without a gate": {"I1", "I3"},
        "promoted twice": {"I3"},
        "two deployments": {"I2"},
        "effect off the record": {"I4"},
        "event off the record": {"I4", "I5", "I6"},
        "entry rewritten": {"I5"},
        "row rewritten": {"I6"},
    }
    decision, receipt = given[0]
    lost = Acknowledged(decision, receipt.model_copy(update={"seq": receipt.seq + 1}))
    assert violations(house, CREDIT, status, given) == []
    assert {violation[:2] for violation in violations(house, CREDIT, status, [lost])} == {"I7"}


def _after(harm: Callable[[House], None], house: House, root: Path, status: Status) -> set[str]:
    """The invariants that do not hold in a copy of a house after some harm."""
    root.mkdir()
    for file in house.root.glob("*.*"):
        if file.is_file():
            shutil.copy(file, root)
    copy = House(house.client, root, house.model)
    harm(copy)
    return {violation[:2] for violation in violations(copy, CREDIT, status)}


def _deploy(house: House, key: EffectKey) -> None:
    last = house.deployer.effects()[-1]
    assert last.version
    assert last.bundle
    house.deployer.deploy(last.environment, house.model, last.version, last.bundle, key)


def _sql(*statements: str) -> Callable[[House], None]:
    return lambda house: execute(house.database, *statements)


_HARM: dict[str, Callable[[House], None]] = {
    "promoted without a gate": lambda h: _deploy(h, EffectKey(model=h.model, visit=2, step="promote-early")),
    "promoted twice": lambda h: _deploy(h, h.deployer.effects()[-1].key.model_copy(update={"step": "promote-again"})),
    "two deployments": _sql("DROP INDEX one_current_deployment", SECOND_DEPLOYMENT),
    "effect off the record": _sql("DELETE FROM ledger WHERE step = 'scan'"),
    "event off the record": _sql("DELETE FROM audit WHERE seq = 5"),
    "entry rewritten": _sql("UPDATE audit SET hash = 'sha256:' || substr(hash, 8, 63) || 'x' WHERE position = 4"),
    "row rewritten": _sql("UPDATE lifecycle SET stage = 'staging'"),
}
