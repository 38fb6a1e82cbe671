"""Which known vulnerabilities affect what a lock file pins (OSV schema, "Evaluation")."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from models.supply.lock import Pin
from models.supply.osv import Advisory, Affected, Event, Package, Range
from models.supply.reports import Vulnerability
from models.supply.severity import severity_of, worst

ECOSYSTEM = "PyPI"
_MALICIOUS = "MAL-"
_FIRST = "0"
_GIT = "GIT"
_KNOWN_BY = ("MAL-", "CVE-", "GHSA-", "PYSEC-")


def is_about(package: Package | None, names: Collection[str]) -> bool:
    """Whether a package is one of some distributions, by their normalised names (PEP 503)."""
    if package is None or package.ecosystem.partition(":")[0] != ECOSYSTEM:
        return False
    return canonicalize_name(package.name) in names


def affects(advisory: Advisory, pin: Pin) -> bool:
    """Whether a distribution at its version is affected.

    A record that names no version at all, or one that cannot be compared, is taken to affect every version.
    """
    if advisory.withdrawn:
        return False
    public = Version(pin.version.public)
    about = [one for one in advisory.affected if is_about(one.package, {pin.name})]
    return any(_covers(one, pin.version) or _covers(one, public) for one in about)


def _covers(affected: Affected, version: Version) -> bool:
    ranges = [one for one in affected.ranges if one.type != _GIT]
    if not ranges and not affected.versions:
        return True
    listed = any(_same(text, version) for text in affected.versions)
    return listed or any(_within(one, version) for one in ranges)


def _same(text: str, version: Version) -> bool:
    try:
        return Version(text) == version
    except InvalidVersion:
        return False


def _within(span: Range, version: Version) -> bool:
    try:
        moments = sorted(chain.from_iterable(map(_moments, span.events)))
    except InvalidVersion:
        return True
    affected = all(turn != _FROM for _, turn in moments)
    for at, turn in moments:
        if version > at or (version == at and turn != _AFTER):
            affected = turn == _FROM
    return affected


_UNTIL, _FROM, _AFTER = range(3)
"""What happens at a version, in the order in which it counts where several happen at the same one."""
_BEFORE_ALL = Version("0.dev0")


def _moments(event: Event) -> Iterator[tuple[Version, int]]:
    if event.introduced is not None:
        yield (_BEFORE_ALL if event.introduced == _FIRST else Version(event.introduced)), _FROM
    if event.fixed is not None:
        yield Version(event.fixed), _UNTIL
    if event.last_affected is not None:
        yield Version(event.last_affected), _AFTER


def vulnerabilities(pins: Iterable[Pin], advisories: Sequence[Advisory]) -> tuple[Vulnerability, ...]:
    """Each vulnerability of each pinned distribution once, by whatever names it is known."""
    found = []
    for pin in pins:
        records = [one for one in advisories if affects(one, pin)]
        found += [_vulnerability(pin, same) for same in _grouped(records)]
    return tuple(found)


def _grouped(records: Sequence[Advisory]) -> list[list[Advisory]]:
    """Records that share a name, directly or through others, are about the same."""
    groups = list[list[Advisory]]()
    for record in records:
        same = [group for group in groups if any(record.names & other.names for other in group)]
        groups = [group for group in groups if group not in same]
        groups.append([*chain.from_iterable(same), record])
    return groups


def _vulnerability(pin: Pin, records: Sequence[Advisory]) -> Vulnerability:
    names = sorted(frozenset().union(*(one.names for one in records)), key=_prominence)
    return Vulnerability(
        distribution=str(pin),
        id=names[0],
        aliases=tuple(names[1:]),
        severity=worst(map(severity_of, records)),
        summary=next((one.summary for one in records if one.summary), "")[:200],
        fixed_in=_fixed_in(pin, records),
        malicious=any(name.startswith(_MALICIOUS) for name in names),
    )


def _prominence(name: str) -> tuple[int, str]:
    known = [index for index, prefix in enumerate(_KNOWN_BY) if name.startswith(prefix)]
    return (known or [len(_KNOWN_BY)])[0], name


def _fixed_in(pin: Pin, records: Sequence[Advisory]) -> str | None:
    """The lowest version above the pinned one that some record calls fixed and none calls affected."""
    events = [
        event
        for record in records
        for affected in record.affected
        if is_about(affected.package, {pin.name})
        for one in affected.ranges
        if one.type != _GIT
        for event in one.events
    ]
    later = sorted(version for event in events if (version := _parsed(event.fixed)) and version > pin.version)
    clean = [one for one in later if not any(affects(record, replace(pin, version=one)) for record in records)]
    return str(clean[0]) if clean else None


def _parsed(text: str | None) -> Version | None:
    try:
        return Version(text) if text else None
    except InvalidVersion:
        return None
