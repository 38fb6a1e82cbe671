"""The artifact gate: nothing is loaded, and only `clean` passes."""

from temporalio import activity

from activities.ledger import Ledger, Outcome
from activities.ports import ArtifactStore, Inventory, Scanner
from activities.reports import keep_report
from models.errors import InvalidInputError
from models.evidence import StepKind, StepResult
from models.journal import Assignment
from models.verdict import Reading, Verdict


class ScanningActivities:
    """Looks at an artifact's bytes before anything else may."""

    def __init__(self, inventory: Inventory, store: ArtifactStore, scanner: Scanner) -> None:
        self._ledger = Ledger(inventory)
        self._store = store
        self._scanner = scanner

    @activity.defn(name="scan_artifact", no_thread_cancel_exception=True)
    def scan_artifact(self, task: Assignment) -> StepResult:
        """Verdict FAIL unless the scanner says `clean`; reading `threats`."""
        order = task.order

        def effect() -> Outcome:
            if order.artifact is None:
                raise InvalidInputError(f"step '{order.step}' was ordered without an artifact")
            report = self._scanner.scan(self._store.path(order.artifact), order.artifact)
            clean = report.verdict == "clean"
            summary = f"{report.format}: {report.verdict}" + "".join(f"; {reason}" for reason in report.reasons[:3])
            threats = Reading(name="threats", value=0.0 if clean else float(max(1, len(report.reasons))), count=1)
            result = StepResult(
                verdict=Verdict.PASS if clean else Verdict.FAIL,
                summary=summary,
                evidence=(keep_report(self._store, "scan", report, summary),),
                readings=(threats,),
            )
            return result, []

        return self._ledger.find_out(task, StepKind.SCAN, effect)
