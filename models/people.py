"""People and their groups, as a directory file says them."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from models.canonical import Frozen, Slug
from models.diagnostics import render
from models.errors import InvalidInputError
from models.evidence import Electorate
from models.inventory import Text
from models.source.yaml_source import parse_yaml

_REMEDY = "Write `people: {ana: {name: Ana, email: ana@example.com, groups: [credit]}}`."


class Person(Frozen):
    """Somebody who may be asked."""

    name: Text
    email: Text
    groups: tuple[Slug, ...]


class People(Frozen):
    """Everybody, by their id."""

    people: dict[Slug, Person]

    def electorate(self, roles: Mapping[str, str]) -> Electorate:
        """Who holds each role, given its group, sorted by id; a group that nobody is in gives an empty role."""
        return Electorate(
            people={
                role: tuple(sorted(name for name, person in self.people.items() if group in person.groups))
                for role, group in roles.items()
            }
        )


def load_people(text: bytes, file: Path) -> People:
    """The people of a directory file; InvalidInputError."""
    source = parse_yaml(text, str(file))
    if source.diagnostics:
        raise InvalidInputError(f"{file} is not plain YAML:\n{render(source.diagnostics)}", _REMEDY)
    try:
        return People.model_validate(source.tree)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InvalidInputError(f"{file}: {place}: {first['msg']}", _REMEDY) from error


def unreadable(file: Path, error: OSError) -> InvalidInputError:
    """What is said of a directory file that cannot be read."""
    return InvalidInputError(f"{file} cannot be read: {error.strerror}", _REMEDY)
