"""The end of a model: who depends on it, that they know, and one sealed archive of all that is on record."""

from temporalio import activity

from activities.ledger import Ledger, Outcome
from activities.ports import ArtifactStore, Inventory
from activities.reports import keep_report
from models.audit import AuditEntry
from models.canonical import Frozen
from models.evidence import StepKind, StepResult
from models.inventory import Archived, Consumer, ModelFacts, Notified
from models.journal import Assignment
from models.plan import Plan


class BlastRadius(Frozen):
    """Who uses a model that is going away."""

    model: str
    consumers: tuple[Consumer, ...]


class Archive(Frozen):
    """Everything on record of a model, in one document."""

    facts: ModelFacts
    plan: Plan
    trail: tuple[AuditEntry, ...]


class RetirementActivities:
    """Assesses, notifies, archives."""

    def __init__(self, inventory: Inventory, store: ArtifactStore) -> None:
        self._inventory = inventory
        self._ledger = Ledger(inventory)
        self._store = store

    @activity.defn(name="assess_consumers", no_thread_cancel_exception=True)
    def assess_consumers(self, task: Assignment) -> StepResult:
        """List the registered consumers."""
        order = task.order

        def effect() -> Outcome:
            consumers = self._inventory.model(order.model).consumers
            summary = f"{len(consumers)} consumers: {', '.join(consumer.name for consumer in consumers) or 'none'}"
            report = BlastRadius(model=order.model, consumers=consumers)
            return StepResult(summary=summary, evidence=(keep_report(self._store, "consumers", report, summary),)), []

        return self._ledger.perform(task, StepKind.ASSESS_CONSUMERS, effect)

    @activity.defn(name="notify_consumers", no_thread_cancel_exception=True)
    def notify_consumers(self, task: Assignment) -> StepResult:
        """Tell every consumer, once."""
        order = task.order

        def effect() -> Outcome:
            facts = self._inventory.model(order.model)
            body = f"'{facts.title}' ({facts.id}) is being retired and will stop answering. Owner: {facts.owner}."
            notices = [
                Notified(recipient=consumer.contact, subject=f"{facts.id} is being retired", body=body)
                for consumer in facts.consumers
            ]
            return StepResult(summary=f"{len(notices)} consumers notified"), notices

        return self._ledger.perform(task, StepKind.NOTIFY_CONSUMERS, effect)

    @activity.defn(name="archive_model", no_thread_cancel_exception=True)
    def archive_model(self, task: Assignment) -> StepResult:
        """Seal facts, plan and audit trail into one content-addressed document."""
        order = task.order

        def effect() -> Outcome:
            archive = Archive(
                facts=self._inventory.model(order.model),
                plan=self._inventory.governing_plan(order.model),
                trail=tuple(self._inventory.trail(order.model)),
            )
            summary = f"archive of {len(archive.trail)} audit entries"
            evidence = keep_report(self._store, "archive", archive, summary)
            return StepResult(summary=summary), [Archived(archive=evidence.digest)]

        return self._ledger.perform(task, StepKind.ARCHIVE, effect)
