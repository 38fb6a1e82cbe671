"""Proofs that workers make for themselves."""

import asyncio
import time
from functools import cache
from pathlib import Path

import pytest

from activities.adapters.child_prover import ChildProver
from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.sql_migration import migrate
from activities.audit import AuditActivities, Beginning
from activities.ports import Prover
from models.canonical import digest, replace
from models.compiler import compile_template
from models.errors import NotPermittedError
from models.evidence import EffectKey, StepResult
from models.inventory import Environment, ModelRegistered, RiskTier
from models.plan import Plan, Proof
from models.proof.certificate import prove
from tests.temporal.house import facts_of
from tests.unit.template_mistakes import CREDIT, TEMPLATES
from worker.proofs import KeptProofs

LOW = compile_template((TEMPLATES / "low-risk.yaml").read_text(), "low-risk.yaml")
UNFAIR = LOW.model_copy(update={"environment_gates": {**LOW.environment_gates, Environment.PROD: ("legal",)}})
"""Its environment asks for a gate that no version passes."""


@cache
def proved() -> Proof:
    """The proof that is made here."""
    return prove(LOW)


def test_a_child_proves_what_we_do() -> None:
    """A plan that is explored in a process of its own has the proof that it has here."""
    prover: Prover = ChildProver()
    assert prover.prove(LOW) == proved()


def test_a_plan_that_breaks_a_promise_has_none() -> None:
    """The story of the counter-example comes along, with what to do."""
    with pytest.raises(NotPermittedError, match="goes into PROD that has not passed legal") as here:
        prove(UNFAIR)
    with pytest.raises(NotPermittedError) as there:
        ChildProver().prove(UNFAIR)
    assert str(there.value) == str(here.value)


@pytest.mark.parametrize(
    ("prover", "said"),
    [
        (ChildProver(timeout=2), "was not explored within 2 seconds"),
        (ChildProver(memory=56 << 20), r"needs more than 0\.0546875 GiB"),
    ],
)
def test_an_exploration_has_limits(prover: Prover, said: str) -> None:
    """A plan that takes too long, or too much memory, is not proved, and nobody waits for it for ever."""
    large = CREDIT.replace("data_science: 1, risk: 1}", "data_science: 9, risk: 9, legal: 9, product: 9}")
    with pytest.raises(NotPermittedError, match=said):
        prover.prove(compile_template(large, "large.yaml"))


def test_a_plan_that_no_compiler_made() -> None:
    """A plan that makes the exploration itself fail is refused for good, not tried again for ever."""
    with pytest.raises(NotPermittedError, match="ended abnormally"):
        ChildProver().prove(LOW.model_copy(update={"environment_gates": {}}))


def test_a_proof_is_made_once(tmp_path: Path) -> None:
    """What was proved is read from the folder; what is there of another plan, or is no proof, is made anew."""
    made = list[str]()

    def explore(plan: Plan) -> Proof:
        made.append(digest(plan))
        return proved() if plan == LOW else prove(plan)

    proofs = KeptProofs(tmp_path / "proofs", explore)
    assert proofs.prove(LOW) == proofs.prove(LOW)
    assert made == [digest(LOW)]
    (file,) = (tmp_path / "proofs").iterdir()
    other = proved().model_copy(update={"kernel": "0"})
    for content in ("", other.model_dump_json(), other.model_copy(update={"plan": digest(UNFAIR)}).model_dump_json()):
        file.write_text(content)
        assert proofs.prove(LOW) == proved()
    assert made == [digest(LOW)] * 4
    with pytest.raises(NotPermittedError):
        proofs.prove(UNFAIR)
    assert [*(tmp_path / "proofs").iterdir()] == [file]


def test_a_proof_that_cannot_be_kept(tmp_path: Path) -> None:
    """No folder can be made where a file is, and no file where a folder is: the plan is proved all the same."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / f"{digest(LOW).removeprefix('sha256:')}.json").mkdir(parents=True)
    for folder in ("file", "folder"):
        assert KeptProofs(tmp_path / folder, lambda plan: proved()).prove(LOW) == proved()


async def test_one_proof_at_a_time(tmp_path: Path) -> None:
    """Lifecycles that begin together have their plans proved one after the other, however large they are."""
    seen = list[str]()

    class Slow:
        def prove(self, plan: Plan) -> Proof:
            seen.append("begun")
            time.sleep(0.05)
            seen.append("done")
            return proved()

    database = f"sqlite:///{tmp_path / 'inventory.db'}"
    migrate(database)
    inventory = SqlInventory(database)
    activities = AuditActivities(inventory, Slow())
    registered = ModelRegistered(facts=facts_of("loans", RiskTier.LOW), regulations=())
    inventory.commit_effect(
        EffectKey(model="loans", visit=0, step="register-model"), StepResult(summary="known"), [registered]
    )
    beginning = Beginning(model="loans", owner="olga", plan=LOW)
    await asyncio.gather(*(activities.record_plan(beginning) for _ in range(3)))
    with pytest.raises(NotPermittedError, match="'loans' is owned by olga, not by eve"):
        await activities.record_plan(replace(beginning, owner="eve"))
    inventory.close()
    assert seen == ["begun", "done"] * 3
