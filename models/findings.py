"""Findings: what a rejection asks of later versions. They stay open until the role that raised them closes them."""

from models.canonical import Slug
from models.messages import Choice, Decision
from models.state import Finding, State, Version, change

AT_MOST = 40
"""How many findings of a role may be open at a gate: as many as one approval can close."""


def still_open(state: State, gate: Slug, role: Slug) -> tuple[Finding, ...]:
    """The findings that an approval for a role at a gate has to close."""
    return tuple(one for one in state.findings if (one.gate, one.role) == (gate, role))


def refuse_findings(state: State, gate: Slug, role: Slug, decision: Decision) -> str | None:
    """Why a decision for a role cannot count as it treats findings; None if it can."""
    known = still_open(state, gate, role)
    if decision.decision is Choice.REJECT:
        if decision.closes:
            return "a rejection closes no findings: only an approval does"
        if len(known) + len(decision.findings) > AT_MOST:
            return (
                f"'{role}' has {len(known)} open findings at '{gate}', and may have {AT_MOST}: say the rest as a reason"
            )
        return None
    if decision.findings:
        return "an approval leaves no findings: reject the version, or say them as a reason"
    if strange := [one for one in decision.closes if one not in {finding.id for finding in known}]:
        return f"'{role}' has no open finding {', '.join(strange)} at '{gate}'"
    if left := [finding for finding in known if finding.id not in decision.closes]:
        told = "; ".join(f"{one.id} ({one.text.rstrip('.')})" for one in left)
        return f"'{role}' has open findings at '{gate}': {told}; an approval says in 'closes' that they are closed"
    return None


def raise_findings(state: State, version: Version, decision: Decision) -> State:
    """The state in which the findings of a decision, whose role is known, are open."""
    if not decision.findings or decision.role is None:
        return state
    raised = tuple(
        Finding(
            id=f"F{number}",
            gate=decision.gate,
            role=decision.role,
            text=text,
            person=decision.person,
            version=version.number,
        )
        for number, text in enumerate(decision.findings, state.found + 1)
    )
    return change(state, findings=(*state.findings, *raised), found=state.found + len(raised))


def close_findings(state: State) -> State:
    """The state without what the decisions at the open gate have closed."""
    closed = {name for decision in (state.gate.decisions if state.gate else ()) for name in decision.closes}
    return change(state, findings=tuple(one for one in state.findings if one.id not in closed)) if closed else state
