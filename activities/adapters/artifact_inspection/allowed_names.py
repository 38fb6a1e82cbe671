"""The names that a model file may mention, each with its kind: read from the list that `listing` generates."""

import json
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class Kind(StrEnum):
    """What loading may do with a name."""

    VALUE = "values"
    """It may be mentioned, as a data type or an elementwise function is."""

    CLASS = "classes"
    """An empty instance may be made, without its constructor, and given attributes."""

    COMPILED = "compiled"
    """A class of an extension module: it may be constructed from numbers and arrays, and checks its own state."""

    REBUILDER = "rebuilders"
    """It may be called, with the arguments that the library itself writes and no others."""


class Name(NamedTuple):
    """A name on the list."""

    module: str
    name: str
    kind: Kind

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


LIST = Path(__file__).with_name("allowed_names.json")


def _read() -> dict[tuple[str, str], Name]:
    listed = json.loads(LIST.read_text())
    return {
        (module, name): Name(module, name, kind)
        for kind in Kind
        for module, names in listed[kind].items()
        for name in names
    }


_ALLOWED = _read()


def allowed(module: str, name: str) -> Name | None:
    """The entry of a name; None if it is not on the list."""
    return _ALLOWED.get((module, name))
