"""A seeded bug: one change of a source text, and what it breaks."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """In `file`, `old` becomes `new`."""

    file: str
    old: str
    new: str
    breaks: str
