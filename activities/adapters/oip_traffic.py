"""What a champion and its challenger answered, from the traffic log of the inference server where they serve."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx2
from pydantic import BaseModel, ValidationError

from activities.adapters.csv_outcomes import outcome_files, read_outcomes
from activities.adapters.sqlite_cases import SqliteCases, writing
from models.canonical import Slug, digest
from models.errors import InvalidInputError, NotPermittedError, UnavailableError
from models.inventory import DataContract, Environment
from models.observations import Observations
from models.tally import Side, Tally, observe
from models.traffic import Answer, Position

_AT_ONCE = 20_000
"""So many answers are counted in the memory, and kept."""


class _Parameters(BaseModel):
    contract: DataContract


class _Metadata(BaseModel):
    parameters: _Parameters


class OipTraffic:
    """Fits `Traffic`. Give it each environment's inference server, their token, and the folder of the outcomes.

    The data contract that says what the outcomes' label is, and who is protected, is the champion's, as it serves.
    Each look reads what is new since the last one; what was counted is kept in a file for each environment and model.
    """

    def __init__(
        self, endpoints: Mapping[Environment, str], token: str, outcomes: Path, kept: Path, timeout: float = 60.0
    ) -> None:
        """`outcomes` holds one folder per model, `kept` what was counted; the timeout is in seconds."""
        self._endpoints = {environment: url.rstrip("/") for environment, url in endpoints.items()}
        self._bearer = {"authorization": f"Bearer {token}"}
        self._outcomes = outcomes
        self._kept = kept
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
        file, subject = self._kept / f"{environment}-{model}.db", f"{champion} {challenger} {since.isoformat()}"
        try:
            contract = self._contract(f"{url}/versions/{champion}")
            with writing(file, subject) as cases:
                self._count(f"{url}/traffic", since, (champion, challenger), cases)
        except (httpx2.HTTPError, ValidationError) as error:
            raise UnavailableError(
                f"what '{model}' answers in {environment} cannot be read at {url}: {error}",
                "is its inference server up?",
            ) from error
        with writing(file, subject) as cases:
            self._learn(self._outcomes / model, contract, cases)
            ours, theirs = (Side(cases.counts(one), cases.sums(one)) for one in (champion, challenger))
        return observe(ours, theirs, contract, since, until)

    def _contract(self, url: str) -> DataContract:
        response = self._client.get(url).raise_for_status()
        return _Metadata.model_validate_json(response.content).parameters.contract

    def _count(self, url: str, since: datetime, versions: tuple[int, int], cases: SqliteCases) -> None:
        """Count what came after what is counted already."""
        tallies = {version: Tally() for version in versions}
        for count, answer in enumerate(self._answers(url, since, versions, cases), 1):
            tallies[answer.version].add(answer)
            if count % _AT_ONCE == 0:
                cases.count(tallies)
                tallies = {version: Tally() for version in versions}
        cases.count(tallies)

    def _answers(self, url: str, since: datetime, versions: tuple[int, int], cases: SqliteCases) -> Iterator[Answer]:
        """What is new; its last line says how far the log was read, and that nothing is missing."""
        asked = {
            "since": since.isoformat(),
            "versions": ",".join(map(str, versions)),
            "position": cases.position.model_dump_json(),
        }
        last = ""
        with self._client.stream("GET", url, params=asked, headers=self._bearer) as response:
            if response.status_code == httpx2.codes.UNAUTHORIZED:
                remedy = "set the same MODELOPS_DEPLOY_TOKEN for the actuator and the inference servers"
                raise NotPermittedError(f"{url} expects another deploy token", remedy)
            for line in response.raise_for_status().iter_lines():
                if last:
                    yield Answer.model_validate_json(last)
                last = line
        cases.read_up_to(Position.model_validate_json(last))

    def _learn(self, folder: Path, contract: DataContract, cases: SqliteCases) -> None:
        """Read the outcomes that are new, or all if what was read has changed, or is read in another way."""
        files = {f"{digest(contract)} {_stamp(path)}": path for path in outcome_files(folder)}
        for stamp in list(files)[cases.learned(list(files)) :]:
            cases.learn(stamp, read_outcomes(files[stamp], contract))


def _stamp(path: Path) -> str:
    """What changes when a file does."""
    seen = path.stat()
    return json.dumps([path.name, seen.st_size, seen.st_mtime_ns])
