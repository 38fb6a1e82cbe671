"""A real MLflow server: what is registered there enters if a person signed for it, and its alias follows ours."""

import dataclasses
from collections.abc import Iterator

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError

from activities.adapters.mlflow_registry import MlflowRegistry
from models.errors import NotPermittedError
from models.inventory import Environment, ModelFacts, RiskTier
from models.messages import Action
from models.plan import Plan
from models.reconciliation import FindingKind
from models.registries import Governed
from models.state import Phase
from tests.temporal.house import House, facts_of, plan_of
from tests.temporal.mlflow_server import Mlflow, mlflow_server
from tests.temporal.test_audit import examined
from tests.temporal.test_reconciliation import holding, house
from worker.beginnings import Beginnings
from worker.registries import Elsewhere
from worker.schedules import registry_of

__all__ = ["house"]

HARMLESS = {"personal_data": False, "automated_decision": False, "jurisdictions": ["OTHER"], "sector": "other"}
ANSWERS = {"impact": "slight", "autonomy": "informs", "population": "few", "data_sensitivity": "internal"}
"""What no policy pack asks people about."""


@pytest.fixture(scope="session")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mlflow]:
    """One server for all tests here; each registers under a name of its own."""
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture
def registry(mlflow: Mlflow) -> Iterator[MlflowRegistry]:
    """The server, as we speak to it."""
    adapter = MlflowRegistry(mlflow.url)
    yield adapter
    adapter.close()


@pytest.fixture
async def beside(house: House, registry: MlflowRegistry) -> House:
    """A house whose model is governed under the same name there; no lifecycle has begun."""
    governed = {house.model: Governed(model=house.model, template="low-risk")}
    await house.close()
    house.parts = dataclasses.replace(house.parts, elsewhere=Elsewhere(registry, governed, lambda plan: None))
    await house.open()
    usual = facts_of(house.model, RiskTier.LOW).model_dump(mode="json")
    facts = ModelFacts.model_validate({**usual, **HARMLESS, "assessment": {"answers": ANSWERS}})
    await house.client.execute_workflow(
        "ModelRegistration", facts, id=f"register/{house.model}", task_queue=house.queue
    )
    return house


async def round_of(house: House) -> list[str]:
    """One round, as the schedule has it."""
    said: list[str] = await house.client.execute_workflow(
        "RegistryRound", id=registry_of(house.queue), task_queue=house.queue, result_type=list[str]
    )
    return said


def signed(house: House) -> bytes:
    """What `modelops submit --print` writes."""
    return house.handed_in(house.version()).model_dump_json().encode()


async def served(house: House, version: int) -> None:
    """Until a version serves in production, and that is on record."""
    await house.until(lambda status: status.phase is Phase.STEADY and status.serving[Environment.PROD] == version)
    await house.recorded()


async def test_a_version_that_is_registered_there_begins_a_lifecycle(
    beside: House, mlflow: Mlflow, registry: MlflowRegistry
) -> None:
    """Signed for by a person, it enters once and goes its way; the alias follows; a later one enters as the next."""
    name = beside.model
    first = mlflow.register(name, signed(beside))
    (said,) = await round_of(beside)
    assert said.startswith(f"version {first} of '{name}': handed in to {name} as event")
    await served(beside, 1)
    assert registry.champion(name) is None
    assert await round_of(beside) == []
    assert registry.champion(name) == first
    assert (await examined(beside)).findings == ()
    second = mlflow.register(name, signed(beside))
    (said,) = await round_of(beside)
    assert said.startswith(f"version {second} of '{name}': handed in")
    await served(beside, 2)
    await round_of(beside)
    assert registry.champion(name) == second
    assert [one.note.split(" as ")[0] for one in registry.versions(name)] == [f"handed in to {name}"] * 2
    await beside.request(Action.RETIRE)
    await beside.handle.result()
    await round_of(beside)
    assert registry.champion(name) is None


async def test_nothing_enters_that_nobody_signed_for(beside: House, mlflow: Mlflow) -> None:
    """A version without a document waits for one; what is no document, or not signed, is refused, once."""
    waits = mlflow.register(beside.model)
    place = mlflow.last
    forged = beside.handed_in(beside.version()).model_copy(update={"submission": beside.version()})
    mlflow.register(beside.model, forged.model_dump_json().encode())
    mlflow.register(beside.model, b"{}")
    told = await round_of(beside)
    assert [": refused: " in said for said in told] == [True, True]
    assert "the signature is for another version" in told[0]
    assert (await beside.status()).phase is Phase.AWAITING_VERSION
    mlflow.log(place, signed(beside))
    (said,) = await round_of(beside)
    assert said.startswith(f"version {waits} of '{beside.model}': handed in")
    await served(beside, 1)


async def test_an_alias_that_is_moved_by_hand_is_a_finding(
    beside: House, mlflow: Mlflow, registry: MlflowRegistry
) -> None:
    """Nobody moves it back behind their back: it is found, and holds no more when it is where it should be."""
    first = mlflow.register(beside.model, signed(beside))
    other = mlflow.register(beside.model)
    await round_of(beside)
    await served(beside, 1)
    assert await holding(beside) == []
    await round_of(beside)
    mlflow.move(beside.model, other)
    await round_of(beside)
    assert await holding(beside) == [(FindingKind.ALIAS_MOVED, f"registry:{beside.model}")]
    assert registry.champion(beside.model) == other
    mlflow.move(beside.model, first)
    assert await holding(beside) == []


@pytest.mark.long
async def test_a_note_that_a_crash_left_out_is_made_up_for(beside: House, mlflow: Mlflow) -> None:
    """What is on record already is not handed in once more, whoever takes the note away."""
    number = mlflow.register(beside.model, signed(beside))
    await round_of(beside)
    await served(beside, 1)
    mlflow.call("DELETE", "model-versions/delete-tag", {"name": beside.model, "version": number, "key": "modelops"})
    assert await round_of(beside) == [f"version {number} of '{beside.model}': handed in to {beside.model}"]
    assert (await beside.status()).phase is Phase.STEADY


@pytest.mark.long
async def test_a_registry_that_is_silent(beside: House, mlflow: Mlflow) -> None:
    """The round fails and is made up for by the next; where the alias points, nobody knows."""
    mlflow.register(beside.model, signed(beside))
    await round_of(beside)
    await served(beside, 1)
    await round_of(beside)
    assert beside.parts.elsewhere is not None
    nobody = MlflowRegistry("http://127.0.0.1:9", timeout=1)
    silent = dataclasses.replace(beside.parts.elsewhere, registry=nobody)
    await beside.close()
    beside.parts = dataclasses.replace(beside.parts, elsewhere=silent)
    await beside.open()
    with pytest.raises(WorkflowFailureError):
        await round_of(beside)
    assert await holding(beside) == [(FindingKind.SILENT, f"registry:{beside.model}")]
    nobody.close()


async def test_no_lifecycle_begins_that_could_not_be_carried_out(house: House) -> None:
    """A template that tries challengers where nobody tells what they answer: refused before anything has begun."""
    await house.register(plan_of("credit-high-risk"))

    def demand(plan: Plan) -> None:
        raise NotPermittedError(f"'{plan.template}' tries challengers where nobody tells what they answer", "move it")

    parts = house.parts
    beginnings = Beginnings(house.client, house.queue, parts.inventory, parts.policies, parts.prover, demand)
    with pytest.raises(NotPermittedError, match="'credit-challenger' tries challengers"):
        await beginnings.begin(house.model, "credit-challenger")
    with pytest.raises(RPCError, match="not found"):
        await house.handle.describe()
