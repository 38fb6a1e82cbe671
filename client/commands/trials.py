"""A challenger that is tried beside the champion: how it does, or how the last one did."""

import asyncio
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from client.api import Modelops
from client.catalog import Catalog
from client.commands.parameters import Json, Model, Utc
from client.console import clean, show, show_json
from client.trial_drawing import trial as draw_trial
from client.trials import Shown, Tried, last_trial, under_way, what_comes
from models.errors import UnavailableError, UnknownNameError
from models.plan import Plan, TrialPlan
from models.status import Status
from models.trial import Look
from worker.keeping import store_of
from worker.settings import Settings, read_settings

_LOOK_AGAIN = 1.0
_REPORT = "trial"


def trial(
    model: Model,
    watch: Annotated[bool, typer.Option("--watch", help="Keep looking until Ctrl-C or the trial's end.")] = False,
    utc: Utc = False,
    as_json: Json = False,
) -> None:
    """Show how a challenger does beside the champion, or how the last one did.

    What it answers since when, what the last look found (each measure's difference between its bounds, of how many
    cases), the checks that would end it, what comes next and when. After the end: the result, from the record.
    """
    if watch and as_json:
        raise typer.BadParameter("--watch is for people; leave out --json")
    settings = read_settings()
    if watch:
        with suppress(KeyboardInterrupt):
            asyncio.run(_watch(settings, model))
        return
    found, plan = asyncio.run(_once(settings, model))
    if as_json:
        show_json(found)
    else:
        show(draw_trial(found, plan, utc))


async def _once(settings: Settings, model: str) -> tuple[Shown, TrialPlan]:
    plan, tried = _recorded(settings, model)
    try:
        async with Modelops.connect(settings) as modelops:
            return await _look(settings, modelops, model)
    except UnavailableError:
        if tried is None or tried.ended is None:
            raise
        return _shown(settings, model, plan, tried, None)


async def _watch(settings: Settings, model: str) -> None:
    async with Modelops.connect(settings) as modelops:
        found, plan = await _look(settings, modelops, model)
        view = draw_trial(found, plan)
        with Live(view, auto_refresh=False) as live:
            while found.running:
                await asyncio.sleep(_LOOK_AGAIN)
                try:
                    found, plan = await _look(settings, modelops, model)
                    view = draw_trial(found, plan)
                    live.update(view, refresh=True)
                except UnavailableError as error:
                    live.update(Group(view, Text(clean(str(error)), style="red")), refresh=True)


async def _look(settings: Settings, modelops: Modelops, model: str) -> tuple[Shown, TrialPlan]:
    status = await modelops.status(model)
    look = await modelops.trial(model)
    plan, tried = _recorded(settings, model)
    return _shown(settings, model, plan, tried, status, look)


def _recorded(settings: Settings, model: str) -> tuple[Plan, Tried | None]:
    with Catalog(settings.database) as catalog:
        catalog.facts(model)
        plan, tried = catalog.plan_of(model), last_trial(catalog.history(model))
    if plan is None:
        raise UnknownNameError(f"'{model}' has no lifecycle", f"`modelops start {model}` begins one")
    if not any(stage.trial for stage in plan.stages):
        raise UnknownNameError(
            f"'{model}' tries no challengers: template '{plan.template}' has no stage with a 'trial'",
            "`modelops template show credit-challenger` has one",
        )
    return plan, tried


def _shown(
    settings: Settings, model: str, plan: Plan, known: Tried | None, status: Status | None, look: Look | None = None
) -> tuple[Shown, TrialPlan]:
    running = under_way(plan, status, known) if status else None
    tried = running or known
    terms = plan.stage(tried.stage).trial if tried else None
    if tried is None or terms is None:
        raise UnknownNameError(
            f"no challenger of '{model}' was tried yet",
            "submit a version beside a champion; one that has passed every gate is tried",
        )
    seen = look if running else _reported(settings, tried)
    champion = status.champion.number if status and status.champion else None
    coming = what_comes(terms, tried, seen) if running else None
    shown = Shown(model=model, champion=champion, running=bool(running), trial=tried, look=seen, coming=coming)
    return shown, terms


def _reported(settings: Settings, tried: Tried) -> Look | None:
    """The last look of a trial that has ended, from its evidence."""
    for evidence in tried.ended.evidence if tried.ended else ():
        if evidence.kind == _REPORT:
            return Look.model_validate_json(store_of(settings).path(evidence.digest).read_bytes())
    return None
