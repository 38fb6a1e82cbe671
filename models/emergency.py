"""Breaking the glass: what makes things safer is done at once, and looked into by a second person afterwards."""

from datetime import datetime, timedelta

from models.canonical import replace
from models.evidence import ENTERS, StepOrder
from models.messages import Action, Failure, Notify, Request, Requested
from models.plan import Plan
from models.state import Emergency, Glass, State, change

GLASS = "glass"
"""The timer that fires when nobody has confirmed an emergency in time."""

WITHIN = timedelta(hours=24)
"""How soon a second person has to confirm what was done in an emergency."""

UNREVIEWED = "UnreviewedEmergency"
"""Type of the failure of a promotion that waits for the review of an emergency."""

_DEEDS = {Action.SUSPEND: "suspend the model", Action.ROLLBACK: "roll back"}
"""What may be done in an emergency: it makes things safer."""


def running(state: State) -> dict[str, datetime]:
    """When an emergency has to be confirmed that nobody has confirmed."""
    glass = state.glass
    return {} if glass is None or glass.confirmed or glass.overdue else {GLASS: glass.since + WITHIN}


def refuse(state: State, asked: Requested) -> str | None:
    """Why nobody, or not this person, can break the glass, confirm or review so; None if they can."""
    if asked.emergency and asked.action not in _DEEDS:
        return f"an emergency makes things safer: it can suspend or roll back, not {asked.action}"
    if asked.action not in (Action.CONFIRM, Action.REVIEW):
        return None
    glass, person = state.glass, asked.request.person
    if glass is None:
        return f"there is nothing to {asked.action}: nothing was done in an emergency, or it is reviewed"
    if person in glass.people:
        return f"{person} broke the glass: somebody else has to {asked.action} that"
    if asked.action is Action.CONFIRM and glass.confirmed:
        return f"{glass.confirmed} has confirmed it already"
    return None


def broken(state: State, asked: Requested, at: datetime) -> State:
    """The glass is broken: once more, whoever it was has to be confirmed anew, within the time that runs already."""
    request, glass = asked.request, state.glass
    done = Emergency(person=request.person, action=asked.action, at=at, reason=request.reason)
    if glass is None:
        return change(state, glass=Glass(emergencies=(done,), since=at))
    others = (one for one in glass.emergencies if (one.person, one.action) != (done.person, done.action))
    since, overdue = (at, False) if glass.confirmed else (glass.since, glass.overdue)
    return change(state, glass=Glass(emergencies=(*others, done), since=since, overdue=overdue))


def confirmed(state: State, request: Request) -> State:
    """A second person stands by what was done."""
    return change(state, glass=state.glass and replace(state.glass, confirmed=request.person))


def reviewed(state: State) -> State:
    """A second person has looked into it: the record has what they found."""
    return change(state, glass=None)


def overdue(state: State) -> State:
    """Nobody confirmed it in time, and that stays to be seen."""
    return change(state, glass=state.glass and replace(state.glass, overdue=True))


def unreviewed(plan: Plan, state: State, order: StepOrder) -> Failure | None:
    """Why a promotion to production cannot start: nobody has looked into an emergency."""
    if state.glass is None or order.kind not in ENTERS or order.environment != plan.production:
        return None
    people = " and ".join(sorted(state.glass.people))
    return Failure(
        type=UNREVIEWED,
        message=f"nothing is promoted to {order.environment} before somebody has reviewed what {people} did "
        "in an emergency",
        remedy=f"somebody other than {people} has to `review` it, and then to `retry`",
    )


def notice(plan: Plan, state: State) -> Notify:
    """The owner and those who review champions are told that the glass is broken, or that nobody has confirmed it."""
    late = state.glass is not None and state.glass.overdue
    return Notify(
        visit=state.visit,
        topic=f"{GLASS}:{state.seq}",
        roles=(plan.review.to,) if plan.review else (),
        people=(state.owner,),
        subject=f"{state.model}: {'escalation' if late else 'emergency'}: {'; '.join(in_words(state))}",
    )


def in_words(state: State) -> tuple[str, ...]:
    """What was done in emergencies, and who has to look into it; nothing if all is reviewed."""
    glass = state.glass
    if glass is None:
        return ()
    done = [f"{one.person} broke the glass to {_DEEDS[one.action]}: {one.reason}" for one in glass.emergencies]
    until = f"{glass.since + WITHIN:%Y-%m-%d %H:%M} UTC"
    if glass.confirmed:
        said = f"{glass.confirmed} has confirmed it; somebody else than who did it has to review it"
    elif glass.overdue:
        said = f"overdue: nobody else has confirmed it until {until}; somebody has to confirm and review it"
    else:
        said = f"somebody else has to confirm it until {until}, and to review it"
    return (*done, f"{said} before the next promotion to production")
