"""People and their groups from a YAML file, and their keys from the registry beside it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from models.directory import electorate
from models.errors import InvalidInputError
from models.evidence import Electorate
from models.keys import Keyring, load_keyring
from models.people import People, load_people, unreadable


def _now() -> datetime:
    return datetime.now(UTC)


class YamlDirectory:
    """Fits the Directory port. The files are read at every call, so that a change of people or keys counts at once."""

    def __init__(self, people: Path, keys: Path, audience: str, clock: Callable[[], datetime] = _now) -> None:
        self._people = people
        self._keys = keys
        self._audience = audience
        self._clock = clock

    def electorate(self, roles: Mapping[str, str], also: Sequence[str] = ()) -> Electorate:
        """Who holds each role, and their keys, see `models.directory.electorate`; InvalidInputError."""
        return electorate(self.people(), self.keyring(), self._audience, roles, also, self._clock())

    def people(self) -> People:
        """Everybody in the file; InvalidInputError."""
        try:
            return load_people(self._people.read_bytes(), self._people)
        except OSError as error:
            raise unreadable(self._people, error) from error

    def keyring(self) -> Keyring:
        """Every key that was enrolled; none while there is no registry. InvalidInputError."""
        try:
            return load_keyring(self._keys.read_bytes(), self._keys)
        except FileNotFoundError:
            return Keyring()
        except OSError as error:
            raise InvalidInputError(f"{self._keys} cannot be read: {error.strerror}", "set MODELOPS_KEYS") from error
