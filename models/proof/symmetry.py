"""One state for all that behave alike.

A lifecycle counts events, visits and versions for ever, and knows people by name; none of that decides what may happen
next. Renaming them leaves finitely many states (Ip and Dill, "Better Verification Through Symmetry", 1996). What no
transition looks at is left out: times, reasons, evidence, what serves outside production. What only keeps something
from happening is left out, too, and explored both ways: timers that have fired already, brakes that are on, findings
that are open, a monitor that is tightened, the review of an emergency that is open. In a renamed state that review is
open.
"""

from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from models.canonical import Digest, Slug, replace
from models.evidence import Electorate, StepKind, StepOrder, Tightened
from models.inventory import Submission, VersionStatus
from models.messages import Action, Decision, Failure
from models.plan import Duty, Plan
from models.state import Emergency, GateVisit, Glass, Intent, State, Version, change
from models.verdict import Reading

Part = TypeVar("Part")

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
MODEL, OWNER, DEVELOPER, TRAINER, ANYBODY = "model", "owner", "developer", "trainer", "anybody"
COVER = "cover"
"""Who holds every role in the owner's place."""


def barred(plan: Plan) -> tuple[str, ...]:
    """Who may not decide for what they did."""
    did: dict[Duty, tuple[str, ...]] = {
        Duty.OWNER: (OWNER, COVER),
        Duty.DEVELOPER: (DEVELOPER,),
        Duty.SUBMITTER: (DEVELOPER,),
        Duty.TRAINER: (TRAINER,),
        Duty.EDITOR: plan.editors[:1],
    }
    return tuple(dict.fromkeys(person for duty in plan.separation for person in did[duty]))


VISIT = 1
"""The visit that every state is in."""

BREAKER, SECOND = "breaker", "second"
"""Who did something in an emergency, and who looks into it."""

BROKEN = Glass(
    emergencies=(Emergency(person=BREAKER, action=Action.SUSPEND, at=EPOCH, reason="explored"),), since=EPOCH
)

TIGHT = Tightened(monitor="another", until=EPOCH + timedelta(days=1))
"""A monitor that looks more often."""

PREVIOUS, CHAMPION, CANDIDATE, ELSE = 1, 2, 3, 9
"""The numbers that versions are given by their place; ELSE stands for every version that is not in play."""

_GONE = {number: VersionStatus.RETIRED for number in (PREVIOUS, CHAMPION, CANDIDATE)}
_NOWHERE: frozenset[str] = frozenset()
_TROUBLE = Failure(type="Trouble", message="something failed")


@cache
def artifact(number: int) -> Digest:
    """The artifact of the version of that number."""
    return f"sha256:{number:064x}"


def electorate(plan: Plan, roles: tuple[str, ...]) -> Electorate:
    """As many people in each role as any gate asks of it, one who is in all, and those who may not decide there."""
    most = max((count for stage in plan.stages if stage.gate for count in stage.gate.approvals.values()), default=1)
    single = {role: tuple(f"{role}-{index}" for index in range(1, most + 1)) for role in roles}
    people = {role: (*people, ANYBODY, *barred(plan)) for role, people in single.items()}
    return Electorate(people=people, away={role: {OWNER: COVER} for role in roles if Duty.OWNER in plan.separation})


class Symmetry:
    """The renaming of one plan's states. Equal parts of renamed states are one object, and its mark is known."""

    def __init__(self, plan: Plan) -> None:
        self._production = plan.production
        self._demanded = frozenset(gate for gates in plan.environment_gates.values() for gate in gates)
        self._waived = [(one.control, one.before or plan.production) for one in plan.waived]
        self._parts: dict[Hashable, Any] = {}
        self._marks: dict[int, tuple[object, Hashable]] = {}

    def rename(self, state: State) -> State:
        """The state that stands for all those that behave like this one."""
        places = _places(state)
        serves = self._served(state, places)
        statuses = _GONE | {places[n]: status for n, status in state.statuses.items() if n in places}
        return change(
            state,
            seq=0,
            submitted=len(_GONE),
            visit=VISIT,
            since=EPOCH,
            in_flight=state.in_flight and self._order(state.in_flight, places),
            held=state.held and self._order(state.held, places),
            failure=_TROUBLE if state.failure else None,
            checks=(),
            gate=state.gate and self._gate(state.gate),
            submission=self._one(_submission(state.submission, CANDIDATE), CANDIDATE),
            candidate=state.candidate and self._version(state.candidate, CANDIDATE),
            champion=state.champion and self._version(state.champion, CHAMPION),
            previous=state.previous and self._version(state.previous, PREVIOUS),
            statuses=self._one(statuses, tuple(statuses.items())),
            serving={self._production: serves} if self._production and serves else {},
            intent=self._one(_intent(state.intent), _aim(state.intent)),
            remedies=(),
            reviewed=EPOCH if state.reviewed else None,
            passages=(),
            findings=(),
            found=0,
            reminded=(),
            glass=BROKEN,
            tightened=None,
        )

    def fingerprint(self, state: State) -> Hashable:
        """What tells a state apart from those that behave otherwise; renaming does not change it."""
        places = _places(state)
        return (
            state.stage,
            state.phase,
            state.cursor,
            state.in_flight and _work(state.in_flight, places),
            state.held and _work(state.held, places),
            state.failure is None,
            state.gate and self._mark(state.gate, _voted),
            state.candidate and self._mark(state.candidate, self._worth),
            state.champion and self._mark(state.champion, self._worth),
            state.previous and self._mark(state.previous, self._worth),
            tuple([(place, state.statuses.get(number)) for number, place in places.items()]),
            self._served(state, places),
            _aim(state.intent),
            state.submission is None,
            state.reviewed is None,
            state.doubtful,
            state.paused,
            self._closed(state) if state.lapsed else _NOWHERE,
        )

    def _closed(self, state: State) -> Hashable:
        """Where nothing is promoted any more, whichever waiver it was that ended."""
        return frozenset(place for control, place in self._waived if control in state.lapsed)

    def _served(self, state: State, places: dict[int, int]) -> int | None:
        number = state.serving.get(self._production) if self._production else None
        return places.get(number, ELSE) if number else None

    def _order(self, order: StepOrder, places: dict[int, int]) -> StepOrder:
        return self._one(_order(order, places), _work(order, places))

    def _version(self, version: Version, place: int) -> Version:
        if version.number == place and id(version) in self._marks:
            return version
        return self._one(self._renamed(version, place), self._mark(version, self._worth), place)

    def _renamed(self, version: Version, place: int) -> Version:
        return Version(
            number=place,
            artifact=artifact(place),
            developer=DEVELOPER,
            submitter=DEVELOPER,
            trained_by=TRAINER,
            bundle=artifact(place) if version.bundle else None,
            gates=self._kept(version),
            readings=tuple(_latest(version)),
        )

    def _worth(self, version: Version) -> Hashable:
        readings = tuple((reading.name, reading.value, reading.count) for reading in _latest(version))
        return version.bundle is None, self._kept(version), readings

    def _kept(self, version: Version) -> tuple[Slug, ...]:
        """The gates that an environment demands: no transition, and no promise, asks for another that was passed."""
        return tuple(sorted(self._demanded.intersection(version.gates)))

    def _gate(self, visit: GateVisit) -> GateVisit:
        return visit if id(visit) in self._marks else self._one(_gate(visit), _voted(visit))

    def _one(self, part: Part, mark: Hashable, place: int = 0) -> Part:
        """The same object for equal parts. It is kept for ever, so no other thing ever has its id."""
        kept: Part = self._parts.setdefault((type(part), mark, place), part)
        if kept != part:
            return part
        self._marks[id(kept)] = kept, mark
        return kept

    def _mark(self, part: Part, look: Callable[[Part], Hashable]) -> Hashable:
        known = self._marks.get(id(part))
        return known[1] if known else look(part)


def _places(state: State) -> dict[int, int]:
    known = ((state.previous, PREVIOUS), (state.champion, CHAMPION), (state.candidate, CANDIDATE))
    return {version.number: place for version, place in known if version}


def _order(order: StepOrder, places: dict[int, int]) -> StepOrder:
    place = _place(order, places)
    return replace(
        order,
        visit=VISIT,
        step=_name(order),
        version=place,
        artifact=artifact(place) if place else None,
        bundle=artifact(place) if place and order.bundle else None,
        evidence=(),
        submission=_submission(order.submission, CANDIDATE),
        tightened=order.tightened and TIGHT,
    )


def _work(order: StepOrder, places: dict[int, int]) -> Hashable:
    return order.kind, _name(order), _place(order, places), order.environment, order.bundle is None


def _place(order: StepOrder, places: dict[int, int]) -> int | None:
    return places.get(order.version, ELSE) if order.version is not None else None


def _name(order: StepOrder) -> str:
    for kind, name in ((StepKind.ASK, "ask-again"), (StepKind.TIGHTEN, "tighten-again")):
        if order.step.startswith(f"{kind}-"):
            return name
    return order.step


def _latest(version: Version) -> list[Reading]:
    latest = {reading.name: reading for reading in version.readings}
    return [latest[name] for name in sorted(latest)]


def _gate(visit: GateVisit) -> GateVisit:
    decisions: list[Decision] = []
    for made in _in_order(visit):
        before = sum(one.role == made.role for one in decisions)
        person = made.person if made.person == ANYBODY else f"{made.role}-{before + 1}"
        decisions.append(replace(made, person=person, visit=VISIT, artifact=artifact(CANDIDATE)))
    decided = dict.fromkeys([made.person for made in decisions], EPOCH)
    return GateVisit(opened=EPOCH, electorate=visit.electorate, decisions=tuple(decisions), decided=decided)


def _in_order(visit: GateVisit) -> list[Decision]:
    """The one who is in every role comes last in each."""
    return sorted(visit.decisions, key=lambda made: (made.role or "", made.person == ANYBODY))


def _voted(visit: GateVisit) -> Hashable:
    votes = tuple((made.role, made.person == ANYBODY, made.decision) for made in _in_order(visit))
    return tuple(visit.electorate.people), votes


def _submission(submission: Submission | None, place: int) -> Submission | None:
    if submission is None:
        return None
    pinned = replace(submission.artifact, digest=artifact(place))
    return replace(submission, artifact=pinned, developer=DEVELOPER, submitter=DEVELOPER, trained_by=TRAINER)


def _intent(intent: Intent | None) -> Intent | None:
    return intent and replace(intent, submission=_submission(intent.submission, ELSE))


def _aim(intent: Intent | None) -> Hashable:
    return intent and (intent.turn, intent.submission is None)
