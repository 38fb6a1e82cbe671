"""HTTP to one repository of a registry: whoever it asks for a secret, or for a token, is given one, and nobody else.

Source: OCI distribution specification 1.1; "Token Authentication" of the CNCF Distribution documentation; RFC 7617.
"""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2
from pydantic import BaseModel, ValidationError

from models.errors import InvalidInputError, ModelopsError, NotPermittedError, UnavailableError, UnknownNameError

_LOCAL = ("127.0.0.1", "localhost")
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
        self._client = httpx2.Client(timeout=timeout, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = _NONE
    ) -> httpx2.Response:
        """What is answered below the repository."""
        url = f"{self._base}{path}"
        return self._twice(lambda: self._client.request(method, url, content=body, headers=self._given(url, headers)))

    def upload(self, url: str, path: Path) -> httpx2.Response:
        """Send a file to where the registry said."""

        def put() -> httpx2.Response:
            headers = {"content-type": "application/octet-stream", "content-length": str(path.stat().st_size)}
            with path.open("rb") as file:
                return self._client.put(url, content=file, headers=self._given(url, headers))

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

    def _given(self, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        """The secret goes to the registry alone, wherever it sends us."""
        ours = self._authorization and url.startswith(f"{self._origin}/")
        return {**headers, "authorization": self._authorization} if ours else {**headers}

    def _twice(self, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
        """Again with what the registry asks for, if it asks."""
        try:
            response = ask()
            if response.status_code == httpx2.codes.UNAUTHORIZED:
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
        if realm.scheme != "https" and realm.host not in _LOCAL:
            raise NotPermittedError(f"the secret would travel in the clear to {realm}", "ask whoever runs the registry")
        parameters = {
            "service": asked.get("service", ""),
            "scope": asked.get("scope") or f"repository:{self._name}:pull,push",
        }
        headers = {"authorization": self._basic()} if self._secret else {}
        response = self._client.get(realm.copy_merge_params(parameters), headers=headers)
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
