"""What an installation knows by itself of who may let a version in, and its signed answer to whoever asks."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from pydantic import ValidationError

from activities.ports import Directory, Inventory, Notary
from models.canonical import digest
from models.clearance import Known, Minimum
from models.clearance_statement import Cleared, Question, answer
from models.entitlement import Claim, entitlement
from models.errors import DigestMismatchError
from models.inventory import Environment
from models.plan import Plan
from models.signing import Envelope


def known_of(
    directory: Directory, minimum: Mapping[Environment, Minimum], plan: Plan, environment: Environment | None
) -> Known:
    """Who holds the plan's roles now, every key, and what an environment asks whatever the plan says."""
    asks = minimum.get(environment) if environment else None
    return Known(directory.electorate(plan.roles), directory.keyring(), asks)


def _now() -> datetime:
    return datetime.now(UTC)


class Clearances:
    """Answers from the record whether bytes may enter an environment. What cannot be found out is no answer.

    `directory` and `minimum` are those of the actuator, `audience` is the installation that answers.
    """

    def __init__(
        self,
        inventory: Inventory,
        directory: Directory,
        minimum: Mapping[Environment, Minimum],
        notary: Notary,
        audience: str,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._inventory = inventory
        self._directory = directory
        self._minimum = minimum
        self._notary = notary
        self._audience = audience
        self._clock = clock

    def ask(self, question: Question) -> Envelope:
        """The signed answer; what nobody has heard of may not enter. DigestMismatchError if rows cannot be read."""
        trail, at = self._inventory.head(), self._clock()
        holding = self._inventory.holding(question.subject)
        try:
            versions = [self._cleared(model, version, question.environment, at) for model, version in holding]
        except ValidationError as error:
            raise DigestMismatchError(
                f"what is kept of {question.subject} cannot be read: {error.errors()[0]['msg']}",
                "`modelops audit verify` says what was done to it",
            ) from error
        return self._notary.vouch(answer(question, self._audience, versions, trail, at))

    def _cleared(self, model: str, version: int, environment: Environment, at: datetime) -> Cleared:
        earned = self._inventory.earned(model, version)
        plan = self._inventory.governing_plan(model)
        claim = Claim(
            model=model, version=version, artifact=earned.artifact, bundle=earned.bundle, environment=environment
        )
        known = known_of(self._directory, self._minimum, plan, environment)
        found = entitlement(claim, plan, self._inventory.ties(model), known, at)
        return Cleared(
            **claim.model_dump(exclude={"environment"}),
            plan=digest(plan),
            passed=found.passed,
            missing=found.missing,
            objections=found.objections,
        )
