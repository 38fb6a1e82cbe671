"""Metrics from Prometheus: an instant query at the end of a period (HTTP API v1)."""

from collections.abc import Callable
from string import Template

import httpx2

from models.canonical import Slug
from models.errors import InvalidInputError, UnavailableError
from models.metrics import Measurement, Metric, Period, measured

_ANSWERED = 400
_BROKEN = 500


class PrometheusMetrics:
    """Fits `MetricsSource`."""

    def __init__(self, source: Slug, url: str, secret: Callable[[], str] | None = None) -> None:
        """`secret` reads the bearer token each time that it is used."""
        self._source = source
        self._url = url.rstrip("/")
        self._secret = secret

    def read(self, name: Slug, metric: Metric, model: Slug, version: int, period: Period) -> Measurement:
        """The answer, which rests on one observation; InvalidInputError, UnavailableError."""
        seconds = int((period.until - period.since).total_seconds())
        query = Template(metric.query).safe_substitute(model=model, version=version, seconds=f"{seconds}s")
        headers = {"Authorization": f"Bearer {self._secret()}"} if self._secret else {}
        asked = {"query": query, "time": f"{period.until.timestamp():.3f}", "timeout": f"{metric.within}s"}
        where = f"source '{self._source}'"
        try:
            with httpx2.Client(
                timeout=metric.within, headers=headers, trust_env=False, follow_redirects=False
            ) as client:
                answer = client.post(f"{self._url}/api/v1/query", data=asked)
        except httpx2.HTTPError as error:
            raise UnavailableError(f"{where} does not answer: {type(error).__name__}", "is it up?") from error
        if answer.status_code >= _BROKEN:
            raise UnavailableError(f"{where} answers with status {answer.status_code}", "is it well?")
        value = _value(f"metric '{name}' of {where}", answer)
        return measured(name, metric, period, value, 0 if value is None else 1)


def _value(what: str, answer: httpx2.Response) -> object:
    try:
        said = answer.json()
        if answer.status_code >= _ANSWERED:
            raise InvalidInputError(f"{what} is refused: {str(said.get('error'))[:200]}", "correct the expression")
        data = said["data"]
        scalar = data["resultType"] == "scalar"
        found = [data["result"]] if scalar else [one["value"] for one in data["result"]]
        if len(found) > 1:
            raise InvalidInputError(f"{what} has {len(found)} values at once", "aggregate them, as with sum(...)")
        return found[0][1] if found else None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise InvalidInputError(f"{what} answers with something else than Prometheus does", "check its URL") from error
