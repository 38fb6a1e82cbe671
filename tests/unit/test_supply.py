"""All that a version names is looked at, or is not scanned; and not scanned is not passed."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.supply import SupplyChain, SupplyPolicy, audit_lock
from client.cli import app
from models.canonical import digest_bytes
from models.errors import UnavailableError, UnknownNameError
from models.inventory import Reference, Source, Submission
from models.supply.osv import Advisory, Bulletin
from models.supply.reports import DependencyReport, SourceReport, SupplyReport
from models.verdict import Comparison, Kpi, Reading, Verdict, judge
from tests.temporal.doubles import write_submission
from tests.unit.osv_records import HIGH, fixed, record, since
from worker.settings import PROJECT

LOCK = b"lib==1.0\nother==2.0\n"
POLICY = SupplyPolicy(advisories_at_most=7 * 86_400, licences=("MIT",))
MIT = {"lib": "MIT", "other": "MIT"}
VULNERABLE = record("CVE-2026-1", since("0"), fixed("2.0"), severity=[{"type": "CVSS_V3", "score": HIGH}])
LEAK = b"token = '" + b"9f8e7d6c5b4a" + b"39281706'\n"


class Known:
    """Advisories as they are given, of some age."""

    def __init__(
        self, *records: Advisory, age: timedelta = timedelta(hours=1), licences: Mapping[str, str] = MIT
    ) -> None:
        self.bulletin = Bulletin(datetime.now(UTC) - age, len(records), records, licences)

    def about(self, names: Collection[str]) -> Bulletin:
        """All of it."""
        return self.bulletin


class Unknown:
    """A mirror and a clone that do not answer."""

    def about(self, names: Collection[str]) -> Bulletin:
        """Never."""
        raise UnavailableError("the disk is gone")

    def tree(self, source: Source) -> Mapping[str, bytes]:
        """Never."""
        raise UnknownNameError("there is no such commit")


class Files:
    """A commit with some files."""

    def __init__(self, **files: bytes) -> None:
        self._files = files

    def tree(self, source: Source) -> Mapping[str, bytes]:
        """Them."""
        return self._files


class Counting:
    """Looks at every file, and finds nothing."""

    def scan(self, source: Source, files: Mapping[str, bytes]) -> SourceReport:
        """How many."""
        return SourceReport(source=source, files=len(files))


def readings(*reports: SupplyReport) -> dict[str, tuple[float, int]]:
    """Value and count by name."""
    return {one.name: (one.value, one.count) for report in reports for one in report.readings}


def audited(advisories: Known | Unknown, lock: bytes = LOCK) -> dict[str, tuple[float, int]]:
    return readings(*audit_lock(lock, advisories, POLICY))


def verdict_of(name: str, found: Mapping[str, tuple[float, int]], before: tuple[Reading, ...] = ()) -> Verdict:
    """What a check of one reading says, with readings from before."""
    kpi = Kpi(name=name, passes=Comparison.model_validate("== 0"), fails=Comparison.model_validate("> 0"), at_least=1)
    now = tuple(Reading(name=each, value=value, count=count) for each, (value, count) in found.items())
    return judge(kpi, (*before, *now)).verdict


def test_what_is_known_is_counted() -> None:
    """Vulnerabilities in all, the severe ones, licences; each over what was looked at."""
    lesser = record("CVE-2026-2", since("0"), database_specific={"severity": "LOW"})
    found = audited(Known(VULNERABLE, lesser, licences={"lib": "MIT", "other": "AGPL-3.0-only"}))
    assert found == {"vulnerabilities": (2, 2), "severe_vulnerabilities": (1, 2), "licence_issues": (1, 2)}


@pytest.mark.parametrize(
    ("advisories", "lock"),
    [
        (Known(age=timedelta(days=7, minutes=1)), LOCK),
        (Known(age=timedelta(days=-2)), LOCK),
        (Unknown(), LOCK),
        (Known(), LOCK + b"third>=1\n"),
        (Known(), b""),
        (Known(), b"\xff"),
    ],
    ids=["out of date", "from the future", "no mirror", "not pinned", "empty", "no text"],
)
def test_not_scanned_is_not_passed(advisories: Known | Unknown, lock: bytes) -> None:
    """Whatever keeps it from being looked at: a check is inconclusive, also where an earlier scan had found nothing."""
    found = audited(advisories, lock)
    before = (Reading(name="vulnerabilities", value=0, count=2),)
    assert found["vulnerabilities"][1] == 0
    assert verdict_of("vulnerabilities", found, before) is Verdict.INCONCLUSIVE


def test_just_in_time_is_in_time() -> None:
    """On the last day that is allowed the mirror counts."""
    assert verdict_of("vulnerabilities", audited(Known(age=timedelta(days=6, hours=23)))) is Verdict.PASS


def test_licences_need_a_table_and_no_date() -> None:
    """Without a table nothing is known of them; an old one is as good, as a released version keeps its licence."""
    assert audited(Known(licences={}))["licence_issues"][1] == 0
    assert audited(Known(age=timedelta(days=99)))["licence_issues"] == (0, 2)


@pytest.fixture
def submission(tmp_path: Path) -> Submission:
    """A version with a lock file."""
    lock = Reference(uri="file:///requirements.lock", digest=digest_bytes(LOCK))
    return write_submission(tmp_path, "v1").model_copy(update={"dependencies": lock})


def looked(root: Path, submission: Submission, repositories: Files | Unknown) -> tuple[SupplyReport, ...]:
    store = FileArtifactStore(root / "store", [root])
    store.put(LOCK)
    return SupplyChain(store, Known(VULNERABLE), repositories, Counting(), POLICY).look(submission)


def test_a_report_on_each(tmp_path: Path, submission: Submission) -> None:
    """Dependencies, licences, source and secrets, in a sentence each; no secret is told anywhere."""
    reports = looked(tmp_path, submission, Files(**{"a.py": LEAK, "model.bin": b"\xff\x00" + LEAK}))
    assert [report.kind for report in reports] == ["dependencies", "licences", "source", "secrets"]
    assert readings(*reports) == {
        "vulnerabilities": (1, 2),
        "severe_vulnerabilities": (1, 2),
        "licence_issues": (0, 2),
        "source_issues": (0, 2),
        "secrets": (2, 2),
    }
    assert "lib==1.0 has CVE-2026-1 (high, fixed in 2.0)" in reports[0].summary
    assert reports[3].summary == "2 files: password in a.py:1; password in model.bin:1"
    assert not any("39281706" in report.model_dump_json() + report.summary for report in reports)


def test_without_the_code_nothing_is_said_of_it(tmp_path: Path, submission: Submission) -> None:
    """A commit that cannot be reached: neither weaknesses nor secrets were looked for, and the rest was."""
    reports = looked(tmp_path, submission, Unknown())
    found = readings(*reports)
    assert (found["source_issues"], found["secrets"]) == ((0, 0), (0, 0))
    assert found["vulnerabilities"] == (1, 2)
    assert reports[3].summary == "not scanned: there is no such commit"


def test_only_what_attacks_is_malicious() -> None:
    """A vulnerable distribution is not; one of the list of malicious ones is, and is severe without a score."""
    (report, _) = audit_lock(LOCK, Known(VULNERABLE, record("MAL-1", versions=("1.0",))), POLICY)
    assert isinstance(report, DependencyReport)
    assert [str(one) for one in report.malicious] == ["lib==1.0 has MAL-1 (malicious)"]
    assert readings(report)["severe_vulnerabilities"] == (2, 2)


@pytest.mark.parametrize(
    ("lock", "age", "status", "said"),
    [
        ("numpy==2.4.6\nprotobuf==7.36.2\n", "36500d", 0, "2 distributions, looked at"),
        ("numpy==1.20.0\n", "36500d", 4, "CVE-2021-33430"),
        ("numpy==2.4.6\n", "1d", 4, "not scanned"),
        ("numpy\n", "36500d", 4, "is not pinned"),
    ],
)
def test_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lock: str, age: str, status: int, said: str
) -> None:
    """`modelops dependencies check` ends with 0 only if everything was looked at and nothing is known against it."""
    monkeypatch.setenv("MODELOPS_ADVISORIES", str(PROJECT / "examples" / "loan_approval" / "advisories"))
    monkeypatch.setenv("MODELOPS_ADVISORIES_AT_MOST", age)
    (tmp_path / "requirements.lock").write_text(lock)
    found = CliRunner().invoke(app, ["dependencies", "check", str(tmp_path / "requirements.lock")])
    assert (found.exit_code, said in found.stdout) == (status, True), found.output
