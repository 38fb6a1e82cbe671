"""The check of the invariants sees what it is for: each is broken on purpose, and found."""

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from models.canonical import replace
from models.compiler import compile_template
from models.evidence import EffectKey
from models.inventory import Environment, RiskTier
from models.messages import Action
from models.policy import Policy
from models.records import AuditRecord
from models.state import Phase
from tests.contract.backdoor import execute, rewrite
from tests.contract.serving import TOKEN
from tests.signers import PASSPHRASE, private_key
from tests.temporal.house import TEMPLATES, Acknowledged, House, facts_of, plan_of
from tests.temporal.invariants import Seen, check_invariants, forgotten, look, violations
from worker.policies import built_in_packs

CREDIT = plan_of("credit-high-risk")
LOW = plan_of("low-risk")

SECOND_DEPLOYMENT = """INSERT INTO deployment (model, environment, version, bundle, endpoint, since)
                       SELECT model, environment, version, bundle, endpoint, since FROM deployment LIMIT 1"""


async def test_a_whole_life_keeps_them(house: House) -> None:
    """Two champions, a rollback and retirement leave nothing to object to."""
    await house.start(CREDIT)
    await house.to_production()
    await house.to_production()
    await check_invariants(house, CREDIT)
    await house.request(Action.ROLLBACK)
    await house.until(lambda s: s.phase is Phase.STEADY and s.serving[Environment.PROD] == 1)
    await check_invariants(house, CREDIT)
    await house.request(Action.RETIRE)
    await house.handle.result()


async def test_each_is_missed_when_it_is_broken(house: House, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is done twice, without a gate, off the record or otherwise than the workflow says is named."""
    await house.start(CREDIT)
    await house.to_production()
    seen = await look(house)
    copies = tmp_path_factory.mktemp("copies")
    found = {name: _after(harm, house, copies / name, seen) for name, harm in _HARM.items()}
    assert found == {
        "promoted without a gate": {"I1", "I3"},
        "promoted twice": {"I3"},
        "two deployments": {"I2"},
        "effect off the record": {"I4"},
        "event off the record": {"I4", "I5", "I6"},
        "entry rewritten": {"I5"},
        "trail made anew": {"I5"},
        "checkpoint removed": {"I5"},
        "row rewritten": {"I6"},
        "decision forgotten": {"I7"},
        "passphrase in a row": {"I9"},
        "token in a log": {"I9"},
        "private key in a file": {"I9"},
        "notary's key beside the checkpoints": {"I9"},
    }
    assert violations(house, CREDIT, seen) == []
    told = seen._replace(histories=seen.histories + b"..." + TOKEN.encode())
    assert violations(house, CREDIT, told) == ["I9: the deploy token is in a history"]


@pytest.mark.leaves_broken("nobody is there to promote")
async def test_what_goes_on_for_ever_is_noticed(house: House) -> None:
    """A step that nobody carries out, and an event that nobody records, are not waited for by anybody."""
    await house.start(LOW)
    await house.until_phase(Phase.AWAITING_VERSION)
    assert (await look(house)).left == ()
    await house.close()
    await house.open_worker()
    await house.submit()
    await house.until(lambda s: s.stage == "staging")
    seen = await look(house, within=1)
    assert any("promote" in one and one.startswith("step") for one in seen.left)
    with pytest.raises(AssertionError, match="I8: activity promote"):
        await check_invariants(house, LOW, within=0.5)


@pytest.mark.parametrize(("days", "found"), [(3653, 0), (3652, 1)])
def test_records_that_are_kept_too_briefly(days: int, found: int) -> None:
    """One day less than the strictest control of the plan asks is noticed."""
    policy = Policy(built_in_packs(), date(2028, 1, 1), facts_of("loans", RiskTier.HIGH))
    text = (TEMPLATES / "credit-high-risk.yaml").read_text()
    plan = replace(compile_template(text, "t.yaml", policy), retention=days * 86400)
    assert len(list(forgotten(plan, built_in_packs()))) == found


def _after(harm: Callable[[House], None], house: House, root: Path, seen: Seen) -> set[str]:
    """The invariants that do not hold in a copy of a house after some harm."""
    shutil.copytree(house.root, root)
    copy = House(house.client, root, house.model)
    copy.acknowledged = list(house.acknowledged)
    harm(copy)
    return {violation.partition(":")[0] for violation in violations(copy, CREDIT, seen)}


def _deploy(house: House, key: EffectKey) -> None:
    last = house.deployer.effects()[-1]
    assert last.version
    assert last.bundle
    house.deployer.deploy(last.environment, house.model, last.version, last.bundle, key)


def _sql(*statements: str) -> Callable[[House], None]:
    return lambda house: execute(house.database, *statements)


def _write(name: str, text: Callable[[House], bytes]) -> Callable[[House], None]:
    def write(house: House) -> None:
        (house.root / name).write_bytes(text(house))

    return write


def _later(entries: list[AuditRecord]) -> list[AuditRecord]:
    entries[0].at += timedelta(seconds=1)
    return entries


def _forget(house: House) -> None:
    decision, receipt = house.acknowledged[0]
    house.acknowledged = [Acknowledged(decision, receipt.model_copy(update={"seq": receipt.seq + 1}))]


_HARM: dict[str, Callable[[House], None]] = {
    "promoted without a gate": lambda h: _deploy(h, EffectKey(model=h.model, visit=2, step="promote-early")),
    "promoted twice": lambda h: _deploy(h, h.deployer.effects()[-1].key.model_copy(update={"step": "promote-again"})),
    "two deployments": _sql("DROP INDEX one_current_deployment", SECOND_DEPLOYMENT),
    "effect off the record": _sql("DELETE FROM ledger WHERE step = 'scan'"),
    "event off the record": _sql("DELETE FROM audit WHERE seq = 5"),
    "entry rewritten": _sql("UPDATE audit SET hash = 'sha256:' || substr(hash, 8, 63) || 'x' WHERE position = 4"),
    "trail made anew": lambda h: rewrite(h.database, _later),
    "checkpoint removed": _write("checkpoints/checkpoints.jsonl", lambda _: b""),
    "row rewritten": _sql("UPDATE lifecycle SET stage = 'staging'"),
    "decision forgotten": _forget,
    "passphrase in a row": _sql(f"UPDATE model SET title = '{PASSPHRASE}'"),
    "token in a log": _write("worker.log", lambda _: f"POST /load: Bearer {TOKEN}".encode()),
    "private key in a file": _write("notes.txt", lambda _: private_key("rosa").private_bytes_raw().hex().encode()),
    "notary's key beside the checkpoints": _write("key.bak", lambda h: (h.root / "notary.key").read_bytes()),
}
