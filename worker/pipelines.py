"""Pipelines of CI systems, as they are configured, for whatever runs in them."""

from collections.abc import Mapping
from functools import partial

from temporalio import activity

from activities.adapters.azure_devops_pipeline import AzureDevopsPipeline
from activities.adapters.ci_runs import CiRuns, Pipeline
from activities.adapters.github_actions_pipeline import GithubActionsPipeline
from activities.adapters.jenkins_pipeline import JenkinsPipeline
from models.environments import Credentials
from worker.ci import AzureDevops, Ci, GithubActions
from worker.settings import read_secret


def ci_runs(chosen: Mapping[str, Ci], pause: float = 10.0) -> dict[str, CiRuns]:
    """Runs of each pipeline by its name; each run is looked at after each pause, in seconds."""
    return {name: followed(_pipeline(one), pause) for name, one in chosen.items()}


def followed(pipeline: Pipeline, pause: float = 10.0) -> CiRuns:
    """Its runs, as an activity follows them: each is looked at after each pause, in seconds."""
    return CiRuns(pipeline, activity.heartbeat, _abandoned, pause)


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
