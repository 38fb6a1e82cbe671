"""What an installation reads business KPIs from, as an administrator's file says it: templates name a metric, no place.

A metric is a question with one number as its answer, about one model and one period.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import isfinite
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints, model_validator

from models.canonical import Digest, Duration, Frozen, Slug, digest_bytes
from models.environments import Credentials, HttpUrl, Kept
from models.errors import InvalidInputError, UnmeasuredError
from models.inventory import Worth
from models.source.administration import load_said
from models.statistics.figures import Unmeasured
from models.verdict import Finite, Reading

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


class PushSource(Frozen):
    """Applications send values over HTTP, with this bearer token; they are forgotten when they are as old as `keep`."""

    kind: Literal["push"]
    token: Credentials
    keep: Kept = 34_560_000


MetricSource = Annotated[SqlSource | PrometheusSource | FileSource | PushSource, Field(discriminator="kind")]

_VERSION = {"sql": re.compile(r"(?<![:\w]):version\b"), "prometheus": re.compile(r"\$(version\b|\{version\})")}
"""How a question asks about one version, by the kind of its source."""


class Metric(Frozen):
    """What is asked of a source, and the unit of the answer.

    SQL: a SELECT with one row, `value` and `count`, as its answer; `:model`, `:version`, `:since`, `:until` filled in.
    Prometheus: an expression with one value at the period's end; `$model`, `$version`, `$seconds` filled in.
    Files and what is pushed: `sum`, `mean` or `last` of the values in the period. `within` are seconds.

    With `holdout` the answer is how much more the cases of the model have than those that it was held out of: of a
    share of them, or of a mean. `models.uplift` says with which columns SQL or a file's `last` row answers, and how far
    off the answer may be.

    With `worth` the answer is money, and goes into the value ledger: what a version has brought (`value`) or has
    cost. A period is asked again for as long after its end as the source may still learn of it (`late`).
    """

    source: Slug
    query: Query
    unit: Annotated[str, StringConstraints(max_length=40)] = ""
    within: Annotated[int, Field(ge=1, le=600)] = 30
    holdout: Literal["share", "mean"] | None = None
    worth: Worth | None = None
    late: Annotated[Duration, Field(ge=0, le=31_536_000)] = 604_800

    @model_validator(mode="after")
    def _counted(self) -> "Metric":
        if self.worth and not self.unit:
            raise ValueError("what a model brings or costs is money: say the currency in 'unit'")
        if self.worth and self.holdout:
            raise ValueError("a difference to a hold-out is no amount: leave 'worth' or 'holdout' out")
        if "late" in self.model_fields_set and not self.worth:
            raise ValueError("only what goes into the value ledger is asked again: leave 'late' out")
        return self


class Metrics(Frozen):
    """Every source and every metric, by name."""

    sources: dict[Slug, MetricSource] = Field(default_factory=dict, max_length=64)
    metrics: dict[Slug, Metric] = Field(default_factory=dict, max_length=1_000)

    @model_validator(mode="after")
    def _complete(self) -> "Metrics":
        for name, metric in self.metrics.items():
            if metric.source not in self.sources:
                raise ValueError(f"metric '{name}' is of source '{metric.source}', which is not there")
            kind = self.sources[metric.source].kind
            if metric.holdout and kind not in ("sql", "files"):
                raise ValueError(
                    f"metric '{name}' has a hold-out, and a source of kind '{kind}' answers with one value"
                )
            if metric.holdout and kind == "files" and metric.query != "last":
                raise ValueError(f"metric '{name}' has a hold-out: a file answers with a row of two groups, the `last`")
        return self

    def names_version(self, name: Slug) -> bool:
        """Whether a metric asks about one version, and not about whatever served."""
        metric = self.metrics[name]
        asks = _VERSION.get(self.sources[metric.source].kind)
        return bool(asks and asks.search(metric.query))


class Period(NamedTuple):
    """From a moment (UTC) on until another, which is not part of it."""

    since: datetime
    until: datetime


def period_of(every: int, at: datetime) -> Period:
    """The whole period of so many seconds, counted from 1970, that a moment is in."""
    since = datetime.fromtimestamp(int(at.timestamp()) // every * every, at.tzinfo)
    return Period(since, since + timedelta(seconds=every))


def period_before(every: int, at: datetime) -> Period:
    """The last whole period of so many seconds, counted from 1970, before a moment."""
    until = period_of(every, at).since
    return Period(until - timedelta(seconds=every), until)


class Arm(Frozen):
    """What a source says of a group of cases; `deviation` is their standard deviation (ddof 1), of a mean alone."""

    value: Finite
    count: int
    deviation: Finite | None = None


class Compared(Frozen):
    """The cases of the model and those of the hold-out, and between what bounds their difference is (95 %)."""

    treated: Arm
    holdout: Arm
    between: tuple[Finite, Finite]


class Measurement(Frozen):
    """An answer with all that it takes to ask again: kept as evidence. `query` is the digest of the question.

    `compared` is what the answer is the difference of, if it is one; its count is that of the smaller group.
    """

    metric: Slug
    source: Slug
    query: Digest
    unit: str
    since: datetime
    until: datetime
    value: float
    count: int
    compared: Compared | None = Field(default=None, exclude_if=lambda compared: compared is None)

    def reading(self, kpi: Slug) -> Reading:
        """As a KPI reads it."""
        between = self.compared.between if self.compared else None
        return Reading(name=kpi, value=self.value, count=self.count, between=between)


def measured(name: Slug, metric: Metric, period: Period, value: object, count: object) -> Measurement:
    """The answer of a source, once it is one; InvalidInputError says why it is none."""
    where = f"metric '{name}' of source '{metric.source}'"
    if value is None:
        raise UnmeasuredError(
            Unmeasured.EMPTY,
            f"{where} has no value from {period.since:%Y-%m-%d %H:%M} to {period.until:%Y-%m-%d %H:%M} UTC",
        )
    return answer(name, metric, period, number(where, "value", value), cases(where, "count", count))


def answer(
    name: Slug, metric: Metric, period: Period, value: float, count: int, compared: Compared | None = None
) -> Measurement:
    """An answer that has been looked at."""
    return Measurement(
        metric=name,
        source=metric.source,
        query=digest_bytes(metric.query.encode()),
        unit=metric.unit,
        since=period.since,
        until=period.until,
        value=value,
        count=count,
        compared=compared,
    )


WAYS = ("sum", "mean", "last")
"""What may be asked about values that somebody has left, each with its moment."""


def summed_up(
    name: Slug, metric: Metric, period: Period, values: Mapping[datetime, tuple[float, float]]
) -> Measurement:
    """The answer where there are values with their counts, by their moments: those of the period; InvalidInputError."""
    if metric.query not in WAYS:
        raise InvalidInputError(f"metric '{name}' asks for '{metric.query}'", f"ask for {', '.join(WAYS)}")
    found = {moment: given for moment, given in values.items() if period.since <= moment < period.until}
    if not found:
        return measured(name, metric, period, None, 0)
    kept, total = [value for value, _ in found.values()], sum(count for _, count in found.values())
    value = {"sum": sum(kept), "mean": sum(kept) / len(kept), "last": found[max(found)][0]}[metric.query]
    return measured(name, metric, period, value, total)


def cases(where: str, what: str, given: object) -> int:
    """How many, as a source says it; InvalidInputError."""
    found = number(where, what, given)
    if found < 0 or found != int(found):
        raise InvalidInputError(f"{where} rests on {found:g} observations, which is no number of them")
    return int(found)


def number(where: str, what: str, given: object) -> float:
    """A finite number, as a source says it; InvalidInputError."""
    try:
        found = float(given)  # type: ignore[arg-type]  # whatever a source answers
    except (TypeError, ValueError, OverflowError):
        raise InvalidInputError(f"{where} answers with a {what} that is no number: {str(given)[:100]!r}") from None
    if not isfinite(found):
        raise InvalidInputError(f"{where} answers with a {what} that is no finite number: {found}")
    return found


def load_metrics(text: bytes, file: str) -> Metrics:
    """The metrics of a file; InvalidInputError."""
    return load_said(Metrics, text, file, _REMEDY)
