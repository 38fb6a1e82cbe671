"""What the inventory tells of models, as values."""

from datetime import datetime

from pydantic import Field

from models.canonical import Frozen
from models.evidence import Tightened
from models.inventory import ModelKind, RiskTier, VersionStatus
from models.plan import Remedy
from models.reconciliation import FindingKind
from models.state import Phase
from models.tickets import Ticket
from models.value import Sums
from models.verdict import Reading, Verdict


class Listed(Frozen):
    """One model in a list; the last seven are None as long as it has no lifecycle."""

    model: str
    title: str
    kind: ModelKind
    tier: RiskTier
    owner: str
    template: str | None = None
    stage: str | None = None
    phase: Phase | None = None
    candidate: int | None = None
    champion: int | None = None
    paused: bool | None = None
    updated: datetime | None = None


class Known(Frozen):
    """A version in the inventory."""

    number: int
    status: VersionStatus
    artifact: str | None
    bundle: str | None
    gates: tuple[str, ...]


class Found(Frozen):
    """A finding, from when it was first seen until it held no more; `resolved` is None of one that holds."""

    kind: FindingKind
    model: str | None
    text: str
    first_seen: datetime
    last_seen: datetime
    resolved: datetime | None


class Looked(Frozen):
    """What a monitor found when it looked at a window or at the record, of the version that served (None: unknown).

    `at` is what the look stands for, `looked` when the last one at the same window was recorded. `attained` says of
    business KPIs how much of their targets was reached, 1 for all; `unmeasured`, that not all could be measured that
    was to be.
    """

    monitor: str
    window: str
    version: int | None
    verdict: Verdict
    unmeasured: bool = False
    reasons: tuple[str, ...]
    readings: tuple[Reading, ...]
    at: datetime
    looked: datetime
    attained: dict[str, float] = Field(default_factory=dict)


class Held(Frozen):
    """A model in the portfolio: where it is, how it fares, what it is worth and what is overdue.

    `health` is the worst of what its monitors found last about the champion, None if they have found nothing yet, or
    have read how it is governed and nothing else, and that is in order;
    `value` are the latest business readings, by name, `attained` how much of their targets they are, 1 for all;
    `worth` is what the value ledger holds, by currency. `obligations_overdue` is None if nobody has looked,
    `contradictions` counts what the reconciliation has found and still holds.
    """

    model: str
    title: str
    tier: RiskTier
    owner: str
    use_case: str
    stage: str | None
    phase: Phase | None
    champion: int | None
    health: Verdict | None
    measured_at: datetime | None
    value: dict[str, float]
    obligations_overdue: int | None
    contradictions: int
    attained: dict[str, float] = Field(default_factory=dict)
    worth: tuple[Sums, ...] = ()


class Watched(Frozen):
    """A monitor of a model's plan, what it found last, and until when it looks more often if it does.

    `schedule` is what its schedule says; None if nobody could be asked.
    """

    monitor: str
    checks: tuple[str, ...]
    every: int
    then: Remedy
    last: Looked | None
    schedule: str | None = None
    tightened: Tightened | None = None


class Through(Frozen):
    """What went through a channel: messages that wait, those that fail again and again, the last one that arrived.

    `since` is when the oldest of those that wait was put in; `problem` why the last attempt with one failed; `ticket`
    what a tracker has made of the last one that arrived.
    """

    channel: str
    waiting: int = 0
    failing: int = 0
    since: datetime | None = None
    problem: str | None = None
    delivered: datetime | None = None
    ticket: Ticket | None = None
