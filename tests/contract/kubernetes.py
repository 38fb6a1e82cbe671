"""The Kubernetes API over HTTP, as far as one manager of one namespace needs it; and the way to what is served there.

Source: Kubernetes documentation, "API Concepts" and "Server-Side Apply".
"""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from tests.contract.fuse import BLOWN, Fuse

NAMESPACE = "models-prod"
TOKEN = "the-token-of-the-cluster"

Thing = dict[str, Any]
_OBJECT = re.compile(rf"/(apis?/.+)/namespaces/{NAMESPACE}/(inferenceservices|configmaps|revisions)(?:/([a-z0-9.-]+))?")
_INFER = re.compile(r"/(revisions|services)/([a-z0-9-]+)/v2/models/([a-z0-9-]+)/infer")


class Backend(Protocol):
    """What keeps the objects."""

    fuse: Fuse
    forbidden: bool
    things: dict[tuple[str, str], Thing]
    changed: threading.Condition

    def keep(self, kind: str, name: str, thing: Thing) -> Thing:
        """Store an object."""

    def apply(self, name: str, given: Thing) -> Thing:
        """Store what a manager says of a service."""

    def delete(self, kind: str, name: str) -> bool:
        """Whether there was such an object."""

    def infer(self, where: str, name: str, request: Thing) -> Thing:
        """The answer of a revision, or of a service."""


class Handler(BaseHTTPRequestHandler):
    """Answers for a cluster: a subclass names it."""

    cluster: "Backend"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *given: object) -> None:
        """Nothing."""

    def handle_one(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length) if length else b""
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if found := _INFER.fullmatch(parts.path):
            self._infer(found[1], found[2], json.loads(body))
            return
        if self.cluster.fuse.blown:
            self._reply(BLOWN, {"message": "whoever asks is dead"})
            return
        if query.get("watch") == "true":
            self._watch(query)
            return
        status, thing = self._do(parts.path, query, json.loads(body or b"{}"))
        self.cluster.fuse.burn()
        if self.cluster.fuse.blown:
            status, thing = BLOWN, {"message": "whoever asks is dead"}
        self._reply(status, thing)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

    def _do(self, path: str, query: dict[str, str], given: Thing) -> tuple[int, Thing]:
        found = _OBJECT.fullmatch(path)
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"kind": "Status", "message": "Unauthorized"}
        if self.cluster.forbidden:
            return 403, {"kind": "Status", "message": "inferenceservices is forbidden: User cannot patch"}
        if found is None:
            return 404, {"kind": "Status", "message": "the server could not find the requested resource"}
        return self._object(found[2], found[3] or given.get("metadata", {}).get("name", ""), query, given)

    def _object(self, kind: str, name: str, query: dict[str, str], given: Thing) -> tuple[int, Thing]:
        known = self.cluster.things.get((kind, name))
        match self.command:
            case "GET" if not name:
                return 200, {"kind": "List", "items": self._selected(kind, query["labelSelector"])}
            case "GET":
                return (200, known) if known else (404, {"message": f'{kind} "{name}" not found'})
            case "PATCH":
                if self.headers["content-type"] != "application/apply-patch+yaml" or "fieldManager" not in query:
                    return 415, {"message": "the body of the request was in an unknown format"}
                return 200, self.cluster.apply(name, given)
            case "POST":
                if known:
                    return 409, {"message": f'{kind} "{name}" already exists'}
                return 201, self.cluster.keep(kind, name, given)
            case "PUT":
                if not known or given["metadata"]["resourceVersion"] != known["metadata"]["resourceVersion"]:
                    return 409, {"message": "the object has been modified; please apply your changes"}
                return 200, self.cluster.keep(kind, name, given)
            case _:
                return (200, {}) if self.cluster.delete(kind, name) else (404, {"message": "not found"})

    def _selected(self, kind: str, selector: str) -> list[Thing]:
        wanted = dict(one.split("=", 1) for one in selector.split(","))
        known = [thing for (one, _), thing in self.cluster.things.items() if one == kind]
        return [one for one in known if wanted.items() <= one["metadata"].get("labels", {}).items()]

    def _watch(self, query: dict[str, str]) -> None:
        name, seen = query["fieldSelector"].removeprefix("metadata.name="), int(query.get("resourceVersion", "0"))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        until = time.monotonic() + int(query["timeoutSeconds"])
        while (left := until - time.monotonic()) > 0:
            with self.cluster.changed:
                thing = self.cluster.things.get(("inferenceservices", name))
                if thing is None or int(thing["metadata"]["resourceVersion"]) <= seen:
                    self.cluster.changed.wait(left)
                    continue
                seen = int(thing["metadata"]["resourceVersion"])
                line = json.dumps({"type": "MODIFIED", "object": thing}).encode() + b"\n"
            try:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            except OSError:
                return
        self.wfile.write(b"0\r\n\r\n")

    def _infer(self, where: str, name: str, request: Thing) -> None:
        self._reply(200, self.cluster.infer(where, name, request))

    def _reply(self, status: int, thing: Thing) -> None:
        body = json.dumps(thing).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
