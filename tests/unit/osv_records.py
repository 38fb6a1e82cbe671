"""Advisories by hand, each of the form of published ones, and what each of them says of some pins."""

from typing import NamedTuple

from models.supply.osv import Advisory

MODIFIED = "2026-11-20T08:00:00Z"
HIGH = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


class Case(NamedTuple):
    """A record, the pins that it affects and those that it does not."""

    record: Advisory
    hit: tuple[str, ...]
    missed: tuple[str, ...]


def record(
    id: str,
    *ends: dict[str, str],
    name: str = "lib",
    kind: str = "ECOSYSTEM",
    ecosystem: str = "PyPI",
    versions: tuple[str, ...] = (),
    **more: object,
) -> Advisory:
    """A record about one package with one range, if any end of it is given."""
    ranges = [{"type": kind, "events": ends}] if ends else []
    affected = [
        {
            "package": {"ecosystem": ecosystem, "name": name},
            "ranges": ranges,
            "versions": versions,
            "database_specific": {},
        }
    ]
    return Advisory.model_validate({"id": id, "modified": MODIFIED, "affected": affected, **more})


def since(version: str) -> dict[str, str]:
    """Affected from a version on."""
    return {"introduced": version}


def fixed(version: str) -> dict[str, str]:
    """Not affected from a version on."""
    return {"fixed": version}


def last(version: str) -> dict[str, str]:
    """Not affected after a version."""
    return {"last_affected": version}


def pins(*versions: str, name: str = "lib") -> tuple[str, ...]:
    """Lines of a lock file."""
    return tuple(f"{name}=={version}" for version in versions)


CASES = {
    "from the beginning": Case(
        record("A", since("0"), fixed("1.2")), pins("0", "0.dev1", "1.1", "1.2rc1"), pins("1.2")
    ),
    "zero is no version": Case(record("A", since("0"), fixed("0.1")), pins("0a1", "0.0.post1"), pins("0.1", "0.1.0")),
    "several branches": Case(
        record("A", since("0"), fixed("3.18.3"), since("3.19.0"), fixed("3.19.5"), since("4"), fixed("4.21.6")),
        pins("3.18.2", "3.19.4", "4.0", "4.21.5"),
        pins("3.18.3", "3.18.9", "3.19.5", "4.21.6", "7.0"),
    ),
    "events in any order": Case(
        record("A", fixed("3.19.5"), since("3.19.0"), fixed("1.5"), since("0")),
        pins("1.4", "3.19.0"),
        pins("1.5", "3.18", "3.19.5"),
    ),
    "without a fix": Case(record("A", since("2.0")), pins("2.0", "99"), pins("1.9", "2.0rc1", "2.0.dev3")),
    "last affected": Case(
        record("A", since("0"), last("1.18.5")), pins("1.18.5", "1.18.5.0"), pins("1.18.5.post1", "1.19")
    ),
    "one version": Case(record("A", since("1.4"), last("1.4")), pins("1.4", "1.4.0"), pins("1.3", "1.4.1", "1.4rc1")),
    "numbers, not letters": Case(record("A", since("1.9"), fixed("1.10")), pins("1.9.9"), pins("1.10", "1.11", "1.2")),
    "pre-releases": Case(
        record("A", since("5.26.0rc1"), fixed("5.29.5")), pins("5.26.0rc1", "5.29.5rc2"), pins("5.26.0b1")
    ),
    "fixed in a pre-release": Case(record("A", since("0"), fixed("2.0rc1")), pins("2.0b3"), pins("2.0rc1", "2.0")),
    "fixed in a post-release": Case(record("A", since("0"), fixed("1.0.post1")), pins("1.0"), pins("1.0.post1", "1.1")),
    "an epoch": Case(record("A", since("0"), fixed("1!1.0")), pins("2026.1", "1!0.9"), pins("1!1.0", "1!2.0")),
    "local versions": Case(
        record("A", since("0"), last("2.1.0")), pins("2.1.0+cu118", "2.0+cpu"), pins("2.1.1+cu118", "2.2")
    ),
    "a local version that is listed": Case(record("A", versions=("2.1.0",)), pins("2.1.0+cu118"), pins("2.1.1+cu118")),
    "a list": Case(record("A", versions=("1.0", "1.1", "gone-2")), pins("1.0.0", "1.1"), pins("1.2")),
    "a list and a range": Case(
        record("A", since("2"), fixed("2.5"), versions=("1.0",)), pins("1.0", "2.4"), pins("1.1", "2.5")
    ),
    "commits beside a list": Case(
        record("A", since("0"), fixed("a" * 40), kind="GIT", versions=("1.0",)), pins("1.0"), pins("1.1")
    ),
    "commits alone": Case(record("A", since("0"), fixed("a" * 40), kind="GIT"), pins("1.0", "9"), ()),
    "no version at all": Case(record("A"), pins("1.0", "9"), ()),
    "no beginning": Case(record("A", fixed("2.0")), pins("1.0"), pins("2.0")),
    "an end that cannot be compared": Case(record("A", since("0"), fixed("the next one")), pins("1.0", "9"), ()),
    "a semantic range": Case(record("A", since("1.0.0"), fixed("1.2.0"), kind="SEMVER"), pins("1.1"), pins("1.2")),
    "withdrawn": Case(record("A", since("0"), withdrawn=MODIFIED), (), pins("1.0")),
    "capitals and dots": Case(
        record("A", since("0"), name="Zope.Interface_X"), pins("1", name="zope-interface-x"), pins("1", name="zope")
    ),
    "dots where others have hyphens": Case(
        record("A", since("0"), name="zope-interface"),
        pins("1", name="Zope.Interface"),
        pins("1", name="zopeinterface"),
    ),
    "another ecosystem": Case(record("A", since("0"), ecosystem="npm"), (), pins("1.0")),
    "a part of PyPI": Case(record("A", since("0"), ecosystem="PyPI:mirror"), pins("1.0"), ()),
}
