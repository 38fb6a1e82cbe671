"""Advisories as the Open Source Vulnerability format writes them (OSV schema 1.7, ossf.github.io/osv-schema)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, NamedTuple, TypeVar

from pydantic import AwareDatetime, BeforeValidator, StringConstraints

from models.canonical import Frozen, Told

Item = TypeVar("Item")


def _absent_is_empty(value: object) -> object:
    return () if value is None else value


def _word_or_nothing(value: object) -> object:
    return value if isinstance(value, str) else None


Many = Annotated[tuple[Item, ...], BeforeValidator(_absent_is_empty)]
"""A list; null and absent mean the same as empty."""


class Event(Frozen, extra="ignore"):
    """Where a range of affected versions begins or ends; exactly one of these is given."""

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None


class Range(Frozen, extra="ignore"):
    """Affected versions by their ends. Those of type GIT name commits, and say nothing about a released version."""

    type: str
    events: Many[Event] = ()


class Package(Frozen, extra="ignore"):
    """A distribution of an ecosystem, as in PyPI."""

    ecosystem: str
    name: str


class Score(Frozen, extra="ignore"):
    """How severe it is: a CVSS vector, of the version that `type` names."""

    type: str
    score: str


class Specific(Frozen, extra="ignore"):
    """What a database adds; GitHub's says how severe it is in a word."""

    severity: Annotated[str | None, BeforeValidator(_word_or_nothing)] = None


class Affected(Frozen, extra="ignore"):
    """Which versions of which package are affected: those listed, and those in a range."""

    package: Package | None = None
    ranges: Many[Range] = ()
    versions: Many[str] = ()
    severity: Many[Score] = ()


class Advisory(Frozen, extra="ignore"):
    """One record. `aliases` are the same vulnerability in other databases; a withdrawn one counts for nothing."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    modified: AwareDatetime
    withdrawn: AwareDatetime | None = None
    aliases: Many[str] = ()
    summary: Told = ""
    affected: Many[Affected] = ()
    severity: Many[Score] = ()
    database_specific: Specific | None = None

    @property
    def names(self) -> frozenset[str]:
        """Every identifier that it is known by."""
        return frozenset((self.id, *self.aliases))


class Bulletin(NamedTuple):
    """What a mirror says of some distributions, and when it was last changed.

    `licences` has SPDX expressions by `name` or `name==version`, both normalised.
    """

    as_of: datetime
    records: int
    advisories: tuple[Advisory, ...]
    licences: Mapping[str, str]
