"""GitHub asks whether a deployment may go on (a custom deployment protection rule): our gate is its gate.

https://docs.github.com/actions/how-tos/deploy/configure-and-manage-deployments/create-custom-protection-rules
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping

import structlog
from pydantic import BaseModel, ValidationError

from activities.adapters.github_reviews import GithubReviews, Run
from activities.clearance import Clearances
from models.clearance_check import read_clearance
from models.clearance_statement import Clearance, Question
from models.errors import InvalidInputError, ModelopsError, NotPermittedError
from models.inventory import Environment

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_COMMENT = 1_000

log = structlog.stdlib.get_logger("modelops.github")


class _Repository(BaseModel):
    full_name: str


class _Installation(BaseModel):
    id: int


class _Payload(BaseModel):
    action: str
    environment: str
    deployment_callback_url: str
    repository: _Repository
    installation: _Installation


class Wanted(BaseModel):
    """A run of a workflow that waits for an answer before an environment of GitHub's."""

    run: Run
    environment: str


class GithubGate:
    """Answers approved or rejected. `secret` tells the webhook's secret, `environments` which of ours theirs are."""

    def __init__(
        self,
        reviews: GithubReviews,
        clearances: Clearances,
        secret: Callable[[], str],
        environments: Mapping[str, Environment],
    ) -> None:
        self._reviews = reviews
        self._clearances = clearances
        self._secret = secret
        self._environments = environments

    def read(self, body: bytes, signature: str) -> Wanted | None:
        """What a webhook asks; None of one that asks nothing.

        NotPermittedError if GitHub has not signed it, or it wants the answer sent elsewhere; InvalidInputError.
        """
        expected = "sha256=" + hmac.new(self._secret().encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise NotPermittedError("the webhook is not signed with the secret that is configured")
        try:
            payload = _Payload.model_validate_json(body)
        except ValidationError as error:
            place = ".".join(map(str, error.errors()[0]["loc"]))
            raise InvalidInputError(f"this is no deployment_protection_rule: {place} is missing or wrong") from error
        if payload.action != "requested":
            return None
        name, installation = payload.repository.full_name, payload.installation.id
        run = self._reviews.run_of(payload.deployment_callback_url, name, installation)
        return Wanted(run=run, environment=payload.environment)

    def review(self, wanted: Wanted) -> None:
        """Tell GitHub the answer; what cannot be answered is rejected. If GitHub is silent, the run waits on."""
        try:
            approved, comment = self._judge(wanted)
        except ModelopsError as error:
            approved, comment = False, f"modelops could not answer: {error}"
        try:
            self._reviews.review(wanted.run, wanted.environment, approved, comment[:_COMMENT])
        except ModelopsError as error:
            log.error("not answered", run=wanted.run.id, repository=wanted.run.repository, reason=str(error))

    def _judge(self, wanted: Wanted) -> tuple[bool, str]:
        environment = self._environments.get(wanted.environment)
        if environment is None:
            return False, f"environment '{wanted.environment}' is none of ours: add it to MODELOPS_GITHUB"
        named = set(_DIGEST.findall(self._reviews.title(wanted.run)))
        if len(named) != 1:
            return False, (
                f"the run's name has {len(named)} digests instead of the one that it deploys: "
                "write `run-name: Deploy ${{ inputs.digest }}`"
            )
        (digest,) = named
        told = read_clearance(self._clearances.ask(Question(subject=digest, environment=environment)))
        return told.verdict == "yes", _in_words(told)


def _in_words(told: Clearance) -> str:
    if told.verdict == "no":
        return f"{told.subject} may not enter {told.environment}: {'; '.join(told.reasons)}"
    passed = [f"{one.gate} ({', '.join(one.approved_by) or 'checks'})" for v in told.versions for one in v.passed]
    names = ", ".join(f"version {one.version} of '{one.model}'" for one in told.versions)
    return f"{names} may enter {told.environment}. Passed: {', '.join(passed) or 'no gate is demanded'}"
