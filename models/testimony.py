"""Whether the decisions on record were decided as it says: every signature and what it is about, checked once more."""

from collections.abc import Iterator
from typing import NamedTuple

from models.audit import Replayed, Tampering
from models.authentication import read_decision
from models.canonical import Digest
from models.messages import Attempted, Decided
from models.plan import Plan


class Doubt(NamedTuple):
    """Why a recorded decision is not what it says."""

    kind: Tampering
    message: str


def doubts(plan: Plan, plan_digest: Digest, replayed: Replayed) -> Iterator[Doubt]:
    """What is to be said against an event if it is a decision. One that counted must have been signed."""
    if replayed.recorded is None:
        return
    event, refusal = replayed.recorded.event, replayed.recorded.refusal
    if not isinstance(event.body, Decided | Attempted):
        return
    if event.body.envelope is None:
        if refusal is None:
            yield Doubt(Tampering.UNSIGNED, f"{event.body.decision.person} decided, and nobody has signed it")
        return
    again = read_decision(plan, plan_digest, replayed.before, event.body.envelope, event.at)
    if isinstance(again, Decided) and isinstance(event.body, Decided):
        yield from _differences(event.body, again)
    elif again != event.body:
        yield Doubt(Tampering.FORGED, "what was sent is not what is recorded of it")
    if isinstance(again, Decided) and again.objection and refusal is None:
        yield Doubt(Tampering.FORGED, f"{again.decision.person}'s decision counted, although {again.objection}")


def _differences(recorded: Decided, again: Decided) -> Iterator[Doubt]:
    for name in type(again.decision).model_fields:
        was, signed = getattr(recorded.decision, name), getattr(again.decision, name)
        if was != signed:
            yield Doubt(
                Tampering.FORGED, f"the decision's {name} is recorded as {was!r}; what was signed is {signed!r}"
            )
    if recorded.objection != again.objection:
        found, told = recorded.objection or "nothing", again.objection or "nothing"
        yield Doubt(Tampering.FORGED, f"recorded against the signature is: {found}; found against it now: {told}")
