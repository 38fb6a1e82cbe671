"""HTTP to one repository of a registry: whoever it asks for a secret, or for a token, is given one, and nobody else.

Source: OCI distribution specification 1.1; "Token Authentication" of the CNCF Distribution documentation; RFC 7617.
"""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import httpx2
from pydantic import BaseModel, ValidationError

from models.errors import InvalidInputError, ModelopsError, NotPermittedError, UnavailableError, UnknownNameError

LONGEST = 4 * 1024 * 1024
"""Bytes of a manifest, a list, a token."""

_LOCAL = ("127.0.0.1", "localhost")
_ASK = "ask whoever runs the registry"
_OF_TRANSPORT = ("content-encoding", "content-length", "transfer-encoding")
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_NONE: Mapping[str, str] = {}
_REFUSALS: Mapping[int, type[ModelopsError]] = {401: NotPermittedError, 403: NotPermittedError, 404: UnknownNameError}


class _Token(BaseModel):
    token: str = ""
    access_token: str = ""


class RegistryAccess:
    """`host` is spoken to over TLS, but for this machine. UnavailableError if it does not answer."""

    def __init__(self, host: str, name: str, secret: Callable[[], str] | None, timeout: float) -> None:
        scheme = "http" if host.partition(":")[0] in _LOCAL else "https"
        self._origin = f"{scheme}://{host}"
        self._base = f"{self._origin}/v2/{name}"
        self._name = name
        self._secret = secret
        self._authorization = ""
        hooks = {"request": [self._demand_sealed]}
        self._client = httpx2.Client(timeout=timeout, trust_env=False, follow_redirects=False, event_hooks=hooks)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = _NONE
    ) -> httpx2.Response:
        """What is answered below the repository; UnavailableError if it is too long."""
        url = f"{self._base}{path}"
        return self._twice(lambda: self._whole(method, url, self._given(url, headers), body))

    def upload(self, url: str, path: Path) -> httpx2.Response:
        """Send a file to where the registry said."""

        def put() -> httpx2.Response:
            headers = {"content-type": "application/octet-stream", "content-length": str(path.stat().st_size)}
            with path.open("rb") as file:
                return self._whole("PUT", url, self._given(url, headers), file)

        return self._twice(put)

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str] = _NONE) -> Iterator[httpx2.Response]:
        """What is answered below the repository, piece by piece, perhaps by a server that the registry names."""
        url = f"{self._base}{path}"
        self._twice(lambda: self._client.request("HEAD", url, headers=self._given(url, headers)))
        try:
            with self._client.stream("GET", url, headers=self._given(url, headers), follow_redirects=True) as response:
                yield response
        except httpx2.HTTPError as error:
            raise self._silent(error) from error

    def _whole(
        self, method: str, url: str | httpx2.URL, headers: Mapping[str, str], body: bytes | BinaryIO | None = None
    ) -> httpx2.Response:
        with self._client.stream(method, url, content=body, headers=headers) as response:
            content = b""
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > LONGEST:
                    raise UnavailableError(f"{response.url.host} answers more than {LONGEST} bytes", _ASK)
        said = {name: value for name, value in response.headers.items() if name not in _OF_TRANSPORT}
        return httpx2.Response(response.status_code, headers=said, content=content, request=response.request)

    def _demand_sealed(self, request: httpx2.Request) -> None:
        """Wherever a registry elsewhere leads, it is over TLS."""
        here = request.url.host in _LOCAL and self._origin.startswith("http:")
        if request.url.scheme != "https" and not here:
            place = request.url.copy_with(query=None)
            raise NotPermittedError(f"the registry leads in the clear to {place}", _ASK)

    def _given(self, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        """The secret goes to the registry alone, wherever it sends us."""
        ours = self._authorization and url.startswith(f"{self._origin}/")
        return {**headers, "authorization": self._authorization} if ours else {**headers}

    def _twice(self, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
        """Again with what the registry asks for, if it asks: whom it has sent us to learns nothing by asking."""
        try:
            response = ask()
            ours = response.url.origin == httpx2.URL(self._origin).origin
            if response.status_code == httpx2.codes.UNAUTHORIZED and ours:
                self._authorize(response.headers.get("www-authenticate", ""))
                response = ask()
            return response
        except httpx2.HTTPError as error:
            raise self._silent(error) from error

    def _authorize(self, challenge: str) -> None:
        scheme, _, rest = challenge.partition(" ")
        asked = dict(_CHALLENGE.findall(rest))
        if scheme.lower() == "bearer" and "realm" in asked:
            self._authorization = f"Bearer {self._token(asked)}"
        else:
            self._authorization = self._basic()

    def _basic(self) -> str:
        if self._secret is None:
            host = self._origin.partition("://")[2]
            raise NotPermittedError(
                f"the registry {host} asks who comes",
                f'say where its user:password is: MODELOPS_REGISTRIES=\'{{"{host}": {{"env": "REGISTRY_SECRET"}}}}\'',
            )
        return f"Basic {base64.b64encode(self._secret().encode()).decode()}"

    def _token(self, asked: Mapping[str, str]) -> str:
        realm = httpx2.URL(asked["realm"])
        parameters = {
            "service": asked.get("service", ""),
            "scope": asked.get("scope") or f"repository:{self._name}:pull,push",
        }
        headers = {"authorization": self._basic()} if self._secret else {}
        response = self._whole("GET", realm.copy_merge_params(parameters), headers)
        refuse(response, "GET", str(realm))
        try:
            told = _Token.model_validate_json(response.content)
        except ValidationError as error:
            raise UnavailableError(f"{realm} answers something else than a token") from error
        return told.token or told.access_token

    def _silent(self, error: Exception) -> UnavailableError:
        return UnavailableError(
            f"the registry at {self._origin} does not answer: {str(error) or type(error).__name__}",
            "is it up, and is its name right?",
        )


def refuse(response: httpx2.Response, method: str, what: str) -> None:
    """A refusal as our error; nothing if there is none."""
    if response.is_success:
        return
    status = response.status_code
    response.read()
    refusal = UnavailableError if status >= 500 or status == 429 else _REFUSALS.get(status, InvalidInputError)
    remedy = "may this user read and write that repository?" if status in (401, 403) else ""
    raise refusal(f"{method} {what} is refused with {status}: {response.text[:300]}", remedy)
