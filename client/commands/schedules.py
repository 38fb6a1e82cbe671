"""When monitors look: paused, resumed, and made up for."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

import typer

from client.api import Modelops
from client.catalog import Catalog
from client.commands.parameters import Model, Person, Reason
from client.console import moment, show
from client.schedules import MonitorSchedules
from client.wallet import open_signer
from models.errors import InvalidInputError, UnknownNameError
from models.plan import MonitorPlan
from models.watching import count_looks, demand_served, moment_of, note_of
from worker.settings import read_settings

Named = Annotated[str | None, typer.Argument(metavar="[MONITOR]", help="One monitor; without it, all of them.")]
_LONGEST = 500


def pause(model: Model, person: Person, reason: Reason, monitor: Named = None) -> None:
    """Pause monitors: nothing is measured until they are resumed.

    The schedule says who and why, for whoever looks at it in the Web UI. Silence is seen: it is a finding in the audit
    trail within a quarter of an hour, in `modelops status`, and in the metrics. Whoever has a key may do it.
    """
    note = _note("paused", person, reason)
    names = _changed(model, monitor, lambda schedules, names: schedules.pause(model, names, note))
    show(f"Paused {', '.join(names)}. It is a finding until: modelops monitor resume {model}")


def resume(model: Model, person: Person, reason: Reason, monitor: Named = None) -> None:
    """Resume monitors that were paused, by this or in the Web UI. What they have missed: modelops monitor backfill."""
    note = _note("resumed", person, reason)
    names = _changed(model, monitor, lambda schedules, names: schedules.resume(model, names, note))
    show(f"Resumed {', '.join(names)}.")


def backfill(
    model: Model,
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="The first moment, with its time zone.")],
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="The last moment, with its time zone; else now.")
    ] = None,
    monitor: Named = None,
) -> None:
    """Have monitors make every look that was due between two moments, one after another.

    A time is written with its zone, as in 2026-03-01T00:00+01:00. A look at what was measured before measures nothing
    anew: doing it twice is safe. What was before the version that serves began to is none of its looks.
    """
    begin, now = moment_of(since, "--from").astimezone(UTC), datetime.now(UTC)
    end = moment_of(until, "--until").astimezone(UTC) if until else now
    looks = sum(count_looks(one, begin, end, now) for one in _plans(model, monitor))
    _demand_served(model, begin)
    names = _changed(model, monitor, lambda schedules, names: schedules.backfill(model, names, begin, end))
    show(
        f"{', '.join(names)}: about {looks} looks between {moment(begin)} and {moment(end)}, one after another.",
        f"What they find: modelops monitor show {model}",
    )


def _note(deed: str, person: str, reason: str) -> str:
    """Whoever says so has the person's key on this machine."""
    if not reason.strip() or len(reason) > _LONGEST:
        raise InvalidInputError(f"a reason has 1 to {_LONGEST} characters", "say why in a sentence")
    return note_of(deed, open_signer(read_settings(), person).person, " ".join(reason.split()))


def _demand_served(model: str, begin: datetime) -> None:
    with Catalog(read_settings().database) as catalog:
        plan = catalog.plan_of(model)
        serving = catalog.serving(model, plan.production) if plan and plan.production else None
    if serving:
        demand_served(begin, *serving)


def _plans(model: str, monitor: str | None) -> list[MonitorPlan]:
    with Catalog(read_settings().database) as catalog:
        catalog.facts(model)
        plan = catalog.plan_of(model)
    known = [one.id for one in plan.monitors] if plan else []
    if not plan or not known:
        raise UnknownNameError(f"'{model}' has no monitor", "its lifecycle has to be started, on a template with some")
    if monitor is not None and monitor not in known:
        raise UnknownNameError(f"'{model}' has no monitor '{monitor}'", f"it has {', '.join(known)}")
    return [one for one in plan.monitors if monitor in (None, one.id)]


def _changed(
    model: str, monitor: str | None, change: Callable[[MonitorSchedules, list[str]], Awaitable[None]]
) -> list[str]:
    names = [one.id for one in _plans(model, monitor)]

    async def work() -> None:
        async with Modelops.connect(read_settings()) as modelops:
            await change(modelops.schedules, names)

    asyncio.run(work())
    return names
