"""Everything that is said to a lifecycle, and what it is told to do: messages, events, commands."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from models.canonical import PRINTABLE, Digest, Frozen, Slug, Told
from models.evidence import EffectKey, Electorate, StepOrder, StepResult
from models.inventory import Submission
from models.signing import Envelope

REASON_LIMIT = 1_000

Reason = Annotated[str, StringConstraints(min_length=1, max_length=REASON_LIMIT, strip_whitespace=True), PRINTABLE]

Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
"""A whole number that canonical JSON can say."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=63), PRINTABLE]
"""Whatever a person wrote for their name; the kernel says in words why it may not count."""


FindingText = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True), PRINTABLE]

FindingId = Annotated[str, StringConstraints(pattern=r"^F[1-9][0-9]{0,8}$")]
"""The name of a finding within a lifecycle: `F1`, never given again."""


def shorten(text: str) -> str:
    """What fits into a reason; an ellipsis says that the rest was left out."""
    return text if len(text) <= REASON_LIMIT else f"{text[: REASON_LIMIT - 1]}…"


class Choice(StrEnum):
    """What a person decided."""

    APPROVE = "approve"
    REJECT = "reject"


class Decision(Frozen):
    """One person's decision at one visit of one gate, about one artifact.

    `visit` and `artifact` say what was looked at; a decision about anything else counts for nothing.
    `role` may be left out by a person who holds just one of the roles that the gate asks. Who decides in somebody's
    place names them in `on_behalf_of`; `key` is the name of the key that signed. A rejection may leave `findings`, and
    an approval says which it `closes`.
    """

    gate: Slug
    visit: Count
    person: Name
    decision: Choice
    reason: Reason
    artifact: Digest
    role: Slug | None = None
    on_behalf_of: Slug | None = Field(default=None, exclude_if=lambda person: person is None)
    key: Digest | None = Field(default=None, exclude_if=lambda key: key is None)
    findings: tuple[FindingText, ...] = Field(default=(), max_length=20, exclude_if=lambda findings: not findings)
    closes: tuple[FindingId, ...] = Field(default=(), max_length=40, exclude_if=lambda closes: not closes)

    @property
    def counts_for(self) -> Slug:
        """Whose decision it is: the holder of the role."""
        return self.on_behalf_of or self.person


class HandedIn(Frozen):
    """A version, and the envelope in which its submitter has signed for it."""

    submission: Submission
    envelope: Envelope


class Action(StrEnum):
    """What a person may ask of a lifecycle at any time."""

    RETIRE = "retire"
    SUSPEND = "suspend"
    ROLLBACK = "rollback"
    ABANDON = "abandon"
    RETRAIN = "retrain"
    RETRY = "retry"
    PAUSE = "pause"
    RESUME = "resume"
    CONFIRM = "confirm"
    REVIEW = "review"


class Request(Frozen):
    """Who asks, and why."""

    person: Slug
    reason: Reason


class Once(Frozen):
    """The name of a signed statement, which counts once, and until when it could be sent again (UTC)."""

    jti: str
    until: datetime


class Breach(Frozen):
    """What a monitor found, after as many failures in a row as its plan says."""

    monitor: Slug
    window: Annotated[str, StringConstraints(max_length=200), PRINTABLE]
    reasons: tuple[Reason, ...] = Field(max_length=20)


class Receipt(Frozen):
    """A message was taken: the number of its event, and what the lifecycle waits for now."""

    seq: int
    waiting_for: str


class Failure(Frozen):
    """Why a step did not finish: the error's type, what happened, and what to do about it."""

    type: str
    message: Told
    remedy: Told = ""


class Started(Frozen):
    """The lifecycle begins, under a plan."""

    event: Literal["started"] = "started"
    plan: Digest


class StepSucceeded(Frozen):
    """A step's activity answered."""

    event: Literal["step_succeeded"] = "step_succeeded"
    visit: int
    step: str
    result: StepResult


class StepFailed(Frozen):
    """A step's activity failed for good, or was cancelled."""

    event: Literal["step_failed"] = "step_failed"
    visit: int
    step: str
    failure: Failure


class Decided(Frozen):
    """A person decided, as the envelope says. `objection` is why that is not to be believed."""

    event: Literal["decided"] = "decided"
    decision: Decision
    envelope: Envelope | None = Field(default=None, exclude_if=lambda envelope: envelope is None)
    objection: Told = Field(default="", exclude_if=lambda objection: not objection)


class Attempted(Frozen):
    """Somebody sent something signed that is no message to this lifecycle, and why not."""

    event: Literal["attempted"] = "attempted"
    envelope: Envelope
    objection: Told


class TimerFired(Frozen):
    """A reminder, an escalation or a deadline is due: of a gate, a review, a waiver, an emergency."""

    event: Literal["timer_fired"] = "timer_fired"
    visit: int
    timer: str


class VersionSubmitted(Frozen):
    """A new version wants to enter. `known` is what the directory says of the submitter, as in a request."""

    event: Literal["version_submitted"] = "version_submitted"
    submission: Submission
    envelope: Envelope | None = Field(default=None, exclude_if=lambda envelope: envelope is None)
    known: Electorate | None = Field(default=None, exclude_if=lambda known: known is None)
    once: Once | None = Field(default=None, exclude_if=lambda once: once is None)
    objection: Told = Field(default="", exclude_if=lambda objection: not objection)


class Breached(Frozen):
    """A monitor reports a breach."""

    event: Literal["breached"] = "breached"
    breach: Breach


class Requested(Frozen):
    """A person asks for something, as the envelope says. An emergency is looked into afterwards, by somebody else.

    `known` is what the directory says of the person: the plan's roles that they hold, their keys. `objection` is why
    the envelope is not to be believed, or why the person may not ask for this.
    """

    event: Literal["requested"] = "requested"
    action: Action
    request: Request
    emergency: bool = Field(default=False, exclude_if=lambda emergency: not emergency)
    envelope: Envelope | None = Field(default=None, exclude_if=lambda envelope: envelope is None)
    known: Electorate | None = Field(default=None, exclude_if=lambda known: known is None)
    once: Once | None = Field(default=None, exclude_if=lambda once: once is None)
    objection: Told = Field(default="", exclude_if=lambda objection: not objection)


Body = Annotated[
    Started | StepSucceeded | StepFailed | Decided | Attempted | TimerFired | VersionSubmitted | Breached | Requested,
    Field(discriminator="event"),
]


class Event(Frozen):
    """Something that happened, and when (UTC)."""

    at: datetime
    body: Body


class RunStep(Frozen):
    """Perform one step. At most one is in flight per lifecycle."""

    command: Literal["run_step"] = "run_step"
    order: StepOrder


class CancelStep(Frozen):
    """Ask the step in flight to stop; its answer still comes as an event."""

    command: Literal["cancel_step"] = "cancel_step"


class Notify(Frozen):
    """Tell the holders of some roles, and some people (none: the model's owner) something, once per visit and topic.

    When too many wait, the newest of one `thread` stands for those before it.
    """

    command: Literal["notify"] = "notify"
    visit: int
    topic: str
    roles: tuple[Slug, ...]
    people: tuple[Slug, ...] = Field(default=(), exclude_if=lambda people: not people)
    subject: str
    thread: str = Field(default="", exclude_if=lambda thread: not thread)

    def key(self, model: Slug) -> EffectKey:
        """The once-only key of telling them."""
        return EffectKey(model=model, visit=self.visit, step=f"notify/{self.topic}")


Command = RunStep | CancelStep | Notify
