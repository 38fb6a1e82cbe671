"""Trainers by name: programs on this machine, and pipelines of CI systems."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from temporalio import activity

from activities.adapters.azure_devops_pipeline import AzureDevopsPipeline
from activities.adapters.ci_training import CiTrainer, Pipeline
from activities.adapters.github_actions_pipeline import GithubActionsPipeline
from activities.adapters.jenkins_pipeline import JenkinsPipeline
from activities.ports import Trainer
from models.environments import Credentials
from models.evidence import EffectKey
from models.inventory import Submission
from worker.ci import AzureDevops, Ci, GithubActions
from worker.settings import read_secret


class NamedTrainers:
    """Fits `Trainer`: those of CI systems by their names, every other name is left to a last one."""

    def __init__(self, named: Mapping[str, Trainer], last: Trainer) -> None:
        self._named = named
        self._last = last

    def train(self, trainer: str, previous: Submission, window: Path | None, key: EffectKey) -> Submission:
        """Whatever the trainer of that name makes."""
        return self._named.get(trainer, self._last).train(trainer, previous, window, key)


def ci_trainers(chosen: Mapping[str, Ci], timeout: float, pause: float = 10.0) -> dict[str, Trainer]:
    """The pipelines that are configured; each run may take so many seconds, and is looked at after each pause."""
    beat = activity.heartbeat
    return {name: CiTrainer(_pipeline(one), timeout, beat, _abandoned, pause) for name, one in chosen.items()}


def _pipeline(one: Ci) -> Pipeline:
    token = partial(read_secret, Credentials(env=one.token))
    if isinstance(one, GithubActions):
        return GithubActionsPipeline(one.url, one.repository, one.workflow, one.ref, token)
    if isinstance(one, AzureDevops):
        return AzureDevopsPipeline(one.url, one.pipeline, one.ref, token)
    return JenkinsPipeline(one.url, one.job, one.user, token)


def _abandoned() -> bool:
    """Whether the lifecycle wants the run no more; a worker that stops, or is slow to beat, is no reason to end it."""
    details = activity.cancellation_details()
    return details is not None and details.cancel_requested
