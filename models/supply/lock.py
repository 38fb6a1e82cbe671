"""Which distributions a lock file pins: a requirements file in which every line names one, with its version."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s+--hash[=\s]\s*([a-z0-9]+):([0-9A-Fa-f]+)(?=\s|$)")
_HARMLESS = re.compile(r"--(require-hashes|prefer-binary|only-binary[=\s]\S+|no-binary[=\s]\S+)")
_SHOWN = 80

NOTHING = "the lock file pins nothing"
"""The objection to a file in which nothing is wrong but that there is nothing to look at."""


@dataclass(frozen=True, order=True)
class Pin:
    """A distribution at one version (PEP 440); its name is normalised (PEP 503).

    `hashes` are the SHA-256 of the files that may stand for it, where the lock file gives them; they make no other pin.
    """

    name: NormalizedName
    version: Version
    hashes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def purl(self) -> str:
        """Its package URL (purl-spec, type `pypi`)."""
        return f"pkg:pypi/{self.name}@{str(self.version).replace('+', '%2B')}"

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


class Lock(NamedTuple):
    """What a lock file pins, and why it does not pin all that it installs."""

    pins: tuple[Pin, ...]
    objections: tuple[str, ...]


def parse_lock(data: bytes) -> Lock:
    """The pins of a lock file; whatever does not pin a distribution of the index is an objection with its line.

    Markers and extras are read and left aside: what is installed only elsewhere is looked at, too.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Lock((), ("the lock file is not UTF-8 text",))
    pins, objections = dict[Pin, Pin](), list[str]()
    for number, line in _lines(text):
        try:
            pin = _pin(line)
            pins.setdefault(pin, pin)
        except ValueError as error:
            objections.append(f"line {number}: '{_shown(line)}' {error}")
    if not pins and not objections:
        objections.append(NOTHING)
    return Lock(tuple(sorted(pins)), tuple(objections))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Logical lines with the number of their first one, without comments and what says only how to install.

    As pip reads them, a comment ends at the end of its line, and a backslash before that continues the line.
    """
    whole, first = "", 0
    for number, raw in enumerate([*text.splitlines(), ""], start=1):
        first = first or number
        if raw.endswith("\\") and not raw.lstrip().startswith("#"):
            whole += raw[:-1] + " "
            continue
        line = _COMMENT.sub("", whole + raw).strip()
        if line and not _HARMLESS.fullmatch(line):
            yield first, line
        whole, first = "", 0
    if whole.strip():
        yield first, whole.strip()


def _pin(written: str) -> Pin:
    hashes = tuple(sorted({value.lower() for kind, value in _HASH.findall(written) if kind == "sha256"}))
    line = _HASH.sub("", written)
    if line.startswith("-"):
        raise ValueError("is an option: only distributions that are named here, from PyPI, can be looked up")
    try:
        wanted = Requirement(line)
    except InvalidRequirement:
        raise ValueError("is no requirement: write name==version") from None
    if wanted.url:
        raise ValueError("comes from an address: only distributions of PyPI can be looked up")
    if len(wanted.specifier) != 1:
        raise ValueError("is not pinned: write name==version")
    (only,) = wanted.specifier
    if only.operator not in ("==", "===") or only.version.endswith(".*"):
        raise ValueError("is not pinned: write name==version")
    try:
        return Pin(canonicalize_name(wanted.name), Version(only.version), hashes)
    except InvalidVersion:
        raise ValueError("has a version that cannot be compared (PEP 440)") from None


def _shown(line: str) -> str:
    """The line without what may be a password in an address."""
    return re.sub(r"//[^/@\s]*@", "//", line)[:_SHOWN]
