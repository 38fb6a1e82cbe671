"""A challenger beside the champion, one look at a time: what it answers is raised, or ended, as the figures say."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from temporalio import activity

from activities.ledger import Ledger, Outcome
from activities.ports import ArtifactStore, Deployer, Inventory, Notary, Serving, Traffic
from activities.reports import keep_report
from activities.validation import TurnedAwayError
from models.canonical import Digest
from models.errors import InvalidInputError, NotPermittedError, SmokeTestError
from models.evidence import EffectKey, Evidence, StepKind, StepOrder, StepResult
from models.formats import FORMATS
from models.inventory import Divided, Environment
from models.journal import Assignment, TrialAnswer
from models.placement import Placed
from models.plan import Plan, TrialPlan
from models.traffic import Split
from models.trial import Look, Progress, begin, climb, look, rungs, split_at
from models.verdict import Verdict

Cleared = Callable[[StepOrder], tuple[Environment, int, Digest]]
"""Where an order brings which version from which bundle; NotPermittedError with what speaks against it."""

Validated = Callable[[StepOrder, Environment, Placed, Placed | None], Evidence]
"""The evidence that a loaded version gives, beside the champion, what its environment asks; TurnedAwayError."""

_VERDICTS = {
    "elect": (Verdict.PASS, "takes over"),
    "turn_away": (Verdict.FAIL, "is worse than allowed"),
    "abort": (Verdict.FAIL, "fails while it is tried"),
    "ask": (Verdict.INCONCLUSIVE, "was tried for as long as it may be, without a result"),
}


def _now() -> datetime:
    return datetime.now(UTC)


class _Bout(NamedTuple):
    """What is tried where, and how."""

    order: StepOrder
    environment: Environment
    version: int
    bundle: Digest
    plan: Plan
    trial: TrialPlan


class TrialActivities:
    """Acts for the actuator: it changes what production answers. Whatever it does is on record before the next look."""

    def __init__(
        self,
        inventory: Inventory,
        store: ArtifactStore,
        deployer: Deployer,
        traffic: Traffic,
        notary: Notary,
        cleared: Cleared,
        validated: Validated,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """`cleared` holds an order, and `validated` a version, to all that a promotion is held to; `clock` tells the
        time (UTC).
        """
        self._inventory = inventory
        self._ledger = Ledger(inventory)
        self._store = store
        self._deployer = deployer
        self._traffic = traffic
        self._notary = notary
        self._cleared = cleared
        self._validated = validated
        self._clock = clock

    @activity.defn(name="look_at_trial", no_thread_cancel_exception=True)
    def look_at_trial(self, task: Assignment) -> TrialAnswer:
        """The result, once the trial is over, or how many seconds until the next look.

        PASS: the challenger takes over. FAIL: it fell short of what the environment asks before anybody was answered
        by it, it is worse than allowed, a check failed, or by now something speaks against its being there at all.
        INCONCLUSIVE: the time is up. Whatever it is, the champion answers everything again.
        """
        self._ledger.record(task, StepKind.TRIAL)
        order = task.order
        if (recorded := self._inventory.effect(order.key)) is not None:
            return TrialAnswer(result=recorded)
        try:
            bout = self._bout(order)
        except NotPermittedError as error:
            return TrialAnswer(result=self._call_off(order, error))
        champion = self._inventory.deployments(order.model).get(bout.environment)
        if champion is None:
            return TrialAnswer(result=self._ledger.once(order.key, lambda: (_UNOPPOSED, [])))
        self._demand_ours(order.model, champion.version, bout.version)
        try:
            return self._go_on(bout, champion)
        except TurnedAwayError as error:
            summary = f"version {bout.version} is not tried: {error}"
            result = StepResult(verdict=Verdict.FAIL, summary=summary, evidence=(error.evidence,))
            return TrialAnswer(result=self._end(order, result))
        except SmokeTestError as error:
            summary = f"version {bout.version} does not answer beside the champion: {error}"
            return TrialAnswer(result=self._end(order, StepResult(verdict=Verdict.FAIL, summary=summary)))

    def _demand_ours(self, model: str, *versions: int) -> None:
        for version in versions:
            form = self._inventory.submission(model, version).format
            if FORMATS[form].elsewhere:
                raise InvalidInputError(
                    f"version {version} of '{model}' is handed in as {form}: others run it, so that no request comes "
                    "by here of which a share could be given to anybody",
                    "abandon the version, and govern the model by a template whose versions are not tried on requests",
                )

    def _bout(self, order: StepOrder) -> _Bout:
        environment, version, bundle = self._cleared(order)
        plan = self._inventory.governing_plan(order.model)
        trial = plan.stage(order.stage).trial
        if trial is None:
            raise InvalidInputError(f"stage '{order.stage}' does not say how a challenger is tried")
        return _Bout(order, environment, version, bundle, plan, trial)

    def _go_on(self, bout: _Bout, champion: Serving) -> TrialAnswer:
        at = self._clock()
        standing = self._standing(bout)
        if standing is None:
            self._notary.checkpoint()
            self._introduce(bout, champion)
            self._raise(bout, begin(self._clock()))
            return TrialAnswer(wait=bout.trial.every)
        seen = self._look(bout, champion, standing, at)
        if seen.conclusion != "go_on":
            return TrialAnswer(result=self._end(bout.order, self._result(bout, seen)), look=seen)
        following = climb(bout.trial, standing, at)
        if following != standing:
            self._raise(bout, following)
        return TrialAnswer(wait=bout.trial.every, look=seen)

    def _introduce(self, bout: _Bout, champion: Serving) -> None:
        """Have the challenger loaded, and validated before it answers anybody or is given a copy; TurnedAwayError.

        Once that is on record, an attempt that begins where another one died does not take the first share back.
        """
        order, placed = bout.order, Placed(version=bout.version, bundle=bout.bundle)
        key = EffectKey(model=order.model, visit=order.visit, step=f"{order.step}/beside")

        def effect() -> Outcome:
            split = Split(version=bout.version, bundle=bout.bundle)
            self._deployer.divide(bout.environment, order.model, split, key)
            other = Placed(version=champion.version, bundle=champion.bundle)
            evidence = self._validated(order, bout.environment, placed, other)
            return StepResult(summary=evidence.summary, evidence=(evidence,)), []

        self._ledger.once(key, effect)

    def _standing(self, bout: _Bout) -> Progress | None:
        """How far the record says that the trial is; None if it has not begun."""
        for rung in reversed(range(len(rungs(bout.trial)))):
            if recorded := self._inventory.effect(_key(bout.order, rung)):
                return Progress.model_validate_json(self._store.path(recorded.evidence[0].digest).read_bytes())
        return None

    def _raise(self, bout: _Bout, progress: Progress) -> None:
        """The challenger answers what it does at a rung, and that is on record."""
        key, split = _key(bout.order, progress.rung), _split(bout, progress)

        def effect() -> Outcome:
            self._deployer.divide(bout.environment, bout.order.model, split, key)
            summary = f"{split.in_words} in {bout.environment}"
            evidence = keep_report(self._store, "trial-progress", progress, summary)
            return StepResult(summary=summary, evidence=(evidence,)), [_divided(bout, split)]

        self._ledger.once(key, effect)

    def _look(self, bout: _Bout, champion: Serving, standing: Progress, at: datetime) -> Look:
        seen = self._traffic.observe(bout.environment, bout.order.model, champion.version, bout.version, standing.since)
        kpis = tuple(bout.plan.kpi(name) for name in bout.trial.checks)
        return look(bout.trial, kpis, standing, _split(bout, standing), seen, at)

    def _result(self, bout: _Bout, seen: Look) -> StepResult:
        verdict, words = _VERDICTS[seen.conclusion]
        summary = f"version {bout.version} {words}: {'; '.join(seen.reasons)}"
        return StepResult(
            verdict=verdict,
            summary=summary,
            evidence=(keep_report(self._store, "trial", seen, summary),),
            readings=seen.observations.readings,
        )

    def _call_off(self, order: StepOrder, objection: NotPermittedError) -> StepResult:
        """A challenger that answers customers stops when it may not any more; one that has not begun does not begin."""
        if self._inventory.effect(_key(order, 0)) is None:
            raise objection
        summary = f"version {order.version} may not be tried any longer: {objection}"
        return self._end(order, StepResult(verdict=Verdict.FAIL, summary=summary))

    def _end(self, order: StepOrder, result: StepResult) -> StepResult:
        """The champion answers everything again; with the result on record, once."""
        environment, version, bundle = order.environment, order.version, order.bundle
        if environment is None or version is None or bundle is None:
            raise InvalidInputError(f"step '{order.step}' was ordered without environment, version or bundle")

        def effect() -> Outcome:
            self._deployer.divide(environment, order.model, None, order.key)
            return result, [Divided(environment=environment, version=version, bundle=bundle, share=0)]

        return self._ledger.once(order.key, effect)


_UNOPPOSED = StepResult(summary="no champion serves: there is nothing to compare with")


def _key(order: StepOrder, rung: int) -> EffectKey:
    return EffectKey(model=order.model, visit=order.visit, step=f"{order.step}/rung-{rung}")


def _split(bout: _Bout, progress: Progress) -> Split:
    return split_at(bout.trial, progress.rung, bout.version, bout.bundle)


def _divided(bout: _Bout, split: Split) -> Divided:
    return Divided(
        environment=bout.environment,
        version=split.version,
        bundle=split.bundle,
        share=split.share,
        mirrored=split.mirrored,
    )
