"""A pipeline of Azure DevOps, with the parameters `modelops_run`, which is its name, and `modelops_request`.

https://learn.microsoft.com/rest/api/azure/devops/pipelines/runs and /build/builds
"""

import base64
from collections.abc import Callable

from pydantic import BaseModel, Field

from activities.adapters.ci_http import CiHttp, member
from activities.adapters.ci_runs import RESULT, Fate, Run

ARTIFACT = "result"
_VERSION = {"api-version": "7.1"}


class _Link(BaseModel):
    href: str = ""


class _Links(BaseModel):
    web: _Link = _Link()


class _Build(BaseModel):
    id: int
    status: str
    result: str | None = None
    links: _Links = Field(default=_Links(), alias="_links")

    def told(self) -> Run:
        over = Fate.SUCCEEDED if self.result == "succeeded" else Fate.FAILED
        return Run(str(self.id), over if self.status == "completed" else Fate.RUNNING, self.links.web.href)


class _Builds(BaseModel):
    value: tuple[_Build, ...]


class _Begun(BaseModel):
    id: int
    links: _Links = Field(default=_Links(), alias="_links")


class _Signed(BaseModel):
    url: str


class _Artifact(BaseModel):
    signedContent: _Signed


class AzureDevopsPipeline:
    """Fits `Pipeline`. `url` is that of the project, `pipeline` its number, `ref` the branch that it is run from."""

    def __init__(self, url: str, pipeline: int, ref: str, token: Callable[[], str]) -> None:
        def who() -> dict[str, str]:
            given = base64.b64encode(f":{token()}".encode()).decode()
            return {"accept": "application/json", "authorization": f"Basic {given}"}

        self._http = CiHttp(url, who)
        self._pipeline = pipeline
        self._branch = f"refs/heads/{ref}"
        self._from = {"branchName": self._branch}

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def find(self, name: str) -> Run | None:
        """The newest run of that name from that branch: on another one, whoever may push says what a run does."""
        asked = {"definitions": str(self._pipeline), "buildNumber": name, "queryOrder": "queueTimeDescending"}
        found = self._http.read(_Builds, "GET", "/_apis/build/builds", params={**asked, **self._from, **_VERSION})
        return next((build.told() for build in found.value), None)

    def dispatch(self, name: str, request: str) -> Run | None:
        """Queue a run."""
        body = {
            "resources": {"repositories": {"self": {"refName": self._branch}}},
            "templateParameters": {"modelops_run": name, "modelops_request": request},
        }
        begun = self._http.read(_Begun, "POST", f"/_apis/pipelines/{self._pipeline}/runs", body=body, params=_VERSION)
        return Run(str(begun.id), Fate.RUNNING, begun.links.web.href)

    def look(self, run: Run) -> Run:
        """The run as it is now."""
        return self._http.read(_Build, "GET", f"/_apis/build/builds/{run.id}", params=_VERSION).told()

    def cancel(self, run: Run) -> None:
        """Have it end."""
        if self.look(run).fate is Fate.RUNNING:
            self._http.send("PATCH", f"/_apis/build/builds/{run.id}", body={"status": "cancelling"}, params=_VERSION)

    def collect(self, run: Run) -> bytes:
        """`result.json` of the artifact `result`, from an address that is signed: who knows it needs no token."""
        asked = {"artifactName": ARTIFACT, "$expand": "signedContent", **_VERSION}
        path = f"/_apis/pipelines/{self._pipeline}/runs/{run.id}/artifacts"
        found = self._http.read(_Artifact, "GET", path, params=asked).signedContent.url
        return member(self._http.fetch(found), RESULT)
