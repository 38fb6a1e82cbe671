"""Whether a version may enter an environment, whoever brings it in: what the actuator asks, asked at any time."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from models.canonical import Digest, Frozen, Slug
from models.clearance import Known, Tied, hear, loose, unearned
from models.emergency import unreviewed
from models.evidence import StepKind, StepOrder
from models.inventory import Environment
from models.plan import Plan
from models.state import State, Turn, Version
from models.waivers import lapsed


class Passed(Frozen):
    """A gate that a version has passed, and who has approved it there: nobody at one that asks no people."""

    gate: Slug
    approved_by: tuple[Slug, ...] = ()


class Entitlement(NamedTuple):
    """What the record says about a version before an environment: gates passed and missing, and what speaks against."""

    passed: tuple[Passed, ...] = ()
    missing: tuple[Slug, ...] = ()
    objections: tuple[str, ...] = ()


class Claim(Frozen):
    """A version, by what its rows say of it, and the environment that somebody wants it to enter."""

    model: Slug
    version: int
    artifact: Digest | None
    bundle: Digest | None
    environment: Environment


def entitlement(claim: Claim, plan: Plan, record: Sequence[Tied], known: Known, at: datetime) -> Entitlement:
    """What the record says of a claim at a moment (UTC): it is held to all that an order is, but need not be due."""
    order = _order(claim, plan)
    if order is None:
        return Entitlement(objections=(f"the lifecycle of '{claim.model}' leads to no {claim.environment}",))
    hearing = hear(order, plan, record, known)
    if hearing is None:
        return Entitlement(objections=(f"nothing is on record of who owns '{order.model}'",))
    version = _in_play(order, hearing.state)
    demanded = _demanded(order, plan)
    passed = [gate for gate in demanded if version and gate in version.gates]
    return Entitlement(
        passed=tuple(Passed(gate=gate, approved_by=hearing.approvers(gate)) for gate in passed),
        missing=tuple(gate for gate in demanded if gate not in passed),
        objections=(
            *filter(None, map(loose, record)),
            *hearing.problems,
            *_out_of_play(order, plan, hearing.state),
            *_barred(order, plan, hearing.state, at),
            *unearned(order, plan, hearing),
        ),
    )


def void(claim: Claim, plan: Plan, record: Sequence[Tied], known: Known) -> tuple[str, ...]:
    """Why approvals that a version was let in with would not let it in today: who gave them left the role, or a key."""
    order = _order(claim, plan)
    hearing = hear(order, plan, record, known) if order else None
    return tuple(unearned(order, plan, hearing)) if order and hearing else ()


def _order(claim: Claim, plan: Plan) -> StepOrder | None:
    """The order that would bring it in; None if its lifecycle does not lead there."""
    kind = StepKind.PROMOTE
    stage = next((one.name for one in plan.stages if one.environment is claim.environment), None)
    return StepOrder(**dict(claim), visit=0, step=kind.value, kind=kind, stage=stage) if stage else None


def _demanded(order: StepOrder, plan: Plan) -> tuple[Slug, ...]:
    return plan.environment_gates.get(order.environment, ()) if order.environment else ()


def _in_play(order: StepOrder, state: State) -> Version | None:
    return next((one for one in (state.candidate, state.champion) if one and one.number == order.version), None)


def _out_of_play(order: StepOrder, plan: Plan, state: State) -> Iterator[str]:
    """By the record, no such version is under way, and none serves."""
    version = _in_play(order, state)
    if version is None:
        status = state.statuses.get(order.version or 0, "not on record")
        yield f"version {order.version} of '{order.model}' is {status}: only one that is under way or serves may enter"
        return
    for what, recorded, asked in (
        ("artifact", version.artifact, order.artifact),
        ("bundle", version.bundle, order.bundle),
    ):
        if recorded != asked:
            yield f"by the record, version {order.version} has {what} {recorded}, not {asked}"
    if missing := [gate for gate in _demanded(order, plan) if gate not in version.gates]:
        yield f"version {order.version} has not passed {', '.join(missing)}, which {order.environment} demands"
    serves = state.serving.get(order.environment) == order.version if order.environment else False
    if version == state.champion and order.environment == plan.production and not serves:
        yield f"version {order.version} is champion, and was taken out of service in {order.environment}"


def _barred(order: StepOrder, plan: Plan, state: State, at: datetime) -> Iterator[str]:
    """What keeps anything from entering now: an end, a turn that is asked for, a pause, glass, a waiver."""
    if state.stage in plan.closing:
        yield f"'{order.model}' is being retired"
    if state.intent and state.intent.turn is not Turn.NEW_VERSION:
        yield f"'{order.model}' is asked to {state.intent.turn.name.lower()}"
    if state.paused:
        yield f"the lifecycle of '{order.model}' is paused"
    for failure in (lapsed(plan, state, order, at), unreviewed(plan, state, order)):
        if failure:
            yield failure.message
