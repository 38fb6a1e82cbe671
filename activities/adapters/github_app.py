"""GitHub's REST API, spoken to as a GitHub App: who it is, and a token for each installation.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import httpx2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pydantic import BaseModel, ValidationError

from models.errors import InvalidInputError, NotPermittedError, UnavailableError

_BEFORE, _AFTER = 60, 540
"""Seconds for which a token of the App counts: from a minute ago, against clocks that differ, for under ten minutes."""


_Answer = TypeVar("_Answer", bound=BaseModel)


class _Token(BaseModel):
    token: str


class GithubApp:
    """Speaks to one host alone. `key` is the App's private key, a PEM file; the timeout is in seconds."""

    def __init__(
        self,
        api: str,
        app: str,
        key: Path,
        timeout: float = 10.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.api = api.rstrip("/")
        self._app = app
        self._key = key
        self._clock = clock
        self._client = httpx2.Client(timeout=timeout, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(self, installation: int, method: str, url: str, body: object = None) -> httpx2.Response:
        """What GitHub answers to an installation of the App; UnavailableError, NotPermittedError."""
        token = self._send("POST", f"{self.api}/app/installations/{installation}/access_tokens", self._identity())
        return self._send(method, url, read_answer(_Token, token).token, body)

    def _identity(self) -> str:
        """A JWT (RFC 7519, RS256) that says which App speaks."""
        now = int(self._clock().timestamp())
        claims = {"iat": now - _BEFORE, "exp": now + _AFTER, "iss": self._app}
        signed = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
        return f"{signed}.{_encoded(self._private().sign(signed.encode(), PKCS1v15(), hashes.SHA256()))}"

    def _private(self) -> RSAPrivateKey:
        try:
            private = serialization.load_pem_private_key(self._key.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise InvalidInputError(f"the App's key {self._key} cannot be used", "check MODELOPS_GITHUB") from error
        if not isinstance(private, RSAPrivateKey):
            raise InvalidInputError(f"the App's key {self._key} is no RSA key", "check MODELOPS_GITHUB")
        return private

    def _send(self, method: str, url: str, token: str, body: object = None) -> httpx2.Response:
        headers = {
            "accept": "application/vnd.github+json",
            "authorization": f"Bearer {token}",
            "x-github-api-version": "2022-11-28",
        }
        try:
            answered = self._client.request(method, url, json=body, headers=headers)
        except httpx2.TransportError as error:
            raise UnavailableError(f"GitHub does not answer at {url}: {error}", "is the address right?") from error
        if answered.status_code in (401, 403, 404):
            raise NotPermittedError(
                f"GitHub answers {answered.status_code} at {url}",
                "the App needs read access to actions and write access to deployments of the repository",
            )
        if not answered.is_success:
            raise UnavailableError(f"GitHub answers {answered.status_code} at {url}: {answered.text[:200]}")
        return answered


def _part(value: object) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read_answer(kind: type[_Answer], answered: httpx2.Response) -> _Answer:
    """The typed answer; UnavailableError if it is none of GitHub's."""
    try:
        return kind.model_validate_json(answered.content)
    except ValidationError as error:
        raise UnavailableError(f"{answered.url} answers something else than GitHub does") from error
