"""Who turned a lifecycle, and whether they may: by the keys, people and measurements that the actuator knows itself.

A lifecycle believes what an activity answers about who asked, and whoever signals that there is a breach. What takes a
version out of service, or puts another one in its place, is not done on that word alone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from models.audit import EffectRecord, Replayed
from models.authentication import SKEW, answers_for, read_request
from models.canonical import Digest, digest, replace
from models.evidence import Electorate, StepKind, StepOrder, StepResult
from models.inventory import Deployed, Measured, Withdrawn
from models.keys import Keyring
from models.maturity import last_looks, verdicts_of
from models.messages import Action, Body, Breached, Requested, StepSucceeded
from models.monitoring import is_breach
from models.plan import Plan, Remedy
from models.state import Phase, State, Turn, turn_of
from models.statements import Statement, read_statement

WAY_ON = (
    "whoever owns the model or holds a role of its lifecycle has to `retry` it if it is to happen, or to `abandon` it"
)

LAG = timedelta(days=1)
"""How much later than it happened an event may be recorded, the database being away; older statements have run out."""

_DEPLOYING = (StepKind.RESTORE, StepKind.STOP_SERVING, StepKind.UNDEPLOY)


_TURNING = {Remedy.ROLLBACK: Turn.ROLLBACK, Remedy.SUSPEND: Turn.SUSPEND}
"""Remedies that change what serves."""


class Warrants:
    """Follows the events of a model; `doubt` is why nobody stands for what turned it last, empty if somebody does.

    A turn that waits for the step in flight is not what led to that step: it has a doubt of its own until it is taken.
    Who answers for the model and retries, or gives up, what is in doubt stands for that. What the actuator itself has
    done is in doubt no more; what it is only said to have done is. A statement counts once, whatever the record says.
    """

    def __init__(
        self, plan: Plan, electorate: Electorate, keyring: Keyring, effects: Mapping[int, EffectRecord]
    ) -> None:
        """`effects` is what was done for the model, by the position of its entry, in order."""
        self.doubt = ""
        self._since: datetime | None = None
        self._waiting = ""
        self._counted: set[Digest] = set()
        self._reign = 0
        self._plan = plan
        self._electorate = electorate
        self._keyring = keyring
        self._done = {effect.key: effect for effect in effects.values()}
        self._looks = [
            (position, change)
            for position, effect in effects.items()
            for change in effect.changes
            if isinstance(change, Measured)
        ]

    def add(self, replayed: Replayed) -> None:
        """One event more."""
        recorded, before, state = replayed.recorded, replayed.before, replayed.state
        if recorded is None or replayed.refusal:
            return
        body = recorded.event.body
        if isinstance(body, Requested):
            self._requested(replayed, body)
        elif isinstance(body, Breached):
            self._breached(replayed, body)
        else:
            if isinstance(body, StepSucceeded) and before.in_flight:
                self._answered(before.in_flight, body.result, replayed.at)
            if _waits(before) and not _waits(state):
                self._take(self._waiting, replayed.at)
            elif self._led(before, state) and (self._serves(before) or self._unfound(before, body)):
                self._doubt(f"'{before.stage}' has led to '{state.stage}', and nobody has asked for it", replayed.at)
        if _champion(before) != _champion(state):
            self._reign = replayed.position

    def _take(self, why: str, at: datetime) -> None:
        self.doubt, self._since, self._waiting = why, at, ""

    def _doubt(self, why: str, at: datetime) -> None:
        if not self.doubt:
            self.doubt, self._since = why, at

    def _turned(self, replayed: Replayed, why: str) -> None:
        """The lifecycle turns, at once or when the step in flight has answered."""
        if _waits(replayed.state):
            self._waiting = why
        else:
            self._take(why, replayed.at)

    def _breached(self, replayed: Replayed, body: Breached) -> None:
        """A breach that suspends or rolls back; what waits already is not weakened by it, nor made stronger."""
        turn, waits = _TURNING.get(replayed.state.remedies[-1].remedy), _waits(replayed.before)
        if turn is None or (waits and waits > turn):
            return
        if waits is not turn or self._waiting:
            self._turned(replayed, self._unmeasured(body, replayed.position))

    def _answered(self, order: StepOrder, said: StepResult, at: datetime) -> None:
        """What the actuator has done is on record with it; it had no doubt then."""
        promotes = order.kind is StepKind.PROMOTE and order.environment == self._plan.production
        if not promotes and order.kind not in _DEPLOYING:
            return
        done = self._done.get(order.key)
        if done is None or done.result != said:
            self._doubt(f"what step '{order.step}' of visit {order.visit} is said to have done is not on record", at)
        elif any(isinstance(change, Deployed | Withdrawn) for change in done.changes):
            self.doubt = ""

    def _led(self, before: State, state: State) -> bool:
        """Whether a route leads to where a model is taken out of service."""
        away = {*self._plan.closing, self._plan.enters.suspension}
        return state.stage in away and before.stage not in away

    def _serves(self, before: State) -> bool:
        return self._plan.production in before.serving or before.doubtful

    def _unfound(self, before: State, body: Body) -> bool:
        """Whether what a step is said to have found was not recorded by whoever performed it."""
        done = self._done.get(before.in_flight.key) if before.in_flight else None
        return isinstance(body, StepSucceeded) and (done is None or done.result != body.result)

    def _requested(self, replayed: Replayed, body: Requested) -> None:
        turn, statement = turn_of(body.action), _statement(body)
        why = self._unasked(replayed, body, statement)
        if statement and not why:
            self._counted.add(digest(statement))
        stands = (
            statement is not None
            and not why
            and answers_for(replayed.before, statement.person, self._electorate)
            and (self._since is None or statement.issued_at >= self._since - SKEW)
        )
        if turn is Turn.ABANDON:
            self._turned(replayed, "" if stands else self.doubt or why)
        elif turn:
            self._turned(replayed, why)
        elif body.action is Action.RETRY and stands and replayed.before.phase is Phase.STUCK:
            self.doubt = ""

    def _unasked(self, replayed: Replayed, body: Requested, statement: Statement | None) -> str:
        """Why a request is not that of somebody who may ask for it."""
        if body.envelope is None or replayed.recorded is None:
            return f"nobody has signed the request to {body.action}"
        at = happened(replayed)
        keys = {statement.person: self._keyring.of(statement.person, replayed.at)} if statement else {}
        told = read_request(replayed.before, body.envelope, replace(self._electorate, keys=keys), at)
        if not isinstance(told, Requested) or _said(told) != _said(body):
            return f"something else was signed than the request to {body.action}"
        if statement and digest(statement) in self._counted:
            return f"the request to {body.action} has been carried out already"
        return told.objection

    def _unmeasured(self, body: Breached, position: int) -> str:
        """Why no measurement of the champion that is on record bears a breach out."""
        name, window = body.breach.monitor, body.breach.window
        monitor = self._plan.monitor(name)
        seen = [one for place, one in self._looks if self._reign < place < position and one.monitor == name]
        first = next((number for number, one in enumerate(seen, 1) if one.window == window), len(seen) + 1)
        ends = range(first, len(seen) + 1)
        if monitor and any(is_breach(monitor, _until(window, seen[:end])) for end in ends):
            return ""
        return f"by the measurements on record, '{name}' is not in breach on window {window}"


def _until(window: str, seen: Sequence[Measured]) -> list[str]:
    """The verdicts of the last looks at each window, up to one that was looked at; of looks that are on record without
    what they stand for, up to the last.
    """
    looks = last_looks(seen)
    place = next(number for number, one in enumerate(looks, 1) if one.window == window)
    return verdicts_of(looks[:place] if looks[place - 1].moment else looks)


def happened(replayed: Replayed) -> datetime:
    """When an event happened, as far as it is believed: whoever has it recorded may date it as they like."""
    told = replayed.recorded.event.at if replayed.recorded else replayed.at
    return min(max(told, replayed.at - LAG), replayed.at + SKEW)


def _waits(state: State) -> Turn | None:
    """The turn that waits for the step in flight; a new version takes nothing out of service."""
    return state.intent.turn if state.intent and state.intent.turn > Turn.NEW_VERSION else None


def _champion(state: State) -> int | None:
    return state.champion.number if state.champion else None


def _said(asked: Requested) -> tuple[object, ...]:
    return asked.action, asked.request, asked.emergency, asked.once


def _statement(body: Requested) -> Statement | None:
    try:
        return read_statement(body.envelope) if body.envelope else None
    except ValueError:
        return None
