"""Which approvals at an open gate still stand: an approval lapses in time, and with the role or the key behind it."""

from collections.abc import Collection, Iterator
from datetime import datetime

from models.calendar import Calendar, later
from models.canonical import Digest, Slug, replace
from models.evidence import Electorate
from models.messages import Choice, Decision
from models.plan import GatePlan
from models.signing import key_id
from models.state import GateVisit

LAPSE = "lapse"


def lapses(calendar: Calendar | None, gate: GatePlan, visit: GateVisit) -> dict[str, datetime]:
    """When each approval lapses, by the name of its timer: `lapse:ana`."""
    if not gate.approvals_lapse:
        return {}
    given = [made.person for made in visit.decisions if made.decision is Choice.APPROVE]
    return {f"{LAPSE}:{person}": later(calendar, visit.decided[person], gate.approvals_lapse) for person in given}


def lapsed(visit: GateVisit, timer: str) -> tuple[Decision, ...]:
    """The approval that a timer is about."""
    return tuple(made for made in visit.decisions if f"{LAPSE}:{made.person}" == timer)


def fallen(gate: GatePlan, visit: GateVisit, electorate: Electorate) -> tuple[Decision, ...]:
    """The approvals that do not stand, now that people and their keys are those of an electorate."""
    return tuple(made for made in visit.decisions if not _stands(gate, visit, electorate, made))


def _stands(gate: GatePlan, visit: GateVisit, electorate: Electorate, made: Decision) -> bool:
    role = made.role or ""
    if made.counts_for not in (*electorate.people.get(role, ()), *electorate.away.get(role, ())):
        return False
    if made.on_behalf_of:
        granted = visit.electorate.keys.get(made.on_behalf_of, ())
        return set(granted) <= set(electorate.keys.get(made.on_behalf_of, ()))
    return made.key is None or made.key in _names(gate, electorate, made.person)


def _names(gate: GatePlan, electorate: Electorate, person: Slug) -> Iterator[Digest]:
    """The keys that sign for a person."""
    vouching = electorate.gateways if gate.authentication == "gateway" else ()
    return (key_id(public) for public in (*electorate.keys.get(person, ()), *vouching))


def without(visit: GateVisit, gone: Collection[Decision], at: datetime) -> GateVisit:
    """The visit in which some approvals count no more: whoever gave them may decide anew."""
    people = {made.person for made in gone}
    return replace(
        visit,
        decisions=tuple(made for made in visit.decisions if made not in gone),
        decided={person: when for person, when in visit.decided.items() if person not in people},
        anew=visit.anew | dict.fromkeys(people, at),
    )
