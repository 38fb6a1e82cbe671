"""Versions that are registered elsewhere enter our lifecycles, if a person has signed for them; aliases follow."""

import asyncio
from collections.abc import Mapping

from pydantic import ValidationError
from temporalio import activity

from activities.aliases import Aliases
from activities.ports import Inventory
from activities.registry_ports import Lifecycles, Registry, RegistryVersion
from models.errors import InvalidInputError
from models.messages import HandedIn
from models.registries import Governed


class RegistryActivities:
    """One round: what is new is handed in, each version once; then the aliases follow."""

    def __init__(
        self,
        inventory: Inventory,
        registry: Registry,
        lifecycles: Lifecycles,
        governed: Mapping[str, Governed],
        aliases: Aliases,
    ) -> None:
        self._inventory = inventory
        self._registry = registry
        self._lifecycles = lifecycles
        self._governed = governed
        self._aliases = aliases

    @activity.defn(name="follow_registry")
    async def follow_registry(self) -> tuple[str, ...]:
        """What was done about new versions, in words. UnavailableError: the rest is done in the next round."""
        told = list[str]()
        for name, governed in self._governed.items():
            for version in await asyncio.to_thread(self._registry.versions, name):
                if not version.note and (said := await self._take(version, governed)):
                    await asyncio.to_thread(self._registry.note, version, said)
                    told.append(f"version {version.number} of '{name}': {said}")
        await asyncio.to_thread(self._aliases.follow)
        return tuple(told)

    async def _take(self, version: RegistryVersion, governed: Governed) -> str:
        """What became of a version; empty if nobody has signed for it yet.

        The lifecycle asks for the signature as it does of every version: nothing counts because it is registered.
        """
        try:
            document = await asyncio.to_thread(self._registry.document, version)
            if document is None:
                return ""
            given = HandedIn.model_validate_json(document)
            if await asyncio.to_thread(self._known, governed.model, given):
                return f"handed in to {governed.model}"
            event = await self._lifecycles.hand_in(governed.model, governed.template, given)
        except ValidationError as error:
            return f"refused: this is no version that was handed in: {error.errors()[0]['msg']}"
        except InvalidInputError as error:
            return f"refused: {error}"
        return f"handed in to {governed.model} as event {event}"

    def _known(self, model: str, given: HandedIn) -> bool:
        """Whether it is on record already: a crash came before the note."""
        holding = dict(self._inventory.holding(given.submission.artifact.digest))
        return model in holding and self._inventory.submission(model, holding[model]) == given.submission
