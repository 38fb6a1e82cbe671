"""Models in the inventory: register, list, show."""

import asyncio
from contextlib import suppress

from client.api import Modelops
from client.catalog import Catalog, Known
from client.commands.parameters import File, Json, Model
from client.console import say, show, show_json
from client.documents import read_facts
from client.render import model as draw_model
from client.render import models as draw_models
from models.canonical import Frozen
from models.errors import UnavailableError, UnknownNameError
from models.evidence import StepResult
from models.inventory import ModelFacts
from worker.settings import read_settings


class Registered(Frozen):
    """What the inventory has of one model."""

    facts: ModelFacts
    regulations: tuple[str, ...]
    versions: tuple[Known, ...]


def register(file: File) -> None:
    """Register a model's facts. The same file again changes nothing; other facts under the same id are refused."""
    facts = read_facts(file)
    chosen = read_settings()
    known: ModelFacts | None = None
    with suppress(UnavailableError, UnknownNameError), Catalog(chosen.database) as catalog:
        known = catalog.facts(facts.id)

    async def work() -> StepResult:
        async with Modelops.connect(chosen, say) as modelops:
            return await modelops.register(facts)

    result = asyncio.run(work())
    if known == facts:
        show(f"Nothing changed: {facts.id} is registered already, with these facts ({result.summary}).")
    else:
        show(f"Registered {facts.id}: {result.summary}.", f"Next: modelops start {facts.id} --template TEMPLATE")


def show_model(model: Model, as_json: Json = False) -> None:
    """Show what is registered of a model: its facts, the regulations that apply, its versions."""
    with Catalog(read_settings().database) as catalog:
        found = Registered(
            facts=catalog.facts(model),
            regulations=tuple(catalog.regulations(model)),
            versions=tuple(catalog.versions(model)),
        )
    if as_json:
        show_json(found)
    else:
        show(draw_model(found.facts, found.regulations, found.versions))


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
