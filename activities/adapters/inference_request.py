"""One inference request of the Open Inference Protocol v2 over HTTP, timed."""

import time

import httpx2

from models.answers import Asked
from models.errors import SmokeTestError, UnavailableError

_JSON = {"content-type": "application/json"}
_AWAY = (502, 503, 504)


def ask(client: httpx2.Client, url: str, request: str) -> Asked:
    """The answer, and the seconds until it was here; SmokeTestError if it is a refusal, UnavailableError."""
    begun = time.perf_counter()
    try:
        response = client.post(url, content=request.encode(), headers=_JSON)
    except httpx2.TransportError as error:
        raise UnavailableError(f"{url} does not answer: {str(error) or type(error).__name__}") from error
    seconds = time.perf_counter() - begun
    if response.status_code in _AWAY:
        raise UnavailableError(f"{url} answered {response.status_code}: {response.text[:200]}")
    if not response.is_success:
        raise SmokeTestError(f"{url} answered {response.status_code} to an inference request: {response.text[:200]}")
    return Asked(response.content, seconds)
