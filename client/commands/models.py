"""Models in the inventory: register, list, show."""

import asyncio
from contextlib import suppress
from functools import cache

from rich.text import Text

from client.api import Modelops
from client.catalog import Catalog
from client.commands.parameters import File, Json, Model, On
from client.console import clean, say, show, show_json
from client.documents import read_facts
from client.library import built_in, policy_of
from client.render import contradicted, table
from client.render import model as draw_model
from client.render import models as draw_models
from client.views import Found, Known
from models.canonical import Frozen, Slug
from models.errors import UnavailableError, UnknownNameError
from models.evidence import StepResult
from models.inventory import ModelFacts, Rating, RiskTier
from models.policy import Severity
from worker.settings import read_settings


class Registered(Frozen):
    """What the inventory has of one model."""

    facts: ModelFacts
    rating: Rating | None
    regulations: tuple[str, ...]
    versions: tuple[Known, ...]
    findings: tuple[Found, ...]


def register(file: File) -> None:
    """Register a model's facts. The same file again changes nothing; other facts under the same id are refused."""
    chosen = read_settings()

    @cache
    def registered(model: Slug) -> ModelFacts | None:
        with suppress(UnavailableError, UnknownNameError), Catalog(chosen.database) as catalog:
            return catalog.facts(model)
        return None

    facts = read_facts(file, policy_of(chosen), registered)
    known = registered(facts.id)

    async def work() -> StepResult:
        async with Modelops.connect(chosen, say) as modelops:
            return await modelops.register(facts)

    result = asyncio.run(work())
    if known == facts:
        show(f"Nothing changed: {facts.id} is registered already, with these facts ({result.summary}).")
    else:
        show(f"Registered {facts.id}: {result.summary}.", f"Next: modelops start {facts.id} --template TEMPLATE")


class Demanded(Frozen):
    """A control that a model's tier and its other facts ask for."""

    control: Slug
    pack: str
    severity: Severity
    title: str


class Assessed(Frozen):
    """The tier of a model, why, and which controls are in proportion to it; `counts` at each of the tiers."""

    model: Slug
    rating: Rating | None
    controls: tuple[Demanded, ...]
    counts: dict[RiskTier, int]


def assess(file: File, on: On = None, as_json: Json = False) -> None:
    """Show the risk tier that the answers in a model's facts give, why, and the controls that are in proportion to it.

    Nothing is registered. `modelops policy show baseline` shows the questions.
    """
    policy = policy_of(read_settings(), on=on.date() if on else None)
    facts = read_facts(file, policy)
    policies = {tier: policy._replace(facts=facts.model_copy(update={"risk_tier": tier})) for tier in RiskTier}
    asked = {tier: one.asked() for tier, one in policies.items()}
    controls = tuple(
        Demanded(control=name, pack=pack.name, severity=control.severity, title=control.title)
        for pack, name, control in asked[facts.risk_tier]
    )
    rating = policies[facts.risk_tier].rating()
    found = Assessed(model=facts.id, rating=rating, controls=controls, counts={t: len(asked[t]) for t in RiskTier})
    if as_json:
        show_json(found)
        return
    rows = [(one.control, one.pack, one.severity, one.title) for one in controls]
    counts = ", ".join(f"{count} at {tier}" for tier, count in found.counts.items())
    show(
        Text(f"{clean(facts.id)}: tier {facts.risk_tier}", style="bold"),
        *(rating.reasons if rating else ()),
        "",
        table(("Control", "Pack", "Weight", "What it asks"), rows),
        "",
        f"Controls in proportion: {counts}.",
        f"Built-in templates for this tier: {', '.join(_templates_for(facts.risk_tier)) or 'none'}.",
        f"Next: modelops model register {file}",
    )


def _templates_for(tier: RiskTier) -> list[str]:
    return [name for name, text in built_in().items() if tier in text.compiled().plan.tiers]


def show_model(model: Model, as_json: Json = False) -> None:
    """Show what is registered of a model: its facts, the regulations that apply, its versions."""
    with Catalog(read_settings().database) as catalog:
        found = Registered(
            facts=catalog.facts(model),
            rating=catalog.rating(model),
            regulations=tuple(catalog.regulations(model)),
            versions=tuple(catalog.versions(model)),
            findings=tuple(catalog.findings(model)),
        )
    if as_json:
        show_json(found)
    else:
        show(draw_model(found.facts, found.rating, found.regulations, found.versions))
        show(*([contradicted(found.findings)] if found.findings else []))


def list_models(as_json: Json = False) -> None:
    """List every registered model, and where its lifecycle is."""
    with Catalog(read_settings().database) as catalog:
        listed = catalog.models()
    if as_json:
        show_json(listed)
    elif listed:
        show(draw_models(listed))
    else:
        show("No model is registered yet. Begin with: modelops model register FILE")
