"""A version becomes a bundle: content-addressed, with all that it needs to run."""

from temporalio import activity

from activities.ledger import Ledger, Outcome
from activities.ports import Inventory, Packager
from models.errors import InvalidInputError
from models.evidence import StepKind, StepResult
from models.inventory import Packaged
from models.journal import Assignment


class PackagingActivities:
    """Makes bundles."""

    def __init__(self, inventory: Inventory, packager: Packager) -> None:
        self._inventory = inventory
        self._ledger = Ledger(inventory)
        self._packager = packager

    @activity.defn(name="package_version", no_thread_cancel_exception=True)
    def package_version(self, task: Assignment) -> StepResult:
        """The bundle's digest; the same content gives the same digest."""
        order = task.order

        def effect() -> Outcome:
            if order.version is None:
                raise InvalidInputError(f"step '{order.step}' was ordered without a version")
            submission = self._inventory.submission(order.model, order.version)
            evidence = {item.kind: item.digest for item in order.evidence}
            bundle = self._packager.package(order.model, order.version, submission, evidence)
            result = StepResult(summary=f"bundle {bundle[:19]}", bundle=bundle)
            return result, [Packaged(version=order.version, bundle=bundle)]

        return self._ledger.find_out(task, StepKind.PACKAGE, effect)
