"""Each effect at most once: a key that was recorded is answered from the record."""

from collections.abc import Callable, Sequence

from activities.ports import Inventory
from models.evidence import EffectKey, StepResult
from models.inventory import Change
from models.journal import Assignment

Outcome = tuple[StepResult, Sequence[Change]]
"""What an effect found, and what it changed in the inventory."""


class Ledger:
    """Performs an effect unless its key is recorded; records result, rows and audit entry in one transaction."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def perform(self, task: Assignment, effect: Callable[[], Outcome]) -> StepResult:
        """A step of a lifecycle: first the events that led to it, then its effect, once."""
        self.record(task)
        return self.once(task.order.key, effect)

    def record(self, task: Assignment) -> None:
        """The events that led to a step."""
        for entry in task.journal:
            self._inventory.commit_event(entry)

    def once(self, key: EffectKey, effect: Callable[[], Outcome]) -> StepResult:
        """The effect's result, from the record if it is there.

        A crash between effect and record repeats the effect, so it must be idempotent by the same key.
        """
        recorded = self._inventory.effect(key)
        if recorded is not None:
            return recorded
        result, changes = effect()
        return self._inventory.commit_effect(key, result, changes)
