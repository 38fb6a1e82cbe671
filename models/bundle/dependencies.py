"""The pinned dependencies of a version, read from its lock file: what pip takes with `--require-hashes`, or less."""

import re
from collections.abc import Iterator

from models.canonical import Frozen

_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*==\s*([A-Za-z0-9.!+_-]+)\s*(?:;.*)?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_OPTION = re.compile(r"\s--\S+")


class Pin(Frozen):
    """One distribution at one version, with the SHA-256 of each file that may stand for it; none if none is given."""

    name: str
    version: str
    hashes: tuple[str, ...] = ()

    @property
    def purl(self) -> str:
        """Its package URL (purl-spec, type `pypi`)."""
        return f"pkg:pypi/{self.name}@{self.version.replace('+', '%2B')}"


def read_lock(text: str) -> tuple[Pin, ...]:
    """The pins, by name (PEP 503); ValueError names the first line that pins nothing."""
    pins = {pin.name: pin for pin in map(_pin, _lines(text))}
    return tuple(pin for _, pin in sorted(pins.items()))


def _lines(text: str) -> Iterator[str]:
    """Each requirement with its options on one line, without comments."""
    for line in text.replace("\\\n", " ").splitlines():
        bare = re.sub(r"(^|\s)#.*", "", line).strip()
        if bare and not bare.startswith("--"):
            yield bare


def _pin(line: str) -> Pin:
    found = _LINE.fullmatch(_OPTION.split(line, maxsplit=1)[0].strip())
    if not found:
        raise ValueError(f"'{line[:80]}' pins no version: write name==version")
    name = re.sub(r"[-_.]+", "-", found[1]).lower()
    return Pin(name=name, version=found[2], hashes=tuple(sorted(_HASH.findall(line))))
