"""What a model is worth, as named metrics say it: readings of KPIs, and entries of the value ledger."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from activities.metric_ports import Bookkeeping, MetricsReader
from activities.ports import ArtifactStore, Inventory, Serving
from activities.reports import keep_report
from models.canonical import Slug
from models.errors import ModelopsError, UnmeasuredError
from models.evidence import Evidence
from models.inventory import Booked
from models.metrics import Measurement, Period, period_before
from models.monitoring import MonitorOrder
from models.value import (
    WITHOUT_VALUE,
    Entry,
    asked_again,
    barren_periods,
    book,
    news,
    serving_since,
    shares_of,
    standing,
)
from models.verdict import Reading

FROM_THE_LEDGER = frozenset({WITHOUT_VALUE})
"""What is read from the value ledger alone."""

ANSWERED = "metric"
"""The kind of evidence that the answer of a metric is."""


class Look(NamedTuple):
    """What metrics have answered: readings with their evidence, what goes into the ledger, and what cannot be read."""

    readings: tuple[Reading, ...]
    evidence: tuple[Evidence, ...]
    booked: tuple[Booked, ...]
    problem: str = ""


class Business:
    """Asks what the KPIs of a check are read from, over the last whole period of its monitor."""

    def __init__(self, inventory: Inventory, store: ArtifactStore, metrics: MetricsReader) -> None:
        self._inventory = inventory
        self._store = store
        self._metrics = metrics

    def look(self, order: MonitorOrder, serving: Serving, at: datetime, now: datetime) -> Look:
        """About the version that serves; the ledger hears of every version that served. No metric raises an error.

        `at` is the moment that the look stands for, long before `now` if it is made up for.
        """
        asking = _Asking(self._metrics, order.model)
        period, problem = period_before(order.every, at), ""
        answers: list[tuple[Slug, Measurement]] = []
        booked: list[tuple[Booked, Measurement]] = []
        for kpi in order.kpis:
            try:
                if kpi.metric:
                    answers.append((kpi.name, asking(kpi.metric, serving.version, period)))
            except ModelopsError as error:
                problem = problem or f"a metric cannot be read: {error}"
        try:
            booked += self._news(order, asking, at, now)
        except ModelopsError as error:
            problem = problem or f"the value ledger cannot be kept: {error}"
        readings = [answer.reading(kpi) for kpi, answer in answers]
        entries = tuple(entry for entry, _ in booked)
        if any(kpi.name == WITHOUT_VALUE for kpi in order.kpis):
            readings.append(self._barren(order, entries, at))
        told = dict.fromkeys([*(answer for _, answer in answers), *(answer for _, answer in booked)])
        return Look(tuple(readings), tuple(map(self._keep, told)), entries, problem)

    def books(self, order: MonitorOrder, at: datetime, now: datetime) -> Look:
        """What the ledger hears alone, as in `look`."""
        try:
            booked = self._news(order, _Asking(self._metrics, order.model), at, now)
        except ModelopsError as error:
            return Look((), (), (), f"the value ledger cannot be kept: {error}")
        told = dict.fromkeys(answer for _, answer in booked)
        return Look((), tuple(map(self._keep, told)), tuple(entry for entry, _ in booked))

    def _news(
        self, order: MonitorOrder, asking: "_Asking", at: datetime, now: datetime
    ) -> list[tuple[Booked, Measurement]]:
        names = dict.fromkeys(kpi.metric for kpi in order.kpis if kpi.metric)
        kept = {name: found for name in names if (found := self._metrics.bookkeeping(name))}
        if not kept:
            return []
        known = {entry.about: entry for entry in standing(self._inventory.booked(order.model))}
        return [
            (entry, answer)
            for name, how in kept.items()
            for entry, answer in self._asked(order, asking, name, how, at)
            if news(known, entry, how.late, now)
        ]

    def _asked(
        self, order: MonitorOrder, asking: "_Asking", name: Slug, how: Bookkeeping, at: datetime
    ) -> Iterator[tuple[Booked, Measurement]]:
        """The last period has to be answered; of those before, a source that is in trouble is not asked any more."""
        stints = self._inventory.stints(order.model, order.environment)
        for period in (period_before(order.monitor.every, at), *asked_again(order.monitor.every, how.late, at)):
            for version, part in shares_of(period, stints, how.names_version):
                try:
                    found = asking(name, version, part)
                except UnmeasuredError:
                    continue
                yield book(how.worth, version, found), found

    def _barren(self, order: MonitorOrder, booked: Sequence[Booked], at: datetime) -> Reading:
        since = serving_since(self._inventory.stints(order.model, order.environment))
        entries = standing(self._inventory.booked(order.model))
        new = {(one.metric, one.version, one.since, one.until) for one in booked}
        told: list[Entry | Booked] = [*(entry for entry in entries if entry.about not in new), *booked]
        count = barren_periods(told, order.monitor.every, since or at, at)
        return Reading(name=WITHOUT_VALUE, value=float(count), count=1)

    def _keep(self, answer: Measurement) -> Evidence:
        between = answer.compared.between if answer.compared else None
        span = f" ({between[0]:g} to {between[1]:g})" if between else ""
        summary = f"{answer.metric}: {answer.value:g}{span} {answer.unit}".strip()
        return keep_report(self._store, ANSWERED, answer, summary)


class _Asking:
    """Asks each question once: about one model, in one look."""

    def __init__(self, metrics: MetricsReader, model: Slug) -> None:
        self._metrics = metrics
        self._model = model
        self._answers: dict[tuple[Slug, int, Period], Measurement] = {}

    def __call__(self, name: Slug, version: int, period: Period) -> Measurement:
        asked = name, version, period
        if asked not in self._answers:
            self._answers[asked] = self._metrics.read(name, self._model, version, period)
        return self._answers[asked]
