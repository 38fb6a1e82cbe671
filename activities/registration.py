"""Models and versions enter the inventory."""

from datetime import UTC, datetime

from temporalio import activity

from activities.ledger import Ledger, Outcome
from activities.ports import ArtifactStore, Inventory, Policies
from activities.reports import keep_report
from models.errors import ConflictError, InvalidInputError, UnknownNameError
from models.evidence import EffectKey, StepKind, StepResult
from models.inventory import ModelFacts, ModelRegistered, VersionRegistered
from models.journal import Assignment
from models.policy import Policy, regulations
from models.source.yaml_source import spell_path
from models.tiering import objections
from models.verdict import Verdict


class RegistrationActivities:
    """Writes what people register, after checking that it is what they say."""

    def __init__(self, inventory: Inventory, store: ArtifactStore, policies: Policies) -> None:
        self._policies = policies
        self._inventory = inventory
        self._store = store
        self._ledger = Ledger(inventory)

    @activity.defn(name="register_model", no_thread_cancel_exception=True)
    def register_model(self, facts: ModelFacts) -> StepResult:
        """Enter a model's facts, once; other facts under the same id are a ConflictError.

        InvalidInputError if the tier is not the one that the assessment gives.
        """
        try:
            known = self._inventory.model(facts.id)
        except UnknownNameError:
            known = facts
        if known != facts:
            raise ConflictError(
                f"model '{facts.id}' is registered already, with other facts",
                f"choose another id, or look at it with `modelops model show {facts.id}`",
            )

        def effect() -> Outcome:
            policy = self._policy(facts)
            _demand_that_the_tier_follows(policy, facts)
            found = regulations(policy)
            summary = f"{facts.title}: tier {facts.tier_in_words}, {len(found)} policy packs apply, now or later"
            return StepResult(summary=summary), [
                ModelRegistered(facts=facts, regulations=found, rating=policy.rating())
            ]

        return self._ledger.once(EffectKey(model=facts.id, visit=0, step="register-model"), effect)

    @activity.defn(name="classify", no_thread_cancel_exception=True)
    def classify(self, task: Assignment) -> StepResult:
        """Compute the policy packs that apply, and turn away a model whose tier the template does not govern."""
        order = task.order

        def effect() -> Outcome:
            facts = self._inventory.model(order.model)
            found = regulations(self._policy(facts))
            governed = facts.risk_tier in order.tiers
            reason = f"tier {facts.risk_tier}, {len(found)} policy packs apply, now or later"
            if not governed:
                reason = f"tier {facts.risk_tier} is not one that this template governs ({', '.join(order.tiers)})"
            changed = ModelRegistered(facts=facts, regulations=found)
            evidence = keep_report(self._store, "classification", changed, reason)
            verdict = Verdict.PASS if governed else Verdict.FAIL
            return StepResult(verdict=verdict, summary=reason, evidence=(evidence,)), [changed]

        return self._ledger.perform(task, StepKind.CLASSIFY, effect)

    def _policy(self, facts: ModelFacts) -> Policy:
        return Policy(self._policies.packs(), datetime.now(UTC).date(), facts)

    @activity.defn(name="register_version", no_thread_cancel_exception=True)
    def register_version(self, task: Assignment) -> StepResult:
        """Bring every referenced byte in, by digest, and enter the version's facts."""
        order = task.order

        def effect() -> Outcome:
            submission, version = order.submission, order.version
            if submission is None or version is None:
                raise InvalidInputError(f"step '{order.step}' was ordered without a submission")
            for reference in (
                submission.artifact,
                submission.holdout,
                submission.dependencies,
                *submission.training_data,
                *([submission.golden.predictions] if submission.golden else ()),
            ):
                self._store.fetch(reference)
            evidence = keep_report(self._store, "submission", submission, f"version {version} as submitted")
            summary = f"version {version} by {submission.developer}, artifact {submission.artifact.digest[:19]}"
            changes = [VersionRegistered(version=version, submission=submission)]
            return StepResult(summary=summary, evidence=(evidence,)), changes

        return self._ledger.perform(task, StepKind.REGISTER, effect)


def _demand_that_the_tier_follows(policy: Policy, facts: ModelFacts) -> None:
    if found := list(objections(policy.questionnaires(), facts, facts.risk_tier)):
        mistakes = "; ".join(f"{spell_path(one.path)}: {one.message}" for one in found)
        remedy = found[0].suggestion or "mend the facts; if they are right where you are, the worker knows other packs"
        raise InvalidInputError(f"the risk tier of '{facts.id}' does not follow: {mistakes}", remedy)
