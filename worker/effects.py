"""What was done to an inference server, once per key, and what it serves since then."""

from typing import Literal

from pydantic import AwareDatetime, Field

from models.canonical import Digest, Frozen, Slug
from models.traffic import Split
from worker.slots import Slots


class Effect(Frozen):
    """A switch, a division or an unload that was applied, once per key."""

    key: str
    effect: Literal["switch", "divide", "unload"]
    model: Slug
    version: int | None = None
    bundle: Digest | None = None
    split: Split | None = None
    at: AwareDatetime

    def repeats(self, other: "Effect") -> bool:
        """Whether both are the same effect, whenever each was asked for."""
        return self.model_copy(update={"at": other.at}) == other


class State(Frozen):
    """Everything that outlives the process."""

    models: dict[Slug, Slots] = Field(default_factory=dict)
    effects: tuple[Effect, ...] = ()

    def applied(self, key: str) -> Effect | None:
        """The effect of a key, if it was applied."""
        return next((one for one in self.effects if one.key == key), None)
