"""Requests divided between a champion and a challenger, before real inference server processes."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from activities.adapters.oip_deployer import OipDeployer
from activities.adapters.oip_service import OipService
from activities.adapters.oip_traffic import OipTraffic
from models.canonical import Digest
from models.errors import (
    ConflictError,
    InvalidInputError,
    MissingColumnError,
    NotPermittedError,
    SmokeTestError,
    UnavailableError,
)
from models.inventory import Environment
from models.metrics import Period
from models.traffic import Split, is_challenged
from tests.contract.serving import (
    AUTHORIZED,
    PROD,
    TOKEN,
    Server,
    Shop,
    constant,
    failing,
    free_port,
    new_key,
    request_of,
)
from tests.packing import MODEL

UNITS = tuple(f"customer-{number}" for number in range(60))


@pytest.fixture(scope="module")
def bundles(shop: Shop) -> dict[int, Digest]:
    """Three versions; the third fails on every row."""
    models = {1: constant(0.1), 2: constant(0.8), 3: failing()}
    return {version: shop.bundle(version, model) for version, model in models.items()}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> Iterator[Server]:
    """One for all tests here."""
    process = Server(tmp_path_factory.mktemp("prod"), shop.folder)
    process.start()
    yield process
    process.kill()


@pytest.fixture
def deployer(server: Server) -> Iterator[OipDeployer]:
    """Its deployer; the test before has left nothing that serves."""
    adapter = OipDeployer({PROD: server.url}, TOKEN, timeout=30)
    adapter.withdraw(PROD, MODEL, new_key())
    yield adapter
    adapter.close()


@pytest.fixture
def traffic(server: Server, tmp_path: Path) -> Iterator[OipTraffic]:
    """What is seen of that server."""
    adapter = OipTraffic({PROD: server.url}, TOKEN, tmp_path / "outcomes", tmp_path / "observed")
    yield adapter
    adapter.close()


def answers(server: Server) -> dict[str, str]:
    """Who answers each unit."""
    with httpx2.Client(base_url=server.url) as client:
        found = {}
        for unit in UNITS:
            body = json.dumps({**request_of([[1, 2, 3]]), "id": unit}).encode()
            answer = client.post(f"/v2/models/{MODEL}/infer", content=body).raise_for_status().json()
            assert answer["id"] == unit
            found[unit] = answer["model_version"]
        return found


def effects(server: Server) -> list[tuple[str, int | None]]:
    """What was applied since the last withdrawal."""
    applied = server.effects()
    return applied[len(applied) - applied[::-1].index(("unload", None)) :]


def expected(split: Split) -> dict[str, str]:
    """Who has to."""
    return {unit: str(split.version) if is_challenged(unit, split) else "1" for unit in UNITS}


def test_a_division_is_raised_survives_a_kill_and_ends(
    server: Server, deployer: OipDeployer, bundles: dict[int, Digest]
) -> None:
    """Each unit is answered by the version that the rule says, after kill -9 too; at the end by the champion."""
    deployer.deploy(PROD, MODEL, 1, bundles[1], new_key())
    for share in (20, 50):
        split = Split(version=2, bundle=bundles[2], share=share)
        deployer.divide(PROD, MODEL, split, new_key())
        assert answers(server) == expected(split)
    server.kill()
    server.start()
    assert answers(server) == expected(split)
    reasons = {entry["version"]: entry["reason"] for entry in server.post("/v2/repository/index", {}).json()}
    assert reasons == {"1": "default", "2": "challenger"}
    deployer.divide(PROD, MODEL, None, new_key())
    assert set(answers(server).values()) == {"1"}
    assert server.get(f"/v2/models/{MODEL}/versions/2/ready").status_code == 404
    assert effects(server) == [("switch", 1), ("divide", 2), ("divide", 2), ("divide", None)]


def test_a_key_divides_once(server: Server, deployer: OipDeployer, bundles: dict[int, Digest]) -> None:
    """A repeated order changes nothing, even after the division was ended; its key serves nothing else."""
    deployer.deploy(PROD, MODEL, 1, bundles[1], new_key())
    key, split = new_key(), Split(version=2, bundle=bundles[2], share=50)
    for _ in range(2):
        deployer.divide(PROD, MODEL, split, key)
    with pytest.raises(ConflictError, match="another effect"):
        deployer.deploy(PROD, MODEL, 1, bundles[1], key)
    deployer.divide(PROD, MODEL, None, new_key())
    deployer.divide(PROD, MODEL, split, key)
    assert set(answers(server).values()) == {"1"}
    assert effects(server) == [("switch", 1), ("divide", 2), ("divide", None)]


def test_who_deploys_or_withdraws_ends_the_division(
    server: Server, deployer: OipDeployer, bundles: dict[int, Digest]
) -> None:
    """The elected challenger answers all at once, the former champion stays warm, and going back loads nothing."""
    deployer.deploy(PROD, MODEL, 1, bundles[1], new_key())
    split = Split(version=2, bundle=bundles[2], share=50)
    deployer.divide(PROD, MODEL, split, new_key())
    deployer.deploy(PROD, MODEL, 2, bundles[2], new_key())
    assert set(answers(server).values()) == {"2"}
    assert server.scores("/versions/1") == [0.1]
    deployer.deploy(PROD, MODEL, 1, bundles[1], new_key())
    assert set(answers(server).values()) == {"1"}
    deployer.divide(PROD, MODEL, split, new_key())
    deployer.withdraw(PROD, MODEL, new_key())
    deployer.deploy(PROD, MODEL, 1, bundles[1], new_key())
    assert set(answers(server).values()) == {"1"}


def test_a_challenger_that_fails_its_smoke_test_leaves_all_as_it_was(
    server: Server, deployer: OipDeployer, bundles: dict[int, Digest]
) -> None:
    """It answers nobody, and the one that is tried goes on."""
    deployer.deploy(PROD, MODEL, 1, bundles[1], new_key())
    split = Split(version=2, bundle=bundles[2], share=50)
    deployer.divide(PROD, MODEL, split, new_key())
    with pytest.raises(SmokeTestError, match="answered 500"):
        deployer.divide(PROD, MODEL, Split(version=3, bundle=bundles[3], share=50), new_key())
    assert answers(server) == expected(split)
    assert server.get(f"/v2/models/{MODEL}/versions/3/ready").status_code == 404


def test_requests_are_divided_with_a_champion_alone(
    server: Server, deployer: OipDeployer, bundles: dict[int, Digest]
) -> None:
    """Where nothing serves there is nobody to divide with, though nothing to end either; nor with oneself."""
    split = Split(version=1, bundle=bundles[1], share=50)
    with pytest.raises(ConflictError, match="no default version"):
        deployer.divide(PROD, MODEL, split, new_key())
    deployer.divide(PROD, MODEL, None, new_key())
    deployer.deploy(PROD, MODEL, 1, bundles[1], new_key())
    with pytest.raises(ConflictError, match="is the default"):
        deployer.divide(PROD, MODEL, split, new_key())


def test_how_a_version_answered_is_counted(server: Server, deployer: OipDeployer, bundles: dict[int, Digest]) -> None:
    """Of one version and one period, copies left out, and without any token: nothing says whom it was about."""
    began = datetime.now(UTC)
    deployer.deploy(PROD, MODEL, 1, bundles[1], new_key())
    deployer.divide(PROD, MODEL, Split(version=2, bundle=bundles[2], mirrored=True), new_key())
    answers(server)
    service, ended = OipService({PROD: server.url}), datetime.now(UTC) + timedelta(seconds=1)
    seen = service.read(PROD, MODEL, 1, Period(began, ended))
    assert (seen.requests, seen.failed) == (len(UNITS) + 1, 0)
    assert seen.late
    assert service.read(PROD, MODEL, 2, Period(began, ended)).requests == 0
    assert service.read(PROD, MODEL, 1, Period(ended, ended + timedelta(days=1))).requests == 0
    assert server.get(f"/v2/models/{MODEL}/versions/1/service?since=now&until=later").status_code == 400
    with pytest.raises(InvalidInputError, match="what versions answer in TEST is not known"):
        service.read(Environment.TEST, MODEL, 1, Period(began, ended))
    service.close()
    with pytest.raises(UnavailableError, match="cannot be read at"):
        OipService({PROD: f"http://127.0.0.1:{free_port()}"}).read(PROD, MODEL, 1, Period(began, ended))


def test_what_was_answered_is_observed(
    server: Server, deployer: OipDeployer, traffic: OipTraffic, bundles: dict[int, Digest], tmp_path: Path
) -> None:
    """Copies, answers and outcomes come together; a later outcome of a unit replaces an earlier one."""
    began = datetime.now(UTC)
    deployer.deploy(PROD, MODEL, 1, bundles[1], new_key())
    deployer.divide(PROD, MODEL, Split(version=2, bundle=bundles[2], mirrored=True), new_key())
    answers(server)
    folder = tmp_path / "outcomes" / MODEL
    folder.mkdir(parents=True)
    (folder / "1.csv").write_text("unit,approved\n" + "".join(f"{unit},0\n" for unit in UNITS))
    (folder / "2.csv").write_text("unit,value,approved\n" + "".join(f"{unit},5,1\n" for unit in UNITS[:40]))
    give_up = time.monotonic() + 10
    while (seen := traffic.observe(PROD, MODEL, 1, 2, began)).challenger_requests < len(UNITS):
        assert time.monotonic() < give_up, "copies are missing"
    assert (seen.champion_requests, seen.challenger_requests) == (len(UNITS) + 1, len(UNITS))
    accuracy = seen.measures["accuracy"]
    assert (accuracy.champion.value, accuracy.challenger.value) == (20 / 60, 40 / 60)
    assert accuracy.challenger.count == 60
    assert [reading.name for reading in seen.readings] == ["trial_errors", "trial_latency"]
    assert traffic.observe(PROD, MODEL, 1, 2, datetime.now(UTC) + timedelta(seconds=1)).champion_requests == 0
    (folder / "3.csv").write_text("unit,approved\ncustomer-1,2\n")
    with pytest.raises(InvalidInputError, match="must be 0 or 1"):
        traffic.observe(PROD, MODEL, 1, 2, began)
    (folder / "3.csv").write_text("unit,paid\ncustomer-1,1\n")
    with pytest.raises(MissingColumnError, match="approved"):
        traffic.observe(PROD, MODEL, 1, 2, began)


def test_the_traffic_is_read_with_the_token_alone(
    server: Server, deployer: OipDeployer, bundles: dict[int, Digest]
) -> None:
    """Units may be personal: nobody else reads them; a question that makes no sense is told what would."""
    asked = f"?since={datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}&versions=1"
    deployer.deploy(PROD, MODEL, 1, bundles[1], new_key())
    url = f"{server.url}/v2/models/{MODEL}/traffic"
    assert httpx2.get(f"{url}{asked}").status_code == 401
    stranger = OipTraffic({PROD: server.url}, f"{TOKEN}x", server.folder, server.folder / "observed")
    with pytest.raises(NotPermittedError, match="another deploy token"):
        stranger.observe(PROD, MODEL, 1, 2, datetime.now(UTC))
    stranger.close()
    found = httpx2.get(f"{url}{asked}", headers=AUTHORIZED)
    assert [json.loads(line)["version"] for line in found.text.splitlines()] == [1]
    for wrong in ("", "?since=2026-01-01T00:00:00Z", "?since=2026-01-01T00:00:00&versions=1", f"{asked},one"):
        refused = httpx2.get(f"{url}{wrong}", headers=AUTHORIZED)
        assert refused.status_code == 400
        assert "?since=2026" in refused.json()["error"]


def test_a_server_that_is_not_there_shows_nothing(tmp_path: Path) -> None:
    """Where nobody listens, the error is worth retrying."""
    adapter = OipTraffic({PROD: f"http://127.0.0.1:{free_port()}"}, TOKEN, tmp_path, tmp_path / "observed")
    with pytest.raises(UnavailableError, match="cannot be read"):
        adapter.observe(PROD, MODEL, 1, 2, datetime.now(UTC))
    adapter.close()


def test_without_a_unit_the_share_is_about_that_of_requests(
    server: Server, deployer: OipDeployer, bundles: dict[int, Digest]
) -> None:
    """300 requests that name no unit: as many as the share says go to the challenger, within five deviations."""
    deployer.deploy(PROD, MODEL, 1, bundles[1], new_key())
    deployer.divide(PROD, MODEL, Split(version=2, bundle=bundles[2], share=30), new_key())
    body = json.dumps(request_of([[1, 2, 3]])).encode()
    with httpx2.Client(base_url=server.url) as client:
        url = f"/v2/models/{MODEL}/infer"
        seen = Counter(client.post(url, content=body).json()["model_version"] for _ in range(300))
    assert abs(seen["2"] - 90) < 5 * (300 * 0.3 * 0.7) ** 0.5
