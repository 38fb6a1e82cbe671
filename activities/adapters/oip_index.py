"""What inference servers that speak the Open Inference Protocol v2 serve: read, and nothing changed."""

from collections.abc import Mapping

import httpx2
from pydantic import BaseModel, TypeAdapter, ValidationError

from models.canonical import Digest
from models.errors import UnavailableError
from models.inventory import Environment
from models.reconciliation import Served, Shelf


class _Entry(BaseModel):
    name: str
    state: str
    reason: str


class _Parameters(BaseModel):
    version: int
    bundle: Digest


class _Model(BaseModel):
    parameters: _Parameters


_INDEX = TypeAdapter(list[_Entry])


class OipIndex:
    """Fits `Environments`. Give it the URL of each environment's inference server and a timeout in seconds."""

    def __init__(self, endpoints: Mapping[Environment, str], timeout: float = 10.0) -> None:
        self._endpoints = {environment: url.rstrip("/") for environment, url in endpoints.items()}
        self._client = httpx2.Client(timeout=timeout, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def serves(self, environment: Environment) -> Shelf:
        """The default version of every model that answers; UnavailableError."""
        if environment not in self._endpoints:
            raise UnavailableError(f"{environment} is no inference server of ours: nobody looks at what it serves")
        url = self._endpoints[environment]
        try:
            index = _INDEX.validate_json(self._read("POST", f"{url}/v2/repository/index"))
            names = [one.name for one in index if (one.state, one.reason) == ("READY", "default")]
            return {name: self._served(url, name) for name in names}
        except (httpx2.HTTPError, ValidationError) as error:
            raise UnavailableError(
                f"what {environment} serves cannot be read at {url}: {error}", "is its inference server up?"
            ) from error

    def _served(self, url: str, name: str) -> Served:
        found = _Model.model_validate_json(self._read("GET", f"{url}/v2/models/{name}")).parameters
        return Served(found.version, found.bundle)

    def _read(self, method: str, url: str) -> bytes:
        return self._client.request(method, url).raise_for_status().content
