"""A champion is looked at anew when its time has come, however many years it serves."""

from datetime import timedelta

import pytest

from models.deadlines import REVIEW, pending
from models.messages import Action, Notify, TimerFired
from models.plan import ReviewPlan
from tests.unit.kernel_world import World, plan_of

YEAR = timedelta(days=365)


@pytest.fixture
def world() -> World:
    """A champion that risk is to look at once a year."""
    review = ReviewPlan(every=int(YEAR.total_seconds()), to="risk")
    world = World(plan_of("credit-high-risk").model_copy(update={"review": review}))
    world.to_production()
    return world


def _due(world: World) -> timedelta:
    (deadline,) = pending(world.plan, world.state)
    assert deadline.timer == REVIEW
    return deadline.due - world.now


def test_the_role_is_told_every_year(world: World) -> None:
    """The first review is due a year after the version became champion, the next a year after that one."""
    for year in (1, 2, 3):
        due = _due(world)
        assert timedelta(0) < due <= YEAR
        told = world.say(TimerFired(visit=world.state.visit, timer=REVIEW), due).commands
        assert [(one.roles, one.visit) for one in told if isinstance(one, Notify)] == [(("risk",), world.state.visit)]
        assert year == len([event for event in world.events if isinstance(event.body, TimerFired)])


def test_a_challenger_that_fails_puts_no_review_off(world: World) -> None:
    """Only another champion begins a new year."""
    before = pending(world.plan, world.state)
    world.submit()
    world.ask(Action.ABANDON)
    world.earn()
    assert pending(world.plan, world.state) == before
    world.submit()
    world.earn()
    assert pending(world.plan, world.state) != before


def test_without_a_review_nothing_is_due() -> None:
    """A plan that asks for none has no timer in production."""
    world = World(plan_of("low-risk"))
    world.to_production()
    assert pending(world.plan, world.state) == ()
    assert "not running" in (world.say(TimerFired(visit=world.state.visit, timer=REVIEW)).refusal or "")
