"""One lifecycle: start it, look at it, read its history."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import typer
from pydantic import Field
from rich.console import Group
from rich.live import Live
from rich.text import Text

from client.api import Modelops
from client.catalog import Catalog
from client.commands.parameters import Json, Model, Utc
from client.console import clean, going_on, moment, say, show, show_beside, show_json
from client.exit_codes import TAMPERED
from client.library import find_template, policy_of
from client.proofs import proof_of
from client.render import contradicted
from client.render import status as draw_status
from client.story import Line, brief, tell
from client.suspension import Suspended, suspended_by
from client.underway import Underway
from client.verification import Verification, verify
from client.views import Found
from models.canonical import Frozen
from models.errors import ConflictError, RefusedError, UnavailableError, UnknownNameError
from models.state import Phase, State
from models.status import Status
from models.tickets import Ticket
from worker.environments import demand_sight, environments_of
from worker.settings import read_settings

_LOOK_AGAIN = 1.0
_LOOK_SOON = 0.2
_NEWEST = 5
"""Tickets that are shown."""

_NEEDS_A_PERSON = frozenset({Phase.AWAITING_VERSION, Phase.DECIDING, Phase.STUCK, Phase.ENDED})


class History(Frozen):
    """What happened to one model, and whether the record of it holds."""

    model: str
    entries: tuple[Line, ...]
    verification: Verification


class Shown(Status):
    """A lifecycle's status, and what has had its model suspended, which the record tells."""

    suspended: Suspended | None = Field(default=None, exclude_if=lambda suspended: suspended is None)


def start(
    model: Model,
    template: Annotated[str, typer.Option("--template", metavar="TEMPLATE", help="A template's name, or a file.")],
) -> None:
    """Start a registered model's lifecycle under a template.

    It is compiled under the policy packs that apply to the model, and proved, once. Refused if either fails, if the
    template does not govern the model's risk tier, tries challengers where the target does not tell what they answer,
    or if the model has or had a lifecycle.
    """
    settings = read_settings()
    with Catalog(settings.database) as catalog:
        facts = catalog.facts(model)
        if catalog.plan_of(model):
            raise ConflictError(
                f"'{model}' has a lifecycle already; a model has only one",
                f"`modelops status {model}` shows it; `modelops rebuild {model}` goes on with one that was lost",
            )

    plan = find_template(template).compiled(policy_of(settings, facts)).plan
    demand_sight(environments_of(settings), plan)
    proof = proof_of(plan, settings.root / "proofs")

    async def work() -> None:
        async with Modelops.connect(read_settings()) as modelops:
            await modelops.start(facts, plan, proof)
            show(f"Started the lifecycle of {model} under {plan.template} {plan.version}.", modelops.link(model))
            if not await modelops.has_worker():
                say("No worker is running: nothing happens until one is (`modelops up` or `python -m worker`).")

    asyncio.run(work())


def status(
    model: Model,
    watch: Annotated[bool, typer.Option("--watch", help="Keep looking until Ctrl-C or the lifecycle's end.")] = False,
    until: Annotated[Phase | None, typer.Option("--until", help="Wait for this phase first; for scripts.")] = None,
    within: Annotated[float, typer.Option("--within", metavar="SECONDS", help="How long --until waits.")] = 600,
    as_json: Json = False,
) -> None:
    """Show where a lifecycle is, what it waits for, and how to act.

    `--until` gives up, refused, where nothing but a person can bring the phase about.
    """
    if watch and as_json:
        raise typer.BadParameter("--watch is for people; leave out --json")
    if watch:
        with suppress(KeyboardInterrupt):
            asyncio.run(_watch(model))
        return
    found, going = asyncio.run(_status(model, until, within))
    why = _suspended(found)
    if as_json:
        show_json(Shown(**dict(found), suspended=why))
    else:
        findings, tickets = _beside(model)
        show(draw_status(found), *(clean(str(one)) for one in going if one.tells))
        show(*([Text(f"Suspended since {moment(why.at)} {clean(str(why))}", style="red")] if why else []))
        show(*([contradicted(findings)] if findings else []))
        show(*(Text(f"Ticket {clean(one.id)}: {clean(one.url)}") for one in tickets[:_NEWEST]))


def _suspended(found: Status) -> Suspended | None:
    """Why nothing serves, if that is so and the inventory can be read."""
    with suppress(UnavailableError, UnknownNameError), Catalog(read_settings().database) as catalog:
        plan = catalog.plan_of(found.model)
        if plan and found.champion and found.phase is not Phase.ENDED and plan.production not in found.serving:
            initial = State(model=found.model, owner=catalog.facts(found.model).owner)
            return suspended_by(plan, initial, catalog.history(found.model))
    return None


def _beside(model: str) -> tuple[Sequence[Found], Sequence[Ticket]]:
    """What contradicts the record of a model, and its tickets; nothing where the inventory cannot be read."""
    with suppress(UnavailableError), Catalog(read_settings().database) as catalog:
        return catalog.findings(model), catalog.tickets(model)
    return (), ()


async def _status(model: str, until: Phase | None, within: float) -> tuple[Status, list[Underway]]:
    async with Modelops.connect(read_settings()) as modelops:
        found = await modelops.status(model)
        give_up = asyncio.get_running_loop().time() + within
        while until and found.phase is not until:
            _refuse_to_wait(found, until)
            if asyncio.get_running_loop().time() > give_up:
                raise UnavailableError(f"'{model}' did not become '{until}' within {within:g} s", "look again later")
            await asyncio.sleep(_LOOK_SOON)
            found = await modelops.status(model)
        return found, await modelops.underway(model)


def _refuse_to_wait(found: Status, until: Phase) -> None:
    """Waiting ends where only a person can go on."""
    model = found.model
    if found.phase in _NEEDS_A_PERSON:
        now = going_on(found.waiting_for)
        raise RefusedError(
            f"'{model}' cannot become '{until}' by itself: {now}", f"`modelops status {model}` shows how to act"
        )
    if found.paused and found.step is None:
        resume = f"`modelops resume {model} --as YOU --reason WHY` lets it go on"
        raise RefusedError(f"'{model}' cannot become '{until}': it is paused", resume)


async def _watch(model: str) -> None:
    async with Modelops.connect(read_settings()) as modelops:
        found = await modelops.status(model)
        view = draw_status(found, brief=True)
        with Live(view, auto_refresh=False) as live:
            while found.phase is not Phase.ENDED:
                await asyncio.sleep(_LOOK_AGAIN)
                try:
                    found = await modelops.status(model)
                    view = draw_status(found, brief=True)
                    live.update(view, refresh=True)
                except UnavailableError as error:
                    live.update(Group(view, Text(clean(str(error)), style="red")), refresh=True)


def history(
    model: Model,
    utc: Utc = False,
    whole: Annotated[
        bool, typer.Option("--all", help="A line for every entry, also where two tell of one step.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Tell everything that happened to a model, and verify the audit trail.

    Last come the hash chain of all entries, the rows of the inventory, and the events run through the rules once more.
    Exit status 7: tampered.
    """
    with Catalog(read_settings().database) as catalog:
        record = catalog.record(model)
        if record.is_empty:
            raise UnknownNameError(f"nothing is recorded of '{model}'", "`modelops list` shows the registered models")
        found = History(model=model, entries=tuple(tell(record.history)), verification=verify(catalog, record))
    if as_json:
        show_json(found)
    else:
        lines = found.entries if whole else brief(found.entries)
        show_beside((moment(line.at, utc), _draw(line)) for line in lines)
        show(*_judge(found.verification))
    if not found.verification.holds:
        raise typer.Exit(TAMPERED)


def _draw(line: Line) -> Text:
    return Text(clean(str(line)), "red" if line.refused else "")


def _judge(found: Verification) -> list[Text]:
    wrong = (*found.problems, *found.rows, *found.replay)
    lines = [Text(clean(problem), style="red") for problem in wrong]
    if not found.problems:
        chain = f"The chain of all {found.entries} entries holds, up to {found.head}."
        lines.append(Text(chain, style="green"))
    if not found.rows:
        lines.append(Text("The rows of the inventory are what the trail makes of them.", style="green"))
    if not found.events:
        lines.append(Text("No event is recorded: the rules were not run."))
    elif not found.replay:
        lines.append(Text("The rules, run over the recorded events once more, agree with the record.", style="green"))
    return lines
