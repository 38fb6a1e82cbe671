"""`modelops policy ...`: which packs there are, what they demand, and which apply to a model."""

import json
from datetime import date, datetime
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from client.commands.parameters import Json, Model, On
from client.console import clean, show, show_json
from client.library import open_catalog, policy_of
from client.render import table
from client.views import Listed
from models.canonical import Frozen, Slug, spell_duration
from models.diagnostics import Diagnostic, did_you_mean, errors_of
from models.editor_schema import pack_schema
from models.errors import UnknownNameError
from models.impact import impact, named_packs
from models.inventory import RiskTier
from models.plan import Plan
from models.policy import Control, Pack, Policy
from models.scope import EVERY_MODEL
from models.state import Phase
from models.tiering import Tiering
from worker.settings import read_settings

INVALID = 4

PackName = Annotated[str, typer.Argument(metavar="PACK", help="A pack, as in us-sr-26-2 or us-sr-26-2@1.")]


class Application(Frozen):
    """A pack that applies to a model, from which day, and why."""

    pack: Slug
    version: str
    title: str
    since: date
    reason: str
    controls: tuple[Slug, ...]


def policy_for(model: str | None, on: datetime | None) -> Policy:
    """The policy of a command: of a registered model if one is named, as of a day if one is given."""
    settings, facts = read_settings(), None
    if model:
        with open_catalog(settings) as catalog:
            facts = catalog.facts(model)
    return policy_of(settings, facts, on.date() if on else None)


def schema_of_packs() -> None:
    """Write the JSON Schema of policy packs, for editors that complete and check YAML as it is typed."""
    typer.echo(json.dumps(pack_schema(), indent=2))


def list_packs(on: On = None, as_json: Json = False) -> None:
    """List the policy packs that are known, and whether they hold today."""
    policy = policy_for(None, on)
    if as_json:
        show_json(policy.packs)
        return
    rows = [(one.name, one.title, _when(one, policy.on), len(one.controls), one.authority) for one in policy.packs]
    show(table(("Pack", "Title", "Holds", "Controls", "Authority"), rows))


def show_pack(pack: PackName, as_json: Json = False) -> None:
    """Show what a policy pack demands: each control with its weight, its reference and its shape."""
    found = _find(policy_for(None, None).packs, pack)
    if as_json:
        show_json(found)
        return
    rows = [
        (
            name,
            one.severity,
            one.confidence,
            one.reference,
            "" if one.applies == EVERY_MODEL else one.applies.words,
            one.before or "",
            "; ".join(_asks(one)),
        )
        for name, one in found.controls.items()
    ]
    head = ("Control", "Weight", "Sure", "Reference", "Only for", "Before", "Asks")
    holds = f"Holds from {found.effective.since}" + (f" until {found.effective.until}" if found.effective.until else "")
    heading = Text(f"{found.name}: {clean(found.title)}", style="bold")
    about = f"{holds}, about: {found.applies.words}"
    show(heading, clean(found.authority), about, "", table(head, rows), *_draw_questions(found.tiering))


def _draw_questions(tiering: Tiering | None) -> list[RenderableType]:
    """What is asked before a model has a risk tier, and what each answer is worth."""
    if tiering is None:
        return []
    scale = ", ".join(f"{tier} from {points}" for tier, points in tiering.scale.items())
    parts: list[RenderableType] = ["", Text("How a model's risk tier is found", style="bold"), f"Points: {scale}."]
    for name, question in tiering.questions.items():
        rows = [
            (word, one.points, "" if one.at_least is RiskTier.LOW else one.at_least, one.means)
            for word, one in question.answers.items()
        ]
        parts += ["", f"{name}: {question.asks} ({question.reference})"]
        parts += [table(("Answer", "Points", "At least", "Means"), rows)]
    return parts


def applies(model: Model, on: On = None, as_json: Json = False) -> None:
    """Show which policy packs apply to a registered model, now and later, and why."""
    policy = policy_for(model, on)
    found = [
        Application(
            pack=one.pack.pack,
            version=one.pack.version,
            title=one.pack.title,
            since=one.pack.effective.since,
            reason=one.reason,
            controls=tuple(one.pack.about(policy.facts)),
        )
        for one in (*policy.applied(), *policy.to_come())
    ]
    if as_json:
        show_json(found)
        return
    rows = [
        (f"{one.pack}@{one.version}", one.title, "now" if one.since <= policy.on else f"from {one.since}", one.reason)
        for one in found
    ]
    show(table(("Pack", "Title", "Applies", "Because"), rows))


class Impact(Frozen):
    """What one lifecycle lacks of what a pack demands of it, if the pack applies to its model at all."""

    model: Slug
    template: Slug
    running: bool
    applies: bool
    lacks: tuple[Diagnostic, ...]

    @property
    def refused(self) -> bool:
        """Whether its plan would not compile any more."""
        return bool(errors_of(self.lacks))


def show_impact(pack: PackName, on: On = None, as_json: Json = False) -> None:
    """Show what a pack would mean for every lifecycle, running or ended: does its plan still compile, what is missing.

    With `--on`, as of a day to come. The exit status is 4 if a running lifecycle would not compile.
    """
    settings = read_settings()
    known = policy_of(settings, on=on.date() if on else None)
    held = _find(known.packs, pack)
    with open_catalog(settings) as catalog:
        rows = [(one, catalog.facts(one.model), catalog.plan_of(one.model)) for one in catalog.models()]
    found = [_impact(listed, plan, Policy((held,), known.on, facts)) for listed, facts, plan in rows if plan]
    if as_json:
        show_json(found)
    else:
        show(*_draw_impact(held, known.on, found))
    if any(one.running and one.refused for one in found):
        raise typer.Exit(INVALID)


def _impact(listed: Listed, plan: Plan, policy: Policy) -> Impact:
    applies_now = bool(policy.applied(named_packs(plan)))
    return Impact(
        model=listed.model,
        template=plan.template,
        running=listed.phase is not Phase.ENDED,
        applies=applies_now,
        lacks=impact(plan, policy) if applies_now else (),
    )


def _draw_impact(pack: Pack, on: date, found: list[Impact]) -> list[RenderableType]:
    rows = [
        (
            one.model,
            one.template,
            "running" if one.running else "ended",
            "does not apply" if not one.applies else "would not compile" if one.refused else "compiles",
        )
        for one in found
    ]
    lacks = [f"{one.model}: {lack.message} [{lack.regulation or lack.code}]" for one in found for lack in one.lacks]
    return [
        Text(f"{pack.name} on {on}", style="bold"),
        table(("Model", "Template", "Lifecycle", "Its plan"), rows) if rows else "No lifecycle is recorded.",
        *lacks,
    ]


def _find(packs: tuple[Pack, ...], name: str) -> Pack:
    found = [pack for pack in packs if name in (pack.pack, pack.name)]
    if not found:
        raise UnknownNameError(f"there is no policy pack '{name}'", did_you_mean(name, [pack.name for pack in packs]))
    return found[-1]


def _when(pack: Pack, day: date) -> str:
    since, until = pack.effective.since, pack.effective.until
    if since > day:
        return f"from {since}"
    return f"until {until}" if until and until > day else f"ended {until}" if until else "yes"


def _asks(control: Control) -> list[str]:
    gate = control.gate
    asks = [f"{count} of {role}" for role, count in gate.approvals.items()] if gate else []
    asks += [f"{kpi} {bound or 'checked'}" for kpi, bound in gate.checks.items()] if gate else []
    asks += [f"evidence of {kind}" for kind in gate.evidence] if gate else []
    asks += ["signed decisions"] if gate and gate.signed else []
    asks += [f"step {kind}" for kind in control.steps]
    often = f" every {spell_duration(control.every)}" if control.every else ""
    asks += [f"{kpi} watched{often}" for kpi in control.monitors]
    asks += [f"{dimension} dimension watched{often}" for dimension in control.dimensions]
    asks += [f"records kept {spell_duration(control.retention)}"] if control.retention else []
    asks += [f"reviewed every {spell_duration(control.review)}"] if control.review else []
    return asks + [f"no {duty} decides" for duty in control.separation]
