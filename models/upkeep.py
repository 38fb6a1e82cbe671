"""How a model is kept, by its own record: approvals current, evidence fresh, gates in time, obligations met.

Process readings, taken of the champion at a moment (UTC). They need no window of data.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from models import emergency
from models.audit import AuditEntry, AuditKind, EffectRecord, Replayed, replay
from models.calendar import later
from models.canonical import Slug, digest
from models.evidence import QUANTITIES, Dimension, StepKind
from models.inventory import Measured
from models.messages import StepSucceeded
from models.plan import GatePlan, Plan
from models.policy import NAMED, Policy
from models.state import State
from models.verdict import Reading
from models.waivers import end_of

KEPT = frozenset(name for name, one in QUANTITIES.items() if one.dimension is Dimension.PROCESS)
"""What is read from the record alone."""

_MADE = {
    "days_since_training": frozenset({StepKind.REGISTER}),
    "days_since_evaluation": frozenset({StepKind.EVALUATE}),
    "days_since_documentation": frozenset({StepKind.PACKAGE}),
}
"""What is made anew by which step of a version: it is registered once trained, and each bundle has its model card."""

_OF_EVERY_ROW = "live_selection_rate"
"""A reading that rests on each row of a window, and is there of every window of data that could be measured."""


class Kept(NamedTuple):
    """What is not in the events of the lifecycle.

    `since`: when the champion began to serve. `void`: why approvals that it was let in with would not let it in today.
    `contradictions`: how many findings of the reconciliation hold about the model. `policy`: the packs that apply to
    it and that its plan was not compiled under (`unheeded`); None if that cannot be told.
    """

    since: datetime
    void: Sequence[str]
    contradictions: int
    policy: Sequence[str] | None = None


def period(every: int, at: datetime) -> str:
    """The period of a monitor that a moment is in, by its beginning: what is read from the record is read once in it.

    `every` in seconds, counted from 1970.
    """
    begun = int(at.timestamp()) // every * every
    return f"record at {datetime.fromtimestamp(begun, at.tzinfo):%Y-%m-%d %H:%M} UTC"


def read(
    plan: Plan, model: Slug, owner: Slug, entries: Iterable[AuditEntry], kept: Kept, at: datetime
) -> tuple[Reading, ...]:
    """Every process reading that there is: of what never happened there is none.

    - `days_in_service`, `days_since_training`, `days_since_evaluation`, `days_since_documentation`: of the champion;
    - `rows_since_training`: of the windows of data that monitors measured first after it was trained;
    - `policy_changes`: packs that apply today, and in which version, that its plan was not compiled under;
    - `void_approvals`: what would speak against the champion if it were to be let in today;
    - `gate_hours_overdue`: how long the open gate is past its deadline, 0 if none is;
    - `gates_in_time`: the share of all visits to gates with people that ended before the deadline;
    - `obligations_overdue`: waivers that have ended, an emergency that nobody has reviewed in time, a deadline of a
      gate that has passed, contradictions that hold.
    """
    past, trail = _Past(plan), tuple(entries)
    state = State(model=model, owner=owner)
    for replayed in replay(plan, state, trail):
        past.add(replayed)
        state = replayed.state
    overdue = _overdue(plan, state, at)
    owed = len(past.ended_waivers(at)) + _unreviewed(state, at) + (overdue > timedelta()) + kept.contradictions
    readings = [
        _single("days_in_service", _days(kept.since, at)),
        *(_single(name, _days(since, at)) for name in _MADE if (since := past.made(name, state))),
        _single("void_approvals", len(kept.void)),
        _single("gate_hours_overdue", overdue / timedelta(hours=1)),
        _single("obligations_overdue", owed),
    ]
    trained = past.made("days_since_training", state)
    if trained and (rows := _rows_since(trained, trail)) is not None:
        readings.append(_single("rows_since_training", rows))
    if kept.policy is not None:
        readings.append(_single("policy_changes", len(kept.policy)))
    if past.visits:
        share = sum(past.visits) / len(past.visits)
        readings.append(Reading(name="gates_in_time", value=share, count=len(past.visits)))
    return tuple(readings)


def unheeded(plan: Plan, policy: Policy) -> tuple[str, ...]:
    """The packs that apply to the policy's model on its day and that a plan was not compiled under, as `baseline@2`."""
    named = [one.pack for one in plan.packs if one.reason == NAMED]
    known = {one.digest for one in plan.packs}
    return tuple(one.pack.name for one in policy.applied(named) if digest(one.pack) not in known)


class _Past:
    """What the events say of how it was kept."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._made: dict[tuple[StepKind, int | None], datetime] = {}
        self.visits: list[bool] = []

    def add(self, replayed: Replayed) -> None:
        """One event more."""
        recorded, before = replayed.recorded, replayed.before
        if recorded is None:
            return
        body, at = recorded.event.body, recorded.event.at
        if isinstance(body, StepSucceeded) and before.in_flight:
            self._made[before.in_flight.kind, before.in_flight.version] = at
        gate = before.gate_plan(self._plan)
        if gate and gate.asks_people and before.gate and replayed.state.visit != before.visit:
            self.visits.append(at <= _due(self._plan, gate, before.gate.opened))

    def made(self, name: str, state: State) -> datetime | None:
        """When something of the champion was made last."""
        champion = state.champion.number if state.champion else None
        return max(
            (at for (kind, number), at in self._made.items() if kind in _MADE[name] and number == champion),
            default=None,
        )

    def ended_waivers(self, at: datetime) -> tuple[str, ...]:
        """The controls that nothing meets any more."""
        return tuple(one.control for one in self._plan.waived if end_of(one) < at)


def _rows_since(trained: datetime, trail: Iterable[AuditEntry]) -> int | None:
    """How many rows the windows have that were measured first after a moment; None if no window was ever measured."""
    first: dict[str, tuple[datetime, int]] = {}
    for entry in trail:
        for window, rows in _windows(entry):
            first.setdefault(window, (entry.at, rows))
    return sum(rows for at, rows in first.values() if at > trained) if first else None


def _windows(entry: AuditEntry) -> Iterator[tuple[str, int]]:
    """The windows of data that an entry records, each with its rows; one that cannot be read records nothing."""
    if entry.kind != AuditKind.EFFECT or _OF_EVERY_ROW not in entry.body:
        return
    try:
        record = EffectRecord.model_validate_json(entry.body)
    except ValueError:
        return
    for change in record.changes:
        for reading in record.result.readings:
            if isinstance(change, Measured) and reading.name == _OF_EVERY_ROW:
                yield change.window, reading.count


def _due(plan: Plan, gate: GatePlan, opened: datetime) -> datetime:
    return later(plan.calendar, opened, gate.sla)


def _overdue(plan: Plan, state: State, at: datetime) -> timedelta:
    gate = state.gate_plan(plan)
    if gate is None or state.gate is None or not gate.asks_people:
        return timedelta()
    return max(timedelta(), at - _due(plan, gate, state.gate.opened))


def _unreviewed(state: State, at: datetime) -> bool:
    glass = state.glass
    return glass is not None and not glass.confirmed and at > glass.since + emergency.WITHIN


def _days(since: datetime, at: datetime) -> int:
    return max(0, (at - since).days)


def _single(name: str, value: float) -> Reading:
    return Reading(name=name, value=float(value), count=1)
