"""People and their groups from a YAML file, for the demo and for tests."""

from collections.abc import Mapping
from pathlib import Path

from models.evidence import Electorate
from models.people import load_people, unreadable


class YamlDirectory:
    """Fits the Directory port. The file is read at every call, so that a change of people counts at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def electorate(self, roles: Mapping[str, str]) -> Electorate:
        """Who holds each role, sorted by name; a group that nobody is in gives an empty role. InvalidInputError."""
        try:
            text = self._path.read_bytes()
        except OSError as error:
            raise unreadable(self._path, error) from error
        return load_people(text, self._path).electorate(roles)
