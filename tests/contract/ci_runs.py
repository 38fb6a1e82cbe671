"""Each CI system in turn, our way to it, and one server for all of them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from activities.adapters.azure_devops_pipeline import AzureDevopsPipeline
from activities.adapters.ci_runs import CiRuns, Pipeline
from activities.adapters.github_actions_pipeline import GithubActionsPipeline
from activities.adapters.jenkins_pipeline import JenkinsPipeline
from models.evidence import EffectKey
from tests.contract.ci_systems import TOKEN, Azure, Github, Jenkins, System
from tests.contract.held import Held
from tests.contract.listening import listening
from tests.contract.training_jobs import SageMakerRegion, jobs_in

KEY = EffectKey(model="loans", visit=4, step="train-1")
PAUSE = 0.01


def _token() -> str:
    return TOKEN


PIPELINES: dict[str, tuple[type[System], Callable[[str, Path], Pipeline]]] = {
    "github": (Github, lambda url, folder: GithubActionsPipeline(url, "acme/loans", "train.yml", "main", _token)),
    "jenkins": (Jenkins, lambda url, folder: JenkinsPipeline(url, "team/train", "robot", _token)),
    "azure": (Azure, lambda url, folder: AzureDevopsPipeline(f"{url}/acme/loans", 12, "main", _token)),
}
TRAINING = PIPELINES | {"sagemaker": (SageMakerRegion, lambda url, folder: jobs_in(url, folder, b"one"))}
"""All of those in which something is trained."""


class Host:
    """Serves one application after another at the same address: to start and stop a server takes longer than a test."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whatever is served now."""
        assert self.app
        await self.app(scope, receive, send)


class Ci(NamedTuple):
    """A system, and our way to it."""

    system: System
    pipeline: Pipeline

    def runs(self, beat: Callable[[str], None] = lambda run: None, abandoned: bool = False) -> CiRuns:
        """As the worker has them."""
        return CiRuns(self.pipeline, beat, lambda: abandoned, PAUSE)

    def end(self, outcome: str, result: bytes = b"") -> None:
        """The newest run ends."""
        self.system.builds[-1].outcome, self.system.builds[-1].result = outcome, result


class Crash(BaseException):
    """The worker is gone."""


def crash(*_: object) -> None:
    """It happens here."""
    raise Crash


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """One server for a module."""
    serving = Host()
    with listening(serving) as serving.url:
        yield serving


@pytest.fixture(params=PIPELINES)
def ci(request: pytest.FixtureRequest, host: Host) -> Iterator[Ci]:
    """Each system in turn."""
    yield from connected(request.param, host)


@pytest.fixture(params=["github", "azure"])
def branched(request: pytest.FixtureRequest, host: Host) -> Iterator[Ci]:
    """Those in which the definition of a pipeline comes from a branch."""
    yield from connected(request.param, host)


@pytest.fixture
def github(host: Host) -> Iterator[Ci]:
    """One of them."""
    yield from connected("github", host)


@pytest.fixture
def jenkins(host: Host) -> Iterator[Ci]:
    """The one in which runs wait."""
    yield from connected("jenkins", host)


def connected(name: str, host: Host) -> Iterator[Ci]:
    """A system that is new, and a way to it."""
    kind, connect = TRAINING[name]
    system = kind()
    held = Held(system.app(), system.published, system.elsewhere) if system.published else None
    host.app = held or system.app()
    with TemporaryDirectory() as folder:
        ci = Ci(system, connect(host.url, Path(folder)))
        yield ci
        ci.pipeline.close()
    if held:
        held.well()
    assert system.broken == []
