"""Jira Cloud and ServiceNow, by their published contracts: how tickets are found, made and added to from outside."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from activities.adapters.jira_notifier import JiraNotifier
from activities.adapters.outbound_http import OutboundHttp
from activities.adapters.servicenow_notifier import ServiceNowNotifier
from activities.channel_ports import Channel
from models.announcing import Topic
from models.channels import Jira, ServiceNow
from models.environments import Credentials
from tests.contract.ci_runs import Host
from tests.contract.held import Held

USER, TOKEN, SOURCE = "robot@example.com", "canary-of-a-token", "acme"


@dataclass
class Kept:
    """One ticket: its fields as they were given, what was added to it, and whether it is done."""

    fields: dict[str, Any]
    notes: list[Any] = field(default_factory=list)
    done: bool = False


@dataclass
class Tracker:
    """What both have in common. `status` is answered to all instead; `unseen` are how many no search finds yet."""

    tickets: list[Kept] = field(default_factory=list)
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b"{}"
    unseen: int = 0
    broken: list[str] = field(default_factory=list)

    def seen(self) -> list[tuple[int, Kept]]:
        """What a search finds, with its number."""
        numbered = list(enumerate(self.tickets, 1))
        return numbered[: len(numbered) - self.unseen]

    def knows(self, request: Request) -> bool:
        """Whether it is the robot."""
        given = request.headers.get("authorization", "").removeprefix("Basic ")
        return base64.b64decode(given) == f"{USER}:{TOKEN}".encode()

    def texts(self) -> list[str]:
        """All that was said, ticket by ticket."""
        return [json.dumps([one.fields, *one.notes], ensure_ascii=False) for one in self.tickets]

    def app(self) -> ASGIApp:
        """Its API."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Its API, or what it says instead."""
        if self.status:
            await Response(self.raw, self.status, self.headers)(scope, receive, send)
        else:
            await self.app()(scope, receive, send)


@dataclass
class JiraSite(Tracker):
    """https://developer.atlassian.com/cloud/jira/platform/rest/v3 : one project, ML, with issues of type Task."""

    def __post_init__(self) -> None:
        """Every request and every answer is held to the published description."""
        base = "/rest/api/3"
        routes = [
            Route(f"{base}/search/jql", self._known(self.search), methods=["POST"]),
            Route(f"{base}/issue", self._known(self.create), methods=["POST"]),
            Route(f"{base}/issue/{{key}}/comment", self._known(self.comment), methods=["GET", "POST"]),
        ]
        self.held = Held(Starlette(routes=routes), ("jira",), "/elsewhere")

    def app(self) -> ASGIApp:
        """Held to the description."""
        return self.held

    def _known(self, then: Callable[[Request, Any], Response]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            if not self.knows(request):
                return Response(status_code=401)
            return then(request, json.loads(await request.body() or b"null"))

        return answer

    def search(self, request: Request, asked: Any) -> Response:
        """By project and labels, newest first; it lags behind."""
        where, _, rest = asked["jql"].partition(" AND labels IN (")
        wanted, _, order = rest.partition(") ")
        assert (where, order) == ('project = "ML"', "ORDER BY created DESC")
        labels = {one.strip().strip('"') for one in wanted.split(",")}
        found = [
            {"id": str(number), "key": f"ML-{number}", "fields": self._fields(one)}
            for number, one in reversed(self.seen())
            if labels & set(one.fields["labels"])
        ]
        return JSONResponse({"isLast": True, "issues": found[: asked["maxResults"]]})

    def _fields(self, one: Kept) -> dict[str, Any]:
        category = {"id": 3, "key": "done"} if one.done else {"id": 2, "key": "new"}
        return {"labels": one.fields["labels"], "status": {"name": "Any", "statusCategory": category}}

    def create(self, request: Request, asked: Any) -> Response:
        """An issue, if its fields are good."""
        fields = asked["fields"]
        if fields["project"] != {"key": "ML"}:
            return _refused(400, "valid project is required")
        if fields["issuetype"] != {"name": "Task"}:
            return _refused(400, "Specify a valid issue type")
        if "\n" in fields["summary"] or not 0 < len(fields["summary"]) <= 255:
            return _refused(400, "The summary is invalid.")
        if any(" " in one for one in fields["labels"]) or not _is_document(fields["description"]):
            return _refused(400, "INVALID_INPUT")
        self.tickets.append(Kept(fields))
        number = len(self.tickets)
        return JSONResponse({"id": str(number), "key": f"ML-{number}", "self": f"http://elsewhere/{number}"}, 201)

    def comment(self, request: Request, asked: Any) -> Response:
        """The newest comments first, or one more."""
        number = int(request.path_params["key"].removeprefix("ML-"))
        notes = self.tickets[number - 1].notes
        if request.method == "GET":
            assert request.query_params["orderBy"] == "-created"
            said = [{"id": str(place), "body": one} for place, one in enumerate(notes)][::-1]
            return JSONResponse({"comments": said[: int(request.query_params["maxResults"])], "total": len(said)})
        if not _is_document(asked["body"]):
            return _refused(400, "INVALID_INPUT")
        notes.append(asked["body"])
        return JSONResponse({"id": str(len(notes)), "body": asked["body"]}, 201)


def _refused(status: int, why: str) -> Response:
    return JSONResponse({"errorMessages": [f"{why} {TOKEN}"], "errors": {}}, status)


def _is_document(node: Any) -> bool:
    """Atlassian Document Format, version 1, of paragraphs: a text is never empty."""
    return (node["type"], node["version"]) == ("doc", 1) and all(
        one["type"] == "paragraph" and all(part["type"] == "text" and part["text"] for part in one["content"])
        for one in node["content"]
    )


_READING = {"query", "fields", "limit", "display_value", "offset", "exclude_reference_link", "view"}
_WRITING = {"fields", "display_value", "input_display_value", "exclude_reference_link", "view"}
_COLUMNS = {
    *("short_description", "description", "correlation_id", "correlation_display", "assignment_group", "work_notes"),
    *("sys_id", "number", "active"),
}


class ServiceNowInstance(Tracker):
    """ServiceNow, REST API reference, Table API: its table incident."""

    def app(self) -> ASGIApp:
        """Its API."""
        base = "/api/now/table/{table}"
        routes = [
            Route(base, self._known(self.many), methods=["GET", "POST"]),
            Route(f"{base}/{{id}}", self._known(self.one), methods=["GET", "PATCH"]),
        ]
        return Starlette(routes=routes)

    def _known(self, then: Callable[[Request, Any], Response]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            if not self.knows(request):
                return _failure(401, "User Not Authenticated", "Required to provide Auth information")
            if request.path_params["table"] != "incident":
                return _failure(400, "Invalid table")
            allowed = _READING if request.method == "GET" else _WRITING
            self.broken += [one for one in request.query_params if one.removeprefix("sysparm_") not in allowed]
            body = json.loads(await request.body() or b"{}")
            self.broken += [one for one in body if one not in _COLUMNS]
            return then(request, body)

        return answer

    def many(self, request: Request, asked: Any) -> Response:
        """What a query finds, or one more."""
        if request.method == "POST":
            self.tickets.append(Kept(asked))
            number = len(self.tickets)
            return JSONResponse({"result": self._row(request, number)}, 201, {"Location": f"http://elsewhere/{number}"})
        conditions, _, order = request.query_params["sysparm_query"].partition("^ORDERBY")
        assert order == "DESCsys_created_on"
        wanted = dict(one.split("=") for one in conditions.split("^OR"))
        found = [
            self._row(request, number)
            for number, one in reversed(self.seen())
            if any(one.fields.get(name) == value for name, value in wanted.items())
        ]
        return JSONResponse({"result": found[: int(request.query_params["sysparm_limit"])]})

    def one(self, request: Request, asked: Any) -> Response:
        """One task, or a change of it: what is said in a journal is added."""
        number = int(request.path_params["id"], 16)
        if "work_notes" in asked:
            self.tickets[number - 1].notes.append(asked["work_notes"])
        return JSONResponse({"result": self._row(request, number)})

    def _row(self, request: Request, number: int) -> dict[str, str]:
        kept, shown = self.tickets[number - 1], request.query_params.get("sysparm_display_value") == "true"
        notes = [f"2026-03-02 12:00:00 - Robot (Work notes)\n{one}\n\n" for one in kept.notes[::-1]]
        row = {
            **kept.fields,
            "sys_id": f"{number:032x}",
            "number": f"INC{number:07d}",
            "active": "false" if kept.done else "true",
            "work_notes": "".join(notes) if shown else "",
        }
        return {name: row.get(name, "") for name in request.query_params["sysparm_fields"].split(",")}


def _failure(status: int, message: str, detail: str = "") -> Response:
    said = {"error": {"message": f"{message} {TOKEN}", "detail": detail}, "status": "failure"}
    return JSONResponse(said, status)


def jira(url: str, token: str = TOKEN, **said: Any) -> Channel:
    """A channel to Jira."""
    refers = Credentials(env="X")
    settings = Jira(kind="jira", url=url, project="ML", user=USER, token=refers, topics=tuple(Topic), **said)
    return JiraNotifier(OutboundHttp("ops", 2.0), settings, SOURCE, lambda: token)


def servicenow(url: str, token: str = TOKEN, **said: Any) -> Channel:
    """A channel to ServiceNow."""
    refers = Credentials(env="X")
    settings = ServiceNow(kind="servicenow", url=url, user=USER, password=refers, topics=tuple(Topic), **said)
    return ServiceNowNotifier(OutboundHttp("ops", 2.0), settings, SOURCE, lambda: token)


TRACKERS: dict[str, tuple[type[Tracker], Callable[..., Channel]]] = {
    "jira": (JiraSite, jira),
    "servicenow": (ServiceNowInstance, servicenow),
}


@contextmanager
def tracking(kind: str, host: Host) -> Iterator[Tracker]:
    """A tracker that is new, for the length of a block; what it was asked has to be as published."""
    tracker = host.app = TRACKERS[kind][0]()
    yield tracker
    if isinstance(tracker, JiraSite):
        tracker.held.well()
    assert tracker.broken == []
