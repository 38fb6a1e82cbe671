"""Messages as tasks of ServiceNow, by its Table API: one for each message, or a work note on its thread's active task.

A task is found again by `correlation_id`, its thread by `correlation_display`; a work note by its last line, which is
read from the task itself. Source: ServiceNow, REST API reference, Table API.
"""

import base64
import json
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError

from activities.adapters.outbound_http import OutboundHttp
from models.announcing import Message
from models.channels import ServiceNow
from models.errors import UnavailableError
from models.tickets import Ticket, headline, lines, marks, signature

_SUMMARY, _TEXT = 160, 4_000
"""`short_description` holds 160 characters, `description` 4,000."""


class _Task(BaseModel):
    sys_id: str
    number: str
    active: str = "true"
    correlation_id: str = ""
    work_notes: str = ""


class _Tasks(BaseModel):
    result: tuple[_Task, ...]


class _One(BaseModel):
    result: _Task


_Answer = TypeVar("_Answer", bound=BaseModel)


class ServiceNowNotifier:
    """Fits `Channel`. `source` names this installation; `password` is asked for each time, as secrets change."""

    def __init__(self, http: OutboundHttp, settings: ServiceNow, source: str, password: Callable[[], str]) -> None:
        self._http = http
        self._settings = settings
        self._source = source
        self._password = password

    def send(self, message: Message) -> Ticket:
        """The task that tells it; UnavailableError, InvalidInputError."""
        mark, thread = marks(self._source, message)
        found = self._find(mark, thread)
        for task in found:
            if task.correlation_id == mark:
                return self._ticket(task)
        for task in found:
            if task.active == "true":
                return self._note(task, message)
        return self._create(message, mark, thread)

    def _find(self, mark: str, thread: str | None) -> tuple[_Task, ...]:
        """The newest fifty, the oldest of them first: should there be two, it is the same one each time."""
        query = f"correlation_id={mark}" + (f"^ORcorrelation_display={thread}" if thread else "")
        asked = {
            "sysparm_query": f"{query}^ORDERBYDESCsys_created_on",
            "sysparm_fields": "sys_id,number,active,correlation_id",
            "sysparm_limit": "50",
        }
        return self._ask("GET", f"?{urlencode(asked)}", None, _Tasks).result[::-1]

    def _create(self, message: Message, mark: str, thread: str | None) -> Ticket:
        said = {
            "short_description": headline(message, _SUMMARY),
            "description": "\n".join(lines(self._source, message, _TEXT)),
            "correlation_id": mark,
        }
        if thread:
            said["correlation_display"] = thread
        if self._settings.group:
            said["assignment_group"] = self._settings.group
        return self._ticket(self._ask("POST", "?sysparm_fields=sys_id,number", said, _One).result)

    def _note(self, task: _Task, message: Message) -> Ticket:
        """Its notes are told only as they are displayed, all in one text."""
        asked = {"sysparm_fields": "sys_id,number,work_notes", "sysparm_display_value": "true"}
        known = self._ask("GET", f"/{task.sys_id}?{urlencode(asked)}", None, _One).result.work_notes
        if signature(self._source, message) not in known:
            said = {"work_notes": _plain("\n".join(lines(self._source, message, _TEXT)))}
            self._ask("PATCH", f"/{task.sys_id}?sysparm_fields=sys_id,number", said, _One)
        return self._ticket(task)

    def _ticket(self, task: _Task) -> Ticket:
        page = f"{self._settings.table}.do?sys_id={task.sys_id}"
        return Ticket(id=task.number, url=f"{self._settings.url.rstrip('/')}/{page}")

    def _ask(self, method: str, rest: str, said: dict[str, str] | None, kind: type[_Answer]) -> _Answer:
        secret = base64.b64encode(f"{self._settings.user}:{self._password()}".encode()).decode()
        headers = {"Authorization": f"Basic {secret}", "Accept": "application/json"}
        content = None
        if said is not None:
            headers["Content-Type"], content = "application/json", json.dumps(said).encode()
        url = f"{self._settings.url.rstrip('/')}/api/now/table/{self._settings.table}{rest}"
        answer = self._http.send(method, url, headers, content)
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError:
            raise UnavailableError("ServiceNow answers something else than it should") from None


def _plain(text: str) -> str:
    """Text without what a journal would take for HTML."""
    return text.replace("[code]", "[ code ]")
