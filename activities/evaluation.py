"""A version is measured on data that it has not seen."""

from temporalio import activity

from activities.ledger import Ledger, Outcome
from activities.ports import ArtifactStore, Evaluator, Inventory
from activities.reports import keep_report
from models.errors import InvalidInputError
from models.evidence import StepKind, StepResult
from models.journal import Assignment


class EvaluationActivities:
    """Runs a scanned version over its registered hold-out data."""

    def __init__(self, inventory: Inventory, store: ArtifactStore, evaluator: Evaluator) -> None:
        self._inventory = inventory
        self._ledger = Ledger(inventory)
        self._store = store
        self._evaluator = evaluator

    @activity.defn(name="evaluate_version", no_thread_cancel_exception=True)
    def evaluate_version(self, task: Assignment) -> StepResult:
        """Readings of an EvaluationReport; the gate judges them."""
        order = task.order

        def effect() -> Outcome:
            if order.version is None or order.artifact is None:
                raise InvalidInputError(f"step '{order.step}' was ordered without a version")
            submission = self._inventory.submission(order.model, order.version)
            holdout = self._store.fetch(submission.holdout)
            report = self._evaluator.evaluate(self._store.path(order.artifact), holdout, submission)
            figures = ", ".join(f"{reading.name} {reading.value:.3f}" for reading in report.readings)
            how = ", by the answers that are recorded there" if report.recorded else ""
            summary = f"on {report.rows} rows{how}: {figures}"
            evidence = keep_report(self._store, "evaluation", report, summary)
            return StepResult(summary=summary, evidence=(evidence,), readings=report.readings), []

        return self._ledger.find_out(task, StepKind.EVALUATE, effect)
