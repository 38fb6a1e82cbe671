"""A step that runs in somebody else's CI: what its pipeline says of a version is evidence with a source."""

from temporalio import activity

from activities.ledger import Ledger, Outcome
from activities.ports import ArtifactStore, Inventory, Pipelines
from activities.reports import keep_report
from models.errors import NotPermittedError
from models.evidence import StepKind, StepOrder, StepResult
from models.external import PipelineReport, request_of
from models.journal import Assignment
from models.plan import StepPlan
from models.verdict import Reading


class ExternalActivities:
    """Has pipelines look at scanned versions."""

    def __init__(self, inventory: Inventory, store: ArtifactStore, pipelines: Pipelines) -> None:
        self._inventory = inventory
        self._ledger = Ledger(inventory)
        self._store = store
        self._pipelines = pipelines

    @activity.defn(name="run_pipeline")
    def run_pipeline(self, task: Assignment) -> StepResult:
        """The readings that the plan on record lets the pipeline give; the gate judges them.

        Whose pipeline it is, is that plan's word, not the order's.
        """
        order = task.order
        return self._ledger.find_out(task, StepKind.PIPELINE, lambda: self._run(order))

    def _run(self, order: StepOrder) -> Outcome:
        step = self._planned(order)
        if order.version is None or step is None or step.external is None:
            raise NotPermittedError(
                f"no pipeline runs in '{order.step}' of stage '{order.stage}', by the plan on record"
            )
        pipeline = step.external.pipeline
        submission = self._inventory.submission(order.model, order.version)
        asked = request_of(order.model, order.version, submission, step.external.readings)
        answer = self._pipelines.check(pipeline, asked, step.timeout, order.key)
        kept = PipelineReport(
            pipeline=pipeline,
            run=answer.run,
            page=answer.page,
            collected=self._store.put(answer.collected),
            report=answer.report,
        )
        figures = ", ".join(f"{reading.name} {reading.value:.4g}" for reading in answer.report.readings)
        summary = f"run {answer.run} of pipeline '{pipeline}' says: {figures}"
        evidence = keep_report(self._store, f"pipeline-{pipeline}", kept, summary)
        readings = tuple(Reading(**dict(reading)) for reading in answer.report.readings)
        return StepResult(summary=summary, evidence=(evidence,), readings=readings), []

    def _planned(self, order: StepOrder) -> StepPlan | None:
        stage = self._inventory.governing_plan(order.model).stage(order.stage)
        return next((step for step in stage.steps if step.id == order.step), None)
