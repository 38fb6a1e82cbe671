"""Trainers by name: programs on this machine, jobs of SageMaker, and pipelines of CI systems."""

import sys
from collections.abc import Mapping
from pathlib import Path

from temporalio import activity

from activities.adapters.ci_runs import CiRuns, Pipeline
from activities.adapters.ci_training import CiTrainer
from activities.adapters.process_trainer import ProcessTrainer
from activities.ports import ArtifactStore, Trainer
from models.evidence import EffectKey
from models.inventory import Submission
from models.training_jobs import SageMakerTraining
from worker.pipelines import followed
from worker.settings import Settings
from worker.targets import secret_of, with_boto3
from workflows import options

_SECONDS = options.TRAINING_TIMEOUT.total_seconds()


class NamedTrainers:
    """Fits `Trainer`: those of other systems by their names, every other name is left to a last one."""

    def __init__(self, named: Mapping[str, Trainer], last: Trainer) -> None:
        self._named = named
        self._last = last

    def train(self, trainer: str, previous: Submission, window: Path | None, key: EffectKey) -> Submission:
        """Whatever the trainer of that name makes."""
        return self._named.get(trainer, self._last).train(trainer, previous, window, key)


def trainers_of(settings: Settings, store: ArtifactStore, runs: Mapping[str, CiRuns]) -> NamedTrainers:
    """All of them, as configured; `runs` are those of pipelines. InvalidInputError if something is not installed."""
    folder = settings.root / "training"
    jobs = {name: one for name, one in settings.trainers.items() if isinstance(one, SageMakerTraining)}
    programs = {name: one for name, one in settings.trainers.items() if isinstance(one, Path)}
    elsewhere = {**runs} | {name: followed(_jobs(one, store, folder)) for name, one in jobs.items()}
    return NamedTrainers(
        {name: CiTrainer(one, _SECONDS) for name, one in elsewhere.items()},
        ProcessTrainer(programs, folder, sys.executable, _SECONDS, beat=activity.heartbeat),
    )


def _jobs(said: SageMakerTraining, store: ArtifactStore, folder: Path) -> Pipeline:
    who = "MODELOPS_TRAINERS: the system sagemaker needs"
    clients = with_boto3("aws_clients", who).AwsClients(said.region, secret_of(said.credentials))
    jobs: Pipeline = with_boto3("sagemaker_job", who).SageMakerJobs(said, clients, store, folder)
    return jobs
