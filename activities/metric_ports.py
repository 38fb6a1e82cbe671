"""What business KPIs are read from, in our words."""

from typing import Protocol

from models.canonical import Slug
from models.metrics import Measurement, Metric, Period


class MetricsSource(Protocol):
    """One source of metrics: it is asked, and never changed."""

    def read(self, name: Slug, metric: Metric, model: Slug, version: int, period: Period) -> Measurement:
        """The answer to a question; InvalidInputError if there is none or it is no number, UnavailableError."""


class MetricsReader(Protocol):
    """Every metric of an installation, by name."""

    def read(self, name: Slug, model: Slug, version: int, period: Period) -> Measurement:
        """The answer about the version that serves, over a period; UnknownNameError and what `MetricsSource` raises."""
