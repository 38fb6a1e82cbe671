"""How versions answer, as the inference servers of ours count it."""

from collections.abc import Mapping

import httpx2
from pydantic import ValidationError

from models.canonical import Slug
from models.errors import InvalidInputError, UnavailableError
from models.inventory import Environment
from models.metrics import Period
from models.service import ServiceReport


class OipService:
    """Fits `Service`. Give it the URL of each environment's inference server and a timeout in seconds."""

    def __init__(self, endpoints: Mapping[Environment, str], timeout: float = 60.0) -> None:
        self._endpoints = {environment: url.rstrip("/") for environment, url in endpoints.items()}
        self._client = httpx2.Client(timeout=timeout, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def read(self, environment: Environment, model: Slug, version: int, period: Period) -> ServiceReport:
        """What a version was asked in a period; UnavailableError, InvalidInputError where no server of ours is."""
        if environment not in self._endpoints:
            raise InvalidInputError(
                f"what versions answer in {environment} is not known: it is no inference server of ours",
                "give the KPI a name of its own and a `metric`, as of its Prometheus",
            )
        url = f"{self._endpoints[environment]}/v2/models/{model}/versions/{version}/service"
        asked = {"since": period.since.isoformat(), "until": period.until.isoformat()}
        try:
            response = self._client.get(url, params=asked).raise_for_status()
            return ServiceReport.model_validate_json(response.content)
        except (httpx2.HTTPError, ValidationError) as error:
            raise UnavailableError(
                f"how '{model}' answers in {environment} cannot be read at {url}: {error}",
                "is its inference server up?",
            ) from error
