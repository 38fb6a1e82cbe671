"""Messages as issues of Jira Cloud, by its REST API v3: one for each message, or a comment on its thread's open issue.

An issue is found again by labels; a comment by its last line, which is read from the issue itself. Sources: the
published OpenAPI description, Atlassian Document Format, and Search and Reconcile (a search lags behind).
"""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, Field, JsonValue, ValidationError

from activities.adapters.outbound_http import OutboundHttp
from models.announcing import Message
from models.channels import Jira
from models.errors import UnavailableError
from models.tickets import Ticket, headline, lines, marks, signature

_SUMMARY, _TEXT = 255, 30_000
"""Jira takes 255 characters of summary and 32,767 of text."""


class _Category(BaseModel):
    key: str


class _Status(BaseModel):
    category: _Category = Field(alias="statusCategory")


class _Fields(BaseModel):
    labels: tuple[str, ...]
    status: _Status


class _Issue(BaseModel):
    key: str
    fields: _Fields

    @property
    def open(self) -> bool:
        """Whether it is not done."""
        return self.fields.status.category.key != "done"


class _Issues(BaseModel):
    issues: tuple[_Issue, ...]


class _Comment(BaseModel):
    body: JsonValue


class _Comments(BaseModel):
    comments: tuple[_Comment, ...]


class _Created(BaseModel):
    key: str


_Answer = TypeVar("_Answer", bound=BaseModel)


class JiraNotifier:
    """Fits `Channel`. `source` names this installation; `token` is asked for each time, as secrets change."""

    def __init__(self, http: OutboundHttp, settings: Jira, source: str, token: Callable[[], str]) -> None:
        self._http = http
        self._settings = settings
        self._source = source
        self._token = token

    def send(self, message: Message) -> Ticket:
        """The issue that tells it; UnavailableError, InvalidInputError."""
        mark, thread = marks(self._source, message)
        found = self._find(mark, *((thread,) if thread else ()))
        for issue in found:
            if mark in issue.fields.labels:
                return self._ticket(issue.key)
        for issue in found:
            if issue.open:
                return self._comment(issue.key, message)
        return self._create(message, (mark, thread) if thread else (mark,))

    def _find(self, *labels: str) -> tuple[_Issue, ...]:
        """The newest fifty, the oldest of them first: should there be two, it is the same one each time."""
        named = ", ".join(f'"{one}"' for one in labels)
        asked = {
            "jql": f'project = "{self._settings.project}" AND labels IN ({named}) ORDER BY created DESC',
            "fields": ["labels", "status"],
            "maxResults": 50,
        }
        return self._ask("POST", "search/jql", asked, _Issues).issues[::-1]

    def _create(self, message: Message, labels: tuple[str, ...]) -> Ticket:
        fields = {
            "project": {"key": self._settings.project},
            "issuetype": {"name": self._settings.issue_type},
            "summary": headline(message, _SUMMARY),
            "description": _document(lines(self._source, message, _TEXT)),
            "labels": list(labels),
        }
        return self._ticket(self._ask("POST", "issue", {"fields": fields}, _Created).key)

    def _comment(self, issue: str, message: Message) -> Ticket:
        newest = self._ask("GET", f"issue/{issue}/comment?orderBy=-created&maxResults=100", None, _Comments).comments
        if not any(signature(self._source, message) in _texts(one.body) for one in newest):
            said = {"body": _document(lines(self._source, message, _TEXT))}
            self._ask("POST", f"issue/{issue}/comment", said, _Comment)
        return self._ticket(issue)

    def _ticket(self, key: str) -> Ticket:
        return Ticket(id=key, url=f"{self._settings.url.rstrip('/')}/browse/{key}")

    def _ask(self, method: str, path: str, asked: dict[str, Any] | None, kind: type[_Answer]) -> _Answer:
        secret = base64.b64encode(f"{self._settings.user}:{self._token()}".encode()).decode()
        headers = {"Authorization": f"Basic {secret}", "Accept": "application/json"}
        content = None
        if asked is not None:
            headers["Content-Type"], content = "application/json", json.dumps(asked).encode()
        url = f"{self._settings.url.rstrip('/')}/rest/api/3/{path}"
        answer = self._http.send(method, url, headers, content)
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError:
            raise UnavailableError("Jira answers something else than it should") from None


def _document(paragraphs: tuple[str, ...]) -> dict[str, Any]:
    """Plain paragraphs: no mark-up, so that nothing mentions anybody or hides a link."""
    content = [{"type": "paragraph", "content": [{"type": "text", "text": one}]} for one in paragraphs]
    return {"type": "doc", "version": 1, "content": content}


def _texts(node: JsonValue) -> Iterator[str]:
    """All texts of a document."""
    if isinstance(node, dict):
        if isinstance(text := node.get("text"), str):
            yield text
        yield from _texts(node.get("content"))
    if isinstance(node, list):
        for one in node:
            yield from _texts(one)
