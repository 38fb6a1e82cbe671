"""What a real inference server serves, as it is read by who may only look."""

from collections.abc import Iterator

import pytest

from activities.adapters.oip_deployer import OipDeployer
from activities.adapters.oip_index import OipIndex
from models.errors import UnavailableError
from models.reconciliation import Served
from tests.contract.serving import PROD, Server, Shop, constant, new_key, order_of
from tests.packing import MODEL


@pytest.fixture
def index(server: Server) -> Iterator[OipIndex]:
    """The reader of that server."""
    adapter = OipIndex({PROD: server.url}, timeout=30)
    yield adapter
    adapter.close()


def test_the_default_is_what_serves(index: OipIndex, deployer: OipDeployer, server: Server, shop: Shop) -> None:
    """A version that is only loaded beside does not serve; one that somebody switched to by hand does."""
    assert index.serves(PROD) == {}
    first, second = shop.bundle(1, constant(0.2)), shop.bundle(2, constant(0.4))
    deployer.deploy(PROD, MODEL, 1, first, new_key())
    order = order_of(2, second)
    server.post(f"/v2/repository/models/{MODEL}/load", order)
    assert index.serves(PROD) == {MODEL: Served(1, first)}
    server.post(f"/v2/repository/models/{MODEL}/switch", order)
    assert index.serves(PROD) == {MODEL: Served(2, second)}
    deployer.withdraw(PROD, MODEL, new_key())
    assert index.serves(PROD) == {}


def test_the_same_version_from_another_bundle_is_seen(index: OipIndex, deployer: OipDeployer, shop: Shop) -> None:
    """A version's number alone does not tell which bytes serve."""
    other = shop.bundle(1, constant(0.9))
    deployer.deploy(PROD, MODEL, 1, shop.bundle(1, constant(0.2)), new_key())
    deployer.deploy(PROD, MODEL, 1, other, new_key())
    assert index.serves(PROD) == {MODEL: Served(1, other)}


def test_silence(index: OipIndex, server: Server) -> None:
    """A server that is not there is unavailable, and does not serve nothing."""
    server.kill()
    with pytest.raises(UnavailableError, match="what PROD serves cannot be read"):
        index.serves(PROD)
