"""What is known of a model and of one version of it: the facts that people register."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from models.canonical import PRINTABLE, Digest, Frozen, Slug
from models.formats import FORMATS, Format

Text = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True), PRINTABLE]


def _pinned(commit: object) -> object:
    if isinstance(commit, str) and not _FULL_COMMIT.fullmatch(commit):
        raise ValueError(f"'{commit}' is not a full commit (40 hexadecimal digits): a branch or tag can move")
    return commit


def _has_digest(reference: object) -> object:
    if isinstance(reference, str) or (isinstance(reference, dict) and "digest" not in reference):
        raise ValueError(f"'{reference}' is a mutable reference: give its uri and its digest (sha256:...)")
    return reference


_FULL_COMMIT = re.compile(r"[0-9a-f]{40}")

Commit = Annotated[str, BeforeValidator(_pinned)]
"""A full commit hash, never a branch or a tag."""


class ModelKind(StrEnum):
    """The kinds of decision model that are governed."""

    ML = "ml"
    RULES = "rules"
    KNOWLEDGE_GRAPH = "knowledge_graph"
    OPTIMISATION = "optimisation"
    AGENT = "agent"
    VENDOR = "vendor"


class RiskTier(StrEnum):
    """How much could go wrong."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Environment(StrEnum):
    """A place where a version can be deployed."""

    DEV = "DEV"
    TEST = "TEST"
    PROD = "PROD"


class Reference(Frozen):
    """Bytes elsewhere, pinned: where they are, and what they must be."""

    uri: Text
    digest: Digest

    _needs_digest = model_validator(mode="before")(_has_digest)


ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True), PRINTABLE]


class Source(Frozen):
    """The code that produced a version: a full commit, never a branch."""

    repository: Text
    commit: Commit


class Column(Frozen):
    """One column of an input or output schema."""

    name: ColumnName
    type: Literal["number", "integer", "boolean", "string"] = "number"


class Protected(Frozen):
    """A column that tells groups apart, and the group that the others are compared with."""

    column: ColumnName
    reference: ColumnName


class DataContract(Frozen):
    """What the model reads and writes, and how it is judged.

    `label` is 1 for the favourable outcome; a case is selected when its score is at least `threshold`.
    """

    inputs: tuple[Column, ...] = Field(min_length=1, max_length=1000)
    outputs: tuple[Column, ...] = Field(min_length=1, max_length=100)
    label: ColumnName
    threshold: float = Field(default=0.5, ge=0, le=1)
    protected: tuple[Protected, ...] = Field(default=(), max_length=20)


class UseCase(Frozen):
    """The product or process that a model serves."""

    id: Slug
    process: Text
    owner: Slug
    value_hypothesis: Text


class Consumer(Frozen):
    """A system downstream that uses the model's answers."""

    name: Text
    contact: Text


Answered = Annotated[str, StringConstraints(min_length=1, max_length=120), PRINTABLE]
"""The word of an answer, as somebody wrote it; which words there are, the questionnaires say."""


class Override(Frozen):
    """A person puts a model into another tier than the answers give, and says why."""

    tier: RiskTier
    person: Slug
    reason: Text


class Assessment(Frozen):
    """The answers to the questionnaires of the packs that apply, by question, and whether somebody overrides them."""

    answers: dict[Slug, Answered] = Field(min_length=1, max_length=128)
    override: Override | None = Field(default=None, exclude_if=lambda override: override is None)


class Rating(Frozen):
    """The tier that counts, the one that the answers give, and why; `questionnaires` are packs with their digests."""

    tier: RiskTier
    answered: RiskTier
    reasons: tuple[str, ...]
    questionnaires: tuple[str, ...]


class ModelFacts(Frozen):
    """What is registered of a model before it has any version. Its tier follows from the assessment."""

    id: Slug
    title: Text
    kind: ModelKind
    risk_tier: RiskTier
    assessment: Assessment | None = Field(default=None, exclude_if=lambda assessment: assessment is None)
    intended_use: Text
    use_case: UseCase
    owner: Slug
    stakeholders: tuple[Slug, ...] = ()
    jurisdictions: tuple[Literal["EU", "US", "UK", "OTHER"], ...] = Field(min_length=1)
    personal_data: bool
    automated_decision: bool
    sector: Literal["banking", "insurance", "health", "employment", "public", "other"]
    consumers: tuple[Consumer, ...] = ()

    @property
    def tier_in_words(self) -> str:
        """The risk tier in words, with whoever overrides what the answers give."""
        override = self.assessment.override if self.assessment else None
        return f"{self.risk_tier} (overridden by {override.person}: {override.reason})" if override else self.risk_tier


class Golden(Frozen):
    """Golden predictions: real rows with the scores that the model gave where it was trained.

    A CSV file of the inputs and `score`; no served score may differ from it by more than the tolerance.
    """

    predictions: Reference
    tolerance: float = Field(gt=0, le=0.1)


Licence = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*$", max_length=200)
]
"""An SPDX licence expression without brackets, as in `Apache-2.0 OR MIT`."""


class Submission(Frozen):
    """What is registered of one version: immutable references only.

    `trainer` is the program that can train it anew, `trained_by` the person who has trained it last.
    """

    artifact: Reference
    format: Format = Field(default=Format.ONNX, exclude_if=lambda form: form is Format.ONNX)
    golden: Golden | None = Field(default=None, exclude_if=lambda golden: golden is None)
    licence: Licence | None = Field(default=None, exclude_if=lambda licence: licence is None)
    source: Source
    training_data: tuple[Reference, ...] = Field(min_length=1, max_length=64)
    holdout: Reference
    dependencies: Reference
    contract: DataContract
    developer: Slug
    submitter: Slug
    trainer: Slug | None = None
    trained_by: Slug | None = Field(default=None, exclude_if=lambda person: person is None)
    notes: Annotated[str, StringConstraints(max_length=500), PRINTABLE] = ""

    @model_validator(mode="after")
    def _can_be_asked_again(self) -> "Submission":
        if self.golden and FORMATS[self.format].elsewhere:
            raise ValueError(
                f"golden predictions are answered anew here, and others run what is a model as {self.format}"
            )
        return self


class Deployed(Frozen):
    """A version serves in an environment, at an endpoint, from a bundle."""

    change: Literal["deployed"] = "deployed"
    environment: Environment
    version: int
    bundle: Digest
    endpoint: str


class Withdrawn(Frozen):
    """Nothing of the model serves in these environments any more."""

    change: Literal["withdrawn"] = "withdrawn"
    environments: tuple[Environment, ...]


class Divided(Frozen):
    """A challenger answers a share of what the champion is asked, in percent; with 0, copies of it or nothing."""

    change: Literal["divided"] = "divided"
    environment: Environment
    version: int
    bundle: Digest
    share: int
    mirrored: bool = False


class ModelRegistered(Frozen):
    """The facts of a model entered the inventory, with what follows from them; `rating` once, on the first entry."""

    change: Literal["model_registered"] = "model_registered"
    facts: ModelFacts
    regulations: tuple[str, ...]
    rating: Rating | None = Field(default=None, exclude_if=lambda rating: rating is None)


class VersionRegistered(Frozen):
    """The facts of a version entered the inventory; its bytes are in the artifact store."""

    change: Literal["version_registered"] = "version_registered"
    version: int
    submission: Submission


class Packaged(Frozen):
    """A version's bundle was made."""

    change: Literal["packaged"] = "packaged"
    version: int
    bundle: Digest


class Notified(Frozen):
    """A message to somebody, put into the outbox once."""

    change: Literal["notified"] = "notified"
    recipient: Text
    subject: Text
    body: str


class Archived(Frozen):
    """The records of a retired model were sealed into one archive."""

    change: Literal["archived"] = "archived"
    archive: Digest


class Measured(Frozen):
    """A monitor looked at a window of data or at the record; `version` is the one that served.

    `moment` (UTC) is what the look stands for, whenever it was made: when the window arrived, or its period ended.
    `outcomes` is the digest of what was known of its cases; as they become known, a window is looked at again.
    `unmeasured`: not all could be measured that was to be; `reasons` say why.
    """

    change: Literal["measured"] = "measured"
    monitor: Slug
    window: str
    version: int | None = Field(default=None, exclude_if=lambda version: version is None)
    moment: datetime | None = Field(default=None, exclude_if=lambda moment: moment is None)
    outcomes: Digest | None = Field(default=None, exclude_if=lambda outcomes: outcomes is None)
    unmeasured: bool = Field(default=False, exclude_if=lambda unmeasured: not unmeasured)
    verdict: Literal["pass", "fail", "inconclusive"]
    reasons: tuple[str, ...]


class Worth(StrEnum):
    """What an amount of money is to a model: what it has brought, or what it has cost."""

    VALUE = "value"
    COST = "cost"


class Booked(Frozen):
    """What a version has brought or cost in a period (UTC; `until` is not part of it), as a metric has answered.

    `unit` is the currency, `answer` the report that says how it was asked. Of the same metric, version and period the
    last one counts: it corrects those before.
    """

    change: Literal["booked"] = "booked"
    metric: Slug
    worth: Worth
    version: int
    unit: str
    since: datetime
    until: datetime
    amount: Annotated[float, Field(allow_inf_nan=False)]
    count: int
    answer: Digest

    @property
    def said(self) -> tuple[Worth, str, float, int]:
        """What it says; when it was asked for that does not count."""
        return self.worth, self.unit, self.amount, self.count


Change = Annotated[
    Deployed
    | Withdrawn
    | Divided
    | ModelRegistered
    | VersionRegistered
    | Packaged
    | Notified
    | Archived
    | Measured
    | Booked,
    Field(discriminator="change"),
]
"""What an effect changed in the inventory, written in the effect's own transaction."""


class VersionStatus(StrEnum):
    """Where one version stands."""

    CANDIDATE = "candidate"
    CHAMPION = "champion"
    PREVIOUS = "previous"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    RETIRED = "retired"
