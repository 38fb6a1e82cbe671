"""Who may decide at a gate, and what the decisions add up to.

Separation of duties by lineage, one person once per gate, quorum by distinct people, sticky rejection.
"""

from models.canonical import Slug, replace
from models.findings import refuse_findings
from models.messages import Choice, Decision
from models.plan import Duty, GatePlan, Plan
from models.separation import duty_of
from models.state import GateVisit, State, Version
from models.verdict import Verdict


def open_roles(gate: GatePlan, visit: GateVisit) -> dict[Slug, int]:
    """How many approvals each role still owes."""
    given = [decision.role for decision in visit.decisions if decision.decision is Choice.APPROVE]
    owed = {role: count - given.count(role) for role, count in gate.approvals.items()}
    return {role: count for role, count in owed.items() if count > 0}


def roles_held(gate: GatePlan, visit: GateVisit, person: Slug) -> tuple[Slug, ...]:
    """The roles asked by the gate that a person holds."""
    return tuple(role for role in gate.approvals if person in visit.electorate.people.get(role, ()))


def eligible(plan: Plan, state: State, role: Slug) -> tuple[Slug, ...]:
    """The people who may decide for a role now: holders who are not barred and have not decided yet."""
    if state.gate is None or state.subject is None:
        return ()
    able = (person for person in state.gate.electorate.people.get(role, ()) if not _spent(plan, state, person))
    return tuple(person for person in able if not _all_spent(plan, state, _in_place(state, role, person)))


def refuse_decision(plan: Plan, state: State, decision: Decision, objection: str = "") -> str | None:
    """Why a decision cannot count, in words for the person who sent it; None if it counts.

    `objection` is what is to be said against the signature.
    """
    gate, visit, version = state.gate_plan(plan), state.gate, state.subject
    if gate is None or visit is None or version is None:
        return f"no gate is open: the lifecycle is in stage '{state.stage}', {state.phase}"
    if decision.gate != gate.id:
        return f"the open gate is '{gate.id}', not '{decision.gate}'"
    if decision.visit != state.visit:
        return f"this is visit {state.visit} of the gate; the decision is about visit {decision.visit}"
    if decision.artifact != version.artifact:
        return f"version {version.number} has artifact {version.artifact}; the decision is about {decision.artifact}"
    return objection or _refuse_person(plan, state, decision, gate, visit, version)


def _refuse_person(
    plan: Plan, state: State, decision: Decision, gate: GatePlan, visit: GateVisit, version: Version
) -> str | None:
    holder, involved = decision.counts_for, dict.fromkeys((decision.person, decision.counts_for))
    for person in involved:
        if any(person in (earlier.person, earlier.counts_for) for earlier in visit.decisions):
            return f"{person} has already decided at this visit of '{gate.id}'"
    held = roles_held(gate, visit, holder)
    if not held:
        away = [role for role in gate.approvals if holder in visit.electorate.away.get(role, {})]
        why = "is away, and holds none" if away else "holds none"
        return f"{holder} {why} of the roles that '{gate.id}' asks: {', '.join(gate.approvals)}"
    if decision.role is not None and decision.role not in held:
        return f"{holder} does not hold the role '{decision.role}'; they hold {', '.join(held)}"
    if decision.role is None and len(held) > 1:
        return f"{holder} holds several roles that '{gate.id}' asks ({', '.join(held)}): say which with 'role'"
    for person in involved:
        if duty := duty_of(plan, state, version, person):
            of = "the template of version" if duty is Duty.EDITOR else "version"
            did = f"{person} is {'an' if duty is Duty.EDITOR else 'the'} {duty} of {of} {version.number}"
            return f"{did} and may not decide on it (separation of duties)"
    role = decision.role or held[0]
    if decision.decision is Choice.APPROVE and role not in open_roles(gate, visit):
        return f"role '{role}' has given all the approvals that '{gate.id}' asks of it"
    return _refuse_place(plan, state, role, decision) or refuse_findings(state, gate.id, role, decision)


def _in_place(state: State, role: Slug, person: Slug) -> tuple[Slug, ...]:
    """Those who are away and in whose place somebody holds a role; none if they hold it themselves."""
    away = state.gate.electorate.away.get(role, {}) if state.gate else {}
    return tuple(absent for absent, cover in away.items() if cover == person)


def _refuse_place(plan: Plan, state: State, role: Slug, decision: Decision) -> str | None:
    """Why nobody can decide in the place of those who are away: none of them could, or it would be handed on."""
    absent = _in_place(state, role, decision.counts_for)
    if absent and decision.on_behalf_of:
        return f"{decision.counts_for} holds '{role}' in the place of {' and '.join(absent)}, and cannot hand that on"
    why = _all_spent(plan, state, absent)
    return f"{decision.counts_for} holds '{role}' in the place of somebody who may not decide: {why}" if why else None


def _all_spent(plan: Plan, state: State, people: tuple[Slug, ...]) -> str | None:
    """Why none of some people could decide now; None if one could, or there are none."""
    why = [_spent(plan, state, person) for person in people]
    return why[0] if why and all(why) else None


def _spent(plan: Plan, state: State, person: Slug) -> str | None:
    """Why a person could not decide now, were they there."""
    if state.gate is None or state.subject is None:
        return None
    if any(person in (earlier.person, earlier.counts_for) for earlier in state.gate.decisions):
        return f"{person} has already decided"
    duty = duty_of(plan, state, state.subject, person)
    return f"{person} is the {duty} of version {state.subject.number}" if duty else None


def with_role(gate: GatePlan, visit: GateVisit, decision: Decision) -> Decision:
    """The decision with its role filled in; the decision must not be refusable."""
    held = roles_held(gate, visit, decision.counts_for)
    return decision if decision.role else replace(decision, role=held[0])


def tally(gate: GatePlan, visit: GateVisit) -> Verdict | None:
    """FAIL at the first rejection, PASS when nothing is owed, else undecided."""
    if any(decision.decision is Choice.REJECT for decision in visit.decisions):
        return Verdict.FAIL
    return None if open_roles(gate, visit) else Verdict.PASS
