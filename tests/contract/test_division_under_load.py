"""A challenger from its first share to its election and back, while callers never cease: nobody is let down."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence

import pytest

from activities.adapters.oip_deployer import OipDeployer
from models.traffic import Split
from tests.contract.callers import Call, calling
from tests.contract.serving import PROD, TOKEN, Server, Shop, constant, new_key
from tests.packing import MODEL

CALLERS = 4
UNITS = 80
HOLD = 0.7
"""Seconds at each step."""

Phases = dict[str, list[Call]]


def _within(calls: Sequence[Call], began: float, ended: float) -> list[Call]:
    return [call for call in calls if began <= call.began and call.ended <= ended]


@pytest.fixture(scope="module")
def phases(tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> Phases:
    """All calls, and those of each step from its end to the beginning of the next."""
    server = Server(tmp_path_factory.mktemp("prod"), shop.folder)
    server.start()
    deployer = OipDeployer({PROD: server.url}, TOKEN, timeout=30)
    first, second = shop.bundle(1, constant(0.1)), shop.bundle(2, constant(0.8))
    steps: dict[str, Callable[[], object]] = {
        "20 %": lambda: deployer.divide(PROD, MODEL, Split(version=2, bundle=second, share=20), new_key()),
        "50 %": lambda: deployer.divide(PROD, MODEL, Split(version=2, bundle=second, share=50), new_key()),
        "elected": lambda: deployer.deploy(PROD, MODEL, 2, second, new_key()),
        "rolled back": lambda: deployer.deploy(PROD, MODEL, 1, first, new_key()),
    }
    deployer.deploy(PROD, MODEL, 1, first, new_key())
    times = []
    with calling(server.port, f"/v2/models/{MODEL}/infer", CALLERS, lambda n: f"customer-{n % UNITS}") as calls:
        for step in steps.values():
            step()
            began = time.perf_counter()
            time.sleep(HOLD)
            times.append((began, time.perf_counter()))
    deployer.close()
    server.kill()
    return {"all": calls, **{name: _within(calls, *span) for name, span in zip(steps, times, strict=True)}}


def versions(calls: Sequence[Call]) -> dict[str, set[str]]:
    """Who answered each unit."""
    found = defaultdict(set)
    for call in calls:
        found[call.unit].add(call.version)
    return found


def test_no_request_fails(phases: Phases) -> None:
    """Through two shares, an election and the way back, every request is answered."""
    assert {call.status for call in phases["all"]} == {200}
    assert all(len(phases[step]) > 50 for step in phases)


@pytest.mark.parametrize("share", [20, 50])
def test_a_unit_is_always_answered_by_the_same_version(phases: Phases, share: int) -> None:
    """While a share stands; and about so many units are the challenger's, within five binomial deviations."""
    found = versions(phases[f"{share} %"])
    assert all(len(answering) == 1 for answering in found.values())
    challenged = sum(answering == {"2"} for answering in found.values())
    deviation = (len(found) * share * (100 - share)) ** 0.5 / 100
    assert abs(challenged - len(found) * share / 100) < 5 * deviation


def test_a_greater_share_moves_units_of_the_champion_alone(phases: Phases) -> None:
    """Whoever the challenger has answered, it goes on answering."""
    before, after = versions(phases["20 %"]), versions(phases["50 %"])
    assert {unit for unit in after if before.get(unit) == {"2"}} <= {unit for unit in after if after[unit] == {"2"}}
    assert {unit for unit in after if before.get(unit) == {"1"} and after[unit] == {"2"}}


def test_an_election_and_the_way_back_are_seen_at_once_by_all(phases: Phases) -> None:
    """No request that began after either was answered by the other version."""
    assert {call.version for call in phases["elected"]} == {"2"}
    assert {call.version for call in phases["rolled back"]} == {"1"}
