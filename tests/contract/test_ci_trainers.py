"""Training in a CI or as a job elsewhere: one contract for all. Dispatched once, whatever happens; nothing is lost."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from activities.adapters.ci_http import CiHttp, member
from activities.adapters.ci_runs import name_of
from activities.adapters.ci_training import CiTrainer
from models.canonical import canonical
from models.errors import InvalidInputError, PipelineError, TrainingError, UnavailableError
from models.inventory import Submission
from models.training import TrainingRequest
from tests.contract.ci_runs import KEY, PIPELINES, TRAINING, Ci, Crash, Host, connected, crash, github, host
from tests.contract.ci_systems import TOKEN, Github
from tests.unit.signed_record import submission_of

__all__ = ["github", "host"]


@pytest.fixture(params=TRAINING)
def ci(request: pytest.FixtureRequest, host: Host) -> Iterator[Ci]:
    """Each system in turn."""
    yield from connected(request.param, host)


PREVIOUS = submission_of("one")
MADE = submission_of("two").model_copy(update={"holdout": PREVIOUS.holdout, "developer": "mallory"})


def train(
    ci: Ci, beat: Callable[[str], None] = lambda run: None, abandoned: bool = False, timeout: float = 5
) -> Submission:
    """As the activity has it."""
    return CiTrainer(ci.runs(beat, abandoned), timeout).train("loan-ci", PREVIOUS, None, KEY)


def well(ci: Ci) -> Callable[[str], None]:
    """The run ends well as soon as somebody looks."""
    return lambda run: ci.end("success", canonical(MADE))


def test_a_version_is_trained_elsewhere(ci: Ci) -> None:
    """The run is told what to train from, and beats while it is waited for; what it made is in the trainer's name."""
    beats: list[str] = []

    def beat(run: str) -> None:
        beats.append(run)
        well(ci)(run)

    made = train(ci, beat)
    (build,) = ci.system.builds
    asked = TrainingRequest.model_validate_json(build.request)
    assert (build.name, asked.holdout, asked.trainer) == (name_of(KEY), PREVIOUS.holdout, "loan-ci")
    assert made.artifact == MADE.artifact
    assert (made.developer, made.submitter, made.trainer) == (PREVIOUS.developer, "loan-ci", "loan-ci")
    assert beats
    assert TOKEN not in build.request + "".join(beats)


def test_a_crash_before_anything_is_known_of_the_run(ci: Ci, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was dispatched, and nobody was told: whoever comes next goes on with it, and dispatches nothing."""

    dispatch = ci.pipeline.dispatch

    def dying(name: str, request: str) -> None:
        dispatch(name, request)
        raise Crash

    with monkeypatch.context() as once:
        once.setattr(ci.pipeline, "dispatch", dying)
        with pytest.raises(Crash):
            train(ci)
    assert len(ci.system.builds) == 1
    assert train(ci, well(ci)).artifact == MADE.artifact
    assert (len(ci.system.builds), ci.system.cancelled) == (1, [])


def test_a_crash_while_it_runs_and_one_after_it_has_ended(ci: Ci) -> None:
    """The run outlives its worker: it is found again, running or done."""
    for _ in range(2):
        with pytest.raises(Crash):
            train(ci, crash)
    ci.end("success", canonical(MADE))
    assert train(ci).artifact == MADE.artifact
    assert (len(ci.system.builds), ci.system.cancelled) == (1, [])


def test_a_run_that_nobody_wants_any_more_is_cancelled(ci: Ci) -> None:
    """A lifecycle that turns elsewhere ends it; a worker that stops does not."""
    with pytest.raises(Crash):
        train(ci, crash, abandoned=True)
    assert ci.system.cancelled == [1]
    assert ci.system.builds[0].outcome == "cancelled"


def test_a_run_that_failed_is_an_error_and_the_next_attempt_another_run(ci: Ci) -> None:
    """Its page is where the reason is; a person who retries gets a fresh run."""
    with pytest.raises(TrainingError, match=r"run .* failed") as failed:
        train(ci, lambda run: ci.end("failure"))
    assert "http" in failed.value.remedy
    assert train(ci, well(ci)).artifact == MADE.artifact
    assert len(ci.system.builds) == 2


def test_what_takes_too_long_is_cancelled(ci: Ci) -> None:
    """After the timeout nobody waits any more, and nothing runs on unseen."""
    with pytest.raises(TrainingError, match="did not finish"):
        train(ci, timeout=0)
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
        train(ci, lambda run: ci.end("success", result))


def test_bytes_that_are_not_what_github_tells(github: Ci, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive is compared with the digest that GitHub has of it."""
    contents = iter([b"what GitHub has hashed", b"what is fetched"])
    monkeypatch.setattr(github.system, "content", lambda number: next(contents))
    with pytest.raises(TrainingError, match="as GitHub tells"):
        train(github, well(github))


def test_a_run_that_ends_before_it_is_cancelled(github: Ci) -> None:
    """GitHub refuses to cancel what has ended: that is what was wanted."""
    assert isinstance(github.system, Github)
    github.system.too_late = True
    with pytest.raises(TrainingError, match="did not finish"):
        train(github, timeout=0)
    assert github.system.cancelled == []


def test_what_is_refused_and_what_is_silent() -> None:
    """A token never travels in the clear; a silent system is tried again, and no zip file is none."""
    with pytest.raises(InvalidInputError, match="in the clear"):
        CiHttp("http://jenkins.example.com", dict)
    nobody = Ci(Github(), PIPELINES["github"][1]("http://127.0.0.1:9", Path()))
    with pytest.raises(UnavailableError):
        train(nobody)
    nobody.pipeline.close()
    with pytest.raises(PipelineError, match="no zip file"):
        member(b"no zip", "result.json")
