"""HTTP to CI systems: in our errors, without following anybody elsewhere, and never with a token in the clear."""

import io
import ssl
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from models.errors import InvalidInputError, PipelineError, UnavailableError

_LARGEST = 16 * 1024 * 1024
"""Bytes of an answer, and of a file in an archive: what we ask for is far smaller."""

_LOCAL = ("127.0.0.1", "localhost")

_Answer = TypeVar("_Answer", bound=BaseModel)


@cache
def _trusted() -> ssl.SSLContext:
    """To read all authorities takes as long as a few requests: once is enough."""
    return httpx2.create_ssl_context(trust_env=False)


class Answered(NamedTuple):
    """A whole answer; `place` is where it sends whoever asks."""

    content: bytes
    place: str | None


class CiHttp:
    """Speaks to one address. `headers` are asked for each time, as secrets change; the timeout is in seconds."""

    def __init__(self, url: str, headers: Callable[[], Mapping[str, str]], timeout: float = 30.0) -> None:
        where = httpx2.URL(url)
        if where.scheme != "https" and where.host not in _LOCAL:
            raise InvalidInputError(f"a token would travel in the clear to {url}", "write https://")
        self.url = url.rstrip("/")
        self._headers = headers
        self._client = httpx2.Client(timeout=timeout, trust_env=False, follow_redirects=False, verify=_trusted())

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        form: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answered:
        """What is answered below the address; UnavailableError, InvalidInputError, PipelineError if it is too long."""
        return self._send(method, f"{self.url}{path}", dict(self._headers()), body, form, params)

    def read(self, kind: type[_Answer], method: str, path: str, **given: object) -> _Answer:
        """The typed answer; UnavailableError, InvalidInputError."""
        answered = self.send(method, path, **given)  # type: ignore[arg-type]
        try:
            return kind.model_validate_json(answered.content)
        except ValidationError as error:
            raise UnavailableError(f"{self.url}{path} answers something else than it should") from error

    def fetch(self, url: str) -> bytes:
        """What a signed address elsewhere gives to whoever knows it: our token does not go there. UnavailableError."""
        return self._send("GET", url, {}, None, None, None).content

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: object,
        form: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
    ) -> Answered:
        try:
            with self._client.stream(method, url, headers=headers, json=body, data=form, params=params) as answered:
                content = _bounded(answered)
        except httpx2.HTTPError as error:
            raise UnavailableError(f"{url} does not answer: {error}", "it is tried again") from error
        if answered.status_code >= 500 or answered.status_code == 429:
            raise UnavailableError(f"{url} answers {answered.status_code}", "it is tried again")
        if answered.status_code >= 400:
            said = f"{method} {url} is refused with {answered.status_code}: {content[:200].decode(errors='replace')}"
            raise InvalidInputError(said, "check MODELOPS_CI and what its token may do")
        return Answered(content, answered.headers.get("location"))


def _bounded(answered: httpx2.Response) -> bytes:
    content = b""
    for part in answered.iter_bytes():
        content += part
        if len(content) > _LARGEST:
            raise PipelineError(f"{answered.url} answers more than {_LARGEST} bytes", "have it leave less")
    return content


def member(archive: bytes, name: str) -> bytes:
    """The one file of a name in a zip, wherever it is in there; PipelineError."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            found = [one for one in opened.infolist() if one.filename.rpartition("/")[2] == name]
            if len(found) != 1 or found[0].file_size > _LARGEST:
                raise PipelineError(f"the artifact has {len(found)} files {name}, or a very long one")
            return opened.read(found[0])
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise PipelineError(f"the artifact is no zip file: {error}") from error
