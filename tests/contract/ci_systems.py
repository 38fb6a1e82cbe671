"""GitHub Actions, Jenkins and Azure DevOps, by their published contracts: how a pipeline is run from outside."""

import base64
import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from models.canonical import digest_bytes
from tests.contract.held import example

TOKEN = "canary-of-a-token"
URL = "http://elsewhere"


@dataclass
class Build:
    """One run: its name, what was asked of it, how it went."""

    name: str
    request: str
    outcome: str = ""
    result: bytes = b""
    branch: str = "main"


@dataclass
class System:
    """What all have in common: runs that are dispatched, and go as a test has them go."""

    published: ClassVar[tuple[str, ...]] = ()
    elsewhere: ClassVar[str] = ""
    builds: list[Build] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        """Its API."""
        raise NotImplementedError

    def begin(self, name: str, request: str) -> int:
        """A run; its number."""
        self.builds.append(Build(name, request))
        return len(self.builds)

    def cancel(self, number: int) -> None:
        """Somebody ends a run."""
        self.cancelled.append(number)
        self.builds[number - 1].outcome = "cancelled"

    def newest(self) -> list[tuple[int, Build]]:
        """The newest first."""
        return list(enumerate(self.builds, 1))[::-1]


_ONE_PAGE = {"link": ""}


def zipped(result: bytes, folder: str = "") -> bytes:
    """An artifact."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr(f"{folder}result.json", result)
    return file.getvalue()


def _basic(request: Request, user: str) -> None:
    given = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    assert given == f"{user}:{TOKEN}"


class Github(System):
    """https://docs.github.com/rest/actions : its answers are the published examples, but for what a test is about."""

    published, elsewhere, too_late = ("github",), "/blob/", False

    def app(self) -> Starlette:
        """Its API for one repository."""
        base = "/repos/acme/loans/actions"
        return Starlette(
            routes=[
                Route(f"{base}/workflows/train.yml/dispatches", self.dispatched, methods=["POST"]),
                Route(f"{base}/workflows/train.yml/runs", self.listed),
                Route(f"{base}/runs/{{id:int}}", self.shown),
                Route(f"{base}/runs/{{id:int}}/cancel", self.ended, methods=["POST"]),
                Route(f"{base}/runs/{{id:int}}/artifacts", self.artifacts),
                Route(f"{base}/artifacts/{{id:int}}/zip", self.archive),
                Route("/blob/{id:int}", self.blob),
            ]
        )

    def _run(self, number: int) -> dict[str, object]:
        build = self.builds[number - 1]
        ended = {"": ("in_progress", None)}.get(build.outcome, ("completed", build.outcome))
        return example("github", "workflow-run") | {
            "id": number,
            "display_title": build.name,
            "head_branch": build.branch,
            "status": ended[0],
            "conclusion": ended[1],
            "html_url": f"{URL}/{number}",
        }

    async def dispatched(self, request: Request) -> Response:
        """A run begins."""
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        body = await request.json()
        assert (body["ref"], body["return_run_details"]) == ("main", True)
        number = self.begin(body["inputs"]["modelops_run"], body["inputs"]["modelops_request"])
        said = {"workflow_run_id": number, "html_url": f"{URL}/{number}"}
        return JSONResponse(example("github", "workflow-dispatch-response") | said)

    async def listed(self, request: Request) -> Response:
        """The runs of a workflow."""
        assert request.query_params["event"] == "workflow_dispatch"
        asked = request.query_params.get("branch")
        found = [self._run(number) for number, build in self.newest() if asked in (None, build.branch)]
        return JSONResponse({"total_count": len(found), "workflow_runs": found}, headers=_ONE_PAGE)

    async def shown(self, request: Request) -> Response:
        """One run."""
        return JSONResponse(self._run(request.path_params["id"]))

    async def ended(self, request: Request) -> Response:
        """A run is cancelled, unless it has ended."""
        number = request.path_params["id"]
        if self.too_late:
            self.builds[number - 1].outcome = "success"
            return JSONResponse({"message": "Cannot cancel a workflow run that is completed."}, 409)
        self.cancel(number)
        return JSONResponse({}, 202)

    def content(self, number: int) -> bytes:
        """The artifact's bytes."""
        return zipped(self.builds[number - 1].result)

    async def artifacts(self, request: Request) -> Response:
        """What a run has kept."""
        number = request.path_params["id"]
        (one, *_) = example("github", "artifact-paginated")["artifacts"]
        one |= {"id": number, "name": request.query_params["name"], "digest": digest_bytes(self.content(number))}
        return JSONResponse({"total_count": 1, "artifacts": [one]}, headers=_ONE_PAGE)

    async def archive(self, request: Request) -> Response:
        """Where the bytes are."""
        return RedirectResponse(str(request.base_url) + f"blob/{request.path_params['id']}", 302)

    async def blob(self, request: Request) -> Response:
        """Elsewhere, where our token does not go."""
        assert "authorization" not in request.headers
        return Response(self.content(request.path_params["id"]))


class Jenkins(System):
    """https://www.jenkins.io/doc/book/using/remote-access-api/ : a build waits in the queue, as long as it is to."""

    waits = False

    def app(self) -> Starlette:
        """Its API for one job in a folder."""
        job = "/job/team/job/train"
        return Starlette(
            routes=[
                Route(f"{job}/buildWithParameters", self.queued, methods=["POST"]),
                Route(f"{job}/api/json", self.listed),
                Route(f"{job}/{{id:int}}/api/json", self.shown),
                Route(f"{job}/{{id:int}}/stop", self.stopped, methods=["POST"]),
                Route(f"{job}/{{id:int}}/artifact/result.json", self.artifact),
                Route("/queue/api/json", self.queue),
                Route("/queue/item/{id:int}/api/json", self.item),
                Route("/queue/cancelItem", self.taken_out, methods=["POST"]),
            ]
        )

    def _build(self, number: int) -> dict[str, object]:
        build = self.builds[number - 1]
        named = [{"name": "MODELOPS_RUN", "value": build.name}, {"name": "MODELOPS_REQUEST", "value": build.request}]
        return {
            "number": number,
            "building": not build.outcome,
            "result": {"": None, "success": "SUCCESS", "cancelled": "ABORTED"}.get(build.outcome, "FAILURE"),
            "url": f"{URL}/{number}/",
            "actions": [{"_class": "hudson.model.ParametersAction", "parameters": named}, {}],
        }

    async def queued(self, request: Request) -> Response:
        """A build waits."""
        _basic(request, "robot")
        form = dict(parse_qsl((await request.body()).decode()))
        number = self.begin(form["MODELOPS_RUN"], form["MODELOPS_REQUEST"])
        return Response(status_code=201, headers={"location": f"{request.base_url}queue/item/{number + 1000}/"})

    async def listed(self, request: Request) -> Response:
        """The builds of a job."""
        assert "builds[" in request.query_params["tree"]
        return JSONResponse({"builds": [self._build(number) for number, _ in self.newest() if not self.waits]})

    async def shown(self, request: Request) -> Response:
        """One build."""
        return JSONResponse(self._build(request.path_params["id"]))

    async def stopped(self, request: Request) -> Response:
        """A build is stopped."""
        self.cancel(request.path_params["id"])
        return Response()

    async def artifact(self, request: Request) -> Response:
        """What it has archived."""
        return Response(self.builds[request.path_params["id"] - 1].result)

    async def queue(self, request: Request) -> Response:
        """What waits."""
        waiting = [number for number, build in self.newest() if self.waits and not build.outcome]
        return JSONResponse({"items": [self._item(number) for number in waiting]})

    async def item(self, request: Request) -> Response:
        """What became of something that waited."""
        return JSONResponse(self._item(request.path_params["id"] - 1000))

    async def taken_out(self, request: Request) -> Response:
        """Something waits no more."""
        self.cancel(int(request.query_params["id"]) - 1000)
        return Response(status_code=204)

    def _item(self, number: int) -> dict[str, object]:
        cancelled = self.builds[number - 1].outcome == "cancelled"
        begun = None if self.waits or cancelled else {"number": number}
        asked = {"actions": self._build(number)["actions"]}
        return {"id": number + 1000, "cancelled": cancelled, "executable": begun, **asked}


class Azure(System):
    """https://learn.microsoft.com/rest/api/azure/devops/ , version 7.1"""

    published, elsewhere = ("azure_build", "azure_pipelines"), "/download/"

    def app(self) -> Starlette:
        """Its API for one project."""
        apis = "/acme/loans/_apis"
        return Starlette(
            routes=[
                Route(f"{apis}/pipelines/12/runs", self.begun, methods=["POST"]),
                Route(f"{apis}/pipelines/12/runs/{{id:int}}/artifacts", self.artifact),
                Route(f"{apis}/build/builds", self.listed),
                Route(f"{apis}/build/builds/{{id:int}}", self.shown, methods=["GET"]),
                Route(f"{apis}/build/builds/{{id:int}}", self.changed, methods=["PATCH"]),
                Route("/download/{id:int}", self.download),
            ]
        )

    def _build(self, number: int) -> dict[str, object]:
        build = self.builds[number - 1]
        results = {"success": "succeeded", "cancelled": "canceled"}
        return {
            "id": number,
            "buildNumber": build.name,
            "status": "completed" if build.outcome else "inProgress",
            **({"result": results.get(build.outcome, "failed")} if build.outcome else {}),
            "_links": {"web": {"href": f"{URL}/{number}"}},
        }

    async def begun(self, request: Request) -> Response:
        """A run begins."""
        _basic(request, "")
        assert request.query_params["api-version"] == "7.1"
        body = await request.json()
        assert body["resources"]["repositories"]["self"]["refName"] == "refs/heads/main"
        given = body["templateParameters"]
        number = self.begin(given["modelops_run"], given["modelops_request"])
        return JSONResponse({"id": number, "state": "inProgress", "_links": {"web": {"href": f"{URL}/{number}"}}})

    async def listed(self, request: Request) -> Response:
        """The builds of a name."""
        name, asked = request.query_params["buildNumber"], request.query_params.get("branchName")
        named = [(number, build) for number, build in self.newest() if build.name == name]
        found = [self._build(number) for number, build in named if asked in (None, f"refs/heads/{build.branch}")]
        return JSONResponse({"count": len(found), "value": found})

    async def shown(self, request: Request) -> Response:
        """One build."""
        return JSONResponse(self._build(request.path_params["id"]))

    async def changed(self, request: Request) -> Response:
        """A build is cancelled."""
        assert json.loads(await request.body()) == {"status": "cancelling"}
        self.cancel(request.path_params["id"])
        return JSONResponse(self._build(request.path_params["id"]))

    async def artifact(self, request: Request) -> Response:
        """Where what a run has kept can be fetched, for a while."""
        url = f"{request.base_url}download/{request.path_params['id']}"
        assert request.query_params["$expand"] == "signedContent"
        return JSONResponse({"name": request.query_params["artifactName"], "signedContent": {"url": url}})

    async def download(self, request: Request) -> Response:
        """Its bytes, for whoever knows the address: our token does not go there."""
        assert "authorization" not in request.headers
        return Response(zipped(self.builds[request.path_params["id"] - 1].result, "result/"))
