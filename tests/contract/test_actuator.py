"""The actuator's activities on real databases: they deploy once what is cleared, and nothing else, whoever asks."""

import dataclasses
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.testing import ActivityEnvironment

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.file_checkpoints import FileCheckpoints
from activities.adapters.file_notary import FileNotary
from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.yaml_directory import YamlDirectory
from activities.promotion import PromotionActivities
from activities.validation import Validator
from models.audit import AuditEntry, AuditKind, EffectRecord
from models.bundle.definitions import Elsewhere, VendorModel
from models.canonical import canonical, digest, replace
from models.clearance import USUAL_MINIMUM
from models.environments import usual_environments
from models.errors import DigestMismatchError, ModelopsError, NotPermittedError, SignatureError
from models.evidence import StepKind, StepOrder, StepResult
from models.inventory import Environment
from models.journal import Assignment, JournalEntry
from models.keys import Keyring
from models.messages import Action
from tests.contract.backdoor import execute
from tests.temporal.doubles import PlainPredictor, PlainSamples, RecordingDeployer
from tests.unit.corpus.definitions import definitions
from tests.unit.signed_record import AUDIENCE, CREDIT, MODEL, Scribe, released, submission_of

PROD = Environment.PROD
VENDOR = VendorModel.model_validate_json(definitions()["vendor"])


class Looking:
    """Bundles that were looked at, each with model, version and artifact; `refuses` is what is wrong with them."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, int, str]] = []
        self.refuses: ModelopsError | None = None

    def verify(self, bundle: str, model: str, version: int, artifact: str) -> None:
        """Remember."""
        self.seen.append((bundle, model, version, artifact))
        if self.refuses:
            raise self.refuses

    def elsewhere(self, bundle: str, model: str, version: int) -> Elsewhere:
        """What a vendor runs."""
        return VENDOR


class Plant:
    """An actuator on a database, with a directory of its own, and what reached its environments."""

    def __init__(self, root: Path, inventory: SqlInventory, scribe: Scribe) -> None:
        self.inventory = inventory
        self.scribe = scribe
        self.deployer = RecordingDeployer(root / "effects.txt")
        people = root / "directory.yaml"
        groups = {name: CREDIT.roles[role] for role, names in scribe.people.items() for name in names}
        lines = [
            f"  {who}: {{name: {who}, email: {who}@x.example, groups: [{group}]}}" for who, group in groups.items()
        ]
        people.write_text("\n".join(["people:", *lines]))
        self.keys = root / "keys.json"
        self.keys.write_bytes(canonical(scribe.keyring))
        directory = YamlDirectory(people, self.keys, AUDIENCE)
        self.checkpoints = FileCheckpoints(root / "checkpoints")
        notary = FileNotary(inventory, self.checkpoints, root / "notary.key", AUDIENCE)
        self.bundles = Looking()
        self.predictor = PlainPredictor()
        validator = Validator(
            usual_environments().validation, PlainSamples(), self.predictor, FileArtifactStore(root / "kept", [])
        )
        self.activities = PromotionActivities(
            inventory, self.deployer, directory, USUAL_MINIMUM, notary, self.bundles, validator
        )

    def tell(self, entries: Sequence[AuditEntry]) -> None:
        """Record a story, as workers do."""
        self.inventory.commit_plan(self.scribe.plan)
        for entry in entries:
            if entry.kind == AuditKind.EVENT:
                self.inventory.commit_event(JournalEntry.model_validate_json(entry.body))
            else:
                effect = EffectRecord.model_validate_json(entry.body)
                self.inventory.commit_effect(effect.key, effect.result, effect.changes)

    def run(
        self,
        activity: str,
        order: StepOrder,
        caller: str = f"model/{MODEL}",
        journal: tuple[JournalEntry, ...] = (),
        number: str = "1",
    ) -> StepResult:
        """An activity, as the server has it done for a workflow."""
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(environment.info, workflow_id=caller, activity_id=number)
        result: StepResult = environment.run(
            getattr(self.activities, activity), Assignment(order=order, journal=journal)
        )
        return result

    def refusal(self, activity: str = "promote_version", **other: object) -> str:
        """Why the order that is due, or another one, is refused; nothing has happened."""
        order = other.pop("order", self.scribe.order)
        served = self.inventory.deployments(MODEL)
        with pytest.raises(NotPermittedError) as refused:
            self.run(activity, order, **other)  # type: ignore[arg-type]
        assert self.deployer.calls() == []
        assert self.inventory.deployments(MODEL) == served
        return str(refused.value)


def lately() -> Scribe:
    """A record is made as things happen: what is dated otherwise is not believed."""
    return Scribe(begun=datetime.now(UTC) - timedelta(hours=2))


@pytest.fixture
def plant(tmp_path: Path, inventory: SqlInventory) -> Plant:
    """Everybody has approved a version, it is on record, and production is ordered to serve it."""
    scribe = released(lately())
    built = Plant(tmp_path, inventory, scribe)
    built.tell(scribe.entries)
    return built


def test_what_is_cleared_is_deployed_once(plant: Plant) -> None:
    """By digest, under the key of the step; asked again, the record answers."""
    order = plant.scribe.order
    results = [plant.run("promote_version", order) for _ in range(2)]
    assert results[0] == results[1]
    (effect,) = plant.deployer.calls()
    assert (effect.environment, effect.version, effect.bundle, effect.key) == (PROD, 1, order.bundle, order.key)
    serving = plant.inventory.deployments(MODEL)[PROD]
    assert (serving.version, serving.bundle) == (1, order.bundle)


def test_no_environment_sees_a_bundle_that_does_not_verify(plant: Plant) -> None:
    """The bundle is looked at before anything is sealed or deployed, as one of this model, version and artifact."""
    order = plant.scribe.order
    for wrong in (SignatureError("signed by nobody"), DigestMismatchError("a byte of it was changed")):
        plant.bundles.refuses = wrong
        with pytest.raises(type(wrong)):
            plant.run("promote_version", order)
    assert (plant.deployer.calls(), plant.checkpoints.last()) == ([], None)
    assert set(plant.bundles.seen) == {(order.bundle, MODEL, 1, order.artifact)}


def test_the_events_that_come_with_an_order_are_checked_with_the_rest(tmp_path: Path, inventory: SqlInventory) -> None:
    """The last approval may travel with the order: it is recorded first, and its signature looked at like any other."""
    scribe = released(lately())
    plant = Plant(tmp_path, inventory, scribe)
    *before, last = scribe.entries
    plant.tell(before)
    journal = (JournalEntry.model_validate_json(last.body),)
    assert plant.run("promote_version", scribe.order, journal=journal).endpoint


@pytest.mark.parametrize("activity", ["promote_version", "restore_version", "stop_serving", "undeploy_model"])
def test_only_the_models_own_lifecycle_orders(plant: Plant, activity: str) -> None:
    """Another workflow is refused before anything that it brings along is recorded."""
    told = len(plant.inventory.trail(MODEL))
    assert "'forged/loans' is not the lifecycle of 'loans'" in plant.refusal(activity, caller="forged/loans")
    other = JournalEntry.model_validate_json(plant.scribe.entries[-1].body).model_copy(update={"model": "other"})
    assert "is not about 'loans'" in plant.refusal(activity, journal=(other,))
    assert len(plant.inventory.trail(MODEL)) == told
    assert plant.inventory.trail("other") == []


@pytest.mark.parametrize(
    ("activity", "kind"), [("stop_serving", StepKind.STOP_SERVING), ("undeploy_model", StepKind.UNDEPLOY)]
)
def test_out_of_service_at_the_present_visit_alone(plant: Plant, activity: str, kind: StepKind) -> None:
    """An order of a visit that is over takes nothing out of service; nor does one under another step's name."""
    assert "is no step to" in plant.refusal(activity)
    order = replace(plant.scribe.order, visit=1, step=kind.value, kind=kind)
    assert "is in stage 'production', visit 6; the order is of 'production', visit 1" in plant.refusal(
        activity, order=order
    )


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE audit SET body = replace(body, 'evidence', 'Evidence') WHERE position = 20", "audit entry 20 is not"),
        ("UPDATE audit SET hash = 'sha256:00' WHERE position = 20", "audit entry 20 is not"),
        ("UPDATE audit SET previous = 'sha256:00' WHERE position = 20", "audit entry 20 is not"),
        ("DELETE FROM audit WHERE position = 20", "audit entry 19 is not tied"),
        ("UPDATE audit_head SET hash = 'sha256:00'", "is not tied"),
        ("UPDATE version SET gates = '[]'", "no record of passing"),
        ("UPDATE version SET artifact = 'sha256:00'", "is registered with artifact sha256:00"),
        ("UPDATE version SET bundle = 'sha256:00'", "is registered with bundle sha256:00"),
        ("UPDATE lifecycle SET visit = 9", "is in stage 'production', visit 9"),
    ],
)
def test_a_row_that_was_changed_is_refused(plant: Plant, inventory_url: str, statement: str, reason: str) -> None:
    """Whatever was changed of the trail or of the rows is named, and nothing is deployed."""
    execute(inventory_url, statement)
    assert reason in plant.refusal()


def test_another_plan_is_refused(plant: Plant, inventory_url: str) -> None:
    """A weaker plan, kept in due form and put in the place of the one that governed, is found out."""
    weak = CREDIT.model_copy(update={"environment_gates": {}})
    plant.inventory.commit_plan(weak)
    execute(inventory_url, f"UPDATE lifecycle SET plan = '{digest(weak)}'")
    assert "the event happened under plan" in plant.refusal()


def test_the_registry_is_read_anew(plant: Plant) -> None:
    """A key that is revoked as of a moment before the decision voids it, at once."""
    key = next(key for key in plant.scribe.keyring.keys if key.person == "paul")
    gone = plant.scribe.keyring.revoke(key.id, key.enrolled, "the laptop was stolen")
    plant.keys.write_bytes(canonical(gone))
    said = plant.refusal()
    assert "paul at 'release', visit 5: key" in said
    assert "the laptop was stolen" in said


Turned = Callable[[str, bool], Plant]


@pytest.fixture
def turned(tmp_path: Path, inventory: SqlInventory) -> Turned:
    """Version 1 was champion, version 2 is, and the owner asks for a turn, or somebody in the owner's name."""

    def build(action: str, forged: bool) -> Plant:
        scribe = released(lately())
        scribe.serve()
        scribe.submit(submission_of("two"))
        scribe.approve_all()
        scribe.serve()
        signer = scribe.signer("olga", Ed25519PrivateKey.generate()) if forged else scribe.signers["olga"]
        scribe.ask(Action(action), signer, replace(scribe.electorate, keys={"olga": (signer.public,)}))
        plant = Plant(tmp_path, inventory, scribe)
        plant.tell(scribe.entries)
        return plant

    return build


@pytest.fixture
def going_back(turned: Turned) -> Plant:
    """The owner asks to go back."""
    return turned("rollback", False)


def test_what_served_before_is_restored(going_back: Plant) -> None:
    """Nobody is asked again, and nobody but the owner has to be there any more."""
    owner = going_back.scribe.enrolled(going_back.scribe.signers["olga"])
    going_back.keys.write_bytes(canonical(Keyring(keys=(owner,))))
    going_back.run("restore_version", going_back.scribe.order)
    assert going_back.inventory.deployments(MODEL)[PROD].version == 1


def test_what_the_table_does_not_know_is_not_restored(going_back: Plant, inventory_url: str) -> None:
    """A version that, by the table that the actuator alone writes, never served here does not come back."""
    execute(inventory_url, "DELETE FROM deployment WHERE version = 1 AND environment = 'PROD'")
    assert "has never served in PROD" in going_back.refusal("restore_version")


def test_a_withdrawal_is_held_up_by_no_doubt_about_the_chain(turned: Turned, inventory_url: str) -> None:
    """With the trail damaged nothing is deployed any more, and what serves can still be taken out of service."""
    plant = turned("suspend", False)
    execute(inventory_url, "UPDATE audit SET hash = 'sha256:00' WHERE position = 3")
    plant.run("stop_serving", plant.scribe.order)
    assert PROD not in plant.inventory.deployments(MODEL)
    assert [call.version for call in plant.deployer.calls()] == [None]


@pytest.mark.parametrize(("action", "activity"), [("suspend", "stop_serving"), ("rollback", "restore_version")])
def test_nothing_is_turned_on_the_word_that_somebody_asked(turned: Turned, action: str, activity: str) -> None:
    """A request in the owner's name that another key signed counted in the lifecycle, and reaches no environment."""
    plant = turned(action, True)
    assert "olga has no key" in plant.refusal(activity)
    assert plant.inventory.deployments(MODEL)[PROD].version == 2
