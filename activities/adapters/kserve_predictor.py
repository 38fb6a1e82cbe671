"""Asks versions that KServe has loaded, each by the tag of its revision."""

from collections.abc import Callable

import httpx2

from activities.adapters.inference_request import ask
from activities.adapters.kserve_service import GROUP, KIND, Service, service_name
from activities.adapters.kubernetes_api import KubernetesApi
from models.answers import Asked
from models.canonical import Slug
from models.environments import KServe, bundle_uri
from models.errors import SmokeTestError
from models.inventory import Environment
from models.placement import Placed


class KServePredictor:
    """Fits `Predictor`, for one environment. `token` tells the bearer token each time that it is needed."""

    def __init__(self, settings: KServe, token: Callable[[], str], timeout: float = 10.0) -> None:
        self._settings = settings
        self._api = KubernetesApi(settings.api, settings.namespace, token, settings.authority)
        self._client = httpx2.Client(timeout=timeout, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()
        self._client.close()

    def predict(self, environment: Environment, model: Slug, placed: Placed, request: str) -> Asked:
        """The answer of the latest revision, if it is of this version, or of the one before; SmokeTestError."""
        name = service_name(model)
        if (found := self._api.get(GROUP, KIND, name)) is None:
            raise SmokeTestError(f"there is no inferenceservices/{name} in namespace '{self._settings.namespace}'")
        service = Service(found)
        is_latest = service.storage == bundle_uri(self._settings.bundles, model, placed.bundle)
        route = service.route(latest=is_latest)
        if route is None:
            raise SmokeTestError(f"inferenceservices/{name} has no revision of version {placed.version}")
        return ask(self._client, f"{(route.url or service.url).rstrip('/')}/v2/models/{name}/infer", request)
