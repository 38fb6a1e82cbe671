"""Training in somebody's CI: one contract for three systems. Dispatched once, whatever happens; nothing is lost."""

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from activities.adapters.azure_devops_pipeline import AzureDevopsPipeline
from activities.adapters.ci_http import CiHttp, member
from activities.adapters.ci_training import CiTrainer, Pipeline, name_of
from activities.adapters.github_actions_pipeline import GithubActionsPipeline
from activities.adapters.jenkins_pipeline import JenkinsPipeline
from models.canonical import canonical
from models.errors import InvalidInputError, TrainingError, UnavailableError
from models.evidence import EffectKey
from models.inventory import Submission
from models.training import TrainingRequest
from tests.contract.ci_systems import TOKEN, Azure, Github, Jenkins, System
from tests.contract.listening import listening
from tests.unit.signed_record import submission_of

KEY = EffectKey(model="loans", visit=4, step="train-1")
PREVIOUS = submission_of("one")
MADE = submission_of("two").model_copy(update={"holdout": PREVIOUS.holdout, "developer": "mallory"})


def _token() -> str:
    return TOKEN


PIPELINES: dict[str, tuple[type[System], Callable[[str], Pipeline]]] = {
    "github": (Github, lambda url: GithubActionsPipeline(url, "acme/loans", "train.yml", "main", _token)),
    "jenkins": (Jenkins, lambda url: JenkinsPipeline(url, "team/train", "robot", _token)),
    "azure": (Azure, lambda url: AzureDevopsPipeline(url, 12, "main", _token)),
}


class Ci(NamedTuple):
    """A system, and our way to it."""

    system: System
    pipeline: Pipeline

    def train(self, beat: Callable[[str], None] = lambda run: None, abandoned: bool = False) -> Submission:
        """As the activity has it."""
        trainer = CiTrainer(self.pipeline, 5, beat, lambda: abandoned, pause=0.01)
        return trainer.train("loan-ci", PREVIOUS, None, KEY)

    def beating(self, run: str) -> None:
        """The run ends well as soon as somebody looks."""
        self.end("success", canonical(MADE))

    def end(self, outcome: str, result: bytes = b"") -> None:
        """The newest run ends."""
        self.system.builds[-1].outcome, self.system.builds[-1].result = outcome, result


@pytest.fixture(params=PIPELINES)
def ci(request: pytest.FixtureRequest) -> Iterator[Ci]:
    """Each system in turn."""
    kind, connect = PIPELINES[request.param]
    system = kind()
    with listening(system.app()) as url:  # type: ignore[attr-defined]
        ci = Ci(system, connect(url))
        yield ci
        ci.pipeline.close()


def test_a_version_is_trained_elsewhere(ci: Ci) -> None:
    """The run is told what to train from, and beats while it is waited for; what it made is in the trainer's name."""
    beats: list[str] = []

    def beat(run: str) -> None:
        beats.append(run)
        ci.beating(run)

    made = ci.train(beat)
    (build,) = ci.system.builds
    asked = TrainingRequest.model_validate_json(build.request)
    assert (build.name, asked.holdout, asked.trainer) == (name_of(KEY), PREVIOUS.holdout, "loan-ci")
    assert made.artifact == MADE.artifact
    assert (made.developer, made.submitter, made.trainer) == (PREVIOUS.developer, "loan-ci", "loan-ci")
    assert beats
    assert TOKEN not in build.request + "".join(beats)


class Crash(BaseException):
    """The worker is gone."""


def crash(*_: object) -> None:
    """It happens here."""
    raise Crash


def test_a_crash_before_anything_is_known_of_the_run(ci: Ci) -> None:
    """It was dispatched, and nobody was told: whoever comes next goes on with it, and dispatches nothing."""

    class Dying(NamedTuple):
        pipeline: Pipeline

        def __getattr__(self, name: str) -> object:
            return getattr(self.pipeline, name)

        def dispatch(self, name: str, request: str) -> None:
            self.pipeline.dispatch(name, request)
            raise Crash

    with pytest.raises(Crash):
        Ci(ci.system, Dying(ci.pipeline)).train()  # type: ignore[arg-type]
    assert len(ci.system.builds) == 1
    assert ci.train(ci.beating).artifact == MADE.artifact
    assert (len(ci.system.builds), ci.system.cancelled) == (1, [])


def test_a_crash_while_it_runs_and_one_after_it_has_ended(ci: Ci) -> None:
    """The run outlives its worker: it is found again, running or done."""
    for _ in range(2):
        with pytest.raises(Crash):
            ci.train(crash)
    ci.end("success", canonical(MADE))
    assert ci.train().artifact == MADE.artifact
    assert (len(ci.system.builds), ci.system.cancelled) == (1, [])


def test_a_run_that_nobody_wants_any_more_is_cancelled(ci: Ci) -> None:
    """A lifecycle that turns elsewhere ends it; a worker that stops does not."""
    with pytest.raises(Crash):
        ci.train(crash, abandoned=True)
    assert ci.system.cancelled == [1]
    assert ci.system.builds[0].outcome == "cancelled"


def test_a_run_that_failed_is_an_error_and_the_next_attempt_another_run(ci: Ci) -> None:
    """Its page is where the reason is; a person who retries gets a fresh run."""
    with pytest.raises(TrainingError, match="failed in run") as failed:
        ci.train(lambda run: ci.end("failure"))
    assert "http" in failed.value.remedy
    assert ci.train(ci.beating).artifact == MADE.artifact
    assert len(ci.system.builds) == 2


def test_what_takes_too_long_is_cancelled(ci: Ci) -> None:
    """After the timeout nobody waits any more, and nothing runs on unseen."""
    trainer = CiTrainer(ci.pipeline, 0, lambda run: None, lambda: False, pause=0.01)
    with pytest.raises(TrainingError, match="did not finish"):
        trainer.train("loan-ci", PREVIOUS, None, KEY)
    assert ci.system.cancelled == [1]


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (b"{}", "Field required"),
        (canonical(submission_of("two")), "changed the hold-out"),
        (json.dumps({"artifact": "s3://latest"}).encode(), "mutable reference"),
    ],
)
def test_what_comes_back_is_held_to_what_was_asked(ci: Ci, result: bytes, reason: str) -> None:
    """A result that cannot be read, or would be judged by something else, trains nothing."""
    with pytest.raises(TrainingError, match=reason):
        ci.train(lambda run: ci.end("success", result))


def test_bytes_that_are_not_what_github_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive is compared with the digest that GitHub has of it."""
    system = Github()
    contents = iter([b"what GitHub has hashed", b"what is fetched"])
    monkeypatch.setattr(system, "content", lambda number: next(contents))
    with listening(system.app()) as url:
        ci = Ci(system, PIPELINES["github"][1](url))
        with pytest.raises(TrainingError, match="as GitHub tells"):
            ci.train(ci.beating)
        ci.pipeline.close()


def test_what_is_refused_and_what_is_silent() -> None:
    """A token never travels in the clear; a silent system is tried again, and no zip file is none."""
    with pytest.raises(InvalidInputError, match="in the clear"):
        CiHttp("http://jenkins.example.com", dict)
    nobody = Ci(Github(), PIPELINES["github"][1]("http://127.0.0.1:9"))
    with pytest.raises(UnavailableError):
        nobody.train()
    nobody.pipeline.close()
    with pytest.raises(TrainingError, match="no zip file"):
        member(b"no zip", "result.json")
