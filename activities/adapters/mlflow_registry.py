"""The model registry of MLflow, by its REST API: what is registered there, and its aliases.

https://mlflow.org/docs/latest/rest-api.html
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from activities.registry_ports import RegistryVersion
from models.errors import InvalidInputError, UnavailableError

ALIAS = "champion"
TAG = "modelops"
DOCUMENT = "modelops.json"
"""The artifact of a run in which a version is handed in, as `modelops submit --print` wrote it."""

_LARGEST = 256 * 1024
_PAGE = 200
_PROXIED = "mlflow-artifacts:/"


class _Tag(BaseModel):
    key: str
    value: str = ""


class _Version(BaseModel):
    name: str
    version: str
    run_id: str = ""
    tags: tuple[_Tag, ...] = ()


class _Versions(BaseModel):
    model_versions: tuple[_Version, ...] = ()
    next_page_token: str = ""


class _Alias(BaseModel):
    alias: str
    version: str


class _Model(BaseModel):
    aliases: tuple[_Alias, ...] = ()


class _Registered(BaseModel):
    registered_model: _Model


class _Info(BaseModel):
    artifact_uri: str


class _RunOf(BaseModel):
    info: _Info


class _Run(BaseModel):
    run: _RunOf


_Answer = TypeVar("_Answer", bound=BaseModel)


class MlflowRegistry:
    """Fits `Registry`. `token` tells the bearer token, if the server wants one; the timeout is in seconds."""

    def __init__(self, url: str, token: Callable[[], str] | None = None, timeout: float = 10.0) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._client = httpx2.Client(timeout=timeout, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def versions(self, name: str) -> Sequence[RegistryVersion]:
        """Every version under a name, oldest first; UnavailableError."""
        return sorted(self._versions(name), key=lambda one: int(one.number))

    def _versions(self, name: str) -> Iterator[RegistryVersion]:
        page = ""
        while True:
            asked = {"filter": f"name='{name}'", "max_results": str(_PAGE), "page_token": page}
            found = _read(_Versions, self._call("GET", "model-versions/search", params=asked))
            for one in found.model_versions:
                note = next((tag.value for tag in one.tags if tag.key == TAG), "")
                yield RegistryVersion(one.name, one.version, one.run_id, note)
            if not (page := found.next_page_token):
                return

    def document(self, version: RegistryVersion) -> bytes | None:
        """What the version's run keeps as `modelops.json`; None if it keeps nothing, or elsewhere. UnavailableError."""
        if not version.run:
            return None
        run = _read(_Run, self._call("GET", "runs/get", params={"run_id": version.run})).run.info
        if not run.artifact_uri.startswith(_PROXIED):
            return None
        path = f"{run.artifact_uri.removeprefix(_PROXIED)}/{DOCUMENT}"
        answered = self._send("GET", f"{self._url}/api/2.0/mlflow-artifacts/artifacts/{path}")
        if answered.status_code == httpx2.codes.NOT_FOUND:
            return None
        content = _accepted(answered).content
        if len(content) > _LARGEST:
            raise InvalidInputError(f"{DOCUMENT} of run {version.run} has more than {_LARGEST} bytes")
        return content

    def champion(self, name: str) -> str | None:
        """Which version the alias points to; UnavailableError."""
        found = _read(_Registered, self._call("GET", "registered-models/get", params={"name": name}))
        return next((one.version for one in found.registered_model.aliases if one.alias == ALIAS), None)

    def point(self, name: str, number: str | None) -> None:
        """Have the alias point to a version, or to none; UnavailableError."""
        body = {"name": name, "alias": ALIAS}
        if number is None:
            self._call("DELETE", "registered-models/alias", body)
        else:
            self._call("POST", "registered-models/alias", body | {"version": number})

    def note(self, version: RegistryVersion, text: str) -> None:
        """Leave a word about a version where its people look, as the tag `modelops`; UnavailableError."""
        body = {"name": version.name, "version": version.number, "key": TAG, "value": text[:500]}
        self._call("POST", "model-versions/set-tag", body)

    def _call(
        self, method: str, path: str, body: object = None, params: dict[str, str] | None = None
    ) -> httpx2.Response:
        return _accepted(self._send(method, f"{self._url}/api/2.0/mlflow/{path}", body, params))

    def _send(
        self, method: str, url: str, body: object = None, params: dict[str, str] | None = None
    ) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self._token()}"} if self._token else {}
        try:
            return self._client.request(method, url, json=body, params=params, headers=headers)
        except httpx2.HTTPError as error:
            raise UnavailableError(f"MLflow does not answer at {self._url}: {error}", "is it up?") from error


def _accepted(answered: httpx2.Response) -> httpx2.Response:
    if not answered.is_success:
        said = f"MLflow answers {answered.status_code} at {answered.url.path}: {answered.text[:200]}"
        raise UnavailableError(said, "check MODELOPS_MLFLOW")
    return answered


def _read(kind: type[_Answer], answered: httpx2.Response) -> _Answer:
    try:
        return kind.model_validate_json(answered.content)
    except ValidationError as error:
        raise UnavailableError(f"{answered.url.path} answers something else than MLflow does") from error
