"""A version is looked at in somebody's CI: once whatever dies, seen when it fails, ended when nobody wants it."""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.adapters.ci_checks import CiChecks
from models.compiler import compile_template
from models.errors import PipelineError
from models.evidence import Evidence
from models.external import CheckRequest, PipelineReport
from models.inventory import VersionStatus
from models.messages import Action
from models.state import Phase
from models.status import Status
from models.verdict import Verdict
from tests.contract.ci_systems import Github
from tests.contract.held import Held
from tests.contract.listening import listening
from tests.temporal.crashing_worker import NOTICED_WITHIN, Errand, WorkerProcess
from tests.temporal.house import House
from tests.temporal.insisting import eventually, steady_with
from tests.temporal.invariants import check_invariants
from tests.unit.piping import PIPING
from workflows import options

PLAN = compile_template(PIPING, "piping.yaml")


@pytest.fixture
def github(tmp_path: Path) -> Iterator[Github]:
    """Somebody's CI, as the worker's settings have it."""
    system = Github()
    held = Held(system.app(), system.published, system.elsewhere)
    with listening(held) as url:
        chosen = {"system": "github", "url": url, "repository": "acme/loans", "workflow": "train.yml"}
        (tmp_path / "ci.json").write_text(json.dumps({"red-team": {**chosen, "token": "CI_TOKEN"}}))
        yield system
    held.well()


@pytest.fixture
def piped(github: Github, house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house that knows it, whose steps soon hear that they are cancelled: as often as they beat."""
    monkeypatch.setattr(options, "HEARTBEAT_TIMEOUT", NOTICED_WITHIN)
    yield house
    assert isinstance(house.parts.pipelines, CiChecks)
    house.parts.pipelines.close()


def report(system: Github, evasions: float = 1) -> bytes:
    """What the newest run was asked, answered."""
    asked = CheckRequest.model_validate_json(system.builds[-1].request)
    readings = [{"name": name, "value": evasions, "count": 80} for name in asked.readings]
    return json.dumps({"artifact": asked.artifact.digest, "readings": readings}).encode()


def end(system: Github, outcome: str, result: bytes = b"") -> None:
    """The newest run ends."""
    system.builds[-1].outcome, system.builds[-1].result = outcome, result


def runs(system: Github, count: int) -> Callable[[Status], bool]:
    """So many runs were begun, and the newest one is under way."""

    def seen(_: Status) -> bool:
        return len(system.builds) == count and not system.builds[-1].outcome

    return seen


async def test_a_worker_may_die_while_the_pipeline_runs(temporal: Client, tmp_path: Path, github: Github) -> None:
    """It was dispatched once, and what it left is evidence, by digest, with its source."""
    house = House(temporal, tmp_path, "dies-while-a-pipeline-runs")
    errand = Errand(temporal.service_client.config.target_host, house.queue, house.root)
    worker = WorkerProcess(errand)
    try:
        await house.start(PLAN, task_timeout=NOTICED_WITHIN)
        await house.submit()
        await eventually(house, runs(github, 1))
        await worker.kill()
        worker = WorkerProcess(errand)
        end(github, "success", report(github))
        await eventually(house, steady_with(1))
        assert (len(github.builds), github.cancelled) == (1, [])
        kept = PipelineReport.model_validate_json(house.parts.store.path(evidence(house).digest).read_bytes())
        assert (kept.pipeline, kept.run) == ("red-team", "1")
        assert house.parts.store.path(kept.collected).read_bytes() == github.builds[0].result
        await check_invariants(house, PLAN)
    finally:
        await worker.kill()
        with contextlib.suppress(RPCError):
            await house.handle.terminate("the test has ended")


def evidence(house: House) -> Evidence:
    """What the trail says of what the pipeline left."""
    bodies = [json.loads(entry.body) for entry in house.parts.inventory.trail(house.model) if entry.kind == "effect"]
    found = [one for body in bodies for one in body["result"]["evidence"] if one["kind"] == "pipeline-red-team"]
    assert len(found) == 1
    return Evidence.model_validate(found[0])


@pytest.mark.parametrize("action", [Action.ABANDON, Action.RETIRE])
async def test_a_lifecycle_that_turns_elsewhere_ends_the_run(github: Github, piped: House, action: Action) -> None:
    """It runs on for nobody."""
    await piped.start(PLAN)
    await piped.submit()
    await piped.until(runs(github, 1))
    await piped.request(action)
    await piped.until_phase(Phase.AWAITING_VERSION if action is Action.ABANDON else Phase.ENDED)
    assert github.cancelled == [1]


async def test_what_goes_wrong_is_seen_and_tried_again_by_a_person(github: Github, piped: House) -> None:
    """A run that fails, and one that leaves garbage: the lifecycle is stuck, and says on which page the reason is."""
    await piped.start(PLAN)
    await piped.submit()
    for number, (outcome, result, reason) in enumerate(
        (("failure", b"", "run 1 failed"), ("success", b"garbage", "run 2 .*Invalid JSON")), 1
    ):
        await piped.until(runs(github, number))
        end(github, outcome, result)
        stuck = await piped.until_phase(Phase.STUCK, "outside")
        assert stuck.failure
        assert stuck.failure.type == PipelineError.__name__
        assert re.search(reason, stuck.failure.message)
        assert f"http://elsewhere/{number}" in stuck.failure.remedy
        await piped.request(Action.RETRY)
    await piped.until(runs(github, 3))
    end(github, "success", report(github))
    await piped.until_phase(Phase.STEADY)


async def test_what_the_pipeline_finds_the_gate_judges(github: Github, piped: House) -> None:
    """It has no verdict of its own: beyond the bound of the template, the version is turned away."""
    await piped.start(PLAN)
    await piped.submit()
    await piped.until(runs(github, 1))
    end(github, "success", report(github, evasions=6))
    status = await piped.until_phase(Phase.AWAITING_VERSION)
    assert (status.passages[-1].stage, status.passages[-1].verdict) == ("outside", Verdict.FAIL)
    assert status.statuses[1] is VersionStatus.REJECTED
