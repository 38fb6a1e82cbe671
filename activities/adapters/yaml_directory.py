"""People and their groups from a YAML file, and their keys from the registry beside it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from models.errors import InvalidInputError
from models.evidence import Electorate
from models.keys import Keyring, load_keyring
from models.people import load_people, unreadable


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
        """Who holds each role, sorted by name; a group that nobody is in gives an empty role. Their keys, and those of
        the people who are `also` asked for and are in the directory. InvalidInputError.
        """
        try:
            text = self._people.read_bytes()
        except OSError as error:
            raise unreadable(self._people, error) from error
        people, at, keyring = load_people(text, self._people), self._clock(), self.keyring()
        held = people.electorate(roles, at)
        asked = {person for holders in (*held.people.values(), *held.away.values()) for person in holders}
        holders = sorted(asked | {person for person in also if person in people.people})
        keys = {person: keyring.of(person, at) for person in holders}
        return Electorate(
            people=held.people,
            away=held.away,
            audience=self._audience,
            keys={person: known for person, known in keys.items() if known},
            gateways=keyring.gateways(at),
        )

    def keyring(self) -> Keyring:
        """Every key that was enrolled; none while there is no registry. InvalidInputError."""
        try:
            return load_keyring(self._keys.read_bytes(), self._keys)
        except FileNotFoundError:
            return Keyring()
        except OSError as error:
            raise InvalidInputError(f"{self._keys} cannot be read: {error.strerror}", "check the path") from error
