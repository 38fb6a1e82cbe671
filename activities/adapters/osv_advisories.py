"""Advisories from a mirror on this machine: OSV records as JSON files, or in ZIP archives as osv.dev publishes them."""

import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name
from pydantic import TypeAdapter, ValidationError

from models.errors import InvalidInputError
from models.supply.osv import Advisory, Bulletin
from models.supply.vulnerabilities import is_about

LICENCES = "licences.json"
"""The one file of a mirror that is no advisory: SPDX expressions by `name` or `name==version`."""

_NONE = "no mirror of advisories is configured (MODELOPS_ADVISORIES)"
_SET = "copy the archive of PyPI from osv.dev into a folder and name that in MODELOPS_ADVISORIES"
_MEND = "copy the mirror again, whole, and then put it in place of the old one"
_TABLE = TypeAdapter(dict[str, str])


class OsvAdvisories:
    """Fits `Advisories`. The mirror is read at every call, so that a new one counts at once.

    Its date is that of its newest record, which nobody needs to write down: the archive of PyPI changes every day.
    """

    def __init__(self, mirror: Path | None) -> None:
        self._mirror = mirror

    def about(self, names: Collection[str]) -> Bulletin:
        """The records about some distributions; InvalidInputError if there is no mirror or any record is broken."""
        if self._mirror is None:
            raise InvalidInputError(_NONE, _SET)
        newest, count, found = None, 0, list[Advisory]()
        for place, data in _texts(self._mirror):
            record = _record(place, data)
            count += 1
            newest = max(newest or record.modified, record.modified)
            if any(is_about(one.package, names) for one in record.affected):
                found.append(record)
        if newest is None:
            raise InvalidInputError(f"{self._mirror} has no advisories in it", _SET)
        return Bulletin(newest, count, tuple(found), _licences(self._mirror / LICENCES))


def _texts(mirror: Path) -> Iterator[tuple[str, bytes]]:
    try:
        for path in sorted(mirror.rglob("*")):
            if path.suffix == ".json" and path.name != LICENCES:
                yield str(path), path.read_bytes()
            elif path.suffix == ".zip":
                yield from _members(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise InvalidInputError(f"the mirror {mirror} cannot be read: {error}", _MEND) from error


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                yield f"{path}: {name}", archive.read(name)


def _record(place: str, data: bytes) -> Advisory:
    try:
        return Advisory.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidInputError(f"{place} is no OSV record: {where}: {first['msg']}", _MEND) from error


def _licences(path: Path) -> Mapping[str, str]:
    if not path.exists():
        return {}
    try:
        table = _TABLE.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InvalidInputError(f"{path} is no table of licences: {error}", _MEND) from error
    return {_normalised(name): licence for name, licence in table.items()}


def _normalised(key: str) -> str:
    name, pinned, version = key.partition("==")
    return canonicalize_name(name) + pinned + version
