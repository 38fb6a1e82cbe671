"""What lies where KServe and SageMaker fetch models is the bundle, byte for byte; anything else there is noticed."""

import json
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from activities.adapters.oci_bundles import parts_of, verified
from activities.adapters.oci_layout import OciLayout, write_archive
from activities.ports import Predictor
from models.canonical import Digest
from models.environments import Credentials, Environments, KServe, ObjectStore, SageMaker, Surroundings, bundle_uri
from models.errors import ConflictError, DigestMismatchError, UnavailableError
from models.evidence import EffectKey
from models.inventory import Environment
from models.reconciliation import Served, Shelf
from models.traffic import Split
from tests.contract.cloud import BUCKET, KEY, REGION, Cloud
from tests.contract.serving import PROD, Shop, constant, new_key
from tests.contract.targets import running
from tests.packing import MODEL, signer_in
from worker.shelves import Look, Shelves, shelves_of
from worker.targets import ClosingDepot, Target, Targets, depot_of

AWS = Credentials(env="OF_THE_TESTS")
FOLDER = f"s3://{BUCKET}/models"
TARGETS: dict[str, KServe | SageMaker] = {
    "sagemaker": SageMaker(
        kind="sagemaker",
        region=REGION,
        role="arn:aws:iam::123456789012:role/modelops",
        image="inference:1",
        instance="ml.m5.large",
        bundles=FOLDER,
        credentials=AWS,
    ),
    "kserve": KServe(
        kind="kserve",
        api="http://127.0.0.1:1",
        namespace="models",
        bundles=FOLDER,
        runtime="modelops",
        credentials=AWS,
        store=ObjectStore(region=REGION, credentials=AWS),
    ),
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """One for all tests."""
    with running(found := Cloud()), pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", found.url)
        environment.setenv("OF_THE_TESTS", json.dumps({"AccessKeyId": KEY, "SecretAccessKey": "secret"}))
        yield found


@pytest.fixture(params=list(TARGETS))
def depot(request: pytest.FixtureRequest, cloud: Cloud, shop: Shop) -> Iterator[ClosingDepot]:
    """Where a target fetches, empty."""
    cloud.clear()
    made = depot_of(TARGETS[request.param], AWS, shop.store)
    yield made
    made.close()


class Deploying:
    """Fits `Deployer`: remembers what it was told to deploy."""

    def __init__(self) -> None:
        self.told: list[Digest] = []

    def deploy(self, environment: Environment, model: str, version: int, bundle: Digest, key: EffectKey) -> str:
        """Remember it."""
        self.told.append(bundle)
        return "http://somewhere"

    def divide(self, environment: Environment, model: str, split: Split | None, key: EffectKey) -> None:
        """Remember it."""
        self.told += [split.bundle] if split else []

    def withdraw(self, environment: Environment, model: str, key: EffectKey) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Asking(Predictor):
    """Nobody is asked."""

    def close(self) -> None:
        """Nothing."""


def archive_in(cloud: Cloud, bundle: Digest) -> bytes:
    """What lies in the bucket where the bundle should be."""
    return cloud.object(bundle_uri(FOLDER, MODEL, bundle))


def test_what_is_deployed_lies_there(depot: ClosingDepot, cloud: Cloud, shop: Shop, tmp_path: Path) -> None:
    """Before it serves or is tried: unpacked, it verifies under its digest; deployed again, not a byte is sent."""
    first, second = shop.bundle(1, constant(0.21)), shop.bundle(2, constant(0.22))
    deployer = Deploying()
    targets = Targets({PROD: Target(deployer, Asking(), depot)})  # type: ignore[abstract]
    targets.deploy(PROD, MODEL, 1, first, new_key())
    targets.divide(PROD, MODEL, Split(version=2, bundle=second, share=5), new_key())
    targets.divide(PROD, MODEL, None, new_key())
    for bundle in (first, second):
        with tarfile.open(fileobj=BytesIO(archive_in(cloud, bundle)), mode="r:gz") as archive:
            archive.extractall(tmp_path / bundle, filter="data")
        layout = OciLayout(tmp_path / bundle)
        assert layout.bundle == bundle
        assert verified(layout, bundle, [signer_in(shop.folder)])[0].model == MODEL
        assert depot.holds(MODEL, bundle)
    written = cloud.written
    targets.deploy(PROD, MODEL, 1, first, new_key())
    assert (cloud.written, deployer.told) == (written, [first, second, first])


def test_other_bytes_are_noticed(depot: ClosingDepot, cloud: Cloud, shop: Shop) -> None:
    """Nothing is deployed from them, and nothing is put over them; where nothing lies any more, the bundle is again."""
    bundle, deployer = shop.bundle(1, constant(0.23)), Deploying()
    targets = Targets({PROD: Target(deployer, Asking(), depot)})  # type: ignore[abstract]
    targets.deploy(PROD, MODEL, 1, bundle, new_key())
    good = archive_in(cloud, bundle)
    cloud.put(bundle_uri(FOLDER, MODEL, bundle), good[:-9] + b"?" + good[-8:])
    assert not depot.holds(MODEL, bundle)
    with pytest.raises(DigestMismatchError, match="somebody has put something else there"):
        targets.deploy(PROD, MODEL, 1, bundle, new_key())
    with pytest.raises(DigestMismatchError):
        targets.divide(PROD, MODEL, Split(version=1, bundle=bundle, share=5), new_key())
    assert (deployer.told, archive_in(cloud, bundle) == good) == ([bundle], False)
    cloud.put(bundle_uri(FOLDER, MODEL, bundle), None)
    assert not depot.holds(MODEL, bundle)
    targets.deploy(PROD, MODEL, 1, bundle, new_key())
    assert archive_in(cloud, bundle) == good


def test_the_archive_follows_from_the_bundle(shop: Shop) -> None:
    """Packed twice it is the same, and any program reads it."""
    bundle = shop.bundle(1, constant(0.24))
    parts = parts_of(shop.store, bundle)
    first, again = BytesIO(), BytesIO()
    write_archive(shop.store, parts, first)
    write_archive(shop.store, parts, again)
    assert first.getvalue() == again.getvalue()
    with tarfile.open(fileobj=BytesIO(first.getvalue()), mode="r:gz") as archive:
        assert len(archive.getnames()) == len({part.digest for part in parts}) + 2


class Saying:
    """Fits `Environments`: says what it was told to."""

    def __init__(self, shelf: Shelf | ConflictError) -> None:
        self._shelf = shelf

    def serves(self, environment: Environment) -> Shelf:
        """Say it."""
        if isinstance(self._shelf, ConflictError):
            raise self._shelf
        return self._shelf


def test_who_looks_looks_at_the_bytes(depot: ClosingDepot, cloud: Cloud, shop: Shop) -> None:
    """What serves from other bytes is another bundle; what nobody may look at, or can, is unknown and not empty."""
    bundle, foreign = shop.bundle(1, constant(0.25)), "sha256:" + "0" * 64
    depot.bring(MODEL, bundle)
    seen = {MODEL: Served(1, bundle), "rates": Served(2, foreign)}
    shelves = Shelves({PROD: Look(Saying(seen), depot)})
    assert shelves.serves(PROD) == seen
    cloud.put(bundle_uri(FOLDER, MODEL, bundle), b"something else")
    found = shelves.serves(PROD)
    assert (found[MODEL].version, found[MODEL].bundle == bundle, found["rates"]) == (1, False, seen["rates"])
    for look in (Look(None), Look(Saying(ConflictError("it was changed")))):
        with pytest.raises(UnavailableError):
            Shelves({PROD: look}).serves(PROD)


@pytest.mark.parametrize("kind", list(TARGETS))
def test_nobody_looks_with_the_credentials_that_change(kind: str, shop: Shop) -> None:
    """Unless it is said who may only look, what such a target serves is unknown."""
    everywhere = {name: Surroundings(target=TARGETS[kind]) for name in Environment}
    with pytest.raises(UnavailableError, match="nobody may look at what PROD serves"):
        shelves_of(Environments(environments=everywhere), shop.store).serves(PROD)
