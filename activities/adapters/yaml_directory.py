"""People and their groups from a YAML file, for the demo and for tests."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from models.canonical import Frozen, Slug
from models.errors import InvalidInputError
from models.evidence import Electorate
from models.inventory import Text

_REMEDY = "Write `people: {ana: {name: Ana, email: ana@example.com, groups: [credit]}}`."


class _Person(Frozen):
    name: Text
    email: Text
    groups: tuple[Slug, ...]


class _People(Frozen):
    people: dict[Slug, _Person]


class _StrictLoader(yaml.SafeLoader):
    """Plain data only: no tags, no anchors or aliases, no key twice."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call] # the stubs leave it out
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.constructor.ConstructorError(None, None, "anchors and aliases are not allowed", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [self.construct_object(name, deep=True) for name, _ in node.value]
        for place, name in enumerate(names):
            if name in names[:place]:
                mark = node.value[place][0].start_mark
                raise yaml.constructor.ConstructorError(None, None, f"'{name}' is written twice", mark)
        return super().construct_mapping(node, deep)


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
            found = yaml.load(self._path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 (a SafeLoader)
            return _People.model_validate(found)
        except OSError as error:
            raise InvalidInputError(f"{self._path} cannot be read: {error.strerror}", _REMEDY) from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InvalidInputError(f"{self._path} is not plain YAML: {error}", _REMEDY) from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the file"
            raise InvalidInputError(f"{self._path}: {place}: {first['msg']}", _REMEDY) from error
