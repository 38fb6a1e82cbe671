"""What the scans of a version's parts found. What could not be looked at is not scanned, and says why.

The readings of a scan that was not made rest on nothing: they stand in place of any from before, and a check of them is
INCONCLUSIVE.
"""

from collections.abc import Sequence, Sized
from typing import ClassVar, Literal

from pydantic import AwareDatetime

from models.canonical import Digest, Frozen, Told
from models.inventory import Source
from models.supply.severity import SEVERE, Severity
from models.verdict import Reading

_SHOWN = 3
_LONGEST = 600


def _reading(name: str, found: Sized, looked_at: int, not_scanned: Sequence[str]) -> Reading:
    return Reading(name=name, value=len(found), count=0 if not_scanned else looked_at)


def _sentence(looked_at: str, found: Sequence[str], not_scanned: Sequence[str]) -> str:
    named = not_scanned or found
    more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
    listed = f"{'; '.join(named[:_SHOWN])}{more}"
    said = f"not scanned: {listed}" if not_scanned else f"{looked_at}: {listed or 'nothing found'}"
    return said[:_LONGEST]


class Vulnerability(Frozen):
    """A known vulnerability of a pinned distribution, with all its names; `malicious` is one that attacks by itself."""

    distribution: str
    id: str
    aliases: tuple[str, ...]
    severity: Severity
    summary: Told
    fixed_in: str | None = None
    malicious: bool = False

    def __str__(self) -> str:
        remedy = f", fixed in {self.fixed_in}" if self.fixed_in else ""
        return f"{self.distribution} has {self.id} ({'malicious' if self.malicious else self.severity}{remedy})"


class DependencyReport(Frozen):
    """The known vulnerabilities of what a lock file pins, by a mirror of advisories that was changed last `as_of`."""

    kind: ClassVar = "dependencies"

    lock: Digest
    distributions: tuple[str, ...] = ()
    as_of: AwareDatetime | None = None
    vulnerabilities: tuple[Vulnerability, ...] = ()
    not_scanned: tuple[Told, ...] = ()

    @property
    def malicious(self) -> tuple[Vulnerability, ...]:
        """Those that attack by themselves."""
        return tuple(one for one in self.vulnerabilities if one.malicious)

    @property
    def readings(self) -> tuple[Reading, ...]:
        """`vulnerabilities`, and `severe_vulnerabilities`: high, critical, or of a severity that nobody says."""
        severe = [one for one in self.vulnerabilities if one.severity in SEVERE or one.malicious]
        looked_at = len(self.distributions)
        return (
            _reading("vulnerabilities", self.vulnerabilities, looked_at, self.not_scanned),
            _reading("severe_vulnerabilities", severe, looked_at, self.not_scanned),
        )

    @property
    def summary(self) -> str:
        """What was found, in a sentence."""
        dated = f", advisories as of {self.as_of:%Y-%m-%d}" if self.as_of else ""
        looked_at = f"{len(self.distributions)} distributions{dated}"
        return _sentence(looked_at, [*map(str, self.vulnerabilities)], self.not_scanned)


class LicenceIssue(Frozen):
    """A distribution whose licence is not known, or not one that is allowed."""

    distribution: str
    licence: Told | None
    reason: Told

    def __str__(self) -> str:
        return f"{self.distribution}: {self.reason}"


class LicenceReport(Frozen):
    """The licences of what a lock file pins, held against those that are allowed (SPDX identifiers)."""

    kind: ClassVar = "licences"

    lock: Digest
    distributions: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    issues: tuple[LicenceIssue, ...] = ()
    not_scanned: tuple[Told, ...] = ()

    @property
    def readings(self) -> tuple[Reading, ...]:
        """`licence_issues`."""
        return (_reading("licence_issues", self.issues, len(self.distributions), self.not_scanned),)

    @property
    def summary(self) -> str:
        """What was found, in a sentence."""
        return _sentence(f"{len(self.distributions)} distributions", [*map(str, self.issues)], self.not_scanned)


class SourceIssue(Frozen):
    """A weakness in the code: where, by which rule (numbered alike by bandit and ruff), how severe."""

    path: Told
    line: int
    rule: str
    severity: Literal["low", "medium", "high"]
    message: Told

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.rule} ({self.severity}) {self.message}"


class SourceReport(Frozen):
    """Weaknesses in the Python code of a commit. `others` counts the files that are no Python, and not looked at."""

    kind: ClassVar = "source"

    source: Source
    files: int = 0
    others: int = 0
    issues: tuple[SourceIssue, ...] = ()
    not_scanned: tuple[Told, ...] = ()

    @property
    def readings(self) -> tuple[Reading, ...]:
        """`source_issues`: those that are not of low severity."""
        grave = [one for one in self.issues if one.severity != "low"]
        return (_reading("source_issues", grave, self.files, self.not_scanned),)

    @property
    def summary(self) -> str:
        """What was found, in a sentence; issues of low severity are in the report alone."""
        grave = [str(one) for one in self.issues if one.severity != "low"]
        return _sentence(f"{self.files} Python files, {self.others} others not looked at", grave, self.not_scanned)


class Secret(Frozen):
    """Where a secret stands and of which kind; by `fingerprint` a finding is known again, and no secret is told."""

    path: Told
    line: int
    kind: str
    fingerprint: str

    def __str__(self) -> str:
        return f"{self.kind} in {self.path}:{self.line}"


class SecretReport(Frozen):
    """Secrets in the files of a commit."""

    kind: ClassVar = "secrets"

    source: Source
    files: int = 0
    secrets: tuple[Secret, ...] = ()
    not_scanned: tuple[Told, ...] = ()

    @property
    def readings(self) -> tuple[Reading, ...]:
        """`secrets`."""
        return (_reading("secrets", self.secrets, self.files, self.not_scanned),)

    @property
    def summary(self) -> str:
        """What was found, in a sentence."""
        return _sentence(f"{self.files} files", [*map(str, self.secrets)], self.not_scanned)


SupplyReport = DependencyReport | LicenceReport | SourceReport | SecretReport
