"""Readings that need no model to be run: of the record, of what serves, of the columns of a window."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from models.verdict import Reading

_NONE: Mapping[str, str] = MappingProxyType({})


class Taken(NamedTuple):
    """Readings, in words why others are not there, and what a reading is about in particular."""

    readings: tuple[Reading, ...] = ()
    unmeasured: Mapping[str, str] = _NONE
    details: Mapping[str, str] = _NONE

    def with_(self, other: "Taken") -> "Taken":
        """Both together."""
        return Taken(
            (*self.readings, *other.readings),
            {**self.unmeasured, **other.unmeasured},
            {**self.details, **other.details},
        )


NOTHING = Taken()
