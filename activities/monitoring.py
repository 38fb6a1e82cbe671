"""Monitors: schedules that look at new windows of production data."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from temporalio import activity

from activities.ledger import Ledger, Outcome
from activities.metric_ports import MetricsReader
from activities.ports import ArtifactStore, Evaluator, Inventory, Schedules, Serving
from activities.reports import keep_report
from activities.upkeep import Upkeep
from activities.window_ports import KEPT_WINDOWS, Arrivals, Window, Windows
from models.canonical import Digest, digest_bytes
from models.errors import (
    InvalidInputError,
    ModelopsError,
    NotPermittedError,
    UnavailableError,
    UnknownNameError,
    UnmeasuredError,
)
from models.evidence import EffectKey, Evidence, StepKind, StepResult, WindowReport
from models.inventory import DataContract, Measured
from models.journal import Assignment
from models.maturity import Look, label_maturity, late_breach
from models.messages import Breach, shorten
from models.metrics import period_before
from models.monitoring import MonitorOrder, MonitorOutcome, is_breach, is_silent, moment_of, monitor_orders
from models.statistics.figures import Unmeasured
from models.upkeep import KEPT, period
from models.verdict import Reading, Verdict, combine, judge

_Judged = tuple[StepResult, WindowReport | None]

_ATTEMPTS = 5
"""A source that is down is asked again so many times, for about half a minute, before that is a failure."""


class MonitoringActivities:
    """Starts and stops schedules, and measures windows."""

    def __init__(
        self,
        inventory: Inventory,
        store: ArtifactStore,
        evaluator: Evaluator,
        windows: Windows,
        schedules: Schedules,
        upkeep: Upkeep,
        metrics: MetricsReader,
    ) -> None:
        self._inventory = inventory
        self._ledger = Ledger(inventory)
        self._store = store
        self._evaluator = evaluator
        self._windows = windows
        self._schedules = schedules
        self._upkeep = upkeep
        self._metrics = metrics

    @activity.defn(name="start_monitors")
    async def start_monitors(self, task: Assignment) -> StepResult:
        """One schedule per monitor of the governing plan."""
        order = task.order
        await asyncio.to_thread(self._ledger.record, task, StepKind.MONITOR)
        plan = await asyncio.to_thread(self._inventory.governing_plan, order.model)
        names = await self._schedules.start(order.model, plan)
        result = StepResult(summary=f"{len(names)} schedules: {', '.join(names) or 'none'}")
        return await asyncio.to_thread(self._inventory.commit_effect, order.key, result, [])

    @activity.defn(name="stop_monitors")
    async def stop_monitors(self, task: Assignment) -> StepResult:
        """End every schedule of a model."""
        order = task.order
        await asyncio.to_thread(self._ledger.record, task, StepKind.STOP_MONITORS)
        plan = await asyncio.to_thread(self._inventory.governing_plan, order.model)
        await self._schedules.stop(order.model, plan)
        result = StepResult(summary="no schedule is left")
        return await asyncio.to_thread(self._inventory.commit_effect, order.key, result, [])

    @activity.defn(name="measure_window", no_thread_cancel_exception=True)
    def measure_window(self, order: MonitorOrder) -> MonitorOutcome:
        """Judge the newest window, once per window; none for too long is a failure of its own.

        NotPermittedError if the model's plan has no such check: anybody may start a workflow that orders one.
        """
        governing = self._inventory.governing_plan(order.model)
        if order.model_copy(update={"at": None}) not in monitor_orders(order.model, governing):
            raise NotPermittedError(
                f"the plan of '{order.model}' has no such check '{order.monitor.id}'",
                "checks run by the schedules that the lifecycle starts",
            )
        serving, at = self._serving(order), moment_of(order, activity.info().scheduled_time)
        seen = self._newest(order, serving, at)
        if seen is None:
            return MonitorOutcome(result=StepResult(verdict=Verdict.INCONCLUSIVE, summary="no window of data yet"))
        step = f"measure/{order.monitor.id}/{seen.name}/v{serving.version}"
        key = EffectKey(model=order.model, visit=0, step=step)
        result = self._ledger.once(key, lambda: self._measure(order, serving, seen, at))
        if seen.window:
            self._mature(order, serving, at)
        return MonitorOutcome(result=result, breach=self._breach(order))

    def _mature(self, order: MonitorOrder, serving: Serving, at: datetime) -> None:
        """Look again at windows of whose cases something has become known since."""
        arrivals = self._windows.of(order.model)
        contract = self._inventory.submission(order.model, serving.version).contract
        for look in self._inventory.looks(order.model, order.monitor.id)[-KEPT_WINDOWS:]:
            window = arrivals.kept(look.window)
            outcomes = _known(arrivals, window, contract) if window else None
            if window is None or outcomes in (None, look.outcomes):
                continue
            seen = _Seen(window.name, min(window.arrived, at), window, outcomes)
            step = f"measure/{order.monitor.id}/{seen.name}/v{serving.version}/{look.looks + 1}/{outcomes}"
            again = partial(self._measure, order, serving, seen, seen.moment)
            self._ledger.once(EffectKey(model=order.model, visit=0, step=step), again)

    def _breach(self, order: MonitorOrder) -> Breach | None:
        """By the last look at each window."""
        looks = self._inventory.looks(order.model, order.monitor.id)
        if is_breach(order.monitor, [look.verdict for look in looks]):
            found: Look | None = looks[-1]
        else:
            found = late_breach(order.monitor, looks, activity.info().scheduled_time)
        if found is None:
            return None
        reasons = tuple(shorten(reason) for reason in found.reasons)
        return Breach(monitor=order.monitor.id, window=found.window, reasons=reasons)

    def _serving(self, order: MonitorOrder) -> Serving:
        serving = self._inventory.deployments(order.model).get(order.environment)
        if serving is None:
            raise UnknownNameError(
                f"no version of '{order.model}' serves in {order.environment}: there is nothing to monitor",
                "the schedule ends with the model's retirement or suspension",
            )
        return serving

    def _newest(self, order: MonitorOrder, serving: Serving, at: datetime) -> "_Seen | None":
        """What is to be measured now; None if there is nothing yet. Record and metrics need no window of data."""
        asked = period_before(order.monitor.every, at)
        if all(kpi.metric or kpi.name in KEPT for kpi in order.kpis):
            return _Seen(period(order.monitor.every, at), asked.until)
        found = self._windows.of(order.model).newest(asked)
        last = max(serving.since, found.arrived) if found else serving.since
        if is_silent(order.monitor, last, at):
            return _Seen(f"none at {at:%Y-%m-%d %H:%M} UTC", at, silent=True)
        return _Seen(found.name, min(found.arrived, at), found) if found else None

    def _measure(self, order: MonitorOrder, serving: Serving, seen: "_Seen", at: datetime) -> Outcome:
        outcomes = seen.outcomes
        if seen.silent:
            result = StepResult(verdict=Verdict.FAIL, summary=f"no new window of data ({seen.name})")
        else:
            result, report = self._judge(order, serving, seen.window, at)
            outcomes = report.outcomes if report else outcomes
        measured = Measured(
            monitor=order.monitor.id,
            window=seen.name,
            version=serving.version,
            moment=seen.moment,
            outcomes=outcomes,
            verdict=result.verdict.value,
            reasons=(result.summary,),
        )
        return result, [measured]

    def _judge(self, order: MonitorOrder, serving: Serving, window: Window | None, at: datetime) -> _Judged:
        """The verdict on a window of data (None: there is none), on the record and on metrics, as far as asked.

        What cannot be measured, for whatever reason, is a failure that is seen.
        """
        kept = () if KEPT.isdisjoint(order.monitor.checks) else self._upkeep.read(order, serving, at)
        period, asked = period_before(order.monitor.every, at), [kpi for kpi in order.kpis if kpi.metric]
        try:
            answers = [
                (kpi, self._metrics.read(kpi.metric or "", order.model, serving.version, period)) for kpi in asked
            ]
        except ModelopsError as error:
            return StepResult(verdict=Verdict.FAIL, summary=f"a metric cannot be read: {error}"), None
        read = (*kept, *(answer.reading(kpi.name) for kpi, answer in answers))
        evidence = tuple(
            keep_report(self._store, "metric", answer, f"{answer.metric}: {answer.value:g} {answer.unit}".strip())
            for _, answer in answers
        )
        if window is None:
            return _judged(order, read, evidence), None
        try:
            report = self._report(order, serving, window)
        except UnmeasuredError as error:
            if error.state is Unmeasured.SOURCE_DOWN and activity.info().attempt < _ATTEMPTS:
                raise UnavailableError(str(error), "is it up? it is asked again") from error
            return StepResult(verdict=_verdict(error, serving, window), summary=_unmeasured(error)), None
        except InvalidInputError as error:
            return StepResult(verdict=Verdict.FAIL, summary=_unmeasured(error)), None
        result = _judged(order, (*report.readings, *read), evidence, report.unmeasured)
        looked = keep_report(self._store, "window", report, result.summary)
        return result.model_copy(update={"evidence": (looked, *evidence)}), report

    def _report(self, order: MonitorOrder, serving: Serving, window: Window) -> WindowReport:
        submission = self._inventory.submission(order.model, serving.version)
        model, reference = self._store.fetch(submission.artifact), self._store.fetch(submission.training_data[0])
        held_out = self._store.fetch(submission.holdout)
        with self._windows.of(order.model).opened(window, submission.contract) as brought:
            known = brought.known
            report = self._evaluator.measure(
                model, reference, held_out, brought.path, submission, known.path if known else None
            )
        readings = (*report.readings, label_maturity(report))
        return report.model_copy(
            update={
                "readings": readings,
                "source": brought.source,
                "outcomes": known.digest if known else None,
            }
        )


class _Seen(NamedTuple):
    """A window of data by its digest, or a period of the record; `silent` if nothing was heard for too long."""

    name: str
    moment: datetime
    window: Window | None = None
    outcomes: Digest | None = None
    silent: bool = False


def _known(arrivals: Arrivals, window: Window, contract: DataContract) -> Digest | None:
    """The digest of what is known of a window's cases, or of why that cannot be read; None if nothing is."""
    try:
        with arrivals.opened(window, contract) as brought:
            return brought.known.digest if brought.known else None
    except UnmeasuredError:
        return None
    except InvalidInputError as error:
        return digest_bytes(str(error).encode())


def _verdict(error: UnmeasuredError, serving: Serving, window: Window) -> Verdict:
    """Of a period before the version began to serve, no rows are no failure."""
    early = error.state is Unmeasured.EMPTY and window.arrived <= serving.since
    return Verdict.INCONCLUSIVE if early else Verdict.FAIL


def _unmeasured(error: InvalidInputError) -> str:
    said = f"the window cannot be measured: {error}"
    return f"{said}; {error.remedy}" if error.remedy else said


def _judged(
    order: MonitorOrder,
    readings: tuple[Reading, ...],
    evidence: tuple[Evidence, ...] = (),
    unmeasured: Mapping[str, str] = MappingProxyType({}),
) -> StepResult:
    results = tuple(
        judge(kpi, readings, f"no reading: {unmeasured[kpi.name]}" if kpi.name in unmeasured else "no reading")
        for kpi in order.kpis
    )
    return StepResult(
        verdict=combine(tuple(result.verdict for result in results)),
        summary="; ".join(f"{result.kpi} {result.verdict}: {result.reason}" for result in results),
        evidence=evidence,
        readings=readings,
    )
