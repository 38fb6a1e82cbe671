"""The verdict of one look: on a window of data, on the record and what serves, on metrics, as far as a monitor asks."""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from temporalio import activity

from activities.business import ANSWERED, FROM_THE_LEDGER, Business
from activities.ports import ArtifactStore, Evaluator, Inventory, Serving
from activities.reports import keep_report
from activities.unwindowed import UNWINDOWED, Unwindowed
from activities.window_ports import Brought, Window, Windows
from models.canonical import Digest, Slug
from models.errors import InvalidInputError, UnavailableError, UnmeasuredError
from models.evidence import Evidence, StepResult, WindowReport
from models.inventory import Booked, Submission
from models.maturity import label_maturity
from models.monitoring import MonitorOrder
from models.schema import CHANGES
from models.service import SERVED
from models.statistics.figures import Unmeasured
from models.taken import NOTHING, Taken
from models.verdict import Kpi, combine, judge

_NEEDS_NO_WINDOW = UNWINDOWED | FROM_THE_LEDGER
"""What is read without a window of data, beside metrics."""

OF_A_PERIOD = SERVED
"""What is read over a whole period, beside metrics."""

_ATTEMPTS = 5
"""A source that is down is asked again so many times, for about half a minute, before that is a failure."""


def needs_window(kpi: Kpi) -> bool:
    """Whether it is read from a window of data, and not from the record, from metrics or from what serves."""
    return not kpi.metric and kpi.name not in _NEEDS_NO_WINDOW


class Found(NamedTuple):
    """What a look found, what it entered into the value ledger, and the digest of what is known of a window's cases.

    `problem` is why it could not measure all that it was to; the result is about what it could.
    """

    result: StepResult
    booked: tuple[Booked, ...] = ()
    outcomes: Digest | None = None
    problem: str = ""


class _OfData(NamedTuple):
    """What a window of data gives: readings, evidence, the report if it could be measured, and why it could not."""

    taken: Taken = NOTHING
    evidence: tuple[Evidence, ...] = ()
    report: WindowReport | None = None
    problem: str = ""


class Judging:
    """Takes the readings that a monitor asks for, and judges them."""

    def __init__(
        self,
        inventory: Inventory,
        store: ArtifactStore,
        evaluator: Evaluator,
        windows: Windows,
        unwindowed: Unwindowed,
        business: Business,
    ) -> None:
        self._inventory = inventory
        self._store = store
        self._evaluator = evaluator
        self._windows = windows
        self._unwindowed = unwindowed
        self._business = business

    def look(self, order: MonitorOrder, serving: Serving, window: Window | None, at: datetime) -> Found:
        """What can be measured, judged: on a window if there is one, on the record, on metrics."""
        business = self._business.look(order, serving, at, activity.info().scheduled_time)
        taken, problems = Taken(business.readings), [business.problem]
        try:
            taken = self._unwindowed.served(order, serving, at).with_(taken)
        except UnmeasuredError as error:
            problems.append(str(error))
        taken = self._unwindowed.kept(order, serving, at).with_(taken)
        data = self._of_data(order, serving, window) if window else _OfData()
        problem = "; ".join(filter(None, (*problems, data.problem)))
        found = self._found(order, data, taken, business.evidence, problem)
        return found._replace(booked=business.booked)

    def look_again(self, order: MonitorOrder, serving: Serving, window: Window, before: StepResult) -> Found:
        """What a window gives now that more is known of it, beside what everything else was when it was measured."""
        beside = {kpi.name for kpi in order.kpis if not needs_window(kpi)}
        taken = Taken(tuple(reading for reading in before.readings if reading.name in beside))
        answers = tuple(one for one in before.evidence if one.kind == ANSWERED)
        data = self._of_data(order, serving, window)
        return self._found(order, data, taken, answers, data.problem)

    def _found(
        self, order: MonitorOrder, data: "_OfData", beside: Taken, evidence: tuple[Evidence, ...], problem: str
    ) -> Found:
        result = _judged(order, data.taken.with_(beside), (*data.evidence, *evidence), problem)
        if data.report is None:
            return Found(result, problem=problem)
        looked = keep_report(self._store, "window", data.report, result.summary)
        whole = result.model_copy(update={"evidence": (looked, *result.evidence)})
        return Found(whole, outcomes=data.report.outcomes, problem=problem)

    def books(self, order: MonitorOrder, at: datetime) -> Found:
        """What versions have brought or cost, where nothing is to be measured of the one that serves."""
        kept = self._business.books(order, at, activity.info().scheduled_time)
        return Found(StepResult(summary="", evidence=kept.evidence), kept.booked, None, kept.problem)

    def _of_data(self, order: MonitorOrder, serving: Serving, window: Window) -> _OfData:
        submission = self._inventory.submission(order.model, serving.version)
        columns = NOTHING
        evidence: tuple[Evidence, ...] = ()
        try:
            model, reference = self._store.fetch(submission.artifact), self._store.fetch(submission.training_data[0])
            with self._windows.of(order.model).opened(window, submission.contract) as brought:
                if CHANGES in order.monitor.checks:
                    columns, evidence = self._columns(reference, brought, submission)
                if not any(needs_window(kpi) and kpi.name != CHANGES for kpi in order.kpis):
                    return _OfData(columns, evidence)
                report = self._measure(model, reference, brought, submission)
        except UnmeasuredError as error:
            if error.state is Unmeasured.SOURCE_DOWN and activity.info().attempt < _ATTEMPTS:
                raise UnavailableError(str(error), "is it up? it is asked again") from error
            return _OfData(columns, evidence, None, _unmeasured(error))
        except InvalidInputError as error:
            return _OfData(columns, evidence, None, _unmeasured(error))
        return _OfData(Taken(report.readings, report.unmeasured).with_(columns), evidence, report)

    def _columns(self, reference: Path, brought: Brought, submission: Submission) -> tuple[Taken, tuple[Evidence, ...]]:
        schema = self._evaluator.compare_columns(reference, brought.path, submission)
        kept = keep_report(self._store, "schema", schema, schema.in_words or "as expected")
        return schema.taken(), (kept,)

    def _measure(self, model: Path, reference: Path, brought: Brought, submission: Submission) -> WindowReport:
        known, held_out = brought.known, self._store.fetch(submission.holdout)
        report = self._evaluator.measure(
            model, reference, held_out, brought.path, submission, known.path if known else None
        )
        told = {
            "readings": (*report.readings, label_maturity(report)),
            "source": brought.source,
            "outcomes": known.digest if known else None,
        }
        return report.model_copy(update=told)


def _unmeasured(error: InvalidInputError) -> str:
    return f"{error}; {error.remedy}" if error.remedy else str(error)


def _judged(order: MonitorOrder, taken: Taken, evidence: tuple[Evidence, ...], problem: str) -> StepResult:
    """Of all KPIs; if there was a problem, which has its own words, of those that have a reading."""
    read = {reading.name for reading in taken.readings}
    kpis = [kpi for kpi in order.kpis if kpi.name in read or not problem]
    results = tuple(judge(kpi, taken.readings, _why(kpi, taken)) for kpi in kpis)
    return StepResult(
        verdict=combine(tuple(result.verdict for result in results)),
        summary="; ".join(f"{one.kpi} {one.verdict}: {one.reason}{_detail(one.kpi, taken)}" for one in results),
        evidence=evidence,
        readings=taken.readings,
    )


def _why(kpi: Kpi, taken: Taken) -> str:
    return f"no reading: {taken.unmeasured[kpi.name]}" if kpi.name in taken.unmeasured else "no reading"


def _detail(kpi: Slug, taken: Taken) -> str:
    return f" ({taken.details[kpi]})" if kpi in taken.details else ""
