"""Each effect at most once: a key that was recorded is answered from the record."""

from collections.abc import Callable, Sequence

from temporalio import activity

from activities.ports import Inventory
from models.canonical import Slug
from models.errors import NotPermittedError, UnknownNameError
from models.evidence import EffectKey, StepKind, StepOrder, StepResult
from models.inventory import Change
from models.journal import Assignment, JournalEntry

Outcome = tuple[StepResult, Sequence[Change]]
"""What an effect found, and what it changed in the inventory."""


class Ledger:
    """Performs an effect unless its key is recorded; records result, rows and audit entry in one transaction."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def perform(self, task: Assignment, kind: StepKind, effect: Callable[[], Outcome]) -> StepResult:
        """A step of a kind, for its lifecycle alone: first the events that led to it, then its effect, once."""
        self.record(task, kind)
        return self.once(task.order.key, effect)

    def find_out(self, task: Assignment, kind: StepKind, effect: Callable[[], Outcome]) -> StepResult:
        """A step that finds something out about a version: about its own bytes, or it would answer for others."""
        self.record(task, kind)
        if objection := self._other_bytes(task.order):
            raise NotPermittedError(objection, "`modelops history` tells what was submitted")
        return self.once(task.order.key, effect)

    def _other_bytes(self, order: StepOrder) -> str | None:
        if order.version is None:
            return None
        registered = self._inventory.earned(order.model, order.version).artifact
        if registered == order.artifact:
            return None
        return (
            f"version {order.version} of '{order.model}' is registered with artifact {registered}, not {order.artifact}"
        )

    def record(self, task: Assignment, kind: StepKind) -> None:
        """The events that led to a step of a kind; NotPermittedError unless its own lifecycle asks for it by its name.

        Under the name of one step no other kind is performed: its record would answer for what was never done.
        """
        demand_own(task.order.model, task.journal)
        for entry in task.journal:
            self._inventory.commit_event(entry)
        self._demand_named(task.order, kind)

    def _demand_named(self, order: StepOrder, kind: StepKind) -> None:
        try:
            stage = self._inventory.governing_plan(order.model).by_name.get(order.stage)
        except UnknownNameError:
            stage = None
        planned = {step.id: step.kind for step in stage.steps} if stage else {}
        named = planned.get(order.step) or (kind if order.step.split("-")[0] == kind.value else None)
        if not kind == order.kind == named:
            raise NotPermittedError(
                f"'{order.step}' of stage '{order.stage}' is no step to {kind.value.replace('_', ' ')}",
                "nobody but a lifecycle orders its steps: who started this workflow?",
            )

    def once(self, key: EffectKey, effect: Callable[[], Outcome]) -> StepResult:
        """The effect's result, from the record if it is there.

        A crash between effect and record repeats the effect, so it must be idempotent by the same key.
        """
        recorded = self._inventory.effect(key)
        if recorded is not None:
            return recorded
        result, changes = effect()
        return self._inventory.commit_effect(key, result, changes)


def demand_own(model: Slug, journal: Sequence[JournalEntry] = ()) -> None:
    """NotPermittedError unless the model's own lifecycle calls, with nothing about another: anybody may order steps."""
    caller, remedy = activity.info().workflow_id, "nobody but a lifecycle orders its steps: who started this workflow?"
    if caller != f"model/{model}":
        raise NotPermittedError(f"'{caller}' is not the lifecycle of '{model}'", remedy)
    if any(entry.model != model for entry in journal):
        raise NotPermittedError(f"what comes with the order is not about '{model}'", remedy)
