"""What an environment serves, without its process: what is kept warm, and who waits for whom."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from models.canonical import Digest
from models.errors import UnknownNameError
from models.traffic import Split
from tests.contract.serving import PROD, Shop, constant, new_key
from tests.packing import MODEL, bundles_in
from worker import model_repository
from worker.model_repository import ModelRepository
from worker.orders import Division, Order
from worker.served_model import ServedModel, load_model


@pytest.fixture(scope="module")
def bundles(shop: Shop) -> dict[int, Digest]:
    """Two versions."""
    return {version: shop.bundle(version, constant(version / 10)) for version in (1, 2)}


def order(bundles: dict[int, Digest], version: int) -> Order:
    """To load a version, or to switch to it."""
    return Order(version=version, bundle=bundles[version], idempotency_key=str(new_key()))


def deploy(repository: ModelRepository, wanted: Order) -> None:
    """Load, then switch."""
    repository.load(MODEL, wanted)
    repository.switch(MODEL, wanted)


@pytest.mark.parametrize(("warm", "kept"), [(timedelta(days=7), [1, 2]), (timedelta(0), [2])])
def test_the_version_before_is_kept_for_its_time(
    tmp_path: Path, shop: Shop, bundles: dict[int, Digest], warm: timedelta, kept: list[int]
) -> None:
    """Then it is dropped, and a restart does not bring it back."""
    repository = ModelRepository(PROD, tmp_path, bundles_in(shop.folder, shop.store), warm)
    for version in (1, 2):
        deploy(repository, order(bundles, version))
    repository.cool()
    assert (
        repository.versions(MODEL)
        == ModelRepository(PROD, tmp_path, bundles_in(shop.folder, shop.store)).versions(MODEL)
        == kept
    )
    assert repository.served(MODEL).version == 2


def test_a_challenger_that_cannot_be_loaded_leaves_all_to_the_champion(
    tmp_path: Path, shop: Shop, bundles: dict[int, Digest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restart without the challenger's bytes, the champion answers its share, and the server is not ready."""
    repository = ModelRepository(PROD, tmp_path, bundles_in(shop.folder, shop.store))
    deploy(repository, order(bundles, 1))
    repository.load(MODEL, order(bundles, 2))
    split = Split(version=2, bundle=bundles[2], share=50)
    repository.divide(MODEL, Division(split=split, idempotency_key="divide"))

    def lose(store: object, bundle: Digest, name: str, version: int) -> ServedModel:
        if version == 2:
            raise UnknownNameError("its bytes are gone")
        return load_model(bundles_in(shop.folder, shop.store), bundle, name, version)

    monkeypatch.setattr(model_repository, "load_model", lose)
    again = ModelRepository(PROD, tmp_path, bundles_in(shop.folder, shop.store))
    route = again.route(MODEL)
    assert (route.champion.version, route.challenger) == (1, None)
    assert not again.ready()


def test_going_back_waits_for_no_loading(
    tmp_path: Path, shop: Shop, bundles: dict[int, Digest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another version is being loaded, a switch to a warm one goes through."""
    repository = ModelRepository(PROD, tmp_path, bundles_in(shop.folder, shop.store))
    for version in (1, 2):
        deploy(repository, order(bundles, version))
    loading, go_on = threading.Event(), threading.Event()

    def slowly(*arguments: object) -> ServedModel:
        loading.set()
        assert go_on.wait(10)
        return load_model(bundles_in(shop.folder, shop.store), third.bundle, MODEL, 3)

    monkeypatch.setattr(model_repository, "load_model", slowly)
    third = order({3: shop.bundle(3, constant(0.3))}, 3)
    loader = threading.Thread(target=repository.load, args=(MODEL, third))
    loader.start()
    assert loading.wait(10)
    deploy(repository, order(bundles, 1))
    assert repository.served(MODEL).version == 1
    go_on.set()
    loader.join()
    assert repository.served(MODEL, 3).version == 3
