"""Versions enter and leave environments. The gates are checked here again, where the effect happens."""

from temporalio import activity

from activities.ledger import Ledger, Outcome
from activities.ports import Deployer, Inventory
from models.canonical import Digest
from models.errors import InvalidInputError, NotPermittedError, SmokeTestError
from models.evidence import StepOrder, StepResult
from models.inventory import Deployed, Environment, Withdrawn
from models.journal import Assignment
from models.verdict import Verdict


class PromotionActivities:
    """Deploys by digest, once per key, and only what the record says has passed its gates."""

    def __init__(self, inventory: Inventory, deployer: Deployer) -> None:
        self._inventory = inventory
        self._ledger = Ledger(inventory)
        self._deployer = deployer

    @activity.defn(name="promote_version", no_thread_cancel_exception=True)
    def promote_version(self, task: Assignment) -> StepResult:
        """Deploy a version; a failed smoke test turns it away (verdict FAIL), what served before still serves."""
        order = task.order

        def effect() -> Outcome:
            try:
                return self._deploy(order)
            except SmokeTestError as error:
                return StepResult(verdict=Verdict.FAIL, summary=f"smoke test in {order.environment}: {error}"), []

        return self._ledger.perform(task, effect)

    @activity.defn(name="restore_version", no_thread_cancel_exception=True)
    def restore_version(self, task: Assignment) -> StepResult:
        """Deploy the previous champion again."""
        order = task.order
        return self._ledger.perform(task, lambda: self._deploy(order))

    @activity.defn(name="stop_serving", no_thread_cancel_exception=True)
    def stop_serving(self, task: Assignment) -> StepResult:
        """Take the model out of the order's environment."""
        order = task.order

        def effect() -> Outcome:
            if order.environment is None:
                raise InvalidInputError(f"step '{order.step}' was ordered without an environment")
            return self._withdraw(order, (order.environment,))

        return self._ledger.perform(task, effect)

    @activity.defn(name="undeploy_model", no_thread_cancel_exception=True)
    def undeploy_model(self, task: Assignment) -> StepResult:
        """Take the model out of every environment, also where the record knows of nothing."""
        order = task.order
        return self._ledger.perform(task, lambda: self._withdraw(order, tuple(Environment)))

    def _deploy(self, order: StepOrder) -> Outcome:
        environment, version, bundle = self._checked(order)
        endpoint = self._deployer.deploy(environment, order.model, version, bundle, order.key)
        deployed = Deployed(environment=environment, version=version, bundle=bundle, endpoint=endpoint)
        summary = f"version {version} serves in {environment} at {endpoint}"
        return StepResult(summary=summary, endpoint=endpoint, bundle=bundle), [deployed]

    def _withdraw(self, order: StepOrder, environments: tuple[Environment, ...]) -> Outcome:
        for environment in environments:
            self._deployer.withdraw(environment, order.model, order.key)
        summary = f"nothing serves in {', '.join(environments) or 'any environment'} any more"
        return StepResult(summary=summary), [Withdrawn(environments=environments)]

    def _checked(self, order: StepOrder) -> tuple[Environment, int, Digest]:
        environment, version, bundle = order.environment, order.version, order.bundle
        if environment is None or version is None or bundle is None:
            raise InvalidInputError(
                f"step '{order.step}' was ordered without environment, version or bundle",
                "the stage must package the version before it promotes it",
            )
        missing = set(order.gates) - self._inventory.gates_passed(order.model, version)
        if missing:
            raise NotPermittedError(
                f"version {version} of '{order.model}' has no record of passing {', '.join(sorted(missing))}, "
                f"which {environment} demands",
                "the record and the workflow disagree: compare with `modelops history`",
            )
        registered = self._inventory.submission(order.model, version).artifact.digest
        if registered != order.artifact:
            raise NotPermittedError(
                f"version {version} of '{order.model}' is registered with artifact {registered}, not {order.artifact}",
                "the record and the workflow disagree: compare with `modelops history`",
            )
        return environment, version, bundle
