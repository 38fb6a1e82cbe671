"""Every kind of decision model walks the same path: what no server of ours runs is released, and nothing half-way."""

from typing import Any

from models.canonical import Digest
from models.formats import Format
from models.inventory import Environment, Submission, VersionStatus
from models.messages import Action
from models.state import Phase
from tests.contract.serving import Server
from tests.temporal.house import House, plan_of
from tests.temporal.walks import holdout, real_parts, servers_in, submission_of, written

DEV, TEST, PROD = Environment.DEV, Environment.TEST, Environment.PROD
TABLE: dict[str, Any] = {
    "format": "modelops/decision-table/1",
    "hit_policy": "UNIQUE",
    "rules": [
        {"when": {"income": {"at_least": 5}, "region": {"one_of": ["north", "south"]}}, "then": 0.9},
        {"when": {"region": {"missing": True}}, "then": 0.3},
    ],
    "otherwise": 0.1,
}
GOLDEN = "income,region,score\n" + "7,north,0.9\n2,south,0.1\n,north,0.1\n8,,0.3\n" * 10


def rules(house: House, table: dict[str, Any] | str = TABLE, **more: Any) -> Submission:
    """A version that is a decision table, with golden predictions."""
    golden = {"predictions": written(house.root, "golden.csv", GOLDEN), "tolerance": 1e-6}
    artifact = written(house.root, "table.json", table)
    return submission_of(house.root, Format.DECISION_TABLE, artifact, holdout(), golden=golden, **more)


def answers(server: Server, model: str) -> list[float]:
    """What a server answers to the golden rows."""
    request = {
        "inputs": [
            {"name": "income", "shape": [4], "datatype": "FP64", "data": [7, 2, None, 8]},
            {"name": "region", "shape": [4], "datatype": "BYTES", "data": ["north", "south", "north", ""]},
        ]
    }
    response = server.post(f"/v2/models/{model}/infer", request)
    assert response.status_code == 200, response.text
    return [round(score, 6) for score in response.json()["outputs"][0]["data"]]


async def hand_in(house: House, version: Submission) -> None:
    """A version goes in."""
    await house.update("submit_version", house.handed_in(version))


async def turned_away(house: House, number: int = 1) -> str:
    """Why a version came no further."""
    status = await house.until(lambda one: one.statuses.get(number) is VersionStatus.REJECTED)
    return status.passages[-1].reason


async def test_rules_come_to_production_by_themselves(house: House) -> None:
    """A decision table of low risk is scanned, packed and promoted, and an inference server answers by it."""
    with servers_in(house, TEST, PROD) as servers, real_parts(house, servers):
        await house.close()
        await house.open()
        await house.start(plan_of("low-risk"))
        await hand_in(house, rules(house))
        await house.until_phase(Phase.STEADY)
        assert [answers(server, house.model) for server in servers.values()] == [[0.9, 0.1, 0.1, 0.3]] * 2


async def test_rules_of_high_risk_are_measured_and_approved(house: House) -> None:
    """As for any model: hold-out, golden predictions, fairness, two gates of people, three environments."""
    with servers_in(house, DEV, TEST, PROD) as servers, real_parts(house, servers):
        await house.close()
        await house.open()
        await house.start(plan_of("credit-high-risk"))
        await hand_in(house, rules(house))
        await house.approve("validation", "dmitri", "rosa")
        await house.approve("staging", "lena", "paul")
        await house.until_phase(Phase.STEADY)
        assert answers(servers[PROD], house.model) == [0.9, 0.1, 0.1, 0.3]


VENDOR: dict[str, Any] = {
    "format": "modelops/vendor/1",
    "provider": "Scores Ltd",
    "product": "Credit score",
    "release": "2026.2",
    "endpoint": "https://scores.example/v2/models/credit",
}
MEASURED = plan_of(
    "low-risk",
    ("kpis: {threats: {pass", 'kpis: {auc: {pass: ">= 0.8", fail: "< 0.7", at_least: 300}, threats: {pass'),
    ("[register, scan, package]", "[register, scan, evaluate, package]"),
    ("checks: [threats]", "checks: [threats, auc]"),
)
"""Low risk, and measured on hold-out data."""


def recorded(income: int) -> float:
    """What the vendor answered."""
    return 0.9 if income >= 5 else 0.1


def vendor(house: House, data: bytes, agreement: str = "It answers with a probability.\n") -> Submission:
    """A version that a vendor runs."""
    named = VENDOR | {"agreement": written(house.root, "agreement.md", agreement)}
    return submission_of(house.root, Format.VENDOR, written(house.root, "vendor.json", named), data)


def agent(house: House, tools: str = "[]") -> Submission:
    """A version that is an agent."""
    parts = {
        "prompt": written(house.root, "prompt.txt", "Decide about the loan. Answer with a probability.\n"),
        "tools": written(house.root, "tools.json", tools),
        "policy": written(house.root, "policy.yaml", "never: [promise a rate]\n"),
    }
    named = {"format": "modelops/agent/1", "language_model": "large-1", **parts}
    return submission_of(house.root, Format.AGENT, written(house.root, "agent.json", named), holdout(recorded))


def told(house: House, words: str) -> bool:
    """Whether the record says something."""
    return any(words in entry.body for entry in house.whole_trail())


async def released(house: House, version: Submission, place: str) -> Digest:
    """The bundle of a version that was released in TEST and PROD, and loaded nowhere."""
    await hand_in(house, version)
    status = await house.until_phase(Phase.STEADY)
    assert house.deployer.calls() == []
    deployments = house.parts.inventory.deployments(house.model)
    assert status.champion is not None
    assert {name: one.version for name, one in deployments.items()} == dict.fromkeys(
        (TEST, PROD), status.champion.number
    )
    assert told(house, f"is released in PROD: somebody else runs it, at {place}")
    return deployments[PROD].bundle


async def test_what_a_vendor_runs_is_measured_by_recorded_answers_and_released(house: House) -> None:
    """No server loads it; where it answers is on record, and no reconciler misses it in our environments."""
    with real_parts(house, {}):
        await house.close()
        await house.open()
        await house.start(MEASURED)
        bundle = await released(house, vendor(house, holdout(recorded)), "https://scores.example/")
        held = house.parts.bundles.elsewhere(bundle, house.model, 1)
        assert (held.answers_at, list(held.parts)) == (VENDOR["endpoint"], ["vendor/agreement"])
        assert house.parts.findings.serving()[PROD] == {}
        await house.request(Action.RETIRE)
        await house.until_phase(Phase.ENDED)
        assert told(house, "whoever still asks version 1 of PROD, version 1 of TEST, which others run, has to stop")


async def test_an_agent_is_looked_at_with_its_prompt_tools_and_policy(house: House) -> None:
    """Its parts are in its bundle, each by digest; a part that is no data turns the version away."""
    with real_parts(house, {}):
        await house.close()
        await house.open()
        await house.start(MEASURED)
        await hand_in(house, agent(house, tools="import os"))
        assert "agent/tools.json: The file is plain text" in await turned_away(house)
        bundle = await released(house, agent(house), "large-1")
        held = house.parts.bundles.elsewhere(bundle, house.model, 2)
        assert list(held.parts) == ["agent/prompt", "agent/tools", "agent/policy"]


async def test_without_recorded_answers_nothing_goes_on(house: House) -> None:
    """The lifecycle waits where it cannot measure, says what to do, and goes on with the next version."""
    with real_parts(house, {}):
        await house.close()
        await house.open()
        await house.start(MEASURED)
        await hand_in(house, vendor(house, holdout()))
        stuck = await house.until_phase(Phase.STUCK, "development")
        assert stuck.failure is not None
        assert "column 'score' is missing" in stuck.failure.message
        assert "keep what it answered" in stuck.failure.remedy
        await house.request(Action.ABANDON)
        await released(house, vendor(house, holdout(recorded)), "https://scores.example/")


async def test_a_conversion_that_nobody_can_compare_is_turned_away(house: House) -> None:
    """Without golden predictions there is no reading, and the template for high risk does not go on without one."""
    await house.start(plan_of("credit-high-risk"))
    await hand_in(house, house.version().model_copy(update={"golden": None}))
    assert "parity_difference" in await turned_away(house)
