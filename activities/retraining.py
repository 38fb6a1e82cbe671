"""A new version is trained for real."""

from temporalio import activity

from activities.ledger import Ledger, Outcome
from activities.ports import Inventory, Trainer
from activities.window_ports import Given, Windows
from models.errors import InvalidInputError
from models.evidence import StepKind, StepResult
from models.journal import Assignment


class RetrainingActivities:
    """Runs the trainer that the champion was registered with."""

    def __init__(self, inventory: Inventory, trainer: Trainer, windows: Windows) -> None:
        self._inventory = inventory
        self._ledger = Ledger(inventory)
        self._trainer = trainer
        self._windows = windows

    @activity.defn(name="train_version")
    def train_version(self, task: Assignment) -> StepResult:
        """A submission like the champion's, trained with the newest window whose labels are known, if there is one."""
        order = task.order

        def effect() -> Outcome:
            if order.version is None:
                raise InvalidInputError(f"step '{order.step}' was ordered without a champion to start from")
            champion = self._inventory.submission(order.model, order.version)
            if champion.trainer is None:
                raise InvalidInputError(
                    f"version {order.version} of '{order.model}' names no trainer, so it cannot be retrained",
                    "submit a new version with `modelops submit`",
                )
            given = self._windows.of(order.model).for_training(champion.contract)
            submission = self._trainer.train(champion.trainer, champion, given.path if given else None, order.key)
            return StepResult(summary=f"trained by '{champion.trainer}'{_lineage(given)}", submission=submission), []

        return self._ledger.perform(task, StepKind.TRAIN, effect)


def _lineage(given: Given | None) -> str:
    if given is None:
        return ", without a window"
    return f", with window {given.window}{f' and outcomes {given.outcomes}' if given.outcomes else ''}"
