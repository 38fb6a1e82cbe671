"""`modelops template prove`: what holds of a template whatever happens, and the shortest story where it does not."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from client.commands.directory import opened
from client.commands.parameters import For, Json, On, Template
from client.commands.policies import policy_for
from client.console import clean, say, show, show_json
from client.documents import read_text
from client.library import find_template
from client.render import table
from models.canonical import Digest, Frozen, digest
from models.people import People, load_people
from models.plan import ControlPlan, Plan
from models.proof.exploration import AT_MOST, Exploration, explore
from models.proof.graph import way_to
from models.proof.invariants import PROMISES
from models.proof.quorum import Shortage, shortages
from worker.settings import DATABASE, Settings, read_settings

UNPROVED = 4


class Report(Frozen):
    """What was proved of a template. `seconds` is how long the exploration took here."""

    template: str
    plan: Digest
    exploration: Exploration
    seconds: float
    promises: tuple[str, ...]
    controls: tuple[ControlPlan, ...]
    ways: dict[str, tuple[str, ...]]
    shortages: tuple[Shortage, ...] | None

    @property
    def holds(self) -> bool:
        """Whether a lifecycle may be started on it."""
        impossible = [found for found in self.shortages or () if not found.barred]
        return self.exploration.outcome == "proved" and not impossible


def prove_template(
    template: Template,
    model: For = None,
    on: On = None,
    at_most: Annotated[int, typer.Option(metavar="STATES", help="Give up, unproved, beyond so many states.")] = AT_MOST,
    directory: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Whose people must meet the quorums; else the configured one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove a template: run the kernel through everything that can happen to its lifecycles.

    The exit status is 4 if a promise is broken, if only a part was explored, or if a quorum cannot be met.
    """
    plan = find_template(template).compiled(policy_for(model, on)).plan
    known = _people(directory, read_settings())
    began = time.perf_counter()
    if not as_json:
        say(f"exploring {plan.template} {plan.version} ...")
    explored = explore(plan, at_most)
    report = Report(
        template=plan.template,
        plan=digest(plan),
        exploration=explored,
        seconds=round(time.perf_counter() - began, 2),
        promises=PROMISES,
        controls=plan.controls,
        ways={control.control: _way(plan, control) for control in plan.controls if control.gate},
        shortages=shortages(plan, known.electorate(plan.roles)) if known else None,
    )
    if as_json:
        show_json(report)
    else:
        show(_draw(report))
    if not report.holds:
        raise typer.Exit(UNPROVED)


def _people(file: Path | None, chosen: Settings) -> People | None:
    """Those of a file, else of the directory; None where there is no directory."""
    if not file and chosen.directory == DATABASE:
        with opened(chosen) as directory:
            return directory.newest().people
    named = file or chosen.people
    return load_people(read_text(named), named) if file or named.exists() else None


def _way(plan: Plan, control: ControlPlan) -> tuple[str, ...]:
    return way_to(plan.by_name, plan.enters.new_version, control.before or "")


def _draw(report: Report) -> Group:
    parts = [_verdict(report), *_promises(report), *_controls(report), *_quorums(report)]
    return Group(*parts)


def _verdict(report: Report) -> Text:
    found = report.exploration
    seen = f"{found.states} states and {found.transitions} transitions in {report.seconds:g} s"
    match found.outcome:
        case "proved":
            return Text(f"Proved: {seen}, the longest shortest story {found.depth} events.", style="green")
        case "incomplete":
            text = f"Not proved: {seen} are only a part. Allow more with --at-most."
            return Text(text, style="yellow")
        case _:
            example = found.counter_example
            story = [f"  {number}. {clean(line)}" for number, line in enumerate(example.story if example else (), 1)]
            broken = example.broken if example else ""
            return Text("\n".join([f"Broken after {seen}: {broken}", *story]), style="red")


def _promises(report: Report) -> list[Text]:
    if report.exploration.outcome != "proved":
        return []
    return [Text("\nIn every state, whatever happens:", style="bold"), *(Text(f"  {one}") for one in report.promises)]


def _controls(report: Report) -> list[RenderableType]:
    if not report.controls:
        return [Text("\nNo policy pack applies.", style="dim")]
    rows = [
        (
            one.control,
            one.reference,
            one.before or "",
            one.gate or ("waived" if one.waived_until else "yes" if one.satisfied else "not satisfied"),
            " > ".join(report.ways.get(one.control, ())),
        )
        for one in report.controls
    ]
    head = ("Control", "Reference", "Before", "Satisfied by", "Shortest way")
    return [Text(""), table(head, rows)]


def _quorums(report: Report) -> list[Text]:
    if report.shortages is None:
        return [Text("\nQuorums were not checked: there is no directory of people.", style="dim")]
    if not report.shortages:
        return [Text("\nEvery quorum can be met, whoever made the version.", style="green")]
    return [
        Text("\nQuorums:", style="bold"),
        *(Text(f"  {clean(str(one))}", style="yellow" if one.barred else "red") for one in report.shortages),
    ]
