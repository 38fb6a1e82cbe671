"""Turns that meet each other: what is asked while something else is under way, and what comes of it."""

from datetime import timedelta

import pytest

from models.evidence import StepKind
from models.inventory import Environment, VersionStatus
from models.messages import Action, CancelStep, Choice
from models.plan import Remedy
from models.state import Phase
from models.succession import REMEMBERED
from models.verdict import Verdict
from tests.unit.kernel_world import World, plan_of


@pytest.fixture
def world() -> World:
    """A high-risk lifecycle that has not begun."""
    return World(plan_of("credit-high-risk"))


@pytest.fixture
def producing(world: World) -> World:
    """A high-risk lifecycle whose first version is champion."""
    world.to_production()
    return world


def _promote(world: World) -> None:
    """Answer and approve until the promotion to PROD is in flight."""
    while world.state.stage != "production":
        world.answer() if world.state.in_flight else world.approve_one()


def _submitted(world: World) -> World:
    world.start()
    world.run("development")
    world.submit()
    return world


def _suspended(world: World) -> World:
    world.ask(Action.SUSPEND)
    while world.state.in_flight:
        world.answer()
    assert Environment.PROD not in world.state.serving
    return world


@pytest.mark.parametrize("choice", list(Choice))
def test_a_turn_asked_while_approvers_are_asked_again_is_taken(world: World, choice: Choice) -> None:
    """Somebody asks to retire while the directory is read anew: the gate's last decision leads to retirement."""
    _submitted(world)
    while world.state.phase is not Phase.DECIDING:
        world.answer()
    world.decide("dmitri")
    world.ask(Action.RETRY)
    assert "being read anew" in (world.ask(Action.RETRY).refusal or "")
    assert world.ask(Action.RETIRE).commands == (CancelStep(),)
    assert world.decide("rosa", choice).refusal is None
    assert world.state.stage == "retiring"
    assert world.state.intent is None
    assert world.state.statuses == {1: VersionStatus.WITHDRAWN}


def test_what_was_submitted_enters_when_the_one_before_fails(world: World) -> None:
    """A version that waits for a first promotion enters when that fails its smoke test."""
    _promote(_submitted(world))
    world.submit()
    world.answer(verdict=Verdict.FAIL)
    assert world.state.statuses == {1: VersionStatus.REJECTED, 2: VersionStatus.CANDIDATE}
    assert world.state.stage == "development"


def test_a_stuck_promotion_can_be_given_up_for_the_version_that_waits(world: World) -> None:
    """Abandoning lets the submitted version in, once it is certain what production serves."""
    _promote(_submitted(world))
    world.fail()
    world.submit()
    assert world.ask(Action.ABANDON).refusal is None
    order = world.state.in_flight
    assert order is not None
    assert order.kind is StepKind.STOP_SERVING
    world.answer()
    assert world.state.statuses == {1: VersionStatus.WITHDRAWN, 2: VersionStatus.CANDIDATE}
    assert not world.state.doubtful


def test_a_submission_survives_a_suspension(producing: World) -> None:
    """A version that was accepted and waits enters after a stronger turn."""
    producing.submit()
    producing.earn()
    producing.ask(Action.ROLLBACK)
    producing.submit()
    producing.ask(Action.SUSPEND)
    while producing.state.stage != "development":
        producing.answer()
    assert producing.state.candidate is not None
    assert producing.state.candidate.number == 3


def test_one_submission_waits_at_a_time(producing: World) -> None:
    """While a version waits another is refused, in words that are true with nothing in flight, too."""
    _promote(_and_submit(producing))
    producing.fail()
    producing.submit()
    assert "another version has been submitted already" in (producing.submit().refusal or "")


def _and_submit(world: World) -> World:
    world.submit()
    return world


@pytest.mark.parametrize("ends", ["fails and is given up", "is turned away"])
def test_a_suspended_champion_stays_out_of_production(producing: World, ends: str) -> None:
    """When the version that was to replace it comes to nothing, nobody has asked for the suspended champion."""
    _promote(_and_submit(_suspended(producing)))
    producing.fail()
    if ends == "is turned away":
        producing.ask(Action.RETRY)
        producing.answer(verdict=Verdict.FAIL)
    else:
        producing.ask(Action.ABANDON)
    while producing.state.in_flight:
        assert producing.state.in_flight.kind is not StepKind.RESTORE
        producing.answer()
    assert producing.state.stage == "suspended"
    assert Environment.PROD not in producing.state.serving
    assert not producing.state.doubtful


def test_what_people_were_told_does_not_stand_in_for_a_remedy(producing: World) -> None:
    """A breach that was only told, because a version was under way, starts retraining once the champion is alone."""
    producing.submit()
    producing.breach("w1")
    assert [use.remedy for use in producing.state.remedies] == [Remedy.ESCALATE]
    assert "acted on already" in (producing.breach("w1").refusal or "")
    producing.ask(Action.ABANDON)
    producing.earn()
    assert producing.breach("w1").refusal is None
    assert [use.remedy for use in producing.state.remedies] == [Remedy.RETRAIN]


def test_an_answer_without_what_was_asked_is_a_failure(world: World) -> None:
    """Asked who may decide, a step that says nothing leaves the lifecycle stuck, where a person sees it."""
    _submitted(world)
    while world.state.in_flight and world.state.in_flight.kind is not StepKind.ASK:
        world.answer()
    world.answer(electorate=None)
    assert world.state.phase is Phase.STUCK
    assert world.state.failure is not None
    assert world.state.failure.type == "IncompleteAnswer"


def test_the_state_stays_small_over_the_years(producing: World) -> None:
    """Of hundreds of versions and breaches the state keeps those in play, and what its brakes count."""
    for number in range(3 * REMEMBERED):
        producing.submit()
        producing.ask(Action.ABANDON)
        producing.earn()
        producing.breach(f"w{number}", after=timedelta(hours=1))
        producing.earn()
    assert len(producing.state.statuses) <= REMEMBERED + 3
    assert producing.state.submitted > 3 * REMEMBERED
    assert len(producing.state.remedies) <= producing.plan.monitors[0].brakes.at_most + 2
