"""Who is told that nothing of a model serves learns what has had it suspended, and what can be done now."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from client.suspension import Suspended, suspended_by
from models.audit import AuditEntry, AuditHead, AuditKind, seal
from models.canonical import digest
from models.journal import JournalEntry
from models.lifecycle import step
from models.messages import Action
from models.state import Phase, State, snapshot
from tests.unit.card_stories import steady
from tests.unit.kernel_world import World, plan_of
from tests.unit.test_client_status import said

CREDIT = "credit-high-risk"


def entries(world: World) -> list[AuditEntry]:
    """What the trail has of its events."""
    state, found, head = State(model="loans", owner="olga"), list[AuditEntry](), AuditHead()
    for number, event in enumerate(world.events, start=1):
        answer = step(world.plan, state, event)
        state = answer.state
        recorded = JournalEntry(
            model="loans",
            plan=digest(world.plan),
            seq=number,
            event=event,
            refusal=answer.refusal,
            snapshot=snapshot(state),
        )
        found.append(seal(head, "loans", AuditKind.EVENT, event.at, recorded.model_dump_json()))
        head = AuditHead(position=found[-1].position, hash=found[-1].hash)
    return found


def why(world: World) -> Suspended | None:
    """What the trail says of a world."""
    return suspended_by(world.plan, State(model="loans", owner="olga"), entries(world))


def breached() -> World:
    """A monitor has had a version trained, and a day later its brakes have the model suspended."""
    world = World(plan_of(CREDIT))
    world.to_production()
    world.breach("w1")
    world.earn()
    world.breach("w2", timedelta(days=1))
    world.earn()
    return world


def asked() -> World:
    """After a breach that had a version trained, a person suspends; somebody who asks once more is refused."""
    world = steady()
    world.breach("w1")
    world.ask(Action.SUSPEND, "paul")
    world.earn()
    world.ask(Action.SUSPEND, "mallory")
    return world


@pytest.mark.parametrize(
    ("story", "words"),
    [(breached, "by monitor 'drift': drift 0.4"), (asked, "by paul: it is time")],
)
def test_it_is_told_what_has_had_a_model_suspended(story: Callable[[], World], words: str) -> None:
    """What was carried out, and not what came before or was refused; since when."""
    world = story()
    found = why(world)
    assert world.state.stage == "suspended"
    assert found is not None
    assert str(found) == words
    assert found.at in {event.at for event in world.events}
    assert found.at <= world.state.since  # type: ignore[operator]  # a stage has begun


def test_what_serves_again_is_not_suspended() -> None:
    """Nor is what never was: by a rollback, or by a version that has earned its gates."""
    assert why(steady()) is None
    world = breached()
    world.ask(Action.ROLLBACK)
    world.earn()
    assert (world.state.phase, why(world)) == (Phase.STEADY, None)
    world = asked()
    world.submit()
    assert why(world) is not None
    world.earn()
    assert (world.state.phase, why(world)) == (Phase.STEADY, None)


def test_what_can_be_done_is_what_the_rules_permit(capsys: pytest.CaptureFixture[str]) -> None:
    """A version may be handed in; a rollback is offered where there is a version to roll back to, and is admitted."""
    world = breached()
    lines = said(world, capsys)
    assert (
        "Suspended, nothing serves in PROD: waiting for a version to be submitted, or for a rollback to version 1"
        in lines
    )
    assert "Hand one in: modelops submit loans FILE --as YOU" in lines
    assert "Or have version 1 serve again: modelops rollback loans --as YOU --reason WHY" in lines
    assert world.ask(Action.ROLLBACK).refusal is None
    first = World(plan_of(CREDIT))
    first.to_production()
    first.ask(Action.SUSPEND)
    first.earn()
    lines = said(first, capsys)
    assert "Suspended, nothing serves in PROD: waiting for a version to be submitted" in lines
    assert not any("rollback" in line for line in lines)
    assert first.ask(Action.ROLLBACK).refusal is not None
