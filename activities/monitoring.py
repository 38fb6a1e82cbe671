"""Monitors: schedules that look at new windows of production data."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from temporalio import activity

from activities.business import FROM_THE_LEDGER, Business, Look
from activities.ledger import Ledger, Outcome
from activities.metric_ports import MetricsReader
from activities.ports import ArtifactStore, Evaluator, Inventory, Schedules, Serving, Windows
from activities.reports import keep_report
from activities.unwindowed import UNWINDOWED, Unwindowed
from models.canonical import Slug, digest_bytes, spell_duration
from models.errors import InvalidInputError, NotPermittedError, UnknownNameError, UnmeasuredError
from models.evidence import EffectKey, Evidence, StepKind, StepResult
from models.inventory import Booked, Measured
from models.journal import Assignment
from models.messages import Breach, shorten
from models.monitoring import MonitorOrder, MonitorOutcome, is_breach, is_silent, monitor_orders, tightened_order
from models.schema import CHANGES
from models.taken import NOTHING, Taken
from models.upkeep import period
from models.verdict import Kpi, Verdict, combine, judge


class MonitoringActivities:
    """Starts and stops schedules, and measures windows."""

    def __init__(
        self,
        inventory: Inventory,
        store: ArtifactStore,
        evaluator: Evaluator,
        windows: Windows,
        schedules: Schedules,
        unwindowed: Unwindowed,
        metrics: MetricsReader,
    ) -> None:
        self._inventory = inventory
        self._ledger = Ledger(inventory)
        self._store = store
        self._evaluator = evaluator
        self._windows = windows
        self._schedules = schedules
        self._unwindowed = unwindowed
        self._business = Business(inventory, store, metrics)

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

    @activity.defn(name="tighten_monitor")
    async def tighten_monitor(self, task: Assignment) -> StepResult:
        """One more schedule for a monitor, which looks more often and ends by itself."""
        order, asked = task.order, task.order.tightened
        await asyncio.to_thread(self._ledger.record, task, StepKind.TIGHTEN)
        plan = await asyncio.to_thread(self._inventory.governing_plan, order.model)
        check = tightened_order(order.model, plan, asked.monitor) if asked else None
        if asked is None or check is None:
            raise InvalidInputError(f"step '{order.step}' was ordered without a monitor that can be tightened")
        await self._schedules.tighten(check, asked.until)
        often = f"every {spell_duration(check.every)} until {asked.until:%Y-%m-%d %H:%M} UTC"
        result = StepResult(summary=f"{asked.monitor} looks {often}", tightened=asked)
        return await asyncio.to_thread(self._inventory.commit_effect, order.key, result, [])

    @activity.defn(name="measure_window", no_thread_cancel_exception=True)
    def measure_window(self, order: MonitorOrder) -> MonitorOutcome:
        """Judge the newest window, once per window; none for too long is a failure of its own.

        NotPermittedError if the model's plan has no such check: anybody may start a workflow that orders one.
        """
        plan = self._inventory.governing_plan(order.model)
        tightened = tightened_order(order.model, plan, order.monitor.id)
        if order not in (*monitor_orders(order.model, plan), tightened):
            raise NotPermittedError(
                f"the plan of '{order.model}' has no such check '{order.monitor.id}'",
                "checks run by the schedules that the lifecycle starts",
            )
        serving, at = self._serving(order), activity.info().scheduled_time
        seen = self._newest(order, serving, at)
        if seen is None:
            return MonitorOutcome(result=StepResult(verdict=Verdict.INCONCLUSIVE, summary="no window of data yet"))
        window = seen.name
        key = EffectKey(model=order.model, visit=0, step=f"measure/{order.monitor.id}/{window}/v{serving.version}")
        result = self._ledger.once(key, lambda: self._measure(order, serving, seen, at))
        verdicts = [verdict for _, verdict in self._inventory.verdicts(order.model, order.monitor.id)]
        if not is_breach(order.monitor, verdicts):
            return MonitorOutcome(result=result)
        breach = Breach(monitor=order.monitor.id, window=window, reasons=(shorten(result.summary),))
        return MonitorOutcome(result=result, breach=breach)

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
        if all(kpi.metric or kpi.name in UNWINDOWED | FROM_THE_LEDGER for kpi in order.kpis):
            return _Seen(period(order.every, at))
        found = self._windows.latest(order.model)
        last = max(serving.since, found[1]) if found else serving.since
        if is_silent(order.monitor, last, at):
            return _Seen(f"none at {at:%Y-%m-%d %H:%M} UTC", silent=True)
        return _Seen(digest_bytes(found[0].read_bytes()), found[0]) if found else None

    def _measure(self, order: MonitorOrder, serving: Serving, seen: "_Seen", at: datetime) -> Outcome:
        booked: tuple[Booked, ...] = ()
        if seen.silent:
            reasons, verdict = (f"no new window of data ({seen.name})",), Verdict.FAIL
            result = StepResult(verdict=verdict, summary=reasons[0])
        else:
            business = self._business.look(order, serving, at)
            result, booked = self._judge(order, serving, seen.path, at, business), business.booked
            reasons, verdict = (result.summary,), result.verdict
        measured = Measured(
            monitor=order.monitor.id,
            window=seen.name,
            version=serving.version,
            verdict=verdict.value,
            reasons=reasons,
        )
        return result, [measured, *booked]

    def _judge(
        self, order: MonitorOrder, serving: Serving, window: Path | None, at: datetime, business: Look
    ) -> StepResult:
        """The verdict on a window of data (None: there is none), on the record and on metrics, as far as asked.

        What cannot be measured, for whatever reason, is a failure that is seen.
        """
        evidence = business.evidence
        if business.problem:
            return StepResult(verdict=Verdict.FAIL, summary=business.problem, evidence=evidence)
        try:
            taken = self._unwindowed.read(order, serving, at)
        except UnmeasuredError as error:
            return StepResult(verdict=Verdict.FAIL, summary=str(error), evidence=evidence)
        taken = taken.with_(Taken(business.readings))
        if window is None:
            return _judged(order, taken, evidence)
        return self._judge_data(order, serving, window, taken, evidence)

    def _judge_data(
        self, order: MonitorOrder, serving: Serving, window: Path, taken: Taken, evidence: tuple[Evidence, ...]
    ) -> StepResult:
        submission = self._inventory.submission(order.model, serving.version)
        columns = NOTHING
        try:
            model, reference = self._store.fetch(submission.artifact), self._store.fetch(submission.training_data[0])
            if CHANGES in order.monitor.checks:
                schema = self._evaluator.compare_columns(reference, window, submission)
                columns = schema.taken()
                evidence = (keep_report(self._store, "schema", schema, schema.in_words or "as expected"), *evidence)
            if all(kpi.metric or kpi.name in UNWINDOWED | FROM_THE_LEDGER | {CHANGES} for kpi in order.kpis):
                return _judged(order, columns.with_(taken), evidence)
            held_out = self._store.fetch(submission.holdout)
            report = self._evaluator.measure(model, reference, held_out, window, submission)
        except InvalidInputError as error:
            summary = f"the window cannot be measured: {error}"
            return StepResult(verdict=Verdict.FAIL, summary=summary, evidence=evidence, readings=columns.readings)
        measured = Taken(report.readings, report.unmeasured)
        result = _judged(order, measured.with_(columns).with_(taken), evidence)
        looked = keep_report(self._store, "window", report, result.summary)
        return result.model_copy(update={"evidence": (looked, *evidence)})


class _Seen(NamedTuple):
    """A window of data by its digest, or a period of the record; `silent` if nothing was heard for too long."""

    name: str
    path: Path | None = None
    silent: bool = False


def _judged(order: MonitorOrder, taken: Taken, evidence: tuple[Evidence, ...] = ()) -> StepResult:
    results = tuple(judge(kpi, taken.readings, _why(kpi, taken)) for kpi in order.kpis)
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
