"""The deployer, before real inference server processes: it proves a version before it serves."""

import json
import socket

import httpx2
import pytest

from activities.adapters.oip_deployer import OipDeployer
from models.canonical import digest_bytes
from models.errors import (
    ConflictError,
    InvalidInputError,
    NotPermittedError,
    SmokeTestError,
    UnavailableError,
    UnknownNameError,
)
from models.inventory import Environment
from tests.contract.serving import PROD, TOKEN, Server, Shop, constant, failing, free_port, new_key, request_of
from tests.packing import MODEL


def test_a_deployed_version_answers_at_the_url_that_is_given_back(
    shop: Shop, server: Server, deployer: OipDeployer
) -> None:
    """A deployed version serves, with a label from the contract's threshold and missing values allowed."""
    url = deployer.deploy(PROD, MODEL, 1, shop.bundle(1, constant(0.6), threshold=0.7), new_key())
    answer = httpx2.post(url, content=json.dumps(request_of([[1, 2, 3], [None, 2, 3]])).encode()).json()
    assert (answer["model_name"], answer["model_version"]) == (MODEL, "1")
    assert [round(score, 4) for score in answer["outputs"][0]["data"]] == [0.6, 0.6]
    assert answer["outputs"][1] == {"name": "label", "shape": [2], "datatype": "INT64", "data": [0, 0]}


def test_a_new_version_replaces_the_old_one_which_stays_loaded(
    shop: Shop, server: Server, deployer: OipDeployer
) -> None:
    """After a switch the default and the one before answer on their own endpoints; older ones do not."""
    for version in (1, 2, 3):
        deployer.deploy(PROD, MODEL, version, shop.bundle(version, constant(version / 10)), new_key())
    assert server.scores() == [0.3]
    assert server.scores("/versions/2") == [0.2]
    assert server.get(f"/v2/models/{MODEL}/versions/1/ready").status_code == 404
    assert [entry["reason"] for entry in server.post("/v2/repository/index", {}).json()] == ["previous", "default"]


def test_going_back_is_a_deployment_like_any_other(shop: Shop, server: Server, deployer: OipDeployer) -> None:
    """The version before can be deployed again under a new key."""
    bundles = {version: shop.bundle(version, constant(version / 10)) for version in (1, 2)}
    for version in (1, 2, 1):
        deployer.deploy(PROD, MODEL, version, bundles[version], new_key())
    assert server.scores() == [0.1]
    assert server.effects() == [("switch", 1), ("switch", 2), ("switch", 1)]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (constant(1.5), "not a probability"),
        (constant(-0.5), "not a probability"),
        (constant(float("nan")), "score None"),
        (failing(), "answered 500"),
    ],
    ids=["above 1", "below 0", "NaN", "failing"],
)
def test_a_version_that_fails_its_smoke_test_never_serves(
    shop: Shop, server: Server, deployer: OipDeployer, broken: bytes, reason: str
) -> None:
    """A version that does not answer with probabilities is dropped, and what served before still serves."""
    deployer.deploy(PROD, MODEL, 1, shop.bundle(1, constant(0.1)), new_key())
    with pytest.raises(SmokeTestError, match=reason):
        deployer.deploy(PROD, MODEL, 2, shop.bundle(2, broken), new_key())
    assert server.scores() == [0.1]
    assert server.get(f"/v2/models/{MODEL}/versions/2/ready").status_code == 404
    assert server.effects() == [("switch", 1)]


def test_a_bundles_own_sample_is_what_the_smoke_test_sends(shop: Shop, server: Server, deployer: OipDeployer) -> None:
    """The sample request in a bundle is sent before the switch: one with a column too few fails there."""
    good = shop.bundle(1, constant(0.1))
    rows = request_of([[4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    deployer.deploy(PROD, MODEL, 1, shop.with_sample(good, rows), new_key())
    assert server.get(f"/v2/models/{MODEL}/versions/1/sample").json() == rows
    narrow = shop.with_sample(shop.bundle(2, constant(0.2)), request_of([[4.0, 5.0]]))
    with pytest.raises(SmokeTestError, match="income, debt, years"):
        deployer.deploy(PROD, MODEL, 2, narrow, new_key())
    assert server.scores() == [0.1]


def test_a_version_packaged_again_replaces_its_older_bundle(shop: Shop, server: Server, deployer: OipDeployer) -> None:
    """Another bundle of the same version is proven on the version's endpoint and then serves."""
    deployer.deploy(PROD, MODEL, 1, shop.bundle(1, constant(0.1)), new_key())
    with pytest.raises(SmokeTestError):
        deployer.deploy(PROD, MODEL, 1, shop.bundle(1, constant(2.0)), new_key())
    assert server.scores() == server.scores("/versions/1") == [0.1]
    deployer.deploy(PROD, MODEL, 1, shop.bundle(1, constant(0.4)), new_key())
    assert server.scores() == server.scores("/versions/1") == [0.4]


def test_a_key_acts_once(shop: Shop, server: Server, deployer: OipDeployer) -> None:
    """A repeated deployment changes nothing and is counted once, even after another version took over."""
    first, second = shop.bundle(1, constant(0.1)), shop.bundle(2, constant(0.2))
    key = new_key()
    urls = {deployer.deploy(PROD, MODEL, 1, first, key) for _ in range(3)}
    deployer.deploy(PROD, MODEL, 2, second, new_key())
    urls.add(deployer.deploy(PROD, MODEL, 1, first, key))
    assert len(urls) == 1
    assert server.scores() == [0.2]
    assert server.effects() == [("switch", 1), ("switch", 2)]


def test_a_key_of_another_effect_is_a_conflict(shop: Shop, server: Server, deployer: OipDeployer) -> None:
    """One key cannot stand for two effects."""
    key = new_key()
    deployer.deploy(PROD, MODEL, 1, shop.bundle(1, constant(0.1)), key)
    with pytest.raises(ConflictError, match="another effect"):
        deployer.deploy(PROD, MODEL, 2, shop.bundle(2, constant(0.2)), key)
    with pytest.raises(ConflictError, match="another effect"):
        deployer.withdraw(PROD, MODEL, key)
    assert server.scores() == [0.1]


def test_a_late_repetition_of_a_deployment_does_not_undo_a_withdrawal(
    shop: Shop, server: Server, deployer: OipDeployer
) -> None:
    """A deployment that was applied before the withdrawal stays in the past; a new key serves again."""
    bundle, key = shop.bundle(1, constant(0.1)), new_key()
    deployer.deploy(PROD, MODEL, 1, bundle, key)
    deployer.withdraw(PROD, MODEL, new_key())
    deployer.deploy(PROD, MODEL, 1, bundle, key)
    assert server.get(f"/v2/models/{MODEL}/ready").status_code == 404
    deployer.deploy(PROD, MODEL, 1, bundle, new_key())
    assert server.scores() == [0.1]


def test_withdrawing_what_never_served_is_no_error(server: Server, deployer: OipDeployer) -> None:
    """A model that nobody deployed can be withdrawn."""
    deployer.withdraw(PROD, MODEL, new_key())
    assert server.get(f"/v2/models/{MODEL}").status_code == 404


def test_a_bundle_that_is_not_this_version_is_refused(shop: Shop, server: Server, deployer: OipDeployer) -> None:
    """The bundle must be of the model and version that are deployed, and its parts must be there, unchanged."""
    with pytest.raises(InvalidInputError, match="is version 1"):
        deployer.deploy(PROD, MODEL, 2, shop.bundle(1, constant(0.1)), new_key())
    with pytest.raises(UnknownNameError):
        deployer.deploy(PROD, MODEL, 2, digest_bytes(b"nowhere"), new_key())
    with pytest.raises(InvalidInputError, match="cannot be loaded"):
        deployer.deploy(PROD, MODEL, 2, shop.bundle(2, b"not ONNX"), new_key())
    assert server.get(f"/v2/models/{MODEL}").status_code == 404


def test_the_server_of_another_environment_refuses(shop: Shop, empty_server: Server) -> None:
    """A URL configured for the wrong environment is noticed before anything is loaded."""
    deployer = OipDeployer({Environment.TEST: empty_server.url}, TOKEN)
    with pytest.raises(ConflictError, match="inference server of PROD, not of TEST"):
        deployer.deploy(Environment.TEST, MODEL, 1, shop.bundle(1, constant(0.1)), new_key())
    deployer.close()
    assert empty_server.post("/v2/repository/index", {}).json() == []


def test_a_server_that_is_not_there_is_unavailable_with_a_remedy(shop: Shop) -> None:
    """Where nobody listens, the error is worth retrying and says what to start."""
    url = f"http://127.0.0.1:{free_port()}"
    deployer = OipDeployer({PROD: url}, TOKEN, timeout=1)
    with pytest.raises(UnavailableError) as failed:
        deployer.deploy(PROD, MODEL, 1, shop.bundle(1, constant(0.1)), new_key())
    deployer.close()
    assert "PROD" in str(failed.value)
    assert url in str(failed.value)
    assert "modelops up" in failed.value.remedy
    assert failed.value.retryable


def test_a_server_that_does_not_answer_in_time_is_unavailable() -> None:
    """A server that takes the request and stays silent is given up after the timeout."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        deployer = OipDeployer({PROD: f"http://127.0.0.1:{silent.getsockname()[1]}"}, TOKEN, timeout=0.2)
        with pytest.raises(UnavailableError, match="does not answer"):
            deployer.withdraw(PROD, MODEL, new_key())
        deployer.close()


def test_an_environment_without_a_url_is_an_unknown_name() -> None:
    """An environment that nobody configured is named, and a URL must be one."""
    deployer = OipDeployer({PROD: "http://127.0.0.1:1"}, TOKEN)
    with pytest.raises(UnknownNameError, match="DEV"):
        deployer.withdraw(Environment.DEV, MODEL, new_key())
    deployer.close()
    with pytest.raises(InvalidInputError, match="not an HTTP URL"):
        OipDeployer({PROD: "localhost:8503"}, TOKEN)


def test_a_deployer_with_another_token_changes_nothing(shop: Shop, server: Server, deployer: OipDeployer) -> None:
    """Who has not the token of the server is told so, whatever it asks for; what served before still serves."""
    bundles = {version: shop.bundle(version, constant(version / 10)) for version in (1, 2)}
    deployer.deploy(PROD, MODEL, 1, bundles[1], new_key())
    stranger = OipDeployer({PROD: server.url}, f"{TOKEN}x")
    for attempt in (
        lambda: stranger.deploy(PROD, MODEL, 2, bundles[2], new_key()),
        lambda: stranger.withdraw(PROD, MODEL, new_key()),
    ):
        with pytest.raises(NotPermittedError, match="this is not its token") as refused:
            attempt()
        assert not refused.value.retryable
    stranger.close()
    assert server.scores() == [0.1]
    assert server.effects() == [("switch", 1)]
