"""One state for all that behave alike.

A lifecycle counts events, visits and versions for ever, and knows people by name; none of that decides what may happen
next. Renaming them leaves finitely many states (Ip and Dill, "Better Verification Through Symmetry", 1996). What no
transition looks at is left out: times, reasons, evidence, what serves outside production. What only keeps something
from happening is left out, too, and explored both ways: timers that have fired already, brakes that are on.
"""

from collections.abc import Hashable
from datetime import UTC, datetime

from models.canonical import Digest, change
from models.evidence import Electorate, StepOrder
from models.inventory import Submission, VersionStatus
from models.messages import Decision, Failure
from models.plan import Duty, Plan
from models.state import GateVisit, Intent, State, Version
from models.verdict import Reading

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
MODEL, OWNER, DEVELOPER, ANYBODY = "model", "owner", "developer", "anybody"
BARRED = {Duty.OWNER: OWNER, Duty.DEVELOPER: DEVELOPER, Duty.SUBMITTER: DEVELOPER}
"""Who has each duty that keeps people from deciding."""

VISIT = 1
"""The visit that every state is in."""

PREVIOUS, CHAMPION, CANDIDATE, ELSE = 1, 2, 3, 9
"""The numbers that versions are given by their place; ELSE stands for every version that is not in play."""

_GONE = {number: VersionStatus.RETIRED for number in (PREVIOUS, CHAMPION, CANDIDATE)}
_TROUBLE = Failure(type="Trouble", message="something failed")


def artifact(number: int) -> Digest:
    """The artifact of the version of that number."""
    return f"sha256:{number:064x}"


def electorate(plan: Plan, roles: tuple[str, ...]) -> Electorate:
    """As many people in each role as any gate asks of it, one who is in all, and the two who may not decide."""
    most = max((count for stage in plan.stages if stage.gate for count in stage.gate.approvals.values()), default=1)
    single = {role: tuple(f"{role}-{index}" for index in range(1, most + 1)) for role in roles}
    return Electorate(people={role: (*people, ANYBODY, OWNER, DEVELOPER) for role, people in single.items()})


def rename(plan: Plan, state: State) -> State:
    """The state that stands for all those that behave like this one."""
    places = _places(state)
    serves = _served(plan, state, places)
    statuses = _GONE | {places[n]: status for n, status in state.statuses.items() if n in places}
    return change(
        state,
        seq=0,
        submitted=len(_GONE),
        visit=VISIT,
        since=EPOCH,
        in_flight=_order(state.in_flight, places),
        held=_order(state.held, places),
        failure=_TROUBLE if state.failure else None,
        checks=(),
        gate=_gate(state.gate),
        submission=_submission(state.submission, CANDIDATE),
        candidate=_version(state.candidate, CANDIDATE),
        champion=_version(state.champion, CHAMPION),
        previous=_version(state.previous, PREVIOUS),
        statuses=statuses,
        serving={plan.production: serves} if plan.production and serves else {},
        intent=_intent(state.intent),
        remedies=(),
        reviewed=EPOCH if state.reviewed else None,
        passages=(),
    )


def fingerprint(plan: Plan, state: State) -> Hashable:
    """What tells a state apart from those that behave otherwise; renaming does not change it."""
    places = _places(state)
    return (
        state.stage,
        state.phase,
        state.cursor,
        _mark(state.in_flight, places),
        _mark(state.held, places),
        state.failure is None,
        _voted(state.gate),
        _worth(state.candidate),
        _worth(state.champion),
        _worth(state.previous),
        tuple(sorted((places[n], status) for n, status in state.statuses.items() if n in places)),
        _served(plan, state, places),
        state.intent and (state.intent.turn, state.intent.submission is None),
        state.submission is None,
        state.reviewed is None,
        state.doubtful,
        state.paused,
    )


def _places(state: State) -> dict[int, int]:
    known = ((state.previous, PREVIOUS), (state.champion, CHAMPION), (state.candidate, CANDIDATE))
    return {version.number: place for version, place in known if version}


def _served(plan: Plan, state: State, places: dict[int, int]) -> int | None:
    number = state.serving.get(plan.production) if plan.production else None
    return places.get(number, ELSE) if number else None


def _order(order: StepOrder | None, places: dict[int, int]) -> StepOrder | None:
    if order is None:
        return None
    place = _place(order, places)
    return order.model_copy(
        update={
            "visit": VISIT,
            "step": _name(order),
            "version": place,
            "artifact": artifact(place) if place else None,
            "bundle": artifact(place) if place and order.bundle else None,
            "evidence": (),
            "submission": _submission(order.submission, CANDIDATE),
        }
    )


def _mark(order: StepOrder | None, places: dict[int, int]) -> Hashable:
    if order is None:
        return None
    return order.kind, _name(order), _place(order, places), order.environment, order.bundle is None


def _place(order: StepOrder, places: dict[int, int]) -> int | None:
    return places.get(order.version, ELSE) if order.version is not None else None


def _name(order: StepOrder) -> str:
    return "ask-again" if order.step.startswith("ask-") else order.step


def _version(version: Version | None, place: int) -> Version | None:
    if version is None:
        return None
    return Version(
        number=place,
        artifact=artifact(place),
        developer=DEVELOPER,
        submitter=DEVELOPER,
        bundle=artifact(place) if version.bundle else None,
        gates=tuple(sorted(version.gates)),
        readings=tuple(_latest(version)),
    )


def _latest(version: Version) -> list[Reading]:
    latest = {reading.name: reading for reading in version.readings}
    return [latest[name] for name in sorted(latest)]


def _worth(version: Version | None) -> Hashable:
    if version is None:
        return None
    readings = tuple((reading.name, reading.value, reading.count) for reading in _latest(version))
    return version.bundle is None, tuple(sorted(version.gates)), readings


def _gate(visit: GateVisit | None) -> GateVisit | None:
    if visit is None:
        return None
    decisions: list[Decision] = []
    for made in _in_order(visit):
        before = sum(one.role == made.role for one in decisions)
        person = made.person if made.person == ANYBODY else f"{made.role}-{before + 1}"
        decisions.append(made.model_copy(update={"person": person, "visit": VISIT, "artifact": artifact(CANDIDATE)}))
    return GateVisit(opened=EPOCH, electorate=visit.electorate, decisions=tuple(decisions))


def _in_order(visit: GateVisit) -> list[Decision]:
    """The one who is in every role comes last in each."""
    return sorted(visit.decisions, key=lambda made: (made.role or "", made.person == ANYBODY))


def _voted(visit: GateVisit | None) -> Hashable:
    if visit is None:
        return None
    votes = tuple((made.role, made.person == ANYBODY, made.decision) for made in _in_order(visit))
    return tuple(visit.electorate.people), votes


def _submission(submission: Submission | None, place: int) -> Submission | None:
    if submission is None:
        return None
    pinned = submission.artifact.model_copy(update={"digest": artifact(place)})
    return submission.model_copy(update={"artifact": pinned, "developer": DEVELOPER, "submitter": DEVELOPER})


def _intent(intent: Intent | None) -> Intent | None:
    return intent and intent.model_copy(update={"submission": _submission(intent.submission, ELSE)})
