"""How an environment divides the requests of a model between its champion and a challenger, and what each answered."""

import hashlib
from typing import Annotated

from pydantic import AwareDatetime, Field

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


class Position(Frozen):
    """How far a traffic log was read: of the file of each day, so many bytes. The last line of an answer that asks for
    it says where the log ends.
    """

    days: dict[Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")], Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict, max_length=1_000
    )


class Answer(Frozen):
    """What a version said to a request, or to a copy of it: one line of an environment's traffic log.

    `mirrored`: it was a copy, and nobody saw the answer. `instead`: the champion's, as the challenger had failed.
    `microseconds` are the version's own, without the way to the server. Of `rows`, the first have their scores and
    labels here; with an `error` there are none.
    """

    at: AwareDatetime
    unit: str
    version: int = Field(ge=1)
    microseconds: int = Field(ge=0)
    mirrored: bool = False
    instead: bool = False
    rows: int = Field(default=0, ge=0)
    scores: tuple[float | None, ...] = ()
    labels: tuple[int, ...] = ()
    error: str = ""
