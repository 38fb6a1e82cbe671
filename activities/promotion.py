"""Versions enter and leave environments. The gates are checked here again, where the effect happens."""

from collections.abc import Iterator

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
        self._demand(self._disagreements(order, environment, version))
        return environment, version, bundle

    def _disagreements(self, order: StepOrder, environment: Environment, version: int) -> Iterator[str]:
        """Where an order asks for what the record does not bear out: anybody may send an order to this worker."""
        model = order.model
        if (caller := activity.info().workflow_id) != f"model/{model}":
            yield f"'{caller}' is not the lifecycle of '{model}'"
        known = self._inventory.visit(model)
        if known != (order.stage, order.visit):
            ordered = f"the order is of '{order.stage}', visit {order.visit}"
            yield f"'{model}' is in stage '{known[0]}', visit {known[1]}; {ordered}"
        plan, earned = self._inventory.governing_plan(model), self._inventory.earned(model, version)
        stage = plan.by_name.get(order.stage)
        if stage is None or stage.environment is not environment:
            yield f"stage '{order.stage}' of '{model}' does not promote to {environment}"
        if missing := set(plan.environment_gates.get(environment, ())) - earned.gates:
            gates = ", ".join(sorted(missing))
            yield f"version {version} of '{model}' has no record of passing {gates}, which {environment} demands"
        for what, registered, asked in (
            ("artifact", earned.artifact, order.artifact),
            ("bundle", earned.bundle, order.bundle),
        ):
            if registered != asked:
                yield f"version {version} of '{model}' is registered with {what} {registered}, not {asked}"

    def _demand(self, disagreements: Iterator[str]) -> None:
        if disagreement := next(disagreements, None):
            raise NotPermittedError(disagreement, "the record and the workflow disagree: see `modelops history`")
