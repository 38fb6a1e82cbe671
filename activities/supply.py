"""What a version is made of beside its artifact: its dependencies and its code. Not scanned is not passed."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from activities.ports import Advisories, ArtifactStore, Repositories, SourceScanner
from models.canonical import Digest, digest_bytes, spell_duration
from models.errors import ModelopsError
from models.inventory import Source, Submission
from models.supply.licences import licence_issues
from models.supply.lock import Lock, parse_lock
from models.supply.osv import Bulletin
from models.supply.reports import DependencyReport, LicenceReport, SecretReport, SourceReport, SupplyReport
from models.supply.secrets import find_secrets
from models.supply.vulnerabilities import vulnerabilities

_AHEAD = timedelta(days=1)


class SupplyPolicy(NamedTuple):
    """How old the advisories may be, in seconds, and which licences are allowed (SPDX identifiers)."""

    advisories_at_most: int
    licences: Collection[str]


def audit_lock(data: bytes, advisories: Advisories, policy: SupplyPolicy) -> tuple[DependencyReport, LicenceReport]:
    """The known vulnerabilities of what a lock file pins, and its licences."""
    lock, digest = parse_lock(data), digest_bytes(data)
    distributions = tuple(map(str, lock.pins))
    try:
        bulletin = advisories.about({pin.name for pin in lock.pins})
    except ModelopsError as error:
        why = (*lock.objections, str(error))
        return (
            DependencyReport(lock=digest, distributions=distributions, not_scanned=why),
            LicenceReport(lock=digest, distributions=distributions, not_scanned=why),
        )
    return (
        DependencyReport(
            lock=digest,
            distributions=distributions,
            as_of=bulletin.as_of,
            vulnerabilities=vulnerabilities(lock.pins, bulletin.advisories),
            not_scanned=(*lock.objections, *_objections(bulletin, policy, datetime.now(UTC))),
        ),
        _licences(digest, lock, bulletin, policy),
    )


def _objections(bulletin: Bulletin, policy: SupplyPolicy, now: datetime) -> list[str]:
    """Advisories out of date know nothing of what was found since, and none knows the future."""
    age = now - bulletin.as_of
    if age < -_AHEAD:
        return [f"the advisories are dated {bulletin.as_of:%Y-%m-%d}, which is yet to come"]
    if age.total_seconds() > policy.advisories_at_most:
        at_most = spell_duration(policy.advisories_at_most)
        return [f"the newest advisory is of {bulletin.as_of:%Y-%m-%d}, and at most {at_most} are allowed"]
    return []


def _licences(digest: Digest, lock: Lock, bulletin: Bulletin, policy: SupplyPolicy) -> LicenceReport:
    """A released version keeps its licence, so that how old the table is does not matter."""
    return LicenceReport(
        lock=digest,
        distributions=tuple(map(str, lock.pins)),
        allowed=tuple(sorted(policy.licences)),
        issues=tuple(licence_issues(lock.pins, bulletin.licences, policy.licences)),
        not_scanned=lock.objections if bulletin.licences else (*lock.objections, "no table of licences is there"),
    )


class SupplyChain:
    """Fits `SupplyScanner`, given a mirror of advisories, clones of repositories and a scanner of code."""

    def __init__(
        self,
        store: ArtifactStore,
        advisories: Advisories,
        repositories: Repositories,
        source_scanner: SourceScanner,
        policy: SupplyPolicy,
    ) -> None:
        self._store = store
        self._advisories = advisories
        self._repositories = repositories
        self._source_scanner = source_scanner
        self._policy = policy

    def look(self, submission: Submission) -> tuple[SupplyReport, ...]:
        """A report each on dependencies, licences, source and secrets; errors are those of the store alone."""
        lock = self._store.path(submission.dependencies.digest).read_bytes()
        return *audit_lock(lock, self._advisories, self._policy), *self._look_at_source(submission.source)

    def _look_at_source(self, source: Source) -> tuple[SourceReport, SecretReport]:
        try:
            files = self._repositories.tree(source)
        except ModelopsError as error:
            why = (str(error),)
            return SourceReport(source=source, not_scanned=why), SecretReport(source=source, not_scanned=why)
        return self._source_scanner.scan(source, files), _secrets(source, files)


def _secrets(source: Source, files: Mapping[str, bytes]) -> SecretReport:
    """Texts alone can be read; a file that is none is looked through byte by byte as if it were one."""
    found = [secret for path, data in files.items() for secret in find_secrets(path, data.decode("utf-8", "replace"))]
    return SecretReport(source=source, files=len(files), secrets=tuple(found))
