"""The Kubernetes API over HTTP: objects as plain JSON, written by server-side apply, watched until something is so.

Source: Kubernetes documentation, "Server-Side Apply" and "API Concepts" (efficient detection of changes).
"""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx2

from models.errors import ConflictError, InvalidInputError, ModelopsError, NotPermittedError, UnavailableError

Thing = dict[str, Any]
"""An object as the API spells it."""

MANAGER = "modelops"
_REFUSALS: Mapping[int, type[ModelopsError]] = {
    401: NotPermittedError,
    403: NotPermittedError,
    409: ConflictError,
    429: UnavailableError,
}
_APPLY = "application/apply-patch+yaml"
_WATCH_SECONDS = 30
"""So long one watch lasts at most; then it is begun anew, until the deadline."""


class KubernetesApi:
    """One namespace of a cluster, at `url`.

    `token` is asked for at every request, so that one that was renewed counts at once; it is in no message.
    `authority` is the PEM file of who vouches for the cluster.
    """

    def __init__(
        self, url: str, namespace: str, token: Callable[[], str], authority: str | None = None, timeout: float = 10.0
    ) -> None:
        self._url = url.rstrip("/")
        self._namespace = namespace
        self._token = token
        verify = ssl.create_default_context(cafile=authority) if authority else True
        self._client = httpx2.Client(timeout=timeout, verify=verify, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, group: str, kind: str, name: str) -> Thing | None:
        """An object; None if there is none. `group` is as in `apis/serving.kserve.io/v1beta1`, `kind` in the plural."""
        return self._send("GET", self._path(group, kind, name))

    def select(self, group: str, kind: str, labels: Mapping[str, str]) -> list[Thing]:
        """The objects that have all of some labels; none if the cluster knows no such kind."""
        chosen = {"labelSelector": ",".join(f"{name}={value}" for name, value in labels.items())}
        found = self._send("GET", self._path(group, kind), parameters=chosen)
        return list(found["items"]) if found else []

    def apply(self, group: str, kind: str, thing: Thing) -> Thing:
        """Have an object be as it is said, whoever said otherwise before; what is left out is not ours any more."""
        path = self._path(group, kind, thing["metadata"]["name"])
        parameters = {"fieldManager": MANAGER, "force": "true"}
        return self._sent("PATCH", path, thing, parameters, _APPLY)

    def write(self, group: str, kind: str, thing: Thing) -> Thing:
        """Create an object, or replace the one of its `resourceVersion`; ConflictError if it has another by now."""
        name, parameters = thing["metadata"]["name"], {"fieldManager": MANAGER}
        if "resourceVersion" in thing["metadata"]:
            return self._sent("PUT", self._path(group, kind, name), thing, parameters)
        return self._sent("POST", self._path(group, kind), thing, parameters)

    def delete(self, group: str, kind: str, name: str) -> None:
        """Delete an object; no error if there is none."""
        self._send("DELETE", self._path(group, kind, name))

    def watch_until(
        self, group: str, kind: str, name: str, so: Callable[[Thing | None], bool], within: float
    ) -> Thing | None:
        """The object (None: there is none) when something first is so of it, seconds from now at most.

        UnavailableError at the deadline. Whatever `so` raises ends the watch.
        """
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            found = self.get(group, kind, name)
            if so(found):
                return found
            for changed in self._changes(group, kind, name, found, deadline):
                if so(changed):
                    return changed
        raise UnavailableError(
            f"{kind}/{name} in namespace '{self._namespace}' did not become ready within {within:g} s",
            f"`kubectl -n {self._namespace} describe {kind} {name}` tells what it waits for",
        )

    def _changes(self, group: str, kind: str, name: str, known: Thing | None, deadline: float) -> Iterator[Thing]:
        """The object each time that it changes. Ends when the server ends the watch, or has forgotten the version."""
        seconds = max(1, min(_WATCH_SECONDS, int(deadline - time.monotonic())))
        parameters = {
            "watch": "true",
            "fieldSelector": f"metadata.name={name}",
            "timeoutSeconds": str(seconds),
            **({"resourceVersion": known["metadata"]["resourceVersion"]} if known else {}),
        }
        url = f"{self._url}{self._path(group, kind)}"
        try:
            with self._client.stream(
                "GET", url, params=parameters, headers=self._headers(), timeout=seconds + 5
            ) as got:
                if got.status_code != httpx2.codes.OK:
                    got.read()
                    self._refuse(got, url)
                for line in got.iter_lines():
                    event = json.loads(line)
                    if event["type"] not in ("ADDED", "MODIFIED"):
                        return
                    yield event["object"]
        except (httpx2.TransportError, ValueError, KeyError) as error:
            raise self._unreachable(error) from error

    def _sent(
        self, method: str, path: str, thing: Thing, parameters: Mapping[str, str], kind: str = "application/json"
    ) -> Thing:
        found = self._send(method, path, thing, parameters, kind)
        if found is None:
            raise InvalidInputError(
                f"the cluster at {self._url} knows nothing of {path}",
                "is KServe installed there, and is the namespace right?",
            )
        return found

    def _send(
        self,
        method: str,
        path: str,
        thing: Thing | None = None,
        parameters: Mapping[str, str] | None = None,
        kind: str = "application/json",
    ) -> Thing | None:
        url = f"{self._url}{path}"
        headers = {**self._headers(), "content-type": kind}
        body = None if thing is None else json.dumps(thing).encode()
        try:
            response = self._client.request(method, url, params=parameters, content=body, headers=headers)
            if response.status_code == httpx2.codes.NOT_FOUND:
                return None
            if not response.is_success:
                self._refuse(response, url)
            found: Thing = response.json()
        except (httpx2.TransportError, ValueError) as error:
            raise self._unreachable(error) from error
        return found

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._token()}", "accept": "application/json"}

    def _path(self, group: str, kind: str, name: str = "") -> str:
        return f"/{group}/namespaces/{self._namespace}/{kind}{f'/{name}' if name else ''}"

    def _refuse(self, response: httpx2.Response, url: str) -> None:
        status = response.status_code
        refusal = UnavailableError if status >= 500 else _REFUSALS.get(status, InvalidInputError)
        remedy = "may the actuator's account read and write this in the namespace?" if status in (401, 403) else ""
        raise refusal(f"the cluster answered {status} at {url}: {_message(response)}", remedy)

    def _unreachable(self, error: Exception) -> UnavailableError:
        return UnavailableError(
            f"the cluster does not answer at {self._url}: {str(error) or type(error).__name__}",
            "is the cluster up, and is its address in MODELOPS_ENVIRONMENTS right?",
        )


def _message(response: httpx2.Response) -> str:
    """What a `Status` object says."""
    try:
        return str(response.json()["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return response.text[:200]
