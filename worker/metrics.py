"""What business KPIs are read from, as configured."""

from functools import partial
from pathlib import Path
from typing import assert_never

from activities.adapters.csv_metrics import CsvMetrics
from activities.adapters.prometheus_metrics import PrometheusMetrics
from activities.adapters.sql_metrics import SqlMetrics
from activities.adapters.sql_pushes import SqlPushes
from activities.metric_ports import Bookkeeping, MetricsSource
from models.canonical import Slug
from models.errors import InvalidInputError, UnknownNameError
from models.metrics import (
    FileSource,
    Measurement,
    Metrics,
    MetricSource,
    Period,
    PrometheusSource,
    PushSource,
    SqlSource,
    load_metrics,
)
from worker.settings import Settings, read_secret


class NamedMetrics:
    """Fits `MetricsReader`: hands each question on to the source of its metric."""

    def __init__(self, metrics: Metrics, database: str = "") -> None:
        """`database` is where pushed values are kept: its URL."""
        self._metrics = metrics
        self._sources = {name: _source(name, one, database) for name, one in metrics.sources.items()}

    def bookkeeping(self, name: Slug) -> Bookkeeping | None:
        """See `MetricsReader`."""
        metric = self._metrics.metrics.get(name)
        if metric is None or metric.worth is None:
            return None
        return Bookkeeping(metric.worth, metric.late, self._metrics.names_version(name))

    def read(self, name: Slug, model: Slug, version: int, period: Period) -> Measurement:
        """See `MetricsReader`."""
        metric = self._metrics.metrics.get(name)
        if metric is None:
            known = ", ".join(sorted(self._metrics.metrics)) or "none"
            raise UnknownNameError(f"no metric '{name}' is configured", f"MODELOPS_METRICS says which are: {known}")
        return self._sources[metric.source].read(name, metric, model, version, period)


def _source(name: Slug, said: MetricSource, database: str) -> MetricsSource:
    match said:
        case SqlSource(url=url):
            return SqlMetrics(name, partial(read_secret, url))
        case PrometheusSource(url=url, credentials=credentials):
            return PrometheusMetrics(name, url, partial(read_secret, credentials) if credentials else None)
        case FileSource(folder=folder):
            return CsvMetrics(name, Path(folder))
        case PushSource(keep=keep):
            return SqlPushes(name, database, keep)
        case _:
            assert_never(said)


def metrics_of(settings: Settings) -> NamedMetrics:
    """What can be read, as the file says; InvalidInputError."""
    return NamedMetrics(read_metrics(settings), settings.database)


def read_metrics(settings: Settings) -> Metrics:
    """From the file, or none if there is none and none was named; InvalidInputError."""
    file = settings.metrics or settings.root / "metrics.yaml"
    try:
        return load_metrics(file.read_bytes(), str(file))
    except FileNotFoundError:
        if settings.metrics is None:
            return Metrics()
        raise InvalidInputError(f"{file} is not there", "write it, or correct MODELOPS_METRICS") from None
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror}", "check MODELOPS_METRICS") from error
