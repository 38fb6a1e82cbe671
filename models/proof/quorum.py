"""Whether a gate's quorum can be met by the people there are, each counted once, without those who are barred.

Distinct representatives exist unless some roles together have fewer people than approvals (P. Hall, "On
Representatives of Subsets", 1935); they are found by augmenting paths (Berge, "Two Theorems in Graph Theory", 1957).
"""

from collections.abc import Iterator, Mapping, Sequence

from models.canonical import Frozen, Slug, replace
from models.evidence import Electorate
from models.plan import Duty, GatePlan, Plan


class Shortage(Frozen):
    """A gate that the people there are cannot pass, once those are left out who are `barred`: nobody, or one person."""

    gate: Slug
    roles: tuple[Slug, ...]
    needed: int
    people: tuple[Slug, ...]
    barred: tuple[Slug, ...]

    def __str__(self) -> str:
        roles, people = " and ".join(self.roles), ", ".join(self.people) or "nobody"
        without = f" where {self.barred[0]} may not decide" if self.barred else ""
        approvals = "1 approval" if self.needed == 1 else f"{self.needed} approvals"
        return f"gate '{self.gate}' needs {approvals} of {roles}; there is {people}{without}"


def shortages(plan: Plan, electorate: Electorate) -> tuple[Shortage, ...]:
    """For each gate: that nobody can pass it, else each person without whom nobody could.

    Whoever has a duty that bars from deciding may be any of the people, so each is left out once; who edits the
    template is known, and left out always.
    """
    gates = [stage.gate for stage in plan.stages if stage.gate and stage.gate.asks_people]
    editors = plan.editors if Duty.EDITOR in plan.separation else ()
    free = {role: tuple(p for p in held if p not in editors) for role, held in electorate.people.items()}
    electorate = replace(electorate, people=free)
    return tuple(found for gate in gates for found in _of_gate(gate, electorate, bars=bool(plan.separation)))


def _of_gate(gate: GatePlan, electorate: Electorate, *, bars: bool) -> Iterator[Shortage]:
    if impossible := _without(gate, electorate, ()):
        yield impossible
        return
    everybody = sorted({person for role in gate.approvals for person in electorate.people.get(role, ())})
    for person in everybody if bars else ():
        if found := _without(gate, electorate, (person,)):
            yield found


def _without(gate: GatePlan, electorate: Electorate, barred: tuple[Slug, ...]) -> Shortage | None:
    holders = {role: [p for p in electorate.people.get(role, ()) if p not in barred] for role in gate.approvals}
    lacking = _bottleneck(gate.approvals, holders)
    if not lacking:
        return None
    people = tuple(sorted({person for role in lacking for person in holders[role]}))
    needed = sum(gate.approvals[role] for role in lacking)
    return Shortage(gate=gate.id, roles=lacking, needed=needed, people=people, barred=barred)


def _bottleneck(needed: Mapping[Slug, int], holders: Mapping[Slug, Sequence[Slug]]) -> tuple[Slug, ...]:
    """The roles that together have too few people; empty if everybody needed can be a different person."""
    seats = [role for role, count in needed.items() for _ in range(count)]
    taken: dict[Slug, int] = {}
    for seat in range(len(seats)):
        tried: set[Slug] = set()
        if not _seat(seat, seats, holders, taken, tried):
            short = {seats[seat], *(seats[taken[person]] for person in tried)}
            return tuple(role for role in needed if role in short)
    return ()


def _seat(
    seat: int, seats: Sequence[Slug], holders: Mapping[Slug, Sequence[Slug]], taken: dict[Slug, int], tried: set[Slug]
) -> bool:
    for person in holders[seats[seat]]:
        if person in tried:
            continue
        tried.add(person)
        if person not in taken or _seat(taken[person], seats, holders, taken, tried):
            taken[person] = seat
            return True
    return False
