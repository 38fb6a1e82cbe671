"""What an installation reads business KPIs from, as an administrator's file says it: templates name a metric, no place.

A metric is a question with one number as its answer, about one model and one period.
"""

from datetime import datetime, timedelta
from math import isfinite
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints, model_validator

from models.canonical import Digest, Frozen, Slug, digest_bytes
from models.environments import Credentials, HttpUrl
from models.errors import InvalidInputError
from models.source.administration import load_said
from models.verdict import Reading

_REMEDY = "Write `sources: {warehouse: {kind: sql, url: {env: WAREHOUSE_URL}}}` and `metrics: {...}`."
QUERY_LIMIT = 10_000
_SEALED = ("https://", "http://127.0.0.1:", "http://localhost:")

Query = Annotated[str, StringConstraints(min_length=1, max_length=QUERY_LIMIT, strip_whitespace=True)]


class SqlSource(Frozen):
    """A database, by a SQLAlchemy URL, which is a secret: it holds a password. Its account needs to read, no more."""

    kind: Literal["sql"]
    url: Credentials


class PrometheusSource(Frozen):
    """A Prometheus server's HTTP API (v1); `credentials` is a bearer token, if it wants one: then over TLS, or here."""

    kind: Literal["prometheus"]
    url: HttpUrl
    credentials: Credentials | None = None

    @model_validator(mode="after")
    def _sealed(self) -> "PrometheusSource":
        if self.credentials and not self.url.startswith(_SEALED):
            raise ValueError("a token would travel in the clear: write https://")
        return self


class FileSource(Frozen):
    """A folder with a CSV file per metric and model, `METRIC/MODEL.csv`: columns `at` (ISO 8601), `value`, `count`."""

    kind: Literal["files"]
    folder: Annotated[str, StringConstraints(pattern=r"^/", max_length=1_000)]


MetricSource = Annotated[SqlSource | PrometheusSource | FileSource, Field(discriminator="kind")]


class Metric(Frozen):
    """What is asked of a source, and the unit of the answer.

    SQL: a SELECT with one row, `value` and `count`, as its answer; `:model`, `:version`, `:since`, `:until` filled in.
    Prometheus: an expression with one value at the period's end; `$model`, `$version`, `$seconds` filled in.
    Files: `sum`, `mean` or `last` of the values in the period. `within` are seconds.
    """

    source: Slug
    query: Query
    unit: Annotated[str, StringConstraints(max_length=40)] = ""
    within: Annotated[int, Field(ge=1, le=600)] = 30


class Metrics(Frozen):
    """Every source and every metric, by name."""

    sources: dict[Slug, MetricSource] = Field(default_factory=dict, max_length=64)
    metrics: dict[Slug, Metric] = Field(default_factory=dict, max_length=1_000)

    @model_validator(mode="after")
    def _complete(self) -> "Metrics":
        for name, metric in self.metrics.items():
            if metric.source not in self.sources:
                raise ValueError(f"metric '{name}' is of source '{metric.source}', which is not there")
        return self


class Period(NamedTuple):
    """From a moment (UTC) on until another, which is not part of it."""

    since: datetime
    until: datetime


def period_before(every: int, at: datetime) -> Period:
    """The last whole period of so many seconds, counted from 1970, before a moment."""
    until = datetime.fromtimestamp(int(at.timestamp()) // every * every, at.tzinfo)
    return Period(until - timedelta(seconds=every), until)


class Measurement(Frozen):
    """An answer with all that it takes to ask again: kept as evidence. `query` is the digest of the question."""

    metric: Slug
    source: Slug
    query: Digest
    unit: str
    since: datetime
    until: datetime
    value: float
    count: int

    def reading(self, kpi: Slug) -> Reading:
        """As a KPI reads it."""
        return Reading(name=kpi, value=self.value, count=self.count)


def measured(name: Slug, metric: Metric, period: Period, value: object, count: object) -> Measurement:
    """The answer of a source, once it is one; InvalidInputError says why it is none."""
    where = f"metric '{name}' of source '{metric.source}'"
    if value is None:
        raise InvalidInputError(
            f"{where} has no value from {period.since:%Y-%m-%d %H:%M} to {period.until:%Y-%m-%d %H:%M} UTC"
        )
    number, observations = _number(where, "value", value), _number(where, "count", count)
    if observations < 0 or observations != int(observations):
        raise InvalidInputError(f"{where} rests on {observations:g} observations, which is no number of them")
    return Measurement(
        metric=name,
        source=metric.source,
        query=digest_bytes(metric.query.encode()),
        unit=metric.unit,
        since=period.since,
        until=period.until,
        value=number,
        count=int(observations),
    )


def _number(where: str, what: str, given: object) -> float:
    try:
        number = float(given)  # type: ignore[arg-type]  # whatever a source answers
    except (TypeError, ValueError, OverflowError):
        raise InvalidInputError(f"{where} answers with a {what} that is no number: {str(given)[:100]!r}") from None
    if not isfinite(number):
        raise InvalidInputError(f"{where} answers with a {what} that is no finite number: {number}")
    return number


def load_metrics(text: bytes, file: str) -> Metrics:
    """The metrics of a file; InvalidInputError."""
    return load_said(Metrics, text, file, _REMEDY)
