"""A pipeline asks whether a digest may enter: a signed yes, or a no, from the record on real databases."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from activities.adapters.file_checkpoints import FileCheckpoints
from activities.adapters.file_notary import FileNotary
from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.yaml_directory import YamlDirectory
from activities.clearance import Clearances
from models.canonical import canonical, digest_bytes
from models.clearance import USUAL_MINIMUM
from models.clearance_check import check_clearance
from models.clearance_statement import HOLDS, Clearance, Question
from models.errors import NotPermittedError
from models.inventory import Environment
from models.signing import Envelope, PublicKey
from tests.contract.backdoor import execute
from tests.contract.story import Record, Tell
from tests.contract.test_actuator import Plant, lately
from tests.unit.signed_record import AUDIENCE, Scribe, released
from worker.clearance_app import ClearanceApp

PROD = Environment.PROD


class Office:
    """An installation in a folder that is asked over HTTP; the record is a copy of what a scribe wrote."""

    def __init__(self, root: Path, scribe: Scribe) -> None:
        self.scribe = scribe
        self.database = f"sqlite:///{root / 'inventory.db'}"
        self.inventory = SqlInventory(self.database)
        self.registry = root / "keys.json"
        checkpoints = FileCheckpoints(root / "checkpoints")
        notary = FileNotary(self.inventory, checkpoints, root / "notary.key", AUDIENCE)
        notary.introduce()
        directory = YamlDirectory(root / "directory.yaml", self.registry, AUDIENCE)
        self.clearances = Clearances(self.inventory, directory, USUAL_MINIMUM, notary, AUDIENCE)
        self.app = ClearanceApp(self.clearances).build()
        self.keys: tuple[PublicKey, ...] = tuple((root / "notary.pub").read_text().split())

    @property
    def artifact(self) -> str:
        """What was approved."""
        return str(self.scribe.order.artifact)

    async def get(self, **given: str) -> httpx2.Response:
        """What the address answers."""
        transport = httpx2.ASGITransport(app=self.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://modelops") as client:
            return await client.get("/v1/clearance", params=given)

    async def ask(self, subject: str, environment: Environment = PROD) -> tuple[int, Clearance]:
        """The answer, its signature verified."""
        answered = await self.get(digest=subject, environment=environment, nonce="n1")
        asked = Question(subject=subject, environment=environment, nonce="n1")
        envelope = Envelope.model_validate_json(answered.content)
        return answered.status_code, check_clearance(envelope, self.keys, AUDIENCE, asked, datetime.now(UTC))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> tuple[Path, Scribe]:
    """A folder in which it is on record that everybody has approved a version, to copy."""
    root, scribe = tmp_path_factory.mktemp("office"), released(lately())
    shutil.copy(migrated_sqlite, root / "inventory.db")
    inventory = SqlInventory(f"sqlite:///{root / 'inventory.db'}")
    Plant(root, inventory, scribe).tell(scribe.entries)
    inventory.close()
    return root, scribe


@pytest.fixture
def office(told: tuple[Path, Scribe], tmp_path: Path) -> Iterator[Office]:
    """Everybody has approved a version."""
    shutil.copytree(told[0], tmp_path, dirs_exist_ok=True)
    built = Office(tmp_path, told[1])
    yield built
    built.inventory.close()


def test_which_versions_have_some_bytes(inventory: SqlInventory, record: Record, tell: Tell) -> None:
    """On both databases: of each model the newest one with them, by artifact or by bundle."""
    for model in ("first", "second"):
        record(tell(model))
    earned = inventory.earned("first", 3)
    assert inventory.holding(str(earned.artifact)) == [("first", 3), ("second", 3)]
    assert inventory.holding(str(earned.bundle)) == [("first", 3)]
    assert inventory.holding(digest_bytes(b"never seen")) == []


async def test_a_yes_is_signed_and_says_why(office: Office) -> None:
    """By artifact or by bundle: 200, which version, which gates, who approved, up to which entry of the trail."""
    for subject in (office.artifact, str(office.scribe.order.bundle)):
        status, told = await office.ask(subject)
        (one,) = told.versions
        assert (status, told.verdict, one.model, one.version, one.missing) == (200, "yes", "loans", 1, ())
        assert {gate.gate for gate in one.passed} >= {"independent-validation", "release"}
        assert told.trail == office.inventory.head()
        assert told.expires_at - told.issued_at == HOLDS


async def test_what_nobody_knows_may_not(office: Office) -> None:
    """An unknown digest is a signed no, which `curl --fail` ends with."""
    status, told = await office.ask(digest_bytes(b"never seen"))
    assert (status, told.verdict, told.versions) == (403, "no", ())


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE version SET artifact = '{evil}'", "has artifact"),
        ("UPDATE version SET bundle = '{evil}'", "has bundle"),
    ],
)
async def test_a_row_that_names_other_bytes_lets_nothing_in(office: Office, statement: str, reason: str) -> None:
    """Whoever edits the row of an approved version lets no other bytes in."""
    evil = digest_bytes(b"evil")
    execute(office.database, statement.format(evil=evil))
    status, told = await office.ask(evil)
    assert (status, told.verdict) == (403, "no")
    assert any(reason in said for said in told.reasons)


async def test_a_revoked_key_counts_at_once(office: Office) -> None:
    """Who approved with a key that was stolen by then has not approved."""
    key = next(key for key in office.scribe.keyring.keys if key.person == "paul")
    office.registry.write_bytes(canonical(office.scribe.keyring.revoke(key.id, key.enrolled, "stolen")))
    status, told = await office.ask(office.artifact)
    assert (status, told.verdict) == (403, "no")
    assert any("paul at 'release'" in said for said in told.reasons)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"digest": "sha256:00", "environment": "PROD"},
        {"digest": digest_bytes(b""), "environment": "production"},
        {"digest": digest_bytes(b""), "environment": "PROD", "nonce": "\n"},
        {"digest": digest_bytes(b""), "environment": "PROD", "model": "loans"},
    ],
)
async def test_what_is_no_question_is_no_yes(office: Office, given: dict[str, str]) -> None:
    """400, and what is wrong with it."""
    answered = await office.get(**given)
    assert answered.status_code == 400
    assert "error" in answered.json()


async def test_an_answer_is_to_one_question_of_one_installation_for_minutes(office: Office) -> None:
    """Another's digest, environment, nonce, key or installation, or a later moment: it counts for nothing."""
    answered = await office.get(digest=office.artifact, environment="PROD", nonce="n1")
    envelope = Envelope.model_validate_json(answered.content)
    asked = Question(subject=office.artifact, environment=PROD, nonce="n1")
    now = datetime.now(UTC)
    others = (
        (office.keys, "elsewhere", asked, now),
        (("00" * 32,), AUDIENCE, asked, now),
        (office.keys, AUDIENCE, asked.model_copy(update={"subject": digest_bytes(b"")}), now),
        (office.keys, AUDIENCE, asked.model_copy(update={"environment": Environment.TEST}), now),
        (office.keys, AUDIENCE, asked.model_copy(update={"nonce": "n2"}), now),
        (office.keys, AUDIENCE, asked, now + HOLDS),
        (office.keys, AUDIENCE, asked, now - HOLDS),
    )
    for keys, audience, question, at in others:
        with pytest.raises(NotPermittedError):
            check_clearance(envelope, keys, audience, question, at)
    assert check_clearance(envelope, office.keys, AUDIENCE, asked.model_copy(update={"nonce": None}), now)


async def test_rows_that_cannot_be_read_are_no_yes(office: Office) -> None:
    """Whatever is put into the row beside the right digest: nothing but 200 is a yes."""
    execute(office.database, "UPDATE version SET bundle = 'nonsense'")
    answered = await office.get(digest=office.artifact, environment="PROD")
    assert answered.status_code == 503
    assert "cannot be read" in answered.json()["error"]
