"""The gate for what comes from outside: nothing is loaded, and only what was looked at and found clean passes."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from temporalio import activity

from activities.ledger import Ledger, Outcome
from activities.ports import ArtifactStore, Inventory, Scanner, SupplyScanner
from activities.reports import keep_report
from models.bundle.definitions import parse_definition, parts_of
from models.errors import InvalidInputError
from models.evidence import ScanReport, StepKind, StepResult
from models.formats import FORMATS, is_found_as
from models.inventory import Submission
from models.journal import Assignment
from models.supply.reports import DependencyReport, SupplyReport
from models.verdict import Reading, Verdict

_SHOWN = 3


class ScanningActivities:
    """Looks at an artifact's bytes, and at what the version is made of, before anything else may."""

    def __init__(self, inventory: Inventory, store: ArtifactStore, scanner: Scanner, supply: SupplyScanner) -> None:
        self._inventory = inventory
        self._ledger = Ledger(inventory)
        self._store = store
        self._scanner = scanner
        self._supply = supply

    @activity.defn(name="scan_artifact", no_thread_cancel_exception=True)
    def scan_artifact(self, task: Assignment) -> StepResult:
        """Verdict FAIL on what attacks: an artifact that is not `clean`, or not of the format that it is said to be, a
        dependency known to be malicious.

        Everything else is a reading, for the gate to judge: `threats`, `vulnerabilities`, `severe_vulnerabilities`,
        `licence_issues`, `source_issues`, `secrets`.
        """
        order = task.order

        def effect() -> Outcome:
            if order.artifact is None or order.version is None:
                raise InvalidInputError(f"step '{order.step}' was ordered without an artifact")
            submission = self._inventory.submission(order.model, order.version)
            report = scan_submission(self._store, self._scanner, submission)
            return self._result(report, self._supply.look(submission)), []

        return self._ledger.find_out(task, StepKind.SCAN, effect)

    def _result(self, report: ScanReport, parts: Sequence[SupplyReport]) -> StepResult:
        clean = report.verdict == "clean"
        summary = f"{report.format}: {report.verdict}" + "".join(f"; {reason}" for reason in report.reasons[:_SHOWN])
        threats = Reading(name="threats", value=0.0 if clean else float(max(1, len(report.reasons))), count=1)
        malicious = [one for part in parts if isinstance(part, DependencyReport) for one in part.malicious]
        return StepResult(
            verdict=Verdict.FAIL if malicious or not clean else Verdict.PASS,
            summary="; ".join([summary, *map(str, malicious[:_SHOWN])]),
            evidence=(
                keep_report(self._store, "scan", report, summary),
                *(keep_report(self._store, part.kind, part, part.summary) for part in parts),
            ),
            readings=(threats, *(reading for part in parts for reading in part.readings)),
        )


def scan_submission(store: ArtifactStore, scanner: Scanner, submission: Submission) -> ScanReport:
    """The report on a version's artifact, which must be what it is said to be, and on the files that it names."""
    artifact, form = submission.artifact.digest, submission.format
    place = store.path(artifact)
    report = scanner.scan(place, artifact)
    if report.verdict != "clean":
        return report
    if not is_found_as(form, report.format):
        reason = f"The artifact is {report.format}, not {form}. Correct the format of the submission, or the artifact."
        return report.model_copy(update={"verdict": "unknown", "reasons": (reason,)})
    parts = _parts(store, place, submission) if FORMATS[form].is_read else {}
    return scanner.scan(place, artifact, parts) if parts else report


def _parts(store: ArtifactStore, place: Path, submission: Submission) -> Mapping[str, Path]:
    """What a definition names, by names that end as the files themselves do."""
    named = parts_of(parse_definition(submission.format, place.read_bytes()))
    return {name + PurePosixPath(one.uri).suffix: store.fetch(one) for name, one in named.items()}
