"""The glass breaks: what makes things safer is done at once, and somebody else looks into it afterwards."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.deadlines import pending
from models.emergency import GLASS, WITHIN
from models.evidence import StepKind
from models.inventory import Environment
from models.lifecycle import Step
from models.messages import Action, CancelStep, Notify, Request, Requested, RunStep, TimerFired
from models.plan import ReviewPlan
from models.state import AS_JSON, Phase, State
from models.status import describe, waiting_for
from tests.unit.kernel_world import World, happening, plan_of

CREDIT = plan_of("credit-high-risk")
REVIEWED = CREDIT.model_copy(update={"review": ReviewPlan(every=86_400 * 365, to="risk")})
DIGEST = "sha256:" + "0" * 64


@pytest.fixture
def world() -> World:
    """A second version has become champion; people of risk review champions."""
    found = World(REVIEWED)
    found.to_production()
    found.submit()
    found.earn()
    return found


def settle(world: World) -> None:
    """Every step that is in flight answers."""
    while world.state.in_flight:
        world.answer()


def told(world: World) -> list[Notify]:
    """What people were told last."""
    return [command for command in world.last.commands if isinstance(command, Notify)]


def fire(world: World) -> Step:
    """Nobody has confirmed in time."""
    due = next(one.due for one in pending(world.plan, world.state) if one.timer == GLASS)
    return world.say(TimerFired(visit=world.state.visit, timer=GLASS), due - world.now)


def test_it_is_done_at_once_and_remembered(world: World) -> None:
    """Who, what, when and why are in the state; the owner and those who review champions are told."""
    assert world.ask(Action.SUSPEND, emergency=True).refusal is None
    assert world.state.stage == "suspended"
    assert world.state.glass is not None
    (done,) = world.state.glass.emergencies
    assert (done.person, done.action, done.at, done.reason) == ("sam", Action.SUSPEND, world.now, "it is time")
    (notice,) = told(world)
    assert (notice.roles, notice.people) == (("risk",), ("olga",))
    assert "sam broke the glass to suspend the model: it is time" in notice.subject
    assert AS_JSON.validate_json(AS_JSON.dump_json(world.state)) == world.state


def test_it_is_done_while_paused_and_amid_another_stage(world: World) -> None:
    """A step in flight is cancelled, a pause is over."""
    world.submit()
    world.answer()
    world.ask(Action.PAUSE)
    assert CancelStep() in world.ask(Action.ROLLBACK, emergency=True).commands
    assert not world.state.paused
    settle(world)
    assert world.state.serving[Environment.PROD] == 1
    assert world.state.glass is not None


@pytest.mark.parametrize("action", [one for one in Action if one not in (Action.SUSPEND, Action.ROLLBACK)])
def test_nothing_else_is_an_emergency(world: World, action: Action) -> None:
    """What could make things less safe, or could wait, is refused in words."""
    refusal = world.ask(action, emergency=True).refusal
    assert refusal == f"an emergency makes things safer: it can suspend or roll back, not {action}"
    assert world.state.glass is None


def test_what_makes_no_sense_breaks_no_glass() -> None:
    """Where nothing serves there is nothing to suspend, emergency or not."""
    world = World(CREDIT)
    world.start()
    assert "nothing to suspend" in (world.ask(Action.SUSPEND, emergency=True).refusal or "")
    assert world.state.glass is None


def test_an_ordinary_turn_leaves_nothing_behind(world: World) -> None:
    """To suspend or to roll back as ever asks nobody to look into it."""
    world.ask(Action.SUSPEND)
    assert world.state.glass is None
    assert "emergency" not in Requested(action=Action.SUSPEND, request=Request(person="a", reason="b")).model_dump()


@pytest.mark.parametrize("action", [Action.CONFIRM, Action.REVIEW])
def test_it_takes_a_second_person(world: World, action: Action) -> None:
    """Who broke the glass neither confirms nor reviews it; anybody else does."""
    assert "nothing was done in an emergency" in (world.ask(action).refusal or "")
    world.ask(Action.ROLLBACK, emergency=True)
    assert world.ask(action).refusal == f"sam broke the glass: somebody else has to {action} that"
    assert world.ask(action, "rosa").refusal is None
    assert world.ask(action, "ravi").refusal is not None


def test_a_confirmation_stops_the_clock(world: World) -> None:
    """Once a second person stands by it nobody is called; its review stays open."""
    world.ask(Action.ROLLBACK, emergency=True)
    (due,) = [one.due for one in pending(world.plan, world.state) if one.timer == GLASS]
    assert due == world.now + WITHIN
    world.ask(Action.CONFIRM, "rosa")
    assert GLASS not in [one.timer for one in pending(world.plan, world.state)]
    assert world.state.glass is not None
    assert world.state.glass.confirmed == "rosa"
    assert world.ask(Action.CONFIRM, "ravi").refusal == "rosa has confirmed it already"


def test_without_a_confirmation_people_are_called(world: World) -> None:
    """After a day the owner and those who review hear of it, once; it stays overdue until it is confirmed."""
    world.ask(Action.ROLLBACK, emergency=True)
    settle(world)
    assert fire(world).refusal is None
    (notice,) = told(world)
    assert "escalation: sam broke the glass to roll back" in notice.subject
    assert (notice.roles, notice.people) == (("risk",), ("olga",))
    assert GLASS not in [one.timer for one in pending(world.plan, world.state)]
    assert any("overdue" in one for one in describe(world.plan, DIGEST, world.state).matters)
    assert "not running" in (world.say(TimerFired(visit=world.state.visit, timer=GLASS)).refusal or "")
    world.ask(Action.CONFIRM, "rosa")
    assert any("rosa has confirmed it" in one for one in describe(world.plan, DIGEST, world.state).matters)


def test_a_second_emergency_does_not_buy_time(world: World) -> None:
    """The clock of the first goes on; nobody who took part in either may confirm."""
    world.ask(Action.ROLLBACK, emergency=True)
    settle(world)
    first = next(one.due for one in pending(world.plan, world.state) if one.timer == GLASS)
    world.ask(Action.SUSPEND, "rosa", emergency=True)
    assert next(one.due for one in pending(world.plan, world.state) if one.timer == GLASS) == first
    for person in ("sam", "rosa"):
        assert "somebody else" in (world.ask(Action.CONFIRM, person).refusal or "")
    assert world.ask(Action.CONFIRM, "lena").refusal is None


def test_a_second_emergency_is_confirmed_anew(world: World) -> None:
    """Who has confirmed the first and then breaks the glass themselves needs somebody else."""
    world.ask(Action.ROLLBACK, emergency=True)
    settle(world)
    world.ask(Action.CONFIRM, "rosa")
    world.ask(Action.SUSPEND, "rosa", emergency=True)
    assert world.state.glass is not None
    assert (world.state.glass.confirmed, world.state.glass.since) == (None, world.now)
    assert "rosa broke the glass" in (world.ask(Action.REVIEW, "rosa").refusal or "")


def test_the_next_promotion_waits_for_the_review(world: World) -> None:
    """It is not started; once the review is closed a retry starts it."""
    world.ask(Action.ROLLBACK, emergency=True)
    settle(world)
    world.ask(Action.CONFIRM, "rosa")
    world.submit()
    world.earn()
    assert (world.state.stage, world.state.phase) == ("production", Phase.STUCK)
    assert world.state.serving == {Environment.DEV: 3, Environment.TEST: 3, Environment.PROD: 1}
    assert waiting_for(world.plan, world.state) == (
        "Stuck until a second person has closed the review, and somebody retries: nothing is promoted to PROD before "
        "somebody has reviewed what sam did in an emergency"
    )
    world.ask(Action.RETRY)
    assert world.state.phase is Phase.STUCK
    world.ask(Action.REVIEW, "rosa")
    assert world.state.glass is None
    world.ask(Action.RETRY)
    world.earn()
    assert world.state.serving[Environment.PROD] == 3


def test_retirement_needs_no_review(world: World) -> None:
    """A model can be retired whatever is open, and its last status says what was."""
    world.ask(Action.SUSPEND, emergency=True)
    world.ask(Action.RETIRE)
    settle(world)
    assert world.state.phase is Phase.ENDED
    assert pending(world.plan, world.state) == ()
    assert describe(world.plan, DIGEST, world.state).glass is not None


def check(before: State, world: World) -> None:
    """The two-person rule, and that nothing new goes into production, after one event."""
    body, was, now = world.events[-1].body, before.glass, world.state.glass
    orders = [command.order for command in world.last.commands if isinstance(command, RunStep)]
    if world.last.refusal:
        assert now == was
        return
    if isinstance(body, Requested) and body.emergency:
        assert body.action in (Action.SUSPEND, Action.ROLLBACK)
        assert now is not None
        assert body.request.person in now.people
        assert all(order.kind is not StepKind.PROMOTE for order in orders)
    if was and now is None:
        assert isinstance(body, Requested)
        assert body.action is Action.REVIEW
        assert body.request.person not in was.people
    if was and now:
        assert was.people <= now.people
    if now and now.confirmed:
        assert now.confirmed not in now.people
    known = {version.number for version in (before.champion, before.previous) if version}
    for order in orders:
        if order.kind is StepKind.RESTORE:
            assert order.version in known
        if order.kind is StepKind.PROMOTE and order.environment == Environment.PROD:
            assert now is None


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_two_people_whatever_happens(data: st.DataObject) -> None:
    """Who did something in an emergency never closes it, and until somebody else has, nothing is promoted."""
    world = World(CREDIT)
    world.to_production()
    for _ in range(40):
        before, lot = world.state, data.draw(st.integers(0, 9))
        if before.in_flight and lot < 5:
            world.answer()
        elif before.gate and lot < 5:
            world.decide(data.draw(st.sampled_from(["dmitri", "rosa", "ravi", "lena", "paul"])))
        elif lot < 8:
            person = data.draw(st.sampled_from(["sam", "rosa", "lena"]))
            action = data.draw(st.sampled_from([Action.SUSPEND, Action.ROLLBACK, Action.CONFIRM, Action.REVIEW]))
            world.ask(
                action, person, emergency=action in (Action.SUSPEND, Action.ROLLBACK) and data.draw(st.booleans())
            )
        elif lot == 8:
            world.submit()
        else:
            world.say(happening(data, world), timedelta(hours=data.draw(st.integers(0, 30))))
        check(before, world)
