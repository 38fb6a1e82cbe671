"""Answers deployment protection rules through GitHub's REST API.

https://docs.github.com/rest/actions/workflow-runs#review-custom-deployment-protection-rules-for-a-workflow-run
"""

import re

from pydantic import BaseModel

from activities.adapters.github_app import GithubApp, read_answer
from models.errors import NotPermittedError

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")


class Run(BaseModel):
    """A run of a workflow, and the installation of the App through which it is spoken to."""

    repository: str
    id: int
    installation: int


class _Title(BaseModel):
    display_title: str


class GithubReviews:
    """Speaks for an App, about runs that wait."""

    def __init__(self, app: GithubApp) -> None:
        self._app = app

    def run_of(self, callback: str, repository: str, installation: int) -> Run:
        """The run that an answer is wanted for; NotPermittedError if it should go to anywhere but its own place."""
        found = re.fullmatch(re.escape(self._runs(repository)) + r"/(\d{1,19})/deployment_protection_rule", callback)
        if not _REPOSITORY.fullmatch(repository) or found is None:
            raise NotPermittedError(
                f"the answer about '{repository}' is wanted at an address that is not {self._app.api}'s own",
                "check the api of MODELOPS_GITHUB",
            )
        return Run(repository=repository, id=int(found[1]), installation=installation)

    def title(self, run: Run) -> str:
        """The name of a run; UnavailableError, NotPermittedError."""
        answered = self._app.send(run.installation, "GET", f"{self._runs(run.repository)}/{run.id}")
        return read_answer(_Title, answered).display_title

    def review(self, run: Run, environment: str, approved: bool, comment: str) -> None:
        """Approve or reject what waits before an environment; UnavailableError, NotPermittedError."""
        state = "approved" if approved else "rejected"
        body = {"environment_name": environment, "state": state, "comment": comment}
        url = f"{self._runs(run.repository)}/{run.id}/deployment_protection_rule"
        self._app.send(run.installation, "POST", url, body)

    def _runs(self, repository: str) -> str:
        return f"{self._app.api}/repos/{repository}/actions/runs"
