"""What the activities need of a registry of models beside ours, and of lifecycles spoken to from outside."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from models.messages import HandedIn


class RegistryVersion(NamedTuple):
    """A version in somebody else's registry: its name and number there, its run, and what we have noted at it."""

    name: str
    number: str
    run: str
    note: str


class Registry(Protocol):
    """A registry of models beside ours. Every method may raise UnavailableError."""

    def versions(self, name: str) -> Sequence[RegistryVersion]:
        """Every version under a name, oldest first."""

    def document(self, version: RegistryVersion) -> bytes | None:
        """What is kept at a version for us: that it is handed in, signed. None if nothing is. InvalidInputError."""

    def champion(self, name: str) -> str | None:
        """Which version the alias `champion` points to."""

    def point(self, name: str, number: str | None) -> None:
        """Have the alias point to a version, or to none."""

    def note(self, version: RegistryVersion, text: str) -> None:
        """Leave a word about a version where its people look."""


class Lifecycles(Protocol):
    """Lifecycles, spoken to from outside of them."""

    async def hand_in(self, model: str, template: str, given: HandedIn) -> int:
        """Hand a version in, beginning the lifecycle if there is none; the event's number.

        RefusedError if it does not count, UnavailableError if nobody answers.
        """
