"""Who may decide at a gate, and what the decisions add up to.

Separation of duties by lineage, one person once per gate, quorum by distinct people, sticky rejection.
"""

from collections.abc import Collection, Mapping

from models.canonical import Slug, replace
from models.findings import refuse_findings
from models.inventory import Submission
from models.messages import Choice, Decision
from models.plan import Duty, GatePlan, Plan
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


def duty_of(plan: Plan, state: State, version: Version, person: Slug) -> Duty | None:
    """What a person did for a version that bars them from approving it."""
    return barring(plan, lineage(plan, state.owner, version), person)


def lineage(plan: Plan, owner: Slug, version: Version | Submission) -> dict[Duty, tuple[Slug, ...]]:
    """Who did what for a version, and for the template that governs it."""
    return {
        Duty.OWNER: (owner,),
        Duty.DEVELOPER: (version.developer,),
        Duty.SUBMITTER: (version.submitter,),
        Duty.TRAINER: (version.trained_by,) if version.trained_by else (),
        Duty.EDITOR: plan.editors,
    }


def barring(plan: Plan, did: Mapping[Duty, Collection[Slug]], person: Slug) -> Duty | None:
    """The duty that bars a person from approving a version, by who did what for it."""
    return next((duty for duty in plan.separation if person in did[duty]), None)


def eligible(plan: Plan, state: State, role: Slug) -> tuple[Slug, ...]:
    """The people who may decide for a role now: holders who are not barred and have not decided yet."""
    if state.gate is None or state.subject is None:
        return ()
    decided = {person for decision in state.gate.decisions for person in (decision.person, decision.counts_for)}
    holders = state.gate.electorate.people.get(role, ())
    return tuple(p for p in holders if p not in decided and not duty_of(plan, state, state.subject, p))


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
        return f"{holder} holds none of the roles that '{gate.id}' asks: {', '.join(gate.approvals)}"
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
    return refuse_findings(state, gate.id, role, decision)


def with_role(gate: GatePlan, visit: GateVisit, decision: Decision) -> Decision:
    """The decision with its role filled in; the decision must not be refusable."""
    held = roles_held(gate, visit, decision.counts_for)
    return decision if decision.role else replace(decision, role=held[0])


def tally(gate: GatePlan, visit: GateVisit) -> Verdict | None:
    """FAIL at the first rejection, PASS when nothing is owed, else undecided."""
    if any(decision.decision is Choice.REJECT for decision in visit.decisions):
        return Verdict.FAIL
    return None if open_roles(gate, visit) else Verdict.PASS
