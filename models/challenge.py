"""What a decision at the open gate has to be about."""

from models.canonical import Digest, Frozen, Slug, digest
from models.evidence import Evidence
from models.plan import Plan
from models.state import State, Version
from models.statements import Challenge
from models.verdict import Reading


class EvidenceSet(Frozen):
    """All that was found out about a version, in the order in which it was."""

    evidence: tuple[Evidence, ...]
    readings: tuple[Reading, ...]
    bundle: Digest | None


class Opening(Frozen):
    """One opening of a gate, told apart from every other by when it was. Its digest is the gate's nonce."""

    lifecycle: Slug
    plan: Digest
    visit: int
    opened: str
    audience: str


def evidence_of(version: Version) -> Digest:
    """The digest of all that was found out about a version."""
    return digest(EvidenceSet(evidence=version.evidence, readings=version.readings, bundle=version.bundle))


def challenge(plan: Plan, plan_digest: Digest, state: State) -> Challenge | None:
    """What is to be decided now; None if no gate is open, or nobody's signature can be checked at it."""
    gate, visit, version = state.gate_plan(plan), state.gate, state.subject
    if gate is None or visit is None or version is None or not visit.electorate.audience:
        return None
    opening = Opening(
        lifecycle=state.model,
        plan=plan_digest,
        visit=state.visit,
        opened=visit.opened.isoformat(timespec="microseconds"),
        audience=visit.electorate.audience,
    )
    return Challenge(
        audience=visit.electorate.audience,
        lifecycle=state.model,
        plan=plan_digest,
        gate=gate.id,
        visit=state.visit,
        nonce=digest(opening),
        artifact=version.artifact,
        evidence=evidence_of(version),
    )
