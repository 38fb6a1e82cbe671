"""Where a lifecycle turns to: which of what was asked for counts, and when it is taken."""

from models.plan import Plan
from models.state import Intent, Phase, State, Turn


def joined(known: Intent | None, asked: Intent) -> Intent:
    """The higher turn of both; a submission that waits is kept beside it."""
    if known is None:
        return asked
    return Intent(turn=max(known.turn, asked.turn), submission=asked.submission or known.submission)


def may_take(plan: Plan, state: State) -> bool:
    """A new version waits for the opening stages, and for what production, a trial and suspension have begun.

    Everything else waits only for the step in flight.
    """
    if state.intent is None or state.phase is Phase.ENDED:
        return False
    if state.intent.turn is not Turn.NEW_VERSION:
        return True
    busy = state.phase in (Phase.WORKING, Phase.STUCK)
    stage = state.stage_plan(plan)
    if busy and (stage.steady or stage.trial or stage.name == plan.enters.suspension):
        return False
    elsewhere = state.stage not in plan.opening and state.stage not in plan.closing
    return elsewhere and not (busy and state.doubtful)
