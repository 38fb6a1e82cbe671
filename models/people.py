"""People and their groups, as a directory file says them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from pydantic import ConfigDict, Field

from models.calendar import Day
from models.canonical import Frozen, Slug
from models.errors import InvalidInputError
from models.evidence import Electorate
from models.inventory import Text
from models.source.administration import load_said

_REMEDY = "Write `people: {ana: {name: Ana, email: ana@example.com, groups: [credit]}}`."
_AWAY = "Write `absences: [{from: 2026-12-01, until: 2026-12-21, cover: ravi}]`; `until` is the first day back."


class Absence(Frozen):
    """Somebody is away: from which day, on which day they are back (both UTC), and who holds their roles meanwhile."""

    model_config = ConfigDict(serialize_by_alias=True)

    since: Day = Field(alias="from")
    until: Day
    cover: Slug

    def on(self, day: date) -> bool:
        """Whether it is on a day."""
        return self.since <= day < self.until


class Person(Frozen):
    """Somebody who may be asked."""

    name: Text
    email: Text
    groups: tuple[Slug, ...]
    absences: tuple[Absence, ...] = ()


class People(Frozen):
    """Everybody, by their id."""

    people: dict[Slug, Person]

    def electorate(self, roles: Mapping[str, str], at: datetime | None = None) -> Electorate:
        """Who holds each role at a time, given its group, sorted by id; without a time, as if nobody were away.

        Whoever covers for somebody who is away holds the role in their place, but for those who are away themselves.
        """
        away = self._away(at.astimezone(UTC).date()) if at else {}
        people, places = dict[Slug, tuple[Slug, ...]](), dict[Slug, dict[Slug, Slug | None]]()
        for role, group in roles.items():
            members = {name for name, person in self.people.items() if group in person.groups}
            present = members - away.keys()
            absent = {name: away[name] for name in sorted(members & away.keys())}
            covers = {cover for cover in absent.values() if cover not in away}
            people[role] = tuple(sorted(present | covers))
            if absent:
                places[role] = {name: cover if cover in covers - present else None for name, cover in absent.items()}
        return Electorate(people=people, away=places)

    def _away(self, day: date) -> dict[Slug, Slug]:
        """Everybody who is away on a day, and who covers for them."""
        absences = [(name, absence) for name, person in self.people.items() for absence in person.absences]
        return {name: absence.cover for name, absence in absences if absence.on(day)}

    def defects(self) -> Iterator[str]:
        """What no type can say of absences."""
        for name, person in self.people.items():
            for number, absence in enumerate(person.absences):
                place = f"people.{name}.absences.{number}"
                if absence.until <= absence.since:
                    yield f"{place}: it ends before it begins"
                if absence.cover not in self.people or absence.cover == name:
                    yield f"{place}: '{absence.cover}' is nobody who can cover for {name}"


def load_people(text: bytes, file: Path) -> People:
    """The people of a directory file; InvalidInputError."""
    people = load_said(People, text, str(file), _REMEDY)
    if wrong := next(people.defects(), None):
        raise InvalidInputError(f"{file}: {wrong}", _AWAY)
    return people


def unreadable(file: Path, error: OSError) -> InvalidInputError:
    """What is said of a directory file that cannot be read."""
    return InvalidInputError(f"{file} cannot be read: {error.strerror}", _REMEDY)
