"""Deployment to inference servers that speak the Open Inference Protocol v2, one per environment.

A bundle is loaded beside what serves and has to answer its own sample request there; only then does the server
switch, or divide the requests. Load and unload are the protocol's model repository extension, the rest is our own.
"""

import contextlib
import math
from collections.abc import Mapping
from typing import TypeVar

import httpx2
from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from models.canonical import Digest, Slug
from models.errors import (
    ConflictError,
    InvalidInputError,
    ModelopsError,
    NotPermittedError,
    SmokeTestError,
    UnavailableError,
    UnknownNameError,
)
from models.evidence import EffectKey
from models.inventory import Environment
from models.traffic import Split

_REFUSALS: Mapping[int, type[ModelopsError]] = {401: NotPermittedError, 404: UnknownNameError, 409: ConflictError}
_NOBODY: Mapping[str, str] = {}
_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
_Answer = TypeVar("_Answer", bound=BaseModel)


class _Failure(BaseModel):
    error: str


class _Loaded(BaseModel):
    applied: bool
    default: Digest | None


class _Done(BaseModel):
    """What switch and unload answer is of no use: both succeed once and are no-ops after that."""


class _Input(BaseModel):
    shape: tuple[int, ...]


class _Sample(BaseModel):
    inputs: tuple[_Input, ...]

    @property
    def rows(self) -> int:
        return self.inputs[0].shape[0]


class _Output(BaseModel):
    name: str
    data: list[float | None]


class _Prediction(BaseModel):
    model_version: str
    outputs: tuple[_Output, ...]


class OipDeployer:
    """Fits `Deployer`. Give it the URL of each environment's inference server, their token, a timeout in seconds."""

    def __init__(self, endpoints: Mapping[Environment, str], token: str, timeout: float = 10.0) -> None:
        for environment, url in endpoints.items():
            if not url.startswith(("http://", "https://")):
                raise InvalidInputError(f"the inference server of {environment} is '{url}', which is not an HTTP URL")
        self._endpoints = {environment: url.rstrip("/") for environment, url in endpoints.items()}
        self._token = token
        self._client = httpx2.Client(timeout=timeout, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def deploy(self, environment: Environment, model: Slug, version: int, bundle: Digest, key: EffectKey) -> str:
        """Load beside what serves, prove it by real predictions, then switch; the URL that answers predictions.

        SmokeTestError: the new version did not answer as it must, and what served before still serves.
        InvalidInputError: the server refuses the bundle. UnavailableError: the server does not answer.
        NotPermittedError: it expects another token.
        """
        path, loaded = f"/v2/models/{model}", self._bring(environment, model, version, bundle, key)
        if not loaded.applied:
            self._manage(environment, model, "switch", _order(environment, version, bundle, key), _Done)
        if not loaded.applied or loaded.default == bundle:
            self._confirm(environment, path, version)
        return f"{self._url(environment)}{path}/infer"

    def divide(self, environment: Environment, model: Slug, split: Split | None, key: EffectKey) -> None:
        """Have a challenger answer its share beside the champion, or none (None): the champion answers all.

        SmokeTestError: the challenger did not answer as it must, and all is as it was. InvalidInputError: the server
        refuses the bundle. ConflictError: there is no champion. UnavailableError, NotPermittedError.
        """
        division = {
            "split": split.model_dump(mode="json") if split else None,
            "idempotency_key": str(key),
            "environment": environment,
        }
        if split is None or not self._bring(environment, model, split.version, split.bundle, key).applied:
            self._manage(environment, model, "divide", division, _Done)

    def withdraw(self, environment: Environment, model: Slug, key: EffectKey) -> None:
        """Stop serving the model; no error if it does not serve. UnavailableError if the server does not answer."""
        self._manage(environment, model, "unload", {"idempotency_key": str(key), "environment": environment}, _Done)

    def _bring(self, environment: Environment, model: Slug, version: int, bundle: Digest, key: EffectKey) -> _Loaded:
        """Load a bundle beside what serves and prove it, unless the key's effect was applied before."""
        path, order = f"/v2/models/{model}", _order(environment, version, bundle, key)
        loaded = self._manage(environment, model, "load", order, _Loaded)
        if not loaded.applied:
            try:
                self._prove(environment, path, version, f"{path}/versions/{version}/infer")
            except SmokeTestError:
                self._discard(environment, model, bundle)
                raise
        return loaded

    def _discard(self, environment: Environment, model: Slug, bundle: Digest) -> None:
        # the smoke test's failure is what must be told; what stays loaded beside is dropped by the next switch
        with contextlib.suppress(ModelopsError):
            self._manage(environment, model, "unload", {"bundle": bundle, "environment": environment}, _Done)

    def _confirm(self, environment: Environment, path: str, version: int) -> None:
        """The endpoint that everybody uses must answer with the new version, too."""
        try:
            self._prove(environment, path, version, f"{path}/infer")
        except SmokeTestError as error:
            raise UnavailableError(f"after the switch, {error}", _remedy(environment)) from error

    def _prove(self, environment: Environment, path: str, version: int, infer: str) -> None:
        """Have the version's sample request answered; SmokeTestError unless every score is a probability."""
        url = f"{self._url(environment)}{infer}"
        sample_body = self._request(environment, "GET", f"{path}/versions/{version}/sample")
        sample = _read(_Sample, sample_body, f"{url}: the sample request")
        response = self._request(environment, "POST", infer, sample_body.content)
        if response.status_code != httpx2.codes.OK:
            raise SmokeTestError(f"{url} answered {response.status_code} to the sample request: {_reason(response)}")
        try:
            prediction = _Prediction.model_validate_json(response.content)
        except ValidationError as error:
            raise SmokeTestError(f"{url} answered the sample request with something else than a prediction") from error
        _judge(prediction, version, sample.rows, url)

    def _manage(
        self, environment: Environment, model: str, verb: str, parameters: Mapping[str, JsonValue], kind: type[_Answer]
    ) -> _Answer:
        body = _JSON.dump_json({"parameters": dict(parameters)})
        path, bearer = f"/v2/repository/models/{model}/{verb}", {"authorization": f"Bearer {self._token}"}
        response = self._request(environment, "POST", path, body, bearer)
        return _read(kind, response, f"{verb} of model '{model}' in {environment}")

    def _request(
        self,
        environment: Environment,
        method: str,
        path: str,
        body: bytes | None = None,
        credentials: Mapping[str, str] = _NOBODY,
    ) -> httpx2.Response:
        url = f"{self._url(environment)}{path}"
        headers = {"content-type": "application/json", **credentials} if body else {}
        try:
            response = self._client.request(method, url, content=body, headers=headers)
        except httpx2.TransportError as error:
            reason = str(error) or type(error).__name__
            raise UnavailableError(
                f"the inference server of {environment} does not answer at {url}: {reason}", _remedy(environment)
            ) from error
        if response.status_code in (502, 503, 504):
            raise UnavailableError(
                f"the inference server of {environment} answered {response.status_code} at {url}: {_reason(response)}",
                _remedy(environment),
            )
        return response

    def _url(self, environment: Environment) -> str:
        if environment not in self._endpoints:
            known = ", ".join(self._endpoints) or "none"
            raise UnknownNameError(
                f"no inference server is configured for {environment}", f"configure its URL; configured: {known}"
            )
        return self._endpoints[environment]


def _order(environment: Environment, version: int, bundle: Digest, key: EffectKey) -> Mapping[str, JsonValue]:
    return {"version": str(version), "bundle": bundle, "idempotency_key": str(key), "environment": environment}


def _remedy(environment: Environment) -> str:
    return f"start it with `modelops up`, or correct the URL that is configured for {environment}"


def _read(kind: type[_Answer], response: httpx2.Response, what: str) -> _Answer:
    """The typed answer; the server's refusal as our error."""
    if response.status_code != httpx2.codes.OK:
        refusal = UnavailableError if response.status_code >= 500 else _REFUSALS.get(response.status_code)
        raise (refusal or InvalidInputError)(f"{what} failed with {response.status_code}: {_reason(response)}")
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        raise UnavailableError(f"{what}: the answer is not that of an inference server of ours") from error


def _reason(response: httpx2.Response) -> str:
    try:
        return _Failure.model_validate_json(response.content).error
    except ValidationError:
        return response.text[:200]


def _judge(prediction: _Prediction, version: int, rows: int, url: str) -> None:
    if prediction.model_version != str(version):
        raise SmokeTestError(f"{url} answered with version {prediction.model_version}, not {version}")
    scores = next((output.data for output in prediction.outputs if output.name == "score"), None)
    if scores is None or len(scores) != rows:
        found = "no score" if scores is None else f"{len(scores)} scores"
        raise SmokeTestError(f"{url} answered {rows} sample rows with {found}")
    for score in scores:
        if score is None or not math.isfinite(score) or not 0 <= score <= 1:
            raise SmokeTestError(f"{url} answered a sample row with the score {score}, which is not a probability")
