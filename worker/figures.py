"""Metrics of all models, read from the record at a scrape, once for those that come together."""

import time
from collections.abc import Callable, Iterator, Sequence
from threading import Lock

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from models.errors import ModelopsError
from models.figures import METRICS, Figure

FRESH = 5.0
"""Seconds for which what was read counts: several who scrape cost the database no more than one."""

_ANSWERS = "modelops_record_answers"


def expose_figures(
    read: Callable[[], Sequence[Figure]], registry: CollectorRegistry = REGISTRY, fresh: float = FRESH
) -> None:
    """Have each scrape tell what the record says; while it does not answer, that alone."""
    registry.register(_Figures(read, fresh))


class _Figures(Collector):
    def __init__(self, read: Callable[[], Sequence[Figure]], fresh: float) -> None:
        self._read = read
        self._fresh = fresh
        self._lock = Lock()
        self._known: tuple[float, Sequence[Figure]] | None = None

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Without values, so that registering asks nobody."""
        yield from (GaugeMetricFamily(name, one.help, labels=one.labels) for name, one in METRICS.items())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All metrics with their values."""
        families = {one.name: one for one in self.describe()}
        for figure in self._figures():
            families[figure.metric].add_metric(figure.labels, figure.value)
        yield from families.values()

    def _figures(self) -> Sequence[Figure]:
        with self._lock:
            if self._known is None or time.monotonic() - self._known[0] > self._fresh:
                try:
                    found = [Figure(_ANSWERS, (), 1), *self._read()]
                except ModelopsError:
                    found = [Figure(_ANSWERS, (), 0)]
                self._known = (time.monotonic(), found)
            return self._known[1]
