"""What business KPIs are read from, in our words."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from models.canonical import Slug
from models.inventory import Worth
from models.metrics import Measurement, Metric, Period
from models.pushed import Pushed


class MetricsSource(Protocol):
    """One source of metrics: it is asked, and never changed."""

    def read(self, name: Slug, metric: Metric, model: Slug, version: int, period: Period) -> Measurement:
        """The answer to a question; InvalidInputError if there is none or it is no number, UnavailableError."""


class Pushes(Protocol):
    """Where what applications send is kept."""

    def keep(self, values: Sequence[Pushed]) -> int:
        """All of them or none; how many are new. ConflictError of a moment that has another value already."""


class Bookkeeping(NamedTuple):
    """How a metric goes into the value ledger: as what, for how many seconds it is asked again, about what it asks."""

    worth: Worth
    late: int
    names_version: bool


class MetricsReader(Protocol):
    """Every metric of an installation, by name."""

    def bookkeeping(self, name: Slug) -> Bookkeeping | None:
        """How a metric goes into the value ledger; None if it does not, or if nobody has configured it."""

    def read(self, name: Slug, model: Slug, version: int, period: Period) -> Measurement:
        """The answer about the version that serves, over a period; UnknownNameError and what `MetricsSource` raises."""
