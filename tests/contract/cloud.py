"""A real HTTP server that speaks SageMaker and S3: moto, and what moto 5.1 lacks of SageMaker.

moto has no `UpdateEndpoint`, drops `ShadowProductionVariants`, starts every model at once, knows everybody's
credentials, and answers an invocation with what was put into a queue before. All of that is added here, as the Amazon
SageMaker API Reference says it.
"""

import io
import json
import re
from threading import Thread, Timer
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from moto.sagemaker.models import FakeEndpoint, sagemaker_backends
from werkzeug.serving import make_server

from tests.contract.cluster import answer_of
from tests.contract.fuse import BLOWN, Fuse

REGION, BUCKET = "eu-central-1", "bundles"
KEY = "AKIAMODELOPSACTUATOR"
DELAY = 0.01
"""Seconds that an endpoint takes to change."""

_INVOKE = re.compile(r"/endpoints/([A-Za-z0-9-]+)/invocations")


class Cloud:
    """One region with one bucket. `models` tells of each bundle which score its model gives; None: it cannot start."""

    def __init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=MotoRequestHandler)
        self._thread = Thread(target=lambda: self._server.serve_forever(0.02), daemon=True)
        self.models: dict[str, float | None] = {}
        self.fuse = Fuse()
        self.shadows: dict[str, list[dict[str, Any]]] = {}
        self.pointed: list[str] = []
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Answer."""
        self._thread.start()
        self.clear()

    def clear(self) -> None:
        """Have nothing but an empty bucket."""
        self.backend.reset()
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].reset()
        self.models.clear()
        self.shadows.clear()
        self.pointed.clear()
        self.fuse.set(None)
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(BUCKET, REGION)

    def stop(self) -> None:
        """Be gone."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def backend(self) -> Any:
        """What moto keeps."""
        return sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION]

    @property
    def written(self) -> list[tuple[str, str]]:
        """Every object of the bucket, and when it was put there."""
        keys = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[BUCKET].keys
        return [(name, str(key.last_modified)) for name, key in keys.items()]

    def object(self, uri: str) -> bytes:
        """The bytes of an object; KeyError."""
        value: bytes = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[BUCKET].keys[_key(uri)].value
        return value

    def put(self, uri: str, value: bytes | None) -> None:
        """Put something there without us, or (None) take it away."""
        backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        if value is None:
            backend.delete_object(BUCKET, _key(uri))
        else:
            backend.put_object(BUCKET, _key(uri), value)

    def weights(self, endpoint: str) -> dict[str, float]:
        """The bundles that answer, and the weight of each."""
        found = self.backend.endpoints.get(endpoint)
        if found is None:
            return {}
        models = {one["VariantName"]: one["ModelName"] for one in self._config(found.endpoint_config_name)}
        weights = {
            self._bundle(models[one["VariantName"]]): one.get("CurrentWeight", 0) for one in found.production_variants
        }
        return {bundle: weight for bundle, weight in weights.items() if weight}

    def mirrored(self, endpoint: str) -> list[str]:
        """The bundles that are given copies."""
        found = self.backend.endpoints[endpoint].endpoint_config_name
        return [self._bundle(one["ModelName"]) for one in self.shadows.get(found, [])]

    def _config(self, name: str) -> list[dict[str, Any]]:
        variants: list[dict[str, Any]] = self.backend.endpoint_configs[name].production_variants
        return variants

    def _bundle(self, model: str) -> str:
        source: str = self.backend._models[model].primary_container["ModelDataUrl"]
        return "sha256:" + source.removesuffix(".tar.gz")[-64:]

    def _broken(self, config: str) -> bool:
        variants = [*self._config(config), *self.shadows.get(config, [])]
        return any(self.models[self._bundle(one["ModelName"])] is None for one in variants)

    def _answer(self, request: dict[str, Any], respond: Any) -> Any:
        body = request["wsgi.input"].read(int(request.get("CONTENT_LENGTH") or 0))
        request["wsgi.input"] = io.BytesIO(body)
        if self.fuse.blown:
            return _reply(respond, BLOWN, {"message": "whoever asks is dead"})
        if f"Credential={KEY}/" not in request.get("HTTP_AUTHORIZATION", ""):
            return _reply(respond, 403, {"__type": "UnrecognizedClientException", "message": "The token is invalid."})
        if found := _INVOKE.fullmatch(request["PATH_INFO"]):
            variant = request["HTTP_X_AMZN_SAGEMAKER_TARGET_VARIANT"]
            return self._invoke(found[1], variant, json.loads(body), respond)
        answer = self._carry_out(request, body, respond)
        self.fuse.burn()
        return _reply(respond, BLOWN, {"message": "whoever asks is dead"}) if self.fuse.blown else answer()

    def _carry_out(self, request: dict[str, Any], body: bytes, respond: Any) -> Any:
        operation = request.get("HTTP_X_AMZN_TARGET", request.get("HTTP_X_AMZ_TARGET", "")).removeprefix("SageMaker.")
        given = json.loads(body) if operation else {}
        if operation == "UpdateEndpoint":
            return self._update(given, respond)
        if operation == "CreateEndpointConfig" and "ShadowProductionVariants" in given:
            self.shadows[given["EndpointConfigName"]] = given["ShadowProductionVariants"]
        told: list[Any] = []
        answer = list(self._app(request, lambda *what: told.append(what)))
        if operation == "CreateEndpoint":
            self.pointed.append(given["EndpointConfigName"])
            endpoint = self.backend.endpoints[given["EndpointName"]]
            self._change(endpoint, "Creating", "Failed" if self._broken(given["EndpointConfigName"]) else "InService")
        return lambda: (respond(*told[0]), answer)[1]

    def _update(self, given: dict[str, str], respond: Any) -> Any:
        endpoint, config = self.backend.endpoints[given["EndpointName"]], given["EndpointConfigName"]
        if endpoint.endpoint_status != "InService":
            said = {"__type": "ValidationException", "message": "Cannot update in-progress endpoint"}
            return lambda: _reply(respond, 400, said)
        self.pointed.append(config)
        if not self._broken(config):
            endpoint.endpoint_config_name = config
            endpoint.production_variants = endpoint._process_production_variants(self._config(config))
            endpoint.failure_reason = None
            self._change(endpoint, "Updating", "InService")
        else:
            self._change(endpoint, "Updating", "InService", "the container did not pass the ping health check")
        return lambda: _reply(respond, 200, {"EndpointArn": endpoint.arn})

    def _change(self, endpoint: FakeEndpoint, first: str, then: str, reason: str | None = None) -> None:
        def settle() -> None:
            endpoint.endpoint_status, endpoint.failure_reason = then, reason  # type: ignore[assignment]

        endpoint.endpoint_status = first
        Timer(DELAY, settle).start()

    def _invoke(self, endpoint: str, variant: str, given: dict[str, Any], respond: Any) -> Any:
        config = self._config(self.backend.endpoints[endpoint].endpoint_config_name)
        model = next((one["ModelName"] for one in config if one["VariantName"] == variant), None)
        if model is None:
            return _reply(respond, 400, {"__type": "ValidationError", "message": f"Variant {variant} not found"})
        return _reply(respond, 200, answer_of(self.models[self._bundle(model)], given))


def _key(uri: str) -> str:
    return uri.removeprefix(f"s3://{BUCKET}/")


def _reply(respond: Any, status: int, thing: dict[str, Any]) -> list[bytes]:
    respond(f"{status} said", [("Content-Type", "application/x-amz-json-1.1")])
    return [json.dumps(thing).encode()]
