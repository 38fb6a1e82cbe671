"""What was put into an environment whose target keeps no such record by itself, and by which once-only keys."""

from pydantic import Field

from models.canonical import Digest, Frozen
from models.errors import ConflictError
from models.evidence import EffectKey
from models.traffic import Split

REMEMBERED = 500
"""So many keys are kept, the last ones: what is repeated late was ordered lately."""


class Placed(Frozen):
    """A version, from its bundle."""

    version: int = Field(ge=1)
    bundle: Digest


class Applied(Frozen):
    """An effect that was completed, in words, under its key."""

    key: str
    effect: str


class Placement(Frozen):
    """The champion of a model in one environment, the challenger beside it, and the effects that led there.

    `before` is what the target calls whatever it had loaded last when the effect began that loads something else.
    """

    champion: Placed | None = None
    split: Split | None = None
    effects: tuple[Applied, ...] = ()
    before: str = ""

    def has(self, key: EffectKey, effect: str) -> bool:
        """Whether an effect was completed under a key; ConflictError if another one was."""
        known = next((one for one in self.effects if one.key == str(key)), None)
        if known and known.effect != effect:
            raise ConflictError(f"the key '{key}' belongs to another effect: {known.effect}, not {effect}")
        return known is not None

    def after(self, key: EffectKey, effect: str, champion: Placed | None, split: Split | None = None) -> "Placement":
        """What is recorded once an effect is completed."""
        done = (*self.effects, Applied(key=str(key), effect=effect))[-REMEMBERED:]
        return Placement(champion=champion, split=split, effects=done, before=self.before)


def beside(placement: Placement, split: Split | None, where: str) -> Placed | None:
    """The champion beside which a challenger is to be tried; None if there is none, and a split is only ended.

    `where` is the model's place in words; ConflictError if there is nothing else beside which it could be tried.
    """
    champion = placement.champion
    if champion is None and split:
        raise ConflictError(f"{where} has no champion beside which a challenger could be tried")
    if champion and split and (split.version, split.bundle) == (champion.version, champion.bundle):
        raise ConflictError(f"version {split.version} is the champion of {where} itself")
    return champion


def deploying(version: int, bundle: Digest) -> str:
    """The effect of deploying, in words."""
    return f"deploy version {version} from {bundle}"


def dividing(split: Split | None) -> str:
    """The effect of dividing, in words."""
    if split is None:
        return "end the split"
    mirrored = ", mirrored" if split.mirrored else ""
    return f"{split.share} % to version {split.version} from {split.bundle}{mirrored}"


WITHDRAWING = "withdraw"
"""The effect of withdrawing, in words."""
