"""A trainer in somebody's CI, as the worker has it: configured by names alone, and cancelled only by its lifecycle."""

import threading
import time

import pytest
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import CancelledError
from temporalio.testing import ActivityEnvironment

from activities.adapters.ci_training import CiTrainer
from activities.ports import Trainer
from models.canonical import canonical
from models.errors import InvalidInputError, UnknownNameError
from tests.contract.ci_runs import KEY, PAUSE, Host, host
from tests.contract.ci_systems import TOKEN, Github
from tests.contract.test_ci_trainers import MADE, PREVIOUS
from worker.ci import GithubActions
from worker.pipelines import ci_runs
from worker.settings import Settings, read_settings
from worker.trainers import NamedTrainers

__all__ = ["host"]


class Programs:
    """Trainers on this machine: there are none."""

    def train(self, trainer: str, *_: object) -> None:
        """Nobody of that name."""
        raise UnknownNameError(f"trainer '{trainer}' is not registered")


def configured(url: str) -> Trainer:
    """As `MODELOPS_CI` has it."""
    chosen = GithubActions(system="github", url=url, repository="acme/loans", workflow="train.yml", token="CI_TOKEN")
    runs = ci_runs({"loan-ci": chosen}, PAUSE)
    return NamedTrainers({name: CiTrainer(one, 30) for name, one in runs.items()}, Programs())  # type: ignore[arg-type]


def test_the_run_beats_with_its_id_and_the_token_is_a_name(monkeypatch: pytest.MonkeyPatch, host: Host) -> None:
    """People see in the Web UI which run is waited for; the secret is read when it is needed."""
    monkeypatch.setenv("CI_TOKEN", TOKEN)
    system, environment = Github(), ActivityEnvironment()
    beats: list[object] = []

    def beat(*details: object) -> None:
        beats.extend(details)
        system.builds[-1].outcome, system.builds[-1].result = "success", canonical(MADE)

    environment.on_heartbeat = beat
    host.app = system.app()
    trainer = configured(host.url)
    assert environment.run(trainer.train, "loan-ci", PREVIOUS, None, KEY).artifact == MADE.artifact
    assert beats == ["1"]
    with pytest.raises(UnknownNameError):
        environment.run(trainer.train, "somebody-else", PREVIOUS, None, KEY)
    monkeypatch.delenv("CI_TOKEN")
    with pytest.raises(InvalidInputError, match="CI_TOKEN"):
        environment.run(trainer.train, "loan-ci", PREVIOUS, None, KEY)
    close(trainer)


@pytest.mark.parametrize(("wanted", "cancelled"), [("cancel_requested", [1]), ("worker_shutdown", [])])
def test_who_ends_a_run(monkeypatch: pytest.MonkeyPatch, host: Host, wanted: str, cancelled: list[int]) -> None:
    """The lifecycle that turns elsewhere does; a worker that stops leaves it to the next one."""
    monkeypatch.setenv("CI_TOKEN", TOKEN)
    system, environment = Github(), ActivityEnvironment()

    def cancel() -> None:
        while not system.builds:
            time.sleep(0.01)
        time.sleep(3 * PAUSE)
        environment.cancel(cancellation_details=ActivityCancellationDetails(**{wanted: True}))

    threading.Thread(target=cancel).start()
    host.app = system.app()
    trainer = configured(host.url)
    with pytest.raises(CancelledError):
        environment.run(trainer.train, "loan-ci", PREVIOUS, None, KEY)
    assert system.cancelled == cancelled
    close(trainer)


def close(trainer: Trainer) -> None:
    """Give the connections back."""
    assert isinstance(trainer, NamedTrainers)
    trainer._named["loan-ci"]._runs.close()  # type: ignore[attr-defined]


def test_settings_name_secrets_and_hold_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever does not fit is named by its variable; what looks like a token is no name of a variable."""
    jenkins = '{"a": {"system": "jenkins", "url": "https://j", "job": "x/y", "user": "u", "token": "%s"}}'
    governed = '{"url": "http://m:5000", "models": {"%s": {"model": "l", "template": "low-risk"}}}'
    github = '{"app": "1", "key": "/k", "secret": "S", "environments": {"prod": "%s"}}'
    texts = {"MODELOPS_CI": jenkins, "MODELOPS_MLFLOW": governed, "MODELOPS_GITHUB": github}
    for (variable, text), good in zip(texts.items(), ("T", "L 1", "PROD"), strict=True):
        monkeypatch.setenv(variable, text % good)
    chosen = Settings()
    assert (chosen.mlflow and chosen.mlflow.every, chosen.github and chosen.github.secret) == (60, "S")
    for (variable, text), bad in zip(texts.items(), ("ghp-abc.1", "x' OR", "LIVE"), strict=True):
        with monkeypatch.context() as other:
            other.setenv(variable, text % bad)
            with pytest.raises(InvalidInputError, match=variable):
                read_settings()
