"""What a pickle builds, as values that cannot do anything: plain numbers and texts, containers, and stand-ins."""

from dataclasses import dataclass, field
from typing import NamedTuple

from activities.adapters.artifact_inspection.allowed_names import Kind, Name


class Refused(NamedTuple):
    """What is left of something that loading must not do; the reason is noted where it stood."""


REFUSED = Refused()

WEIGHT_AT_MOST = 10_000_000
"""A tuple of so many values, counted again wherever one is held again, is more than any model has."""


class Group(NamedTuple):
    """A tuple: whether something in it may only be called, and how many values hashing it would visit."""

    items: tuple[object, ...]
    callees: bool
    weight: int


@dataclass(eq=False, slots=True)
class Items:
    """A list or a set, whose items nobody has to look at again."""

    size: int = 0


@dataclass(eq=False, slots=True)
class Mapping:
    """A dictionary, as the pairs that were put in; `closed` once something was made of it."""

    pairs: list[tuple[object, object]] = field(default_factory=list)
    closed: bool = False

    def texts(self) -> dict[str, object] | None:
        """The dictionary, if its keys are texts."""
        found = {key: value for key, value in self.pairs if isinstance(key, str)}
        return found if all(isinstance(key, str) for key, _ in self.pairs) else None


@dataclass(eq=False, slots=True)
class Made:
    """An instance that loading would make: by what, of what, and the state that it got if it is `built`."""

    by: Name | None
    arguments: tuple[object, ...] = ()
    state: object = None
    built: bool = False

    def is_by(self, *names: str) -> bool:
        """Whether it is made by one of some full names."""
        return self.by is not None and str(self.by) in names


def group(items: list[object]) -> Group:
    """A tuple of some values."""
    weight = 1 + sum(item.weight if isinstance(item, Group) else 1 for item in items)
    return Group(tuple(items), any(map(is_callee, items)), min(weight, WEIGHT_AT_MOST))


def is_callee(value: object) -> bool:
    """Whether a value may only be called, or holds one in a tuple."""
    if isinstance(value, Name):
        return value.kind is Kind.REBUILDER and value.module not in ("builtins", "collections")
    return isinstance(value, Group) and value.callees
