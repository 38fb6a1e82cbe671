"""People and their groups from a YAML file, for the demo and for tests."""

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


class _Person(Frozen):
    name: Text
    email: Text
    groups: tuple[Slug, ...]


class _People(Frozen):
    people: dict[Slug, _Person]


class YamlDirectory:
    """Fits the Directory port. The file is read at every call, so that a change of people counts at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def electorate(self, roles: Mapping[str, str]) -> Electorate:
        """Who holds each role, sorted by name; a group that nobody is in gives an empty role. InvalidInputError."""
        people = self._read().people
        return Electorate(
            people={
                role: tuple(sorted(name for name, person in people.items() if group in person.groups))
                for role, group in roles.items()
            }
        )

    def _read(self) -> _People:
        try:
            source = parse_yaml(self._path.read_bytes(), str(self._path))
        except OSError as error:
            raise InvalidInputError(f"{self._path} cannot be read: {error.strerror}", _REMEDY) from error
        if source.diagnostics:
            raise InvalidInputError(f"{self._path} is not plain YAML:\n{render(source.diagnostics)}", _REMEDY)
        try:
            return _People.model_validate(source.tree)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the file"
            raise InvalidInputError(f"{self._path}: {place}: {first['msg']}", _REMEDY) from error
