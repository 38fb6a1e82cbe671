"""A lifecycle and what its versions are made of: what attacks is turned away, what was not looked at does not pass."""

from collections.abc import Sequence

from activities.ports import SupplyScanner
from models.inventory import Submission, VersionStatus
from models.supply.reports import DependencyReport, SecretReport, SupplyReport, Vulnerability
from models.supply.severity import Severity
from tests.temporal.doubles import NothingAgainst
from tests.temporal.house import House, plan_of
from tests.temporal.test_forged_answers import reopened

MALICIOUS = Vulnerability(
    distribution="numpi==1.0", id="MAL-2026-1", aliases=(), severity=Severity.UNKNOWN, summary="", malicious=True
)


class Instead:
    """Nothing is found, but for one report."""

    def __init__(self, report: type[SupplyReport], **found: object) -> None:
        self._report = report
        self._found = found

    def look(self, submission: Submission) -> Sequence[SupplyReport]:
        """Its own report in place of the quiet one."""
        return [
            one.model_copy(update=self._found) if isinstance(one, self._report) else one
            for one in NothingAgainst().look(submission)
        ]


async def turned_away(house: House, template: str, supply: SupplyScanner) -> str:
    """Why the first version of a lifecycle is turned away."""
    await reopened(house, supply=supply)
    await house.start(plan_of(template))
    await house.submit()
    status = await house.until(lambda one: one.statuses.get(1) is VersionStatus.REJECTED)
    return status.passages[-1].reason


async def test_a_malicious_dependency_is_turned_away_by_itself(house: House) -> None:
    """Also where the template checks nothing but the artifact."""
    why = await turned_away(house, "low-risk", Instead(DependencyReport, vulnerabilities=(MALICIOUS,)))
    assert "numpi==1.0 has MAL-2026-1 (malicious)" in why


async def test_what_was_not_looked_at_does_not_pass(house: House) -> None:
    """Nobody could reach the code: the gate that checks for secrets does not wave it through."""
    why = await turned_away(house, "credit-high-risk", Instead(SecretReport, files=0, not_scanned=("no clone",)))
    assert "secrets: rests on 0 observations, 1 are needed" in why
