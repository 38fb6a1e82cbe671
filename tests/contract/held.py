"""Holds our adapters and our fakes to what the vendors have published: every request, and every answer."""

import copy
import json
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FOLDER = Path(__file__).parent / "published"
_ROOTS = ("components", "definitions")
_JSON = "application/json"
_SEEN: dict[tuple[str, bytes], list[str]] = {}


class Operation:
    """One operation of a description, as OpenAPI 3 or Swagger 2 has it."""

    def __init__(self, document: Any, path: str, method: str) -> None:
        self.name = f"{method.upper()} {path}"
        self._document = document
        self._written = document["paths"][path][method]
        self.parameters = [self._resolved(one) for one in self._written.get("parameters", ())]
        self.path = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))

    def _resolved(self, part: Any) -> Any:
        while "$ref" in part:
            place, part = part["$ref"].removeprefix("#/").split("/"), self._document
            for key in place:
                part = part[key]
        return part

    def request(self, query: str, body: bytes) -> list[str]:
        """What is wrong with a request."""
        asked = dict(parse_qsl(query))
        known = {one["name"]: one for one in self.parameters if one["in"] == "query"}
        found = [f"the parameter '{name}' is not published" for name in asked.keys() - known.keys()]
        found += [f"'{name}' is missing" for name, one in known.items() if one.get("required") and name not in asked]
        for name in asked.keys() & known.keys():
            schema = known[name].get("schema") or known[name]
            value = int(asked[name]) if schema.get("type") == "integer" and asked[name].isdigit() else asked[name]
            found += self.misfits({key: schema[key] for key in ("type", "enum") if key in schema}, value)
        wanted = self._body()
        if wanted is None:
            return found + ["a body is not published"] * bool(body)
        return found + (self.misfits(wanted, body) if body else [])

    def _body(self) -> Any:
        if "requestBody" in self._written:
            return self._written["requestBody"]["content"][_JSON]["schema"]
        return next((one["schema"] for one in self.parameters if one["in"] == "body"), None)

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> list[str]:
        """What is wrong with an answer."""
        if str(status) not in self._written["responses"]:
            return [f"the status {status} is not published"]
        said = self._resolved(self._written["responses"][str(status)])
        found = [f"the header '{name}' is missing" for name in said.get("headers", {}) if name.lower() not in headers]
        schema = said["content"][_JSON]["schema"] if "content" in said else said.get("schema")
        if schema and schema.get("type") == "array":
            # Azure DevOps publishes what a list has in it, and writes how many there are around it.
            schema = {"type": "object", "required": ["count", "value"], "properties": {"value": schema, "count": {}}}
        if schema is None:
            return found + ["a body is not published"] * bool(body)
        return found + self.misfits(schema, body)

    def misfits(self, schema: Any, value: Any) -> list[str]:
        """Where a value, or a text in JSON, does not fit a schema; what was looked at once is known."""
        if not isinstance(value, bytes):
            return [one.message for one in _dialect()(schema).iter_errors(value)]
        key = (json.dumps(schema), value)
        if key not in _SEEN:
            whole = {**schema, **{root: self._document[root] for root in _ROOTS if root in self._document}}
            errors = _dialect()(whole).iter_errors(json.loads(value))
            _SEEN[key] = [f"{one.json_path}: {one.message[:200]}" for one in errors]
        return _SEEN[key]


def _dialect() -> Any:
    """A class of validators, whose formats take seconds to import: not every process with a house in it asks them."""
    return import_module("jsonschema").Draft202012Validator


@cache
def published(name: str) -> Any:
    """What a vendor has published; whatever it does not name is not there."""
    document = json.loads((_FOLDER / f"{name}.json").read_text())
    if links := document.get("definitions", {}).get("ReferenceLinks"):
        # It is published as a list of links, and written as an object by their names.
        links.clear()
    shared = set(re.findall(r'"allOf": \[[^]]*?"\$ref": "([^"]+)"', json.dumps(document)))
    for root in ("components", "definitions", "paths"):
        _close(document.get(root, {}), f"#/{root}", shared)
    return document


def _close(part: Any, place: str, shared: set[str]) -> None:
    """No other properties than those that are named, but where a part adds to another one."""
    if isinstance(part, list):
        for one in part:
            _close(one, "", shared)
    if not isinstance(part, dict):
        return
    for key, one in part.items():
        if key not in ("examples", "allOf"):
            _close(one, f"{place}/{key}", shared)
    if isinstance(part.get("properties"), dict) and part.get("type") == "object" and place not in shared:
        part.setdefault("unevaluatedProperties" if "allOf" in part else "additionalProperties", False)


def example(name: str, which: str) -> dict[str, Any]:
    """A copy of a published example."""
    found: dict[str, Any] = copy.deepcopy(published(name)["components"]["examples"][which]["value"])
    return found


@cache
def operations(*names: str) -> dict[str, list[Operation]]:
    """The operations of some descriptions by their methods."""
    found: dict[str, list[Operation]] = {}
    for document in map(published, names):
        for path, methods in document["paths"].items():
            for method in methods:
                found.setdefault(method, []).append(Operation(document, path, method))
    return found


class Held:
    """An application, and what in it or in whoever asks it was not as published; some paths are not the vendor's."""

    def __init__(self, app: ASGIApp, names: tuple[str, ...], elsewhere: str) -> None:
        self._broken: list[str] = []
        self._app = app
        self._operations = operations(*names)
        _dialect()  # before anybody waits for an answer
        self._elsewhere = elsewhere

    def well(self) -> None:
        """AssertionError if anything was not as published."""
        if self._broken:
            raise AssertionError("\n".join(self._broken))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request and its answer."""
        if scope["path"].startswith(self._elsewhere):
            return await self._app(scope, receive, send)
        heard, body = b"", b""
        start: Message = {}
        more = True
        while more:
            message = await receive()
            heard, more = heard + message.get("body", b""), message.get("more_body", False)

        async def again() -> Message:
            return {"type": "http.request", "body": heard, "more_body": False}

        async def tell(message: Message) -> None:
            nonlocal body
            start.update(message if message["type"] == "http.response.start" else {})
            body += message.get("body", b"")
            await send(message)

        await self._app(scope, again, tell)
        headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        self._judge(scope, heard, start["status"], headers, body)

    def _judge(self, scope: Scope, heard: bytes, status: int, headers: dict[str, str], body: bytes) -> None:
        method, path = scope["method"].lower(), scope["path"]
        operation = next((one for one in self._operations.get(method, ()) if one.path.fullmatch(path)), None)
        if operation is None:
            self._broken.append(f"{method} {path} is not published")
            return
        wrong = [*operation.request(scope["query_string"].decode(), heard), *operation.answer(status, headers, body)]
        self._broken += [f"{operation.name}: {one}" for one in wrong]
