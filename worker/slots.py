"""What an inference server keeps of each model: which bundles are loaded, and which of them answers."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import AwareDatetime

from models.canonical import Digest, Frozen
from models.traffic import Split


class Slot(Frozen):
    """One bundle that is loaded."""

    version: int
    bundle: Digest


class Slots(Frozen):
    """What is loaded of one model, oldest first; without a default the model does not serve.

    `since`: when the default became it, from which on the previous one is kept warm for a while.
    """

    loaded: tuple[Slot, ...] = ()
    default: Digest | None = None
    previous: Digest | None = None
    since: AwareDatetime | None = None
    split: Split | None = None

    @property
    def challenger(self) -> Digest | None:
        """The bundle that answers beside the default."""
        return self.split.bundle if self.split else None

    def find(self, bundle: Digest | None) -> Slot | None:
        """The slot of a bundle."""
        return next((slot for slot in self.loaded if slot.bundle == bundle), None)

    def of_version(self, version: int) -> Slot | None:
        """The slot of a version: that loaded last, if it was packaged again."""
        return next((slot for slot in reversed(self.loaded) if slot.version == version), None)

    def beside(self, slot: Slot) -> "Slots":
        """With one more bundle loaded; the default stays."""
        others = tuple(one for one in self.loaded if one.bundle != slot.bundle)
        return self.model_copy(update={"loaded": (*others, slot)})

    def without(self, bundle: Digest) -> "Slots":
        """With one bundle dropped, unless it is the default, the previous one or the challenger."""
        if bundle in (self.default, self.previous, self.challenger):
            return self
        return self._keeping(one.bundle for one in self.loaded if one.bundle != bundle)

    def switched(self, bundle: Digest, at: datetime) -> "Slots":
        """With another default, which all requests go to; all but it and the one before it are dropped."""
        previous = self.previous if bundle == self.default else self.default
        changed = Slots(loaded=self.loaded, default=bundle, previous=previous, since=at)
        return changed._keeping((bundle, previous))

    def divided(self, split: Split | None) -> "Slots":
        """With another challenger beside the default, or none; the former one is dropped."""
        changed = self.model_copy(update={"split": split})
        if self.challenger is None or self.challenger == changed.challenger:
            return changed
        return changed.without(self.challenger)

    def cooled(self) -> "Slots":
        """With the previous one dropped, unless it is the challenger now."""
        return self.model_copy(update={"previous": None}).without(self.previous) if self.previous else self

    def _keeping(self, bundles: Iterable[Digest | None]) -> "Slots":
        kept = frozenset(bundles)
        return self.model_copy(update={"loaded": tuple(one for one in self.loaded if one.bundle in kept)})
