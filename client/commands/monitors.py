"""What watches a model in production: what is measured, what was found, and looking now."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from activities.judging import needs_window
from client.api import Modelops
from client.catalog import Catalog
from client.charts import sparkline
from client.commands.parameters import Json, Model
from client.console import moment, show, show_json
from client.holdings import attained
from client.render import VERDICTS, table, verdict_text
from client.seen import course_of
from client.views import Looked, Watched
from models.canonical import spell_duration
from models.errors import ModelopsError, RefusedError, UnavailableError, UnknownNameError
from models.plan import Plan
from models.verdict import Kpi, Reading, judge
from models.watching import Watch
from models.windows import Folder, Question
from worker.said_windows import said_windows
from worker.settings import Settings, read_settings

_LAST = 3
_WINDOWS = frozenset({".csv", ".parquet"})

Named = Annotated[str | None, typer.Argument(metavar="[MONITOR]", help="One monitor; without it, all of them.")]


def list_monitors(model: Model, as_json: Json = False) -> None:
    """List what watches a model: what each monitor checks, how often, what a breach starts, what it found last.

    Whether it is paused is asked of the Temporal server, if that answers.
    """
    with Catalog(read_settings().database) as catalog:
        watched = asyncio.run(_scheduled(model, _watched(catalog, model)))
    if as_json:
        show_json(watched)
        return
    rows = [
        (
            one.monitor,
            ", ".join(one.checks),
            spell_duration(one.every) + (f" until {moment(one.tightened.until)}" if one.tightened else ""),
            one.then,
            _last(one.last) if one.last else None,
            moment(one.last.at) if one.last else None,
            one.schedule,
        )
        for one in watched
    ]
    show(table(("Monitor", "Checks", "Every", "A breach starts", "Last", "At", "Schedule"), rows))


def show_monitors(model: Model, monitor: Named = None, as_json: Json = False) -> None:
    """Show what was read of a model in production: each value over time, where it stands now, on n cases, and why.

    A window that was measured again, as outcomes became known, counts once, by its newest measurement.
    """
    with Catalog(read_settings().database) as catalog:
        names = [one.monitor for one in _watched(catalog, model)]
        plan = catalog.plan_of(model)
        kpis = {kpi.name: kpi for kpi in plan.kpis} if plan else {}
        looks = [_on_target(one, kpis) for one in catalog.looks(model) if monitor in (None, one.monitor)]
    if monitor is not None and monitor not in names:
        raise UnknownNameError(f"'{model}' has no monitor '{monitor}'", f"it has {', '.join(names)}")
    if as_json:
        show_json(looks)
        return
    if not looks:
        show("Nothing was measured yet. `modelops monitor run` has every monitor look now.")
        return
    rows = []
    for name in dict.fromkeys(reading.name for look in looks for reading in look.readings):
        course, kpi = course_of(looks, name, plan), kpis.get(name)
        bounds = (kpi.passes, kpi.fails) if kpi else (None, None)
        now = [one for one in course if one][-1]
        reached = _reached(kpi.attained(one.value) for one in course if one) if kpi else ""
        rows.append((name, _drawn(course, kpi), now, now.count, *bounds, reached))
    if rows:
        show(table(("Reading", "Over time", "Now", "n", "Passes", "Fails", "Of the target"), rows), "")
    show(table(("At", "Monitor", "Version", "Verdict", "Why"), [_row(look) for look in looks]))


def run_monitors(model: Model) -> None:
    """Run a model's monitors now, without waiting for their schedules.

    They judge the newest window of production data: the CSV or Parquet file modified last in its folder,
    MODELOPS_HOME/windows/MODEL, or what MODELOPS_WINDOWS_FILE says instead. What is read from the record, or from
    metrics, needs none.
    """
    chosen = read_settings()
    with Catalog(chosen.database) as catalog:
        _watched(catalog, model)
        plan, stage = catalog.plan_of(model), next(one.stage for one in catalog.models() if one.model == model)
    suspended, needing = (stage == plan.enters.suspension, needing_windows(plan)) if plan else (False, [])

    async def work() -> None:
        async with Modelops.connect(chosen) as modelops:
            names = await modelops.check_monitors(model)
        if not names:
            raise _nobody_looks(model, suspended)
        show(*(f"Started {name}." for name in names), _expected(model, needing, chosen))

    asyncio.run(work())


def _nobody_looks(model: str, suspended: bool) -> ModelopsError:
    if suspended:
        return RefusedError(
            f"nothing of '{model}' serves in production: it is suspended, and its monitors have ended",
            f"`modelops status {model}` says why, and what can be done; they begin again when a version serves",
        )
    return UnknownNameError(
        f"no monitor of '{model}' looks at anything now",
        "monitors begin when a version goes into production, and end with its retirement",
    )


def _watched(catalog: Catalog, model: str) -> list[Watched]:
    catalog.facts(model)
    plan = catalog.plan_of(model)
    if plan is None or not plan.monitors:
        raise UnknownNameError(
            f"'{model}' has no monitor", "its lifecycle has to be started, on a template with monitors"
        )
    last = {look.monitor: look for look in catalog.looks(model)}
    tightened = catalog.tightened(model)
    if tightened and tightened.until <= datetime.now(UTC):
        tightened = None
    return [
        Watched(
            monitor=one.id,
            checks=one.checks,
            every=one.tightened if (on := tightened and tightened.monitor == one.id) else one.every,
            then=one.brakes.otherwise if on else one.then,
            last=last.get(one.id),
            tightened=tightened if on else None,
        )
        for one in plan.monitors
    ]


async def _scheduled(model: str, watched: list[Watched]) -> list[Watched]:
    """The same with what the schedules say; as they were, if nobody answers."""
    with suppress(UnavailableError):
        async with Modelops.connect(read_settings()) as modelops:
            seen = await modelops.schedules.look(model, [one.monitor for one in watched])
        return [one.model_copy(update={"schedule": _spelled(seen.get(one.monitor))}) for one in watched]
    return watched


def _spelled(watch: Watch | None) -> str:
    if watch is None:
        return "none"
    if watch.paused:
        return f"paused: {watch.note or 'nobody says why'}"
    return f"next {moment(watch.next)}" if watch.next else "it has ended"


def _on_target(look: Looked, kpis: Mapping[str, Kpi]) -> Looked:
    return look.model_copy(update={"attained": attained(kpis.values(), {one.name: one.value for one in look.readings})})


def _drawn(course: Sequence[Reading | None], kpi: Kpi | None) -> Text:
    """Bars between the bounds, each in the colour of what it was judged to be; a dot where nothing was read."""
    bounds = (kpi.passes.bound, kpi.fails.bound) if kpi else ()
    bars = sparkline([one.value if one else None for one in course], bounds)
    latest = course[-len(bars) :]
    parts = [
        (bar, VERDICTS[judge(kpi, (one,)).verdict] if kpi and one else "")
        for bar, one in zip(bars, latest, strict=True)
    ]
    return Text.assemble(*parts)


def _reached(shares: Iterable[float | None]) -> str:
    """The last few, in percent."""
    return " → ".join(f"{share:.0%}" for share in [share for share in shares if share is not None][-_LAST:])


def _last(look: Looked) -> Text:
    """The verdict; of a look that could not measure, why."""
    said = verdict_text(look.verdict)
    return Text.assemble(said, f"; {'; '.join(look.reasons)}") if look.unmeasured else said


def _row(look: Looked) -> tuple[object, ...]:
    return moment(look.at), look.monitor, look.version, verdict_text(look.verdict), Text("; ".join(look.reasons))


def needing_windows(plan: Plan) -> list[str]:
    """The monitors that look at windows of data, and not at the record and metrics alone."""
    return [one.id for one in plan.monitors if any(needs_window(plan.kpi(name)) for name in one.checks)]


def _expected(model: str, needing: Sequence[str], settings: Settings) -> str:
    said = said_windows(settings).windows.get(model)
    folder = Path(said.folder) if isinstance(said, Folder) else settings.windows / model
    if not needing or isinstance(said, Question) or any(one.suffix in _WINDOWS for one in folder.glob("*")):
        return f"What they find: modelops monitor show {model}"
    return (
        f"No data to judge will be found by {', '.join(needing)}: no window of production data is in {folder}. Put a "
        "CSV or Parquet file with the columns of the training data there, then run this again."
    )
