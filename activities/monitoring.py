"""Monitors: schedules that look at new windows of production data."""

import asyncio
from datetime import datetime
from typing import NamedTuple

from temporalio import activity

from activities.judging import OF_A_PERIOD, Found, Judging, needs_window
from activities.ledger import Ledger, Outcome
from activities.ports import Inventory, Serving
from activities.schedule_ports import Schedules
from activities.window_ports import KEPT_WINDOWS, Arrivals, Window, Windows
from models.canonical import Digest, replace, spell_duration
from models.errors import InvalidInputError, NotPermittedError, UnavailableError, UnknownNameError
from models.evidence import EffectKey, StepKind, StepResult
from models.inventory import DataContract, Measured
from models.journal import Assignment
from models.maturity import Look, late_breach, unmeasured_before, verdicts_of
from models.messages import Breach, shorten
from models.metrics import period_before
from models.monitoring import (
    CUT,
    MonitorOrder,
    MonitorOutcome,
    is_breach,
    is_early,
    is_silent,
    moment_of,
    monitor_orders,
    tightened_order,
    unmeasured_verdict,
)
from models.upkeep import period
from models.verdict import Verdict


class MonitoringActivities:
    """Starts and stops schedules, and measures windows."""

    def __init__(self, inventory: Inventory, windows: Windows, schedules: Schedules, judging: Judging) -> None:
        self._inventory = inventory
        self._ledger = Ledger(inventory)
        self._windows = windows
        self._schedules = schedules
        self._judging = judging

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
        if replace(order, at=None) not in (*monitor_orders(order.model, plan), tightened):
            raise NotPermittedError(
                f"the plan of '{order.model}' has no such check '{order.monitor.id}'",
                "checks run by the schedules that the lifecycle starts",
            )
        serving, at = self._serving(order), moment_of(order, activity.info().scheduled_time)
        seen = self._newest(order, serving, at)
        if seen is None:
            return MonitorOutcome(result=StepResult(verdict=Verdict.INCONCLUSIVE, summary="no window of data yet"))
        if is_early(seen.about, serving.since):
            return MonitorOutcome(result=self._early(order, serving, seen, at))
        key = EffectKey(model=order.model, visit=0, step=_step(order, serving, seen.name))
        result = self._ledger.once(key, lambda: self._still(order, serving, self._measure(order, serving, seen, at)))
        missed = self._mature(order, serving) if seen.window else ""
        return MonitorOutcome(result=result, breach=self._breach(order), missed=shorten(missed))

    def _early(self, order: MonitorOrder, serving: Serving, seen: "_Seen", at: datetime) -> StepResult:
        """Nothing was measured; what versions before have brought or cost goes into the value ledger all the same."""
        found = self._judging.books(order, at)
        said = "; ".join(filter(None, (f"before version {serving.version} served", found.problem)))
        result = found.result.model_copy(update={"verdict": Verdict.INCONCLUSIVE, "summary": said})
        if not found.booked:
            return result
        step = f"{_step(order, serving, seen.name)}/before/{period(order.every, at)}"
        return self._ledger.once(EffectKey(model=order.model, visit=0, step=step), lambda: (result, found.booked))

    def _mature(self, order: MonitorOrder, serving: Serving) -> str:
        """Look again at windows of whose cases something has become known since; why some could not be measured again.

        What was read beside a window stands: outcomes change nothing of it. So does what was measured of windows that
        cannot be measured again; they are looked at again the next time.
        """
        arrivals, missed = self._windows.of(order.model), ""
        contract = self._inventory.submission(order.model, serving.version).contract
        for look in self._inventory.looks(order.model, order.monitor.id)[-KEPT_WINDOWS:]:
            window = arrivals.kept(look.window)
            try:
                outcomes = _known(arrivals, window, contract) if window else None
                if window and outcomes not in (None, look.outcomes):
                    self._look_again(order, serving, look, window, outcomes)
            except (InvalidInputError, _MissedError) as error:
                missed = missed or ("" if look.unmeasured else str(error))
        return missed

    def _look_again(
        self, order: MonitorOrder, serving: Serving, look: Look, window: Window, outcomes: Digest | None
    ) -> None:
        seen = _Seen(window.name, _moment(window), window, outcomes)
        last = _step(order, serving, look.window, look.looks, look.outcomes)
        step = _step(order, serving, look.window, look.looks + 1, outcomes)

        def effect() -> Outcome:
            before = self._inventory.effect(EffectKey(model=order.model, visit=0, step=last))
            if before and not look.unmeasured:
                found = self._judging.look_again(order, serving, window, before)
                stands = True
            else:
                found = self._judging.look(order, serving, window, seen.moment)
                stands = found.result.verdict is not Verdict.FAIL
            if found.problem and stands:
                raise _MissedError(found.problem)
            told = _unmeasured(found, before=False) if found.problem else found.result
            return self._still(order, serving, _recorded(order, serving, seen, found._replace(result=told)))

        self._ledger.once(EffectKey(model=order.model, visit=0, step=step), effect)

    def _breach(self, order: MonitorOrder) -> Breach | None:
        """By the last look at each window."""
        looks = self._inventory.looks(order.model, order.monitor.id)
        if is_breach(order.monitor, verdicts_of(looks)):
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

    def _still(self, order: MonitorOrder, serving: Serving, found: Outcome) -> Outcome:
        """What was found, unless another version serves by now, for which it may not count; UnavailableError."""
        if self._serving(order) != serving:
            raise UnavailableError(
                f"version {serving.version} of '{order.model}' ceased to serve while it was measured",
                "what serves now is looked at",
            )
        return found

    def _newest(self, order: MonitorOrder, serving: Serving, at: datetime) -> "_Seen | None":
        """What is to be measured now; None if there is nothing yet. Record and metrics need no window of data."""
        asked = period_before(order.every, at)
        if not any(map(needs_window, order.kpis)):
            of_period = any(kpi.metric or kpi.name in OF_A_PERIOD for kpi in order.kpis)
            return _Seen(period(order.every, at), asked.until, read=None if of_period else at + CUT)
        found = self._windows.of(order.model).newest(asked)
        last = max(serving.since, found.arrived) if found else serving.since
        if is_silent(order.monitor, last, at):
            return _Seen(f"none, {period(order.every, at)}", at, silent=True)
        return _Seen(found.name, _moment(found), found) if found else None

    def _measure(self, order: MonitorOrder, serving: Serving, seen: "_Seen", at: datetime) -> Outcome:
        if seen.silent:
            why = f"no new window of data ({seen.name})"
            return _recorded(order, serving, seen, Found(StepResult(verdict=Verdict.FAIL, summary=why), problem=why))
        found = self._judging.look(order, serving, seen.window, at)
        if found.problem:
            looks = self._inventory.looks(order.model, order.monitor.id)
            found = found._replace(result=_unmeasured(found, unmeasured_before(looks, seen.moment)))
        return _recorded(order, serving, seen, found)


class _Seen(NamedTuple):
    """A window of data by its digest, or a period of the record; `silent` if nothing was heard for too long.

    `moment` is what it stands for; of what is read as it is, `read` is by when that was.
    """

    name: str
    moment: datetime
    window: Window | None = None
    outcomes: Digest | None = None
    silent: bool = False
    read: datetime | None = None

    @property
    def about(self) -> datetime:
        """The last moment that it tells anything of."""
        return self.read or self.moment


class _MissedError(Exception):
    """A window could not be measured again."""


def _step(order: MonitorOrder, serving: Serving, name: str, look: int = 1, outcomes: Digest | None = None) -> str:
    first = f"measure/{order.monitor.id}/{name}/v{serving.version}"
    return first if look == 1 else f"{first}/{look}/{outcomes}"


def _unmeasured(found: Found, before: bool) -> StepResult:
    """Of what could not all be measured: first what matters more."""
    judged = found.result
    parts = [f"not measured{', nor at the look before' if before else ''}: {found.problem}", judged.summary]
    if judged.verdict is Verdict.FAIL:
        parts.reverse()
    changes = {"verdict": unmeasured_verdict(judged.verdict, before), "summary": "; ".join(filter(None, parts))}
    return judged.model_copy(update=changes)


def _recorded(order: MonitorOrder, serving: Serving, seen: _Seen, found: Found) -> Outcome:
    measured = Measured(
        monitor=order.monitor.id,
        window=seen.name,
        version=serving.version,
        moment=seen.moment,
        outcomes=found.outcomes or seen.outcomes,
        unmeasured=bool(found.problem),
        verdict=found.result.verdict.value,
        reasons=(found.result.summary,),
    )
    return found.result, [measured, *found.booked]


def _moment(window: Window) -> datetime:
    """What a window stands for: when it arrived, whatever moment somebody ordered a look at it for."""
    return min(window.arrived, activity.info().scheduled_time)


def _known(arrivals: Arrivals, window: Window, contract: DataContract) -> Digest | None:
    """The digest of what is known of a window's cases, None if nothing is; InvalidInputError if that cannot be read."""
    with arrivals.opened(window, contract) as brought:
        return brought.known.digest if brought.known else None
