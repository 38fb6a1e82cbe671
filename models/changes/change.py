"""One thing that differs between two plans: what it is about, which way it goes, and a sentence that says so."""

from collections.abc import Callable, Collection, Iterator
from enum import StrEnum
from typing import NamedTuple

from models.canonical import Frozen, spell_duration
from models.source.yaml_source import Path
from models.waits import Wait, never_later


class Direction(StrEnum):
    """Whether more is asked than before, less, or something else."""

    TIGHTER = "tighter"
    LOOSER = "looser"
    NEUTRAL = "neutral"

    @property
    def mirrored(self) -> "Direction":
        """The direction of the way back."""
        ways = {Direction.TIGHTER: Direction.LOOSER, Direction.LOOSER: Direction.TIGHTER}
        return ways.get(self, Direction.NEUTRAL)


class Change(Frozen):
    """One difference. `path` is the place in a template that it is about."""

    subject: str
    direction: Direction
    sentence: str
    path: Path = ()


Changes = Iterator[Change]


class Topic(NamedTuple):
    """What a sentence begins with, and the place of that in a template."""

    subject: str
    path: Path

    def says(self, direction: Direction, text: str, *below: str) -> Change:
        """A change of this subject; `below` leads on to the place within it."""
        sentence = f"{self.subject} {text}"
        return Change(subject=self.subject, direction=direction, sentence=sentence, path=(*self.path, *below))

    def neutral(self, text: str, *below: str) -> Change:
        """A change that asks neither more nor less."""
        return self.says(Direction.NEUTRAL, text, *below)

    def replaced(self, text: str, before: object, after: object, *below: str) -> Changes:
        """A neutral change from one value to another, if they differ."""
        if before != after:
            yield self.neutral(f"{text} {_shown(after)} instead of {_shown(before)}", *below)

    def members(
        self,
        before: Collection[str],
        after: Collection[str],
        gained: str,
        lost: str,
        *below: str,
        more_is_tighter: bool = True,
    ) -> Changes:
        """A change for each member that a set gained or lost; `{}` in the texts stands for it."""
        gain = Direction.TIGHTER if more_is_tighter else Direction.LOOSER
        yield from (self.says(gain, gained.format(one), *below) for one in after if one not in before)
        yield from (self.says(gain.mirrored, lost.format(one), *below) for one in before if one not in after)

    def number(
        self, before: int, after: int, text: str, *below: str, more_is: Direction, spell: Callable[[int], str] = str
    ) -> Changes:
        """A change from one number to another; `{}` in the text stands for both."""
        if before != after:
            direction = more_is if after > before else more_is.mirrored
            yield self.says(direction, text.format(f"{spell(after)} instead of {spell(before)}"), *below)

    def span(
        self, before: Wait, after: Wait, text: str, *below: str, longer_is: Direction = Direction.LOOSER
    ) -> Changes:
        """A change from one time to another; where neither is never the longer one, it is both longer and shorter."""
        said = text.format(f"{spell_duration(after)} instead of {spell_duration(before)}")
        for way, one, other in ((longer_is, after, before), (longer_is.mirrored, before, after)):
            if not never_later(one, other):
                yield self.says(way, said, *below)


def _shown(value: object) -> str:
    return "nothing" if value is None else f"'{value}'"
