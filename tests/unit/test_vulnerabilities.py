"""What is known against pinned distributions: by OSV records, with every trap that versions have."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from models.supply.lock import Pin, parse_lock
from models.supply.osv import Advisory
from models.supply.severity import Severity, severity_of
from models.supply.vulnerabilities import affects, vulnerabilities
from tests.unit.osv_records import CASES, CRITICAL, HIGH, fixed, last, record, since

VERSIONS = st.builds(
    "{}{}.{}{}{}".format,
    st.sampled_from(["", "", "", "1!"]),
    st.integers(0, 3),
    st.integers(0, 12),
    st.sampled_from(["", "", ".0", ".1"]),
    st.sampled_from(["", "", "a1", "rc2", ".post1", ".dev3", "+cpu"]),
)


def pin(line: str) -> Pin:
    (only,) = parse_lock(line.encode()).pins
    return only


@pytest.mark.parametrize("name", CASES)
def test_what_a_record_affects(name: str) -> None:
    """Each pin that a record affects is found, and no other."""
    case = CASES[name]
    assert [line for line in (*case.hit, *case.missed) if affects(case.record, pin(line))] == list(case.hit)


@given(VERSIONS, VERSIONS)
def test_a_fix_ends_it(version: str, end: str) -> None:
    """Below the version with the fix everything is affected, from it on nothing is; a local build is as its release."""
    at = Version(Version(version).public)
    assert affects(record("A", since("0"), fixed(end)), pin(f"lib=={version}")) is (
        at < Version(end) or Version(version) < Version(end)
    )
    public = Version(end).public
    assert affects(record("A", since("0"), last(public)), pin(f"lib=={version}")) is (at <= Version(public))


@given(st.lists(VERSIONS, min_size=2, max_size=8, unique_by=Version), VERSIONS, st.randoms())
def test_ranges_alternate(ends: list[str], version: str, shuffle: Random) -> None:
    """Between a beginning and the next fix it is affected, whatever the order of the events."""
    ordered = sorted(ends, key=Version)
    events = [since(one) if index % 2 == 0 else fixed(one) for index, one in enumerate(ordered)]
    shuffle.shuffle(events)
    below = sum(Version(one) <= Version(version) for one in ordered)
    public = sum(Version(one) <= Version(Version(version).public) for one in ordered)
    assert affects(record("A", *events), pin(f"lib=={version}")) is (below % 2 == 1 or public % 2 == 1)


def test_one_vulnerability_by_many_names() -> None:
    """Records that share a name are one, also through a third; the name that people know comes first."""
    found = vulnerabilities(
        [pin("lib==1.0"), pin("lib==3.0")],
        (
            record("PYSEC-1", since("0"), fixed("2.0"), aliases=["CVE-2026-1"]),
            record("GHSA-x", since("0"), last("1.5"), aliases=["GHSA-y"]),
            record("GHSA-y", since("0"), aliases=["CVE-2026-1"], severity=[{"type": "CVSS_V3", "score": HIGH}]),
            record("CVE-2026-2", since("0"), withdrawn="2026-01-01T00:00:00Z"),
            record("CVE-2026-3", since("0"), fixed("2.5")),
        ),
    )
    assert [(one.distribution, one.id, one.severity, one.fixed_in) for one in found] == [
        ("lib==1.0", "CVE-2026-1", Severity.HIGH, None),
        ("lib==1.0", "CVE-2026-3", Severity.UNKNOWN, "2.5"),
        ("lib==3.0", "CVE-2026-1", Severity.HIGH, None),
    ]
    assert found[0].aliases == ("GHSA-x", "GHSA-y", "PYSEC-1")


def test_a_fix_that_another_record_calls_affected_is_none() -> None:
    """What is told as fixed is affected by no record of the same vulnerability."""
    both = (
        record("A", since("0"), fixed("1.5"), aliases=["CVE-1"]),
        record("B", since("0"), fixed("1.6"), aliases=["CVE-1"]),
    )
    assert vulnerabilities([pin("lib==1.0")], both)[0].fixed_in == "1.6"


@pytest.mark.parametrize(
    ("more", "severity"),
    [
        ({"severity": [{"type": "CVSS_V3", "score": CRITICAL}]}, Severity.CRITICAL),
        ({"severity": [{"type": "CVSS_V3", "score": HIGH}], "database_specific": {"severity": "LOW"}}, Severity.HIGH),
        ({"severity": [{"type": "CVSS_V2", "score": "AV:N/AC:M/Au:N/C:N/I:P/A:N"}]}, Severity.MEDIUM),
        (
            {
                "severity": [
                    {"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N"}
                ]
            },
            Severity.HIGH,
        ),
        ({"database_specific": {"severity": "MODERATE"}}, Severity.MEDIUM),
        ({"database_specific": {"severity": {"nested": 1}}}, Severity.UNKNOWN),
        ({"severity": [{"type": "CVSS_V3", "score": "nonsense"}]}, Severity.UNKNOWN),
        ({"severity": [{"type": "Ubuntu", "score": "high"}]}, Severity.UNKNOWN),
        ({"severity": None, "aliases": None, "unheard": "of"}, Severity.UNKNOWN),
    ],
)
def test_how_severe(more: dict[str, object], severity: Severity) -> None:
    """By its worst CVSS vector of any version, or the word of its database; what cannot be read is not known."""
    assert severity_of(Advisory.model_validate(record("A").model_dump() | more)) is severity


def test_a_malicious_distribution_is_told_apart() -> None:
    """A record of the list of malicious packages, by its own name or an alias."""
    named = (record("MAL-2026-1", versions=("1.0",)), record("GHSA-z", since("0"), aliases=["MAL-2026-2"]))
    assert [one.malicious for one in vulnerabilities([pin("lib==1.0")], named)] == [True, True]
