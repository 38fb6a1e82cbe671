"""What is recorded of every event; what is not recorded yet travels with the next step, or into the next run."""

from pydantic import Field

from models.canonical import Digest, Frozen, Slug
from models.evidence import StepOrder, StepResult
from models.messages import Event, Notify
from models.plan import Plan, Proof
from models.state import Snapshot, State
from models.trial import Look


class JournalEntry(Frozen):
    """One event of one lifecycle. `refusal` says why it changed nothing; `seq` counts from 1, for ever."""

    model: Slug
    plan: Digest
    seq: int
    event: Event
    refusal: str | None = None
    snapshot: Snapshot


class Journal(Frozen):
    """Events to record, in order."""

    entries: tuple[JournalEntry, ...]


class Assignment(Frozen):
    """A step to perform; the events that led to it are recorded first."""

    order: StepOrder
    journal: tuple[JournalEntry, ...] = ()


class TrialAnswer(Frozen):
    """What one look at a trial led to: the step's result, or seconds until the next look. `look` is what was seen."""

    result: StepResult | None = None
    wait: int = 0
    look: Look | None = None


class LifecycleInput(Frozen):
    """What a lifecycle's execution starts from, and continues as new with: complete by itself.

    The first run needs a proof of its plan, or is `rebuilt`: the record has to confirm it before anything happens.
    """

    plan: Plan
    state: State
    journal: tuple[JournalEntry, ...] = ()
    notices: tuple[Notify, ...] = ()
    proof: Proof | None = None
    rebuilt: bool = Field(default=False, exclude_if=lambda rebuilt: not rebuilt)
