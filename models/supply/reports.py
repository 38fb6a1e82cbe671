"""What the scans of a version's parts found. What could not be looked at is not scanned, and says why."""

from typing import Literal

from pydantic import AwareDatetime

from models.canonical import Digest, Frozen, Told
from models.inventory import Source
from models.supply.severity import Severity


class Vulnerability(Frozen):
    """A known vulnerability of a pinned distribution, with all its names; `malicious` attacks by itself."""

    distribution: str
    id: str
    aliases: tuple[str, ...]
    severity: Severity
    summary: Told
    fixed_in: str | None = None
    malicious: bool = False


class DependencyReport(Frozen):
    """The known vulnerabilities of what a lock file pins, by a mirror of advisories as of a moment."""

    lock: Digest
    distributions: tuple[str, ...] = ()
    as_of: AwareDatetime | None = None
    vulnerabilities: tuple[Vulnerability, ...] = ()
    not_scanned: tuple[Told, ...] = ()


class LicenceIssue(Frozen):
    """A distribution whose licence is not known, or not one that is allowed."""

    distribution: str
    licence: Told | None
    reason: Told


class LicenceReport(Frozen):
    """The licences of what a lock file pins, beside those that are allowed (SPDX identifiers)."""

    lock: Digest
    distributions: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    issues: tuple[LicenceIssue, ...] = ()
    not_scanned: tuple[Told, ...] = ()


class SourceIssue(Frozen):
    """A weakness in the code: where, by which rule (numbered alike by bandit and ruff), how severe."""

    path: Told
    line: int
    rule: str
    severity: Literal["low", "medium", "high"]
    message: Told


class SourceReport(Frozen):
    """Weaknesses in the Python code of a commit; `others` are the files in other languages, not looked at."""

    source: Source
    files: int = 0
    others: int = 0
    issues: tuple[SourceIssue, ...] = ()
    not_scanned: tuple[Told, ...] = ()


class Secret(Frozen):
    """Where a secret stands and of which kind it is; `fingerprint` tells lines apart and does not tell the secret."""

    path: Told
    line: int
    kind: str
    fingerprint: str


class SecretReport(Frozen):
    """Secrets in the files of a commit and in the lock file of a version."""

    source: Source
    files: int = 0
    secrets: tuple[Secret, ...] = ()
    not_scanned: tuple[Told, ...] = ()
