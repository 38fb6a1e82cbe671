"""What an activity is asked for and what it gives back: typed, small, the long texts by digest."""

from datetime import datetime
from enum import StrEnum
from math import inf
from typing import Literal, NamedTuple

from pydantic import Field

from models.canonical import Digest, Frozen, Slug, Told
from models.inventory import Environment, RiskTier, Submission
from models.signing import PublicKey
from models.statistics.figures import Unmeasured
from models.verdict import Reading, Verdict


class StepKind(StrEnum):
    """The kinds of step. A template may use all but the last four, which the kernel asks for itself."""

    CLASSIFY = "classify"
    REGISTER = "register"
    SCAN = "scan"
    EVALUATE = "evaluate"
    PACKAGE = "package"
    PROMOTE = "promote"
    TRIAL = "trial"
    PIPELINE = "pipeline"
    MONITOR = "monitor"
    STOP_MONITORS = "stop_monitors"
    STOP_SERVING = "stop_serving"
    ASSESS_CONSUMERS = "assess_consumers"
    NOTIFY_CONSUMERS = "notify_consumers"
    UNDEPLOY = "undeploy"
    ARCHIVE = "archive"
    ASK = "ask"
    TRAIN = "train"
    RESTORE = "restore"
    TIGHTEN = "tighten"


ENTERS = frozenset({StepKind.PROMOTE, StepKind.TRIAL})
"""The steps that bring a candidate into an environment: to serve there, or to answer a part of the requests."""


class Dimension(StrEnum):
    """What a reading in production is about: how well the model works, what it brings, how it is kept."""

    TECHNICAL = "technical"
    BUSINESS = "business"
    PROCESS = "process"


class Quantity(NamedTuple):
    """Something that a kind of step measures: between which values, and in production what it is about.

    `single` rests on one observation.
    """

    measured_by: StepKind
    least: float
    most: float
    dimension: Dimension | None = None
    single: bool = False


QUANTITIES = {
    "threats": Quantity(StepKind.SCAN, 0, inf, single=True),
    "vulnerabilities": Quantity(StepKind.SCAN, 0, inf),
    "severe_vulnerabilities": Quantity(StepKind.SCAN, 0, inf),
    "licence_issues": Quantity(StepKind.SCAN, 0, inf),
    "source_issues": Quantity(StepKind.SCAN, 0, inf),
    "secrets": Quantity(StepKind.SCAN, 0, inf),
    "auc": Quantity(StepKind.EVALUATE, 0, 1),
    "calibration_error": Quantity(StepKind.EVALUATE, 0, 1),
    "adverse_impact": Quantity(StepKind.EVALUATE, 0, inf),
    "trial_errors": Quantity(StepKind.TRIAL, 0, 1),
    "trial_latency": Quantity(StepKind.TRIAL, 0, inf),
    "trial_adverse_impact": Quantity(StepKind.TRIAL, 0, inf),
    "parity_difference": Quantity(StepKind.PACKAGE, 0, inf),
    "drift": Quantity(StepKind.MONITOR, 0, 20, Dimension.TECHNICAL),
    "drift_known": Quantity(StepKind.MONITOR, 0, 20, Dimension.TECHNICAL),
    "drift_jensen_shannon": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "drift_kolmogorov_smirnov": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "drift_wasserstein": Quantity(StepKind.MONITOR, 0, inf, Dimension.TECHNICAL),
    "drift_cramers_v": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "drift_score": Quantity(StepKind.MONITOR, 0, 20, Dimension.TECHNICAL),
    "missing_share": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "unseen_share": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "schema_changes": Quantity(StepKind.MONITOR, 0, inf, Dimension.TECHNICAL, single=True),
    "label_maturity": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "live_auc": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "live_accuracy": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "live_precision": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "live_recall": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "live_f1": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "live_brier": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "live_log_loss": Quantity(StepKind.MONITOR, 0, 35, Dimension.TECHNICAL),
    "live_calibration_error": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "live_calibration_error_equal_count": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "estimated_auc": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "estimated_accuracy": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "estimated_precision": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "estimated_recall": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "estimated_f1": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "auc_fall": Quantity(StepKind.MONITOR, -1, 1, Dimension.TECHNICAL),
    "accuracy_fall": Quantity(StepKind.MONITOR, -1, 1, Dimension.TECHNICAL),
    "calibration_error_rise": Quantity(StepKind.MONITOR, -1, 1, Dimension.TECHNICAL),
    "concept_shift": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "importance_shift": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "live_latency": Quantity(StepKind.MONITOR, 0, inf, Dimension.TECHNICAL),
    "live_error_rate": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "live_adverse_impact": Quantity(StepKind.MONITOR, 0, inf, Dimension.TECHNICAL),
    "live_selection_difference": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "live_true_positive_difference": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "live_false_positive_difference": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "live_equalised_odds_difference": Quantity(StepKind.MONITOR, 0, 1, Dimension.TECHNICAL),
    "live_selection_rate": Quantity(StepKind.MONITOR, 0, 1, Dimension.BUSINESS),
    "periods_without_value": Quantity(StepKind.MONITOR, 0, inf, Dimension.BUSINESS, single=True),
    "days_in_service": Quantity(StepKind.MONITOR, 0, 36_500, Dimension.PROCESS, single=True),
    "days_since_training": Quantity(StepKind.MONITOR, 0, 36_500, Dimension.PROCESS, single=True),
    "days_since_evaluation": Quantity(StepKind.MONITOR, 0, 36_500, Dimension.PROCESS, single=True),
    "days_since_documentation": Quantity(StepKind.MONITOR, 0, 36_500, Dimension.PROCESS, single=True),
    "rows_since_training": Quantity(StepKind.MONITOR, 0, inf, Dimension.PROCESS, single=True),
    "policy_changes": Quantity(StepKind.MONITOR, 0, inf, Dimension.PROCESS, single=True),
    "void_approvals": Quantity(StepKind.MONITOR, 0, inf, Dimension.PROCESS, single=True),
    "gate_hours_overdue": Quantity(StepKind.MONITOR, 0, inf, Dimension.PROCESS, single=True),
    "gates_in_time": Quantity(StepKind.MONITOR, 0, 1, Dimension.PROCESS),
    "obligations_overdue": Quantity(StepKind.MONITOR, 0, inf, Dimension.PROCESS, single=True),
}
"""Every reading by its name. A stability index is below 20, as no share counts as less than 0.0001, and a log loss
below 35, as no score is nearer than 1e-15 to 0 or 1; what is drift is said in `models.statistics.distance`, what
compares a window with held-out data in `models.expectation`, of its columns in `models.schema`; what is about the
process is said in `models.upkeep`, what is about value in `models.value`; days are whole ones; a latency is the 95th
percentile in milliseconds; the `parity_difference` is the largest of any golden prediction."""

READINGS = {
    kind: frozenset(name for name, one in QUANTITIES.items() if one.measured_by is kind)
    for kind in (StepKind.SCAN, StepKind.EVALUATE, StepKind.PACKAGE, StepKind.TRIAL, StepKind.MONITOR)
}
"""What each kind of step measures."""


class Electorate(Frozen):
    """Who held a gate's roles when the directory was read (role to people), and with which keys they sign.

    `audience` is the installation that their signatures are for; `gateways` are keys that vouch for people. `away` says
    of each role who holds it and was away, and who is among the people only in their place.
    """

    people: dict[Slug, tuple[Slug, ...]]
    away: dict[Slug, dict[Slug, Slug | None]] = Field(default_factory=dict, exclude_if=lambda away: not away)
    audience: str = Field(default="", exclude_if=lambda audience: not audience)
    keys: dict[Slug, tuple[PublicKey, ...]] = Field(default_factory=dict, exclude_if=lambda keys: not keys)
    gateways: tuple[PublicKey, ...] = Field(default=(), exclude_if=lambda keys: not keys)


class EffectKey(Frozen):
    """What makes an effect the same effect, whichever run, attempt or worker performs it."""

    model: Slug
    visit: int
    step: str

    def __str__(self) -> str:
        return f"{self.model}/{self.visit}/{self.step}"


class Evidence(Frozen):
    """A report kept in the artifact store, by digest, with one line that says what it found."""

    kind: str
    digest: Digest
    summary: str


class Tightened(Frozen):
    """A monitor that looks more often until a moment (UTC)."""

    monitor: Slug
    until: datetime


class StepOrder(Frozen):
    """Everything an activity needs to perform one step of a lifecycle."""

    model: Slug
    visit: int
    step: str
    kind: StepKind
    stage: Slug
    version: int | None = None
    artifact: Digest | None = None
    bundle: Digest | None = None
    environment: Environment | None = None
    evidence: tuple[Evidence, ...] = ()
    tiers: tuple[RiskTier, ...] = ()
    roles: dict[Slug, Slug] = Field(default_factory=dict)
    question: str = ""
    submission: Submission | None = None
    tightened: Tightened | None = Field(default=None, exclude_if=lambda tightened: tightened is None)

    @property
    def key(self) -> EffectKey:
        """The once-only key of this step's effect."""
        return EffectKey(model=self.model, visit=self.visit, step=self.step)


class StepResult(Frozen):
    """What a step found. A FAIL turns the version away; an error instead makes the step stuck."""

    verdict: Verdict = Verdict.PASS
    summary: Told
    evidence: tuple[Evidence, ...] = ()
    readings: tuple[Reading, ...] = ()
    bundle: Digest | None = None
    endpoint: str | None = None
    electorate: Electorate | None = None
    submission: Submission | None = None
    tightened: Tightened | None = Field(default=None, exclude_if=lambda tightened: tightened is None)


class ScanReport(Frozen):
    """What the artifact gate saw without ever loading the file. Only `clean` passes."""

    format: str
    verdict: str
    reasons: tuple[str, ...] = ()
    scanned_bytes: int
    artifact: Digest


class FileReport(Frozen):
    """The report on one file, by its path below the folder that was looked at."""

    path: str
    report: ScanReport


class FolderReport(Frozen):
    """What the artifact gate saw of a file, or of everything in a folder; `clean` only if each file is."""

    verdict: str
    reasons: tuple[str, ...] = ()
    files: tuple[FileReport, ...] = ()


class GroupRate(Frozen):
    """How often one group is selected, and how many of it were looked at."""

    column: str
    group: str
    selected: float
    count: int


class EvaluationReport(Frozen):
    """A version measured on held-out data; `recorded`: by the answers that are kept there, for somebody else runs it.

    Readings: `auc`, `calibration_error` (expected calibration error, ten equal-width bins), `adverse_impact`
    (the smallest selection ratio of any protected group to its reference group: the four-fifths rule of the
    Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D; its count is that of the smallest group).
    """

    rows: int
    readings: tuple[Reading, ...]
    groups: tuple[GroupRate, ...]
    recorded: bool = Field(default=False, exclude_if=lambda recorded: not recorded)


class Drawn(Frozen):
    """A figure made of bins: that of the single cases is at most `above` higher."""

    value: float
    above: float = Field(default=0.0, exclude_if=lambda above: not above)


class FeatureReport(Frozen):
    """One input of a window beside the same one in the training data, and why a figure of it is not there.

    `importance` is by how much the score changes in the mean if the input is exchanged among rows: of held-out data,
    and of the window.
    """

    name: str
    rows: int
    figures: dict[Slug, Drawn]
    unmeasured: dict[Slug, Unmeasured] = Field(default_factory=dict, exclude_if=lambda reasons: not reasons)
    importance: tuple[float, float] | None = Field(default=None, exclude_if=lambda importance: importance is None)


class GroupReport(Frozen):
    """A group of people whose outcomes are known: how many of how many were selected, of all, of those with outcome 1
    and of those with outcome 0.

    `ratio` is of its selection rate to the reference group's, `ratio_between` the interval of 95 % confidence (Katz).
    `apart` is how much higher each rate is than the reference group's, and between which bounds (Newcombe).
    """

    column: str
    group: str
    selected: tuple[int, int]
    true_positive: tuple[int, int]
    false_positive: tuple[int, int]
    ratio: float | None = None
    ratio_between: tuple[float, float] | None = None
    apart: dict[Slug, tuple[float, float, float]] = Field(default_factory=dict, exclude_if=lambda apart: not apart)


class WindowSource(Frozen):
    """What a window of data was taken from: a file, by its name, or a query, by its digest and the period (UTC).

    `content` is the digest of the bytes that were counted; None until they are there.
    """

    kind: Literal["files", "sql"]
    place: str = ""
    query: Digest | None = None
    since: datetime | None = None
    until: datetime | None = None
    content: Digest | None = None


class PerformanceReport(Frozen):
    """A figure of scores or decisions: on held-out data, as it is estimated of the window without any outcome, and as
    it came out; None of what cannot be told (yet).
    """

    name: Slug
    held_out: float | None = None
    estimated: float | None = None
    realised: float | None = None


class WindowReport(Frozen):
    """A window of production data beside the data that the version was trained on.

    Readings: `drift` (the largest population stability index of any input: ten bins at the reference's deciles, open
    ends, missing values a bin of their own; `drift_known` leaves them out) and the largest of any input by the other
    distances; `drift_score` (the same index of the scores, beside those of the held-out data); `live_selection_rate`
    (the share of cases that it selects); of the cases whose outcome is known, how good scores and decisions are, also
    beside the held-out data, and how groups fare. `unmeasured` says of the others why they are not there; `chance` is
    the `concept_shift` that chance alone shows in the mean. `outcomes` is the digest of what was told of its cases
    beside it, `label_maturity` the share of which the outcome is known.
    """

    window: str
    rows: int
    readings: tuple[Reading, ...]
    psi: dict[str, float]
    features: tuple[FeatureReport, ...] = ()
    groups: tuple[GroupReport, ...] = ()
    unmeasured: dict[Slug, str] = Field(default_factory=dict)
    outcomes: Digest | None = Field(default=None, exclude_if=lambda outcomes: outcomes is None)
    source: WindowSource | None = Field(default=None, exclude_if=lambda source: source is None)
    performance: tuple[PerformanceReport, ...] = Field(default=(), exclude_if=lambda figures: not figures)
    chance: float | None = Field(default=None, exclude_if=lambda chance: chance is None)
