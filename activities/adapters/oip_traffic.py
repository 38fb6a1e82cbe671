"""What a champion and its challenger answered, from the traffic log of the inference server where they serve."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx2
from pydantic import BaseModel, ValidationError

from activities.adapters.csv_outcomes import read_outcomes
from models.canonical import Slug
from models.errors import InvalidInputError, NotPermittedError, UnavailableError
from models.inventory import DataContract, Environment
from models.observations import Observations
from models.tally import Tally, observe
from models.traffic import Answer


class _Parameters(BaseModel):
    contract: DataContract


class _Metadata(BaseModel):
    parameters: _Parameters


class OipTraffic:
    """Fits `Traffic`. Give it each environment's inference server, their token, and the folder of the outcomes.

    The data contract that says what the outcomes' label is, and who is protected, is the champion's, as it serves.
    """

    def __init__(self, endpoints: Mapping[Environment, str], token: str, outcomes: Path, timeout: float = 60.0) -> None:
        """`outcomes` holds one folder per model, the timeout is in seconds."""
        self._endpoints = {environment: url.rstrip("/") for environment, url in endpoints.items()}
        self._bearer = {"authorization": f"Bearer {token}"}
        self._outcomes = outcomes
        self._client = httpx2.Client(timeout=timeout, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def observe(
        self, environment: Environment, model: Slug, champion: int, challenger: int, since: datetime
    ) -> Observations:
        """Everything since a moment, of both versions.

        UnavailableError, NotPermittedError if the server expects another token, and the errors of `read_outcomes`.
        """
        if environment not in self._endpoints:
            raise InvalidInputError(
                f"what versions answer in {environment} is not known: it is no local target",
                "try challengers elsewhere",
            )
        url, until = f"{self._endpoints[environment]}/v2/models/{model}", datetime.now(UTC)
        try:
            contract = self._contract(f"{url}/versions/{champion}")
            tallies = self._tallies(f"{url}/traffic", since, (champion, challenger))
        except (httpx2.HTTPError, ValidationError) as error:
            raise UnavailableError(
                f"what '{model}' answers in {environment} cannot be read at {url}: {error}",
                "is its inference server up?",
            ) from error
        outcomes = read_outcomes(self._outcomes / model, contract)
        return observe(tallies[champion], tallies[challenger], outcomes, contract, since, until)

    def _contract(self, url: str) -> DataContract:
        response = self._client.get(url).raise_for_status()
        return _Metadata.model_validate_json(response.content).parameters.contract

    def _tallies(self, url: str, since: datetime, versions: tuple[int, int]) -> Mapping[int, Tally]:
        tallies = {version: Tally() for version in versions}
        asked = {"since": since.isoformat(), "versions": ",".join(map(str, versions))}
        with self._client.stream("GET", url, params=asked, headers=self._bearer) as response:
            if response.status_code == httpx2.codes.UNAUTHORIZED:
                remedy = "set the same MODELOPS_DEPLOY_TOKEN for the actuator and the inference servers"
                raise NotPermittedError(f"{url} expects another deploy token", remedy)
            for line in response.raise_for_status().iter_lines():
                answer = Answer.model_validate_json(line)
                tallies[answer.version].add(answer)
        return tallies
