"""The inventory as people look at it, on both databases."""

from collections.abc import Iterator

import pytest

from activities.adapters.sql_inventory import SqlInventory
from client.catalog import Catalog
from models.canonical import digest, digest_bytes
from models.errors import UnavailableError, UnknownNameError
from models.evidence import EffectKey, StepResult
from models.inventory import Environment, Measured, RiskTier, VersionStatus
from models.plan import Plan
from models.state import Phase
from tests.contract.reader import Reader
from tests.contract.story import Record, Tell


@pytest.fixture
def catalog(inventory_url: str) -> Iterator[Catalog]:
    """The client's reader of the same database as the inventory."""
    with Catalog(inventory_url) as opened:
        yield opened


@pytest.fixture
def reader(inventory_url: str) -> Iterator[Reader]:
    """The rows of the same database."""
    opened = Reader(inventory_url)
    yield opened
    opened.close()


def test_models_are_listed_with_where_their_lifecycles_are(record: Record, catalog: Catalog, tell: Tell) -> None:
    """Every registered model is listed by name, with stage and phase."""
    record(tell("loan"))
    record(tell("churn")[:4])
    first, second = catalog.models()
    assert (first.model, first.stage) == ("churn", "development")
    assert (second.model, second.phase, second.owner, second.tier) == ("loan", Phase.ENDED, "olga", RiskTier.HIGH)
    assert catalog.facts("loan").id == "loan"
    assert catalog.regulations("loan") == ["EU AI Act", "SR 11-7"]
    with pytest.raises(UnknownNameError):
        catalog.facts("fraud")


def test_versions_say_how_they_ended(record: Record, catalog: Catalog, tell: Tell) -> None:
    """Each version has its status, bundle and artifact."""
    record(tell("loan"))
    versions = catalog.versions("loan")
    statuses = [VersionStatus.RETIRED, VersionStatus.REJECTED, VersionStatus.WITHDRAWN]
    assert [version.status for version in versions] == statuses
    assert all(version.bundle and version.artifact for version in versions)


def test_deployments_have_a_beginning_and_an_end(record: Record, reader: Reader, tell: Tell) -> None:
    """All that ever served is kept in order; after retirement all of it has ended."""
    record(tell("loan"))
    served = [(row.environment, row.version) for row in reader.deployments("loan")]
    dev, prod = Environment.DEV, Environment.PROD
    assert served == [(dev, 1), (prod, 1), (dev, 2), (dev, 3), (prod, 3), (prod, 1)]
    assert all(row.until is not None and row.until >= row.since for row in reader.deployments("loan"))


def test_evidence_names_the_version_that_it_is_about(record: Record, reader: Reader, tell: Tell) -> None:
    """Each evaluation belongs to the version that it looked at, the archive to none."""
    record(tell("loan"))
    listed = [(row.kind, row.version, row.step) for row in reader.evidence("loan")]
    evaluations = [("evaluation", number, "evaluate") for number in (1, 2, 3)]
    assert listed == [*evaluations, ("archive", None, "archive")]
    of_the_second = [row.digest for row in reader.evidence("loan") if row.version == 2]
    assert of_the_second == [digest_bytes(b"evaluate of loan/6/evaluate")]


def test_notifications_have_a_key_of_their_own(record: Record, reader: Reader, tell: Tell) -> None:
    """What was sent is kept in order, each under a key that names the effect."""
    record(tell("loan"))
    assert [(row.key, row.recipient) for row in reader.notifications("loan")] == [
        ("loan/4/ask#0", "rita"),
        ("loan/9/ask#0", "rita"),
    ]


def test_measurements_keep_their_reasons(inventory: SqlInventory, catalog: Catalog) -> None:
    """What a monitor found is listed with its verdict and reasons."""
    assert catalog.measurements("loan") == []
    found = Measured(monitor="drift", window="monday", verdict="fail", reasons=("psi 0.4 > 0.25", "auc 0.6 < 0.7"))
    inventory.commit_effect(EffectKey(model="loan", visit=1, step="drift"), StepResult(summary="looked"), [found])
    assert catalog.measurements("loan") == [found]


def test_a_history_is_the_trail_of_a_model(
    record: Record, inventory: SqlInventory, catalog: Catalog, tell: Tell, plan: Plan
) -> None:
    """People see the same entries as the activities; the whole trail has the plans too."""
    record(tell("loan"))
    assert catalog.history("loan") == inventory.trail("loan")
    first, *others = catalog.trail()
    assert (first.kind, first.model) == ("plan", None)
    assert digest(Plan.model_validate_json(first.body)) == digest(plan)
    assert others == catalog.history("loan")
    assert catalog.head().position == 1 + len(others)
    governing = catalog.plan_of("loan")
    assert governing is not None
    assert digest(governing) == digest(plan)


def test_who_was_told_is_listed(record: Record, catalog: Catalog, tell: Tell) -> None:
    """The recipients of the messages about a model are listed in their order."""
    record(tell("loan"))
    assert catalog.notified("loan") == ["rita", "rita"]
    assert catalog.notified("fraud") == []


def test_a_database_without_tables_is_named(empty_url: str) -> None:
    """Who looks before anything was set up is told what to do."""
    with Catalog(empty_url) as catalog, pytest.raises(UnavailableError) as caught:
        catalog.models()
    assert "modelops up" in caught.value.remedy
