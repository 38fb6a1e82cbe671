"""A workflow of GitHub Actions with the inputs `modelops_run`, which is its run's name, and `modelops_request`.

https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event
"""

from collections.abc import Callable

from pydantic import BaseModel

from activities.adapters.ci_http import CiHttp, member
from activities.adapters.ci_runs import RESULT, Fate, Run
from models.canonical import digest_bytes
from models.errors import InvalidInputError, PipelineError

ARTIFACT = "result"
_PAGE = "100"


class _Run(BaseModel):
    id: int
    display_title: str
    status: str | None
    conclusion: str | None
    html_url: str

    def told(self) -> Run:
        over = self.status == "completed"
        fate = (Fate.SUCCEEDED if self.conclusion == "success" else Fate.FAILED) if over else Fate.RUNNING
        return Run(str(self.id), fate, self.html_url)


class _Runs(BaseModel):
    workflow_runs: tuple[_Run, ...]


class _Dispatched(BaseModel):
    workflow_run_id: int
    html_url: str = ""


class _Artifact(BaseModel):
    id: int
    digest: str | None = None


class _Artifacts(BaseModel):
    artifacts: tuple[_Artifact, ...]


class GithubActionsPipeline:
    """Fits `Pipeline`. `repository` is owner/name, `workflow` its file, `ref` the branch that it is run from."""

    def __init__(self, api: str, repository: str, workflow: str, ref: str, token: Callable[[], str]) -> None:
        self._http = CiHttp(
            f"{api}/repos/{repository}/actions",
            lambda: {
                "accept": "application/vnd.github+json",
                "authorization": f"Bearer {token()}",
                "x-github-api-version": "2022-11-28",
            },
        )
        self._workflow = f"/workflows/{workflow}"
        self._ref, self._branch = ref, ref.removeprefix("refs/heads/")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def find(self, name: str) -> Run | None:
        """The newest run of that name from that branch: on another one, whoever may push says what a run does."""
        asked = {"event": "workflow_dispatch", "branch": self._branch, "per_page": _PAGE}
        found = self._http.read(_Runs, "GET", f"{self._workflow}/runs", params=asked)
        return next((run.told() for run in found.workflow_runs if run.display_title == name), None)

    def dispatch(self, name: str, request: str) -> Run | None:
        """Begin a run; servers that do not tell its id answer nothing."""
        inputs = {"modelops_run": name, "modelops_request": request}
        body = {"ref": self._ref, "inputs": inputs, "return_run_details": True}
        answered = self._http.send("POST", f"{self._workflow}/dispatches", body=body)
        if not answered.content:
            return None
        begun = _Dispatched.model_validate_json(answered.content)
        return Run(str(begun.workflow_run_id), Fate.RUNNING, begun.html_url)

    def look(self, run: Run) -> Run:
        """The run as it is now."""
        return self._http.read(_Run, "GET", f"/runs/{run.id}").told()

    def cancel(self, run: Run) -> None:
        """Have it end."""
        if self.look(run).fate is not Fate.RUNNING:
            return
        try:
            self._http.send("POST", f"/runs/{run.id}/cancel")
        except InvalidInputError:
            if self.look(run).fate is Fate.RUNNING:
                raise

    def collect(self, run: Run) -> bytes:
        """`result.json` of the artifact `result`, whose digest GitHub tells; PipelineError."""
        found = self._http.read(_Artifacts, "GET", f"/runs/{run.id}/artifacts", params={"name": ARTIFACT}).artifacts
        if len(found) != 1:
            raise PipelineError(f"run {run.id} has {len(found)} artifacts '{ARTIFACT}'", f"see {run.page}")
        answered = self._http.send("GET", f"/artifacts/{found[0].id}/zip")
        archive = self._http.fetch(answered.place) if answered.place else answered.content
        if digest_bytes(archive) != found[0].digest:
            told = found[0].digest or "by any digest: let upload-artifact@v4 or newer keep it"
            raise PipelineError(f"the artifact of run {run.id} is not {told}, as GitHub tells")
        return member(archive, RESULT)
