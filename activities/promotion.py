"""Versions enter and leave environments. Everything is checked here again, where the effect happens."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from temporalio import activity

from activities.clearance import known_of
from activities.ledger import Ledger, Outcome
from activities.ports import Deployer, Directory, Inventory, Notary
from models.canonical import Digest
from models.clearance import Known, Minimum, Tied, objections, withdrawal_objections
from models.errors import InvalidInputError, NotPermittedError, SmokeTestError
from models.evidence import StepKind, StepOrder, StepResult
from models.inventory import Deployed, Environment, Withdrawn
from models.journal import Assignment
from models.plan import Plan
from models.verdict import Verdict

_TOLD = 5

Telling = Callable[[StepOrder, Plan, Sequence[Tied], Known], Iterator[str]]
"""What speaks against an order."""


class PromotionActivities:
    """Deploys by digest, once per key, and only what nothing speaks against: see `models.clearance`."""

    def __init__(
        self,
        inventory: Inventory,
        deployer: Deployer,
        directory: Directory,
        minimum: Mapping[Environment, Minimum],
        notary: Notary,
    ) -> None:
        """`directory` is the actuator's own, `minimum` what its environments ask whatever a plan says.

        `notary` seals what a promotion to PROD rests on before it happens.
        """
        self._inventory = inventory
        self._ledger = Ledger(inventory)
        self._deployer = deployer
        self._directory = directory
        self._minimum = minimum
        self._notary = notary

    @activity.defn(name="promote_version", no_thread_cancel_exception=True)
    def promote_version(self, task: Assignment) -> StepResult:
        """Deploy a version; a failed smoke test turns it away (verdict FAIL), what served before still serves."""
        order = task.order

        def effect() -> Outcome:
            try:
                return self._deploy(order)
            except SmokeTestError as error:
                return StepResult(verdict=Verdict.FAIL, summary=f"smoke test in {order.environment}: {error}"), []

        return self._ledger.perform(task, StepKind.PROMOTE, effect)

    @activity.defn(name="restore_version", no_thread_cancel_exception=True)
    def restore_version(self, task: Assignment) -> StepResult:
        """Deploy the previous champion again."""
        return self._ledger.perform(task, StepKind.RESTORE, lambda: self._deploy(task.order))

    @activity.defn(name="stop_serving", no_thread_cancel_exception=True)
    def stop_serving(self, task: Assignment) -> StepResult:
        """Take the model out of the order's environment."""
        order = task.order

        def effect() -> Outcome:
            if order.environment is None:
                raise InvalidInputError(f"step '{order.step}' was ordered without an environment")
            return self._withdraw(order, (order.environment,))

        return self._ledger.perform(task, StepKind.STOP_SERVING, effect)

    @activity.defn(name="undeploy_model", no_thread_cancel_exception=True)
    def undeploy_model(self, task: Assignment) -> StepResult:
        """Take the model out of every environment, also where the record knows of nothing."""
        return self._ledger.perform(task, StepKind.UNDEPLOY, lambda: self._withdraw(task.order, tuple(Environment)))

    def _deploy(self, order: StepOrder) -> Outcome:
        environment, version, bundle = self._checked(order)
        if environment is Environment.PROD and order.kind is StepKind.PROMOTE:
            self._notary.checkpoint()
        endpoint = self._deployer.deploy(environment, order.model, version, bundle, order.key)
        deployed = Deployed(environment=environment, version=version, bundle=bundle, endpoint=endpoint)
        summary = f"version {version} serves in {environment} at {endpoint}"
        return StepResult(summary=summary, endpoint=endpoint, bundle=bundle), [deployed]

    def _withdraw(self, order: StepOrder, environments: tuple[Environment, ...]) -> Outcome:
        """What takes a version out of service makes things safer: see `models.clearance`."""
        _refuse([*self._misplaced(order), *self._objections(order, withdrawal_objections)])
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
        _refuse(
            [
                *self._misplaced(order),
                *self._disagreements(order, environment, version),
                *self._objections(order, objections),
            ]
        )
        return environment, version, bundle

    def _misplaced(self, order: StepOrder) -> Iterator[str]:
        known = self._inventory.visit(order.model)
        if known != (order.stage, order.visit):
            ordered = f"the order is of '{order.stage}', visit {order.visit}"
            yield f"'{order.model}' is in stage '{known[0]}', visit {known[1]}; {ordered}"

    def _disagreements(self, order: StepOrder, environment: Environment, version: int) -> Iterator[str]:
        """Where an order asks for what the inventory does not bear out."""
        model = order.model
        plan, earned = self._inventory.governing_plan(model), self._inventory.earned(model, version)
        stage = plan.by_name.get(order.stage)
        if stage is None or stage.environment is not environment:
            yield f"stage '{order.stage}' of '{model}' does not promote to {environment}"
        if missing := set(plan.environment_gates.get(environment, ())) - earned.gates:
            gates = ", ".join(sorted(missing))
            yield f"version {version} of '{model}' has no record of passing {gates}, which {environment} demands"
        if order.kind is StepKind.RESTORE and (environment, order.bundle) not in earned.served:
            yield f"version {version} of '{model}' has never served in {environment} from bundle {order.bundle}"
        for what, registered, asked in (
            ("artifact", earned.artifact, order.artifact),
            ("bundle", earned.bundle, order.bundle),
        ):
            if registered != asked:
                yield f"version {version} of '{model}' is registered with {what} {registered}, not {asked}"

    def _objections(self, order: StepOrder, told: Telling) -> Iterator[str]:
        """What speaks against it by the audit trail, the signatures in it, and what the actuator knows by itself."""
        plan = self._inventory.governing_plan(order.model)
        known = known_of(self._directory, self._minimum, plan, order.environment)
        return told(order, plan, self._inventory.ties(order.model), known)


def _refuse(objections: Iterable[str]) -> None:
    """NotPermittedError with what speaks against an order, if anything does."""
    if found := list(objections):
        more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
        raise NotPermittedError(
            "; ".join(found[:_TOLD]) + more,
            "see `modelops history`; what a version lacks it has to earn: abandon it, and submit it anew",
        )
