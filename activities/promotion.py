"""Versions enter and leave environments. Everything is checked here again, where the effect happens."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from temporalio import activity

from activities.clearance import known_of
from activities.ledger import Ledger, Outcome
from activities.ports import Bundles, Deployer, Directory, Inventory, Notary
from activities.saga import Saga
from activities.validation import TurnedAwayError, Validator
from models.canonical import Digest, replace
from models.clearance import Known, Minimum, Tied, objections, withdrawal_objections
from models.errors import ConflictError, InvalidInputError, NotPermittedError, SmokeTestError
from models.evidence import EffectKey, Evidence, StepKind, StepOrder, StepResult
from models.formats import FORMATS
from models.inventory import Deployed, Environment, Withdrawn
from models.journal import Assignment
from models.placement import Placed
from models.plan import Plan
from models.traffic import Split
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
        bundles: Bundles,
        validator: Validator,
    ) -> None:
        """`directory` is the actuator's own, `minimum` what its environments ask whatever a plan says.

        `notary` seals what a promotion to PROD rests on before it happens; `bundles` are looked at, byte by byte;
        `validator` asks versions where they are.
        """
        self._inventory = inventory
        self._ledger = Ledger(inventory)
        self._deployer = deployer
        self._directory = directory
        self._minimum = minimum
        self._notary = notary
        self._bundles = bundles
        self._validator = validator

    @activity.defn(name="promote_version", no_thread_cancel_exception=True)
    def promote_version(self, task: Assignment) -> StepResult:
        """Validate a version where it is loaded, then have it serve; of what others run, record that it is released.

        A failed smoke test or validation turns it away (verdict FAIL), and what served before still serves.
        """
        order = task.order

        def effect() -> Outcome:
            try:
                return self._promote(order)
            except TurnedAwayError as error:
                return StepResult(verdict=Verdict.FAIL, summary=str(error), evidence=(error.evidence,)), []
            except SmokeTestError as error:
                return StepResult(verdict=Verdict.FAIL, summary=f"smoke test in {order.environment}: {error}"), []

        return self._ledger.perform(task, StepKind.PROMOTE, effect)

    @activity.defn(name="restore_version", no_thread_cancel_exception=True)
    def restore_version(self, task: Assignment) -> StepResult:
        """Deploy the previous champion again."""
        return self._ledger.perform(task, StepKind.RESTORE, lambda: self._deploy(task.order, *self.cleared(task.order)))

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

    def _promote(self, order: StepOrder) -> Outcome:
        """Load beside what serves, validate, then deploy; where nothing serves, deploy and validate."""
        environment, version, bundle = self.cleared(order)
        if environment is Environment.PROD:
            self._notary.checkpoint()
        if self._runs_elsewhere(order.model, version):
            return self._release(order, environment, version, bundle)
        placed, champion = Placed(version=version, bundle=bundle), self._ours(order.model, environment)
        with Saga() as saga:
            beside = champion is not None and self._load_beside(saga, order, environment, placed)
            evidence = [self.validated(order, environment, placed, champion)] if beside else []
            result, changes = self._deploy(order, environment, version, bundle)
            if not beside:
                saga.did(lambda: self._go_back(order, environment, champion))
                evidence = [self.validated(order, environment, placed, None)]
        summary = f"{result.summary}; {evidence[0].summary}"
        return replace(result, summary=summary, evidence=tuple(evidence)), changes

    def _load_beside(self, saga: Saga, order: StepOrder, environment: Environment, placed: Placed) -> bool:
        """Whether the version is loaded and answers nobody; False if nothing serves, or it does by itself already."""
        split = Split(version=placed.version, bundle=placed.bundle)
        try:
            self._deployer.divide(environment, order.model, split, _attempt(order, "beside"))
        except ConflictError:
            return False
        saga.did(lambda: self._deployer.divide(environment, order.model, None, _attempt(order, "alone")))
        return True

    def _go_back(self, order: StepOrder, environment: Environment, champion: Placed | None) -> None:
        """Have serve what served before by the record, or nothing."""
        key = _attempt(order, "back")
        if champion:
            self._deployer.deploy(environment, order.model, champion.version, champion.bundle, key)
        else:
            self._deployer.withdraw(environment, order.model, key)

    def _runs_elsewhere(self, model: str, version: int) -> bool:
        return FORMATS[self._inventory.submission(model, version).format].elsewhere

    def _ours(self, model: str, environment: Environment) -> Placed | None:
        """What of ours serves there by the record."""
        serving = self._inventory.deployments(model).get(environment)
        if serving is None or self._runs_elsewhere(model, serving.version):
            return None
        return Placed(version=serving.version, bundle=serving.bundle)

    def _release(self, order: StepOrder, environment: Environment, version: int, bundle: Digest) -> Outcome:
        """Record that what somebody else runs may be used from now on; what of ours served instead does no more."""
        endpoint = self._bundles.elsewhere(bundle, order.model, version).answers_at
        if self._ours(order.model, environment):
            self._deployer.withdraw(environment, order.model, order.key)
        deployed = Deployed(environment=environment, version=version, bundle=bundle, endpoint=endpoint)
        summary = f"version {version} is released in {environment}: somebody else runs it, at {endpoint}"
        return StepResult(summary=summary, endpoint=endpoint, bundle=bundle), [deployed]

    def _deploy(self, order: StepOrder, environment: Environment, version: int, bundle: Digest) -> Outcome:
        if self._runs_elsewhere(order.model, version):
            return self._release(order, environment, version, bundle)
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
        if elsewhere := list(self._released(order.model, environments)):
            summary += f"; whoever still asks {', '.join(elsewhere)}, which others run, has to stop"
        return StepResult(summary=summary), [Withdrawn(environments=environments)]

    def _released(self, model: str, environments: Collection[Environment]) -> Iterator[str]:
        """The versions that others run and that may be used by the record, though nobody here can stop them."""
        for environment, serving in sorted(self._inventory.deployments(model).items()):
            if environment in environments and self._runs_elsewhere(model, serving.version):
                yield f"version {serving.version} of {environment}"

    def cleared(self, order: StepOrder) -> tuple[Environment, int, Digest]:
        """Where an order brings which version from which bundle; NotPermittedError with all that speaks against it."""
        environment, version, bundle, artifact = order.environment, order.version, order.bundle, order.artifact
        if environment is None or version is None or bundle is None or artifact is None:
            raise InvalidInputError(
                f"step '{order.step}' was ordered without environment, version, artifact or bundle",
                "the stage must package the version before it promotes it",
            )
        _refuse(
            [
                *self._misplaced(order),
                *self._disagreements(order, environment, version),
                *self._objections(order, objections),
            ]
        )
        self._bundles.verify(bundle, order.model, version, artifact)
        return environment, version, bundle

    def validated(
        self, order: StepOrder, environment: Environment, placed: Placed, champion: Placed | None
    ) -> Evidence:
        """The evidence that a loaded version gives what its environment asks; TurnedAwayError, UnavailableError."""
        contract = self._inventory.submission(order.model, placed.version).contract
        other = champion if champion and champion.version != placed.version else None
        return self._validator.validate(environment, order.model, contract, placed, other)

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


def _attempt(order: StepOrder, what: str) -> EffectKey:
    """The key of what prepares a step or undoes it: another one each time, for what was undone is prepared anew.

    A person who retries a stuck step has it begin at attempt 1 again, in another activity.
    """
    told = activity.info()
    time = f"{told.workflow_run_id}.{told.activity_id}.{told.attempt}"
    return EffectKey(model=order.model, visit=order.visit, step=f"{order.step}.{what}.{time}")


def _refuse(objections: Iterable[str]) -> None:
    """NotPermittedError with what speaks against an order, if anything does."""
    if found := list(objections):
        more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
        raise NotPermittedError(
            "; ".join(found[:_TOLD]) + more,
            "see `modelops history`; what a version lacks it has to earn: abandon it, and submit it anew",
        )
