"""How an environment divides the requests of a model between its champion and a challenger."""

import hashlib
from typing import Annotated

from pydantic import Field

from models.canonical import Digest, Frozen

Percent = Annotated[int, Field(ge=0, le=100)]

SLICES = 10_000
"""A share is cut into hundredths of a percent."""


class Split(Frozen):
    """A challenger beside the champion: the percentage of units that it answers, in place of the champion.

    `mirrored`: it is also given a copy of what the champion answers, and nobody sees what it says to that.
    """

    version: int = Field(ge=1)
    bundle: Digest
    share: Percent = 0
    mirrored: bool = False

    @property
    def in_words(self) -> str:
        """As in `version 3 answers 25 %`."""
        return f"version {self.version} {'answers copies' if self.mirrored else f'answers {self.share} %'}"


def slice_of(unit: str, challenger: Digest) -> int:
    """Where a unit (a customer, an account, a request) falls, from 0 to `SLICES` - 1; the same for as long as a
    challenger is tried, another for the next one, so that no unit is the one tried upon every time.
    """
    hashed = hashlib.sha256(f"{challenger}/{unit}".encode()).digest()
    return int.from_bytes(hashed[:8], "big") % SLICES


def is_challenged(unit: str, split: Split) -> bool:
    """Whether the challenger answers a unit. Whoever it answers at a share, it answers at every greater one."""
    return slice_of(unit, split.bundle) < split.share * SLICES // 100
