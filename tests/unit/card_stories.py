"""Lifecycles in situations that people look at, and the golden cards of them.

`python -m tests.unit.card_stories` draws the golden cards anew; the change is then reviewed as text.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from models.canonical import digest_bytes
from models.evidence import Evidence
from models.messages import Action, Decided, Failure, StepFailed, TimerFired
from models.state import Phase
from models.status import Status, describe
from tests.unit.kernel_world import World, plan_of
from workflows.card import render

GOLDEN = Path(__file__).parent / "cards"
HOSTILE = "<script>alert(1)</script> [a](http://b.c) `c` | *d* _e_ ```\n# f {runId} &lt; &#60; é😀\u202e"


def status_of(world: World) -> Status:
    """The status under a plan whose digest does not change with every word of the template."""
    return describe(world.plan, digest_bytes(b"plan"), world.state)


def awaiting() -> World:
    """Intake is done and no version is there."""
    world = World(plan_of("credit-high-risk"))
    world.start()
    world.run("development")
    return world


def asking(stage: str = "validation") -> World:
    """A version waits at a gate; nobody has decided."""
    world = awaiting()
    world.submit()
    while world.state.stage != stage or world.state.phase is not Phase.DECIDING:
        world.answer(evidence=_evidence(world)) if world.state.in_flight else world.approve_one()
    return world


def half_approved() -> World:
    """One approval is given, one is missing, and what was written about it is hostile."""
    world = asking()
    world.say(Decided(decision=world.decision("dmitri", reason=HOSTILE)))
    return world


def overdue() -> World:
    """The deadline has passed without a decision."""
    world = asking()
    world.say(TimerFired(visit=world.state.visit, timer="sla"), timedelta(days=10))
    return world


def stuck() -> World:
    """A step has failed for good."""
    world = awaiting()
    world.submit()
    order = world.state.in_flight
    assert order is not None
    failure = Failure(type="UnavailableError", message=f"DEV does not answer: {HOSTILE}", remedy="start it, then retry")
    world.say(StepFailed(visit=order.visit, step=order.step, failure=failure))
    return world


def working() -> World:
    """A step is under way."""
    world = awaiting()
    world.submit()
    return world


def paused() -> World:
    """A step is held back, beside a champion."""
    world = steady()
    world.ask(Action.PAUSE)
    world.submit()
    return world


def steady() -> World:
    """The second version serves, the first could come back."""
    world = World(plan_of("credit-high-risk"))
    world.to_production()
    world.submit()
    world.earn()
    return world


def suspended() -> World:
    """Nothing serves; a version or a rollback is awaited."""
    world = steady()
    world.ask(Action.SUSPEND)
    world.earn()
    return world


def unreviewed() -> World:
    """A version is kept from production because nobody has looked into an emergency."""
    world = steady()
    world.ask(Action.ROLLBACK, emergency=True)
    world.earn()
    world.submit()
    world.earn()
    return world


def ended() -> World:
    """The model is retired."""
    world = steady()
    world.ask(Action.RETIRE)
    world.earn()
    return world


def _evidence(world: World) -> tuple[Evidence, ...]:
    step = world.state.in_flight.step if world.state.in_flight else ""
    return (Evidence(kind=step, digest=digest_bytes(step.encode()), summary=f"{step} found nothing wrong"),)


STORIES: dict[str, Callable[[], World]] = {
    story.__name__: story
    for story in (
        awaiting,
        working,
        asking,
        half_approved,
        overdue,
        stuck,
        paused,
        steady,
        suspended,
        unreviewed,
        ended,
    )
}


def card_of(world: World, *troubles: str) -> str:
    """The card of a world."""
    return render(world.plan, status_of(world).model_copy(update={"troubles": troubles}))


if __name__ == "__main__":
    for name, story in STORIES.items():
        (GOLDEN / f"{name}.md").write_text(card_of(story()))
