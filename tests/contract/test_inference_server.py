"""The inference server, as a real process: what it serves, through kills and restarts."""

import json
import os
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest

from activities.adapters.oip_deployer import OipDeployer
from models.canonical import digest_bytes
from models.errors import InvalidInputError, UnavailableError
from tests.contract.serving import (
    AUTHORIZED,
    COLUMNS,
    JSON,
    PROD,
    PROJECT,
    TOKEN,
    Server,
    Shop,
    constant,
    new_key,
    order_of,
    request_of,
)
from tests.packing import MODEL


def test_a_killed_server_serves_the_same_after_its_restart(shop: Shop, server: Server, deployer: OipDeployer) -> None:
    """Default, previous version, version beside and effects survive kill -9; old keys still count as applied."""
    bundles = {version: shop.bundle(version, constant(version / 10)) for version in (1, 2, 3)}
    deployer.deploy(PROD, MODEL, 1, bundles[1], new_key())
    key = new_key()
    deployer.deploy(PROD, MODEL, 2, bundles[2], key)
    server.post(f"/v2/repository/models/{MODEL}/load", order_of(3, bundles[3]))
    server.kill()
    server.start()
    assert (server.scores(), server.scores("/versions/1"), server.scores("/versions/3")) == ([0.2], [0.1], [0.3])
    deployer.deploy(PROD, MODEL, 2, bundles[2], key)
    assert server.effects() == [("switch", 1), ("switch", 2)]


def test_killing_in_the_midst_of_deployments_leaves_a_whole_version(
    shop: Shop, server: Server, deployer: OipDeployer
) -> None:
    """Whenever the process dies, it comes back with the version of the last effect in its log."""
    bundles = {version: shop.bundle(version, constant(version / 10)) for version in (1, 2)}
    deployer.deploy(PROD, MODEL, 1, bundles[1], new_key())
    for turn, delay in enumerate((0.005, 0.02, 0.035, 0.05)):
        version = 2 - turn % 2
        killer = threading.Timer(delay, server.process.kill)
        killer.start()
        key = new_key()
        for _ in range(100):
            try:
                deployer.deploy(PROD, MODEL, version, bundles[version], key)
            except UnavailableError:
                break
        killer.join()
        server.process.join()
        server.start()
        assert server.scores() == [server.effects()[-1][1] / 10]  # type: ignore[operator]  # a switch has a version
        deployer.deploy(PROD, MODEL, version, bundles[version], key)
        assert server.scores() == [version / 10]
    assert server.effects() == [("switch", 1), ("switch", 2), ("switch", 1), ("switch", 2), ("switch", 1)]


def test_predictions_never_fail_while_versions_are_switched(shop: Shop, server: Server, deployer: OipDeployer) -> None:
    """Every prediction during a series of switches is answered whole, by one version or the other."""
    bundles = {version: shop.bundle(version, constant(version / 10)) for version in (1, 2)}
    deployer.deploy(PROD, MODEL, 1, bundles[1], new_key())
    seen: list[list[float]] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            seen.append(server.scores(rows=3))

    caller = threading.Thread(target=ask)
    caller.start()
    try:
        for version in (2, 1, 2, 1, 2):
            deployer.deploy(PROD, MODEL, version, bundles[version], new_key())
    finally:
        stop.set()
        caller.join()
    assert seen
    assert all(scores in ([0.1] * 3, [0.2] * 3) for scores in seen)


def test_a_withdrawn_model_does_not_answer(shop: Shop, server: Server, deployer: OipDeployer) -> None:
    """After a withdrawal, counted once, every endpoint of the model says so, also after a restart."""
    deployer.deploy(PROD, MODEL, 1, shop.bundle(1, constant(0.1)), new_key())
    key = new_key()
    for _ in range(2):
        deployer.withdraw(PROD, MODEL, key)
    server.kill()
    server.start()
    for path in (f"/v2/models/{MODEL}/infer", f"/v2/models/{MODEL}/versions/1/infer"):
        refused = server.post(path, request_of([[1, 2, 3]]))
        assert refused.status_code == 404
        assert "was withdrawn" in refused.json()["error"]
    assert server.effects() == [("switch", 1), ("unload", None)]
    assert server.get("/v2/health/ready").status_code == 200


def test_changed_bytes_are_not_served(shop: Shop, server: Server, deployer: OipDeployer) -> None:
    """A model file that was changed in the store is not loaded, neither for a deployment nor by a restart."""
    data = constant(0.123)
    bundle = shop.bundle(1, data)
    deployer.deploy(PROD, MODEL, 1, bundle, new_key())
    file = shop.store.path(digest_bytes(data))
    file.chmod(0o644)
    file.write_bytes(constant(0.9))
    server.kill()
    server.start()
    assert server.get("/v2/health/ready").status_code == 503
    assert server.post(f"/v2/models/{MODEL}/infer", request_of([[1, 2, 3]])).status_code == 503
    with pytest.raises(InvalidInputError, match="was changed"):
        deployer.deploy(PROD, MODEL, 1, bundle, new_key())
    file.write_bytes(data)
    deployer.deploy(PROD, MODEL, 1, bundle, new_key())
    assert server.scores() == [0.123]


def test_wrong_columns_are_refused_with_the_expected_ones(shop: Shop, server: Server, deployer: OipDeployer) -> None:
    """Rows of the wrong width get 400 and the names of the columns, in order."""
    deployer.deploy(PROD, MODEL, 1, shop.bundle(1, constant(0.1)), new_key())
    refused = server.post(f"/v2/models/{MODEL}/infer", request_of([[1.0, 2.0]]))
    assert refused.status_code == 400
    assert "income, debt, years" in refused.json()["error"]
    text = {"name": "t", "shape": [1, 3], "datatype": "BYTES", "data": ["a", "b", "c"]}
    assert "holds text" in server.post(f"/v2/models/{MODEL}/infer", {"inputs": [text]}).json()["error"]


def test_a_large_batch_is_answered_row_by_row(shop: Shop, server: Server, deployer: OipDeployer) -> None:
    """A request of many rows gets as many scores."""
    deployer.deploy(PROD, MODEL, 1, shop.bundle(1, constant(0.1)), new_key())
    assert server.scores(rows=20_000) == [0.1] * 20_000


def test_the_server_describes_itself_and_its_models_as_the_protocol_asks(
    shop: Shop, server: Server, deployer: OipDeployer
) -> None:
    """Health, server metadata, model metadata and readiness have the protocol's fields."""
    deployer.deploy(PROD, MODEL, 1, shop.bundle(1, constant(0.1), threshold=0.25), new_key())
    assert server.get("/v2/health/live").json()["live"] is True
    assert server.get("/v2/health/ready").status_code == 200
    about = server.get("/v2").json()
    assert (about["name"], about["environment"]) == ("modelops-inference", "PROD")
    assert "model_repository" in about["extensions"]
    metadata = server.get(f"/v2/models/{MODEL}/versions/1").json()
    assert metadata == server.get(f"/v2/models/{MODEL}").json()
    assert (metadata["name"], metadata["versions"], metadata["platform"]) == (MODEL, ["1"], "onnx_onnxruntime")
    assert metadata["inputs"] == [{"name": "input", "datatype": "FP32", "shape": [-1, 3]}]
    assert [output["name"] for output in metadata["outputs"]] == ["score", "label"]
    assert metadata["parameters"]["columns"] == list(COLUMNS)
    assert metadata["parameters"]["threshold"] == 0.25
    assert server.get(f"/v2/models/{MODEL}/ready").json() == {"name": MODEL, "ready": True}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/nobody", 404),
        ("POST", "/v2/models/nobody/infer", 404),
        ("GET", "/v2/models/nobody/versions/one", 404),
        ("GET", "/nowhere", 404),
        ("GET", f"/v2/models/{MODEL}/infer", 405),
        ("POST", f"/v2/repository/models/{MODEL}/load", 400),
        ("POST", f"/v2/repository/models/{MODEL}/unload", 400),
        ("POST", "/v2/repository/models/No%20Name/unload", 400),
    ],
)
def test_every_error_is_an_error_object(empty_server: Server, method: str, path: str, status: int) -> None:
    """Whatever is wrong, the body is one object with the key `error`."""
    body = b'{"parameters": {"idempotency_key": "k"}}' if "No%20Name" in path else b"{}"
    response = httpx2.request(method, f"{empty_server.url}{path}", content=body, headers=AUTHORIZED)
    assert response.status_code == status
    assert list(response.json()) == ["error"]


def test_a_web_page_cannot_change_what_is_served(empty_server: Server) -> None:
    """A body that is not declared as JSON, which is all a foreign page may send, changes nothing."""
    body = b'{"parameters": {"idempotency_key": "k"}}'
    url = f"{empty_server.url}/v2/repository/models/{MODEL}/unload"
    plain = {**AUTHORIZED, "content-type": "text/plain"}
    assert httpx2.post(url, content=body, headers=plain).status_code == 400
    assert empty_server.effects() == []


def test_loading_beside_does_not_serve(shop: Shop, server: Server) -> None:
    """A loaded version answers on its own endpoint only, until the switch; switching needs loading first."""
    bundle = shop.bundle(1, constant(0.1))
    order = order_of(1, bundle)
    assert server.post(f"/v2/repository/models/{MODEL}/switch", order).status_code == 404
    assert server.post(f"/v2/repository/models/{MODEL}/load", order).json() == {"applied": False, "default": None}
    assert server.scores("/versions/1") == [0.1]
    assert server.post(f"/v2/models/{MODEL}/infer", request_of([[1, 2, 3]])).status_code == 503
    assert server.post(f"/v2/repository/models/{MODEL}/switch", order).json() == {"switched": True}
    assert server.post(f"/v2/repository/models/{MODEL}/switch", order).json() == {"switched": False}
    assert server.scores() == [0.1]


@pytest.mark.parametrize("verb", ["load", "switch", "unload"])
@pytest.mark.parametrize("given", [None, "Bearer", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN])
def test_what_changes_something_needs_the_token(empty_server: Server, verb: str, given: str | None) -> None:
    """Without the very token a change is refused before its body is looked at: 401, and how to get in (RFC 6750)."""
    headers = JSON if given is None else {**JSON, "authorization": given}
    url = f"{empty_server.url}/v2/repository/models/{MODEL}/{verb}"
    refused = httpx2.post(url, content=b"nonsense", headers=headers)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert "MODELOPS_DEPLOY_TOKEN" in refused.json()["error"]
    assert empty_server.effects() == []


def test_everything_else_is_open(shop: Shop, server: Server, deployer: OipDeployer) -> None:
    """Predictions, health, metadata and the index need no token; its scheme is read in any case."""
    bundle = shop.bundle(1, constant(0.1))
    shouted = {**JSON, "authorization": f"BEARER {TOKEN}"}
    order = json.dumps(order_of(1, bundle)).encode()
    for verb in ("load", "switch"):
        url = f"{server.url}/v2/repository/models/{MODEL}/{verb}"
        assert httpx2.post(url, content=order, headers=shouted).status_code == 200
    for path in ("/v2", "/v2/health/ready", f"/v2/models/{MODEL}", f"/v2/models/{MODEL}/versions/1/sample", "/effects"):
        assert httpx2.get(f"{server.url}{path}").status_code == 200
    rows = json.dumps(request_of([[1, 2, 3]])).encode()
    assert httpx2.post(f"{server.url}/v2/models/{MODEL}/infer", content=rows).status_code == 200
    assert httpx2.post(f"{server.url}/v2/repository/index", content=b"{}").status_code == 200


def test_without_a_token_it_does_not_start(tmp_path: Path, shop: Shop) -> None:
    """A server that anybody might change, or nobody, is not started; the variable is named."""
    line = _refused_start(Server(tmp_path / "open", shop.folder).command, {})
    assert "MODELOPS_DEPLOY_TOKEN" in line


def _refused_start(command: list[str], variables: Mapping[str, str] = {"MODELOPS_DEPLOY_TOKEN": TOKEN}) -> str:
    environment = {**os.environ, **variables}
    ended = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    return ended.stderr


def test_a_port_in_use_is_told_in_one_line(tmp_path: Path, shop: Shop, empty_server: Server) -> None:
    """A second server on a port ends with status 2 and one line: what, which port, what to do."""
    other = Server(tmp_path / "other", shop.folder)
    line = _refused_start([str(empty_server.port) if word == str(other.port) else word for word in other.command])
    assert f"port {empty_server.port}" in line
    assert "--port" in line


def test_two_servers_never_share_one_state(shop: Shop, empty_server: Server) -> None:
    """A second server on the same folder ends with status 2 and one line."""
    assert "another server uses" in _refused_start(Server(empty_server.folder, shop.folder).command)


def test_a_state_that_is_not_ours_is_not_overwritten(tmp_path: Path, shop: Shop) -> None:
    """A state file that cannot be read ends the start with one line, and stays as it is."""
    other = Server(tmp_path / "odd", shop.folder)
    other.folder.mkdir()
    (other.folder / "state.json").write_text("{")
    assert "state.json" in _refused_start(other.command)
    assert (other.folder / "state.json").read_text() == "{"
