"""Candidate, champion, previous: who succeeds whom. At most one champion, at any time."""

from models.canonical import replace
from models.evidence import StepKind, StepOrder, StepResult
from models.inventory import Environment, Submission, VersionStatus
from models.state import State, Version, change
from models.verdict import Verdict

REMEMBERED = 20
"""Versions no longer in play whose status stays in the state; the inventory has them all."""

_LIVE = frozenset({VersionStatus.CANDIDATE, VersionStatus.CHAMPION, VersionStatus.PREVIOUS})


def admit(state: State, submission: Submission) -> State:
    """A submission becomes the candidate, under the next number."""
    number = state.submitted + 1
    version = Version(
        number=number,
        artifact=submission.artifact.digest,
        developer=submission.developer,
        submitter=submission.submitter,
        trained_by=submission.trained_by,
    )
    gone = [number for number, status in sorted(state.statuses.items()) if status not in _LIVE]
    forgotten = set(gone[:-REMEMBERED])
    statuses = {known: status for known, status in state.statuses.items() if known not in forgotten}
    return change(
        state,
        intent=None,
        submitted=number,
        submission=submission,
        candidate=version,
        statuses=statuses | {number: VersionStatus.CANDIDATE},
        passages=(),
    )


def drop(state: State, status: VersionStatus) -> State:
    """The candidate, if there is one, leaves with a status."""
    if state.candidate is None:
        return state
    return change(state, candidate=None, submission=None, statuses=state.statuses | {state.candidate.number: status})


def pass_gate(state: State, gate: str) -> State:
    """The candidate has earned a gate."""
    version = state.candidate
    if version is None or gate in version.gates:
        return state
    return change(state, candidate=replace(version, gates=(*version.gates, gate)))


def book(state: State, order: StepOrder, result: StepResult, production: Environment | None) -> State:
    """What the world looks like after a step, whatever comes next."""
    state = _credit(state, order, result)
    environment, version = order.environment, order.version
    match order.kind:
        case StepKind.TIGHTEN:
            return change(state, tightened=order.tightened)
        case StepKind.MONITOR | StepKind.STOP_MONITORS:
            return change(state, tightened=None)
        case StepKind.PROMOTE if result.verdict is Verdict.PASS and environment and version:
            state = change(state, serving=state.serving | {environment: version})
            return _crown(change(state, doubtful=False)) if environment == production else state
        case StepKind.RESTORE if environment and version:
            state = change(state, serving=state.serving | {environment: version}, doubtful=False)
            return _restore(state) if state.previous and state.previous.number == version else state
        case StepKind.STOP_SERVING:
            return change(state, serving={e: v for e, v in state.serving.items() if e != environment}, doubtful=False)
        case StepKind.UNDEPLOY:
            return change(state, serving={}, doubtful=False)
        case _:
            return state


def end(state: State) -> State:
    """Nothing lives on: every version that was still in play is retired."""
    gone = [number for number, status in state.statuses.items() if status in _LIVE]
    statuses = state.statuses | dict.fromkeys(gone, VersionStatus.RETIRED)
    return change(state, statuses=statuses, candidate=None, champion=None, previous=None, intent=None, submission=None)


def _credit(state: State, order: StepOrder, result: StepResult) -> State:
    version = state.candidate
    found = result.readings or result.evidence or result.bundle
    if version is None or version.number != order.version or not found:
        return state
    earned = replace(
        version,
        readings=(*version.readings, *result.readings),
        evidence=(*version.evidence, *result.evidence),
        bundle=result.bundle or version.bundle,
    )
    return change(state, candidate=earned)


def _crown(state: State) -> State:
    new, old, older = state.candidate, state.champion, state.previous
    if new is None:
        return state
    statuses = state.statuses | {new.number: VersionStatus.CHAMPION}
    if old:
        statuses |= {old.number: VersionStatus.PREVIOUS}
    if old and older:
        statuses |= {older.number: VersionStatus.RETIRED}
    return change(state, champion=new, previous=old or older, candidate=None, submission=None, statuses=statuses)


def _restore(state: State) -> State:
    """What the previous champion replaces must earn its way anew."""
    old, bad = state.previous, state.champion
    if old is None:
        return state
    statuses = state.statuses | {old.number: VersionStatus.CHAMPION}
    if bad:
        statuses |= {bad.number: VersionStatus.WITHDRAWN}
    return change(state, champion=old, previous=None, statuses=statuses)
