"""Asks versions that an inference server of ours has loaded, each at an endpoint of its own."""

import httpx2

from activities.adapters.inference_request import ask
from models.answers import Asked
from models.canonical import Slug
from models.inventory import Environment
from models.placement import Placed


class OipPredictor:
    """Fits `Predictor`, for one environment. Give it the server's URL and a timeout in seconds."""

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        self._url = url.rstrip("/")
        self._client = httpx2.Client(timeout=timeout, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def predict(self, environment: Environment, model: Slug, placed: Placed, request: str) -> Asked:
        """The answer of a version; SmokeTestError, UnavailableError."""
        return ask(self._client, f"{self._url}/v2/models/{model}/versions/{placed.version}/infer", request)
