"""Why nothing of a model serves: which monitor has had it suspended, or who has, and since when."""

from collections.abc import Iterable
from datetime import datetime

from models.audit import AuditEntry, replay
from models.canonical import Frozen, Slug
from models.messages import Action, Breached, Requested
from models.plan import Plan, Remedy
from models.state import State


class Suspended(Frozen):
    """By a monitor or by a person, for what reason; `at` is when it was asked for (UTC)."""

    at: datetime
    monitor: Slug | None = None
    person: Slug | None = None
    reason: str

    def __str__(self) -> str:
        """In words, without the time."""
        by = f"monitor '{self.monitor}'" if self.monitor else self.person
        return f"by {by}: {self.reason}"


def suspended_by(plan: Plan, initial: State, entries: Iterable[AuditEntry]) -> Suspended | None:
    """What has had a model suspended, by its trail; None once a version serves again, or if nothing has."""
    found: Suspended | None = None
    for one in replay(plan, initial, entries):
        if one.recorded is None or one.refusal:
            continue
        at, body = one.recorded.event.at, one.recorded.event.body
        if isinstance(body, Requested) and body.action is Action.SUSPEND:
            found = Suspended(at=at, person=body.request.person, reason=body.request.reason)
        elif isinstance(body, Breached) and one.state.remedies[-1].remedy is Remedy.SUSPEND:
            found = Suspended(at=at, monitor=body.breach.monitor, reason="; ".join(body.breach.reasons))
        elif plan.production in one.state.serving and plan.production not in one.before.serving:
            found = None
    return found
