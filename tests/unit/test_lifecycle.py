"""The kernel's story, step by step: what happens on the way from registration to retirement."""

from datetime import timedelta

import pytest

from models.approval import eligible
from models.evidence import StepKind
from models.inventory import Environment, VersionStatus
from models.messages import (
    Action,
    CancelStep,
    Choice,
    Notify,
    RunStep,
    Started,
    StepSucceeded,
    TimerFired,
    VersionSubmitted,
)
from models.plan import Remedy
from models.state import Phase, change
from models.verdict import Verdict
from tests.unit.kernel_world import GOOD, THIN, UNFAIR, World, plan_of, submission


@pytest.fixture
def world() -> World:
    """A high-risk lifecycle that has not begun."""
    return World(plan_of("credit-high-risk"))


@pytest.fixture
def producing(world: World) -> World:
    """A high-risk lifecycle whose first version is champion."""
    world.to_production()
    assert world.state.phase is Phase.STEADY
    return world


def _at_gate(world: World, stage: str) -> World:
    world.start()
    world.run("development")
    world.submit()
    while world.state.stage != stage or world.state.phase is not Phase.DECIDING:
        world.answer() if world.state.in_flight else world.approve_one()
    return world


def test_a_good_version_earns_every_gate_and_becomes_champion(producing: World) -> None:
    """With good readings and approvals the first version serves in PROD, having passed every gate that PROD demands."""
    champion = producing.state.champion
    assert champion is not None
    assert set(producing.plan.environment_gates[Environment.PROD]) <= set(champion.gates)
    assert producing.state.serving[Environment.PROD] == 1
    assert producing.state.statuses == {1: VersionStatus.CHAMPION}


def test_low_risk_reaches_production_without_people() -> None:
    """The low-risk lifecycle asks nobody."""
    world = World(plan_of("low-risk"))
    world.to_production()
    assert world.state.phase is Phase.STEADY
    assert not any(event.body.event == "decided" for event in world.events)


def test_an_unfair_version_is_sent_back(world: World) -> None:
    """A version that fails the development gate is rejected, and the lifecycle waits for another."""
    world.start()
    world.run("development")
    world.submit()
    while world.state.in_flight and world.state.in_flight.kind is not StepKind.EVALUATE:
        world.answer()
    world.answer(readings=UNFAIR)
    while world.state.in_flight:
        world.answer()
    assert world.state.statuses == {1: VersionStatus.REJECTED}
    assert (world.state.stage, world.state.phase) == ("development", Phase.AWAITING_VERSION)
    assert world.state.serving.get(Environment.PROD) is None


def test_too_few_observations_do_not_pass(world: World) -> None:
    """A fairness figure on too small a group is inconclusive, which does not lead where PASS leads."""
    world.start()
    world.run("development")
    world.submit()
    while world.state.in_flight:
        world.answer(readings=THIN) if world.state.in_flight.kind is StepKind.EVALUATE else world.answer()
    assert world.state.candidate is None
    assert world.state.passages[-1].verdict is Verdict.INCONCLUSIVE


def test_a_developer_cannot_approve_their_own_version(world: World) -> None:
    """Ana developed the version; she holds the role, and is refused."""
    _at_gate(world, "validation")
    refusal = world.decide("ana").refusal
    assert refusal is not None
    assert "separation of duties" in refusal
    assert world.decide("dmitri").refusal is None


def test_who_trained_a_version_or_wrote_its_template_cannot_approve_it(world: World) -> None:
    """Dmitri trained it, Rosa is one of the template's editors; Ravi did nothing for it."""
    trained = submission(1).model_copy(update={"trained_by": "dmitri"})
    world.plan = world.plan.model_copy(update={"editors": ("olaf", "rosa")})
    world.start()
    world.run("development")
    world.say(VersionSubmitted(submission=trained))
    while world.state.phase is not Phase.DECIDING:
        world.answer()
    assert "dmitri is the trainer of version 1" in (world.decide("dmitri").refusal or "")
    assert "rosa is an editor of the template of version 1" in (world.decide("rosa").refusal or "")
    assert eligible(world.plan, world.state, "risk") == ("ravi",)
    assert world.decide("ravi").refusal is None


def test_what_nobody_has_done_is_left_out(world: World) -> None:
    """A submission without `trained_by` and a plan without editors are written as they were before there were any."""
    assert "trained_by" not in submission(1).model_dump(mode="json")
    assert "editors" not in world.plan.model_dump(mode="json")


def test_a_decision_about_another_visit_or_artifact_counts_for_nothing(world: World) -> None:
    """Stale decisions are refused with the reason and change nothing."""
    _at_gate(world, "validation")
    before = world.state
    assert "visit" in (world.decide("rosa", visit=before.visit - 1).refusal or "")
    assert "artifact" in (world.decide("rosa", artifact=submission(99).artifact.digest).refusal or "")
    assert world.state == change(before, seq=before.seq + 2)


def test_one_person_decides_once(world: World) -> None:
    """The same person's second decision at one visit is refused."""
    _at_gate(world, "validation")
    world.decide("rosa")
    assert "already decided" in (world.decide("rosa").refusal or "")


def test_one_rejection_turns_the_version_away(world: World) -> None:
    """A rejection is final for the visit."""
    _at_gate(world, "staging")
    world.decide("lena")
    world.decide("paul", Choice.REJECT)
    assert world.state.statuses == {1: VersionStatus.REJECTED}
    assert world.state.phase is Phase.AWAITING_VERSION


def test_reminders_escalations_and_the_deadline_are_told(world: World) -> None:
    """Each timer of a gate tells its people once; a gate that holds stays open after its deadline."""
    _at_gate(world, "validation")
    gate = world.state.gate_plan(world.plan)
    assert gate is not None
    assert gate.on_timeout == "hold"
    for timer in ("remind:0", "escalate:0", "sla"):
        step = world.say(TimerFired(visit=world.state.visit, timer=timer), timedelta(days=1))
        assert isinstance(step.commands[0], Notify)
        assert world.say(TimerFired(visit=world.state.visit, timer=timer)).refusal
    assert world.state.phase is Phase.DECIDING


def test_a_failed_step_waits_for_a_person(world: World) -> None:
    """A step that failed for good is stuck, keeps its order, and runs again under the same key when retried."""
    world.start()
    order = world.state.in_flight
    world.fail()
    assert world.state.phase is Phase.STUCK
    world.ask(Action.RETRY)
    assert world.state.in_flight == order


def test_abandoning_a_stuck_version_frees_the_lifecycle(world: World) -> None:
    """A person may give up a version; the lifecycle then waits for another."""
    world.start()
    world.run("development")
    world.submit()
    world.fail()
    world.ask(Action.ABANDON)
    assert world.state.statuses == {1: VersionStatus.WITHDRAWN}
    assert world.state.phase is Phase.AWAITING_VERSION


def test_a_breach_retrains_and_the_challenger_replaces_the_champion(producing: World) -> None:
    """The retrained version enters at development, earns every gate, and succeeds; the old one can be restored."""
    producing.breach()
    assert producing.state.in_flight is not None
    assert producing.state.in_flight.kind is StepKind.TRAIN
    assert producing.state.stage == producing.plan.enters.new_version
    producing.earn()
    assert producing.state.statuses == {1: VersionStatus.PREVIOUS, 2: VersionStatus.CHAMPION}
    producing.ask(Action.ROLLBACK)
    producing.earn()
    assert producing.state.statuses == {1: VersionStatus.CHAMPION, 2: VersionStatus.WITHDRAWN}
    assert producing.state.serving[Environment.PROD] == 1
    assert producing.state.phase is Phase.STEADY


def test_a_failing_challenger_leaves_the_champion(producing: World) -> None:
    """When the challenger fails a gate the champion still serves and the lifecycle is steady again."""
    producing.breach()
    producing.answer()
    while producing.state.in_flight:
        kind = producing.state.in_flight.kind
        producing.answer(readings=UNFAIR) if kind is StepKind.EVALUATE else producing.answer()
    assert producing.state.statuses == {1: VersionStatus.CHAMPION, 2: VersionStatus.REJECTED}
    assert producing.state.phase is Phase.STEADY
    assert producing.state.serving[Environment.PROD] == 1


def test_the_brakes_stop_retraining_again_and_again(producing: World) -> None:
    """A second breach within the cooldown does what the brakes say instead."""
    brakes = producing.plan.monitors[0].brakes
    producing.breach("w1")
    producing.earn()
    producing.breach("w2", timedelta(seconds=brakes.cooldown // 2))
    assert producing.state.remedies[-1].remedy is brakes.otherwise
    assert brakes.otherwise is Remedy.SUSPEND
    producing.earn()
    assert Environment.PROD not in producing.state.serving
    assert producing.state.stage == producing.plan.enters.suspension


def test_one_window_is_acted_on_once(producing: World) -> None:
    """The same breach reported twice starts one retraining."""
    producing.breach("w1")
    producing.earn()
    assert "acted on already" in (producing.breach("w1").refusal or "")


def test_a_failed_smoke_test_keeps_the_champion(producing: World) -> None:
    """A challenger whose smoke test fails in PROD is rejected; what served before still serves."""
    producing.submit()
    while producing.state.stage != "production":
        producing.answer() if producing.state.in_flight else producing.approve_one()
    producing.answer(verdict=Verdict.FAIL)
    producing.earn()
    assert producing.state.statuses == {1: VersionStatus.CHAMPION, 2: VersionStatus.REJECTED}
    assert producing.state.serving[Environment.PROD] == 1


def test_retirement_waits_for_the_step_in_flight(world: World) -> None:
    """A turn asked for in the middle of a step cancels it, and is taken when its answer has come."""
    world.start()
    world.run("development")
    world.submit()
    step = world.ask(Action.RETIRE)
    assert step.commands == (CancelStep(),)
    assert world.state.in_flight is not None
    world.fail()
    assert world.state.stage == world.plan.enters.retirement
    world.earn()
    assert world.state.phase is Phase.ENDED
    assert world.state.statuses == {1: VersionStatus.WITHDRAWN}


def test_a_promotion_that_finished_before_a_rollback_counts(producing: World) -> None:
    """The world is booked before the turn is taken: the new champion was real, and is rolled back."""
    producing.submit()
    while producing.state.stage != "production":
        producing.answer() if producing.state.in_flight else producing.approve_one()
    assert "no previous champion" in (producing.ask(Action.ROLLBACK).refusal or "")
    producing.answer()
    producing.ask(Action.ROLLBACK)
    producing.earn()
    assert producing.state.statuses == {1: VersionStatus.CHAMPION, 2: VersionStatus.WITHDRAWN}


def test_retired_is_the_end(producing: World) -> None:
    """After retirement nothing serves, every version is retired, and every event is refused."""
    producing.ask(Action.RETIRE)
    producing.earn()
    assert producing.state.phase is Phase.ENDED
    assert producing.state.serving == {}
    assert producing.state.statuses == {1: VersionStatus.RETIRED}
    assert producing.submit().refusal == "the lifecycle has ended"


def test_a_submission_during_intake_waits_for_it(world: World) -> None:
    """A version that arrives before intake is passed enters as soon as it is."""
    world.start()
    world.submit()
    assert world.state.candidate is None
    world.answer()
    assert world.state.candidate is not None
    assert world.state.stage == "development"


def test_a_newer_version_takes_the_place_of_one_that_waits(world: World) -> None:
    """A new submission withdraws the candidate at a gate; what was signed for it counts no more."""
    _at_gate(world, "validation")
    world.decide("rosa")
    world.submit()
    assert world.state.statuses == {1: VersionStatus.WITHDRAWN, 2: VersionStatus.CANDIDATE}
    assert world.state.gate is None


def test_pause_starts_nothing_and_resume_goes_on(world: World) -> None:
    """While paused the next step is held; it runs on resume."""
    world.start()
    world.run("development")
    world.submit()
    world.ask(Action.PAUSE)
    assert world.answer().commands == ()
    held = world.state.held
    assert held is not None
    assert world.ask(Action.RESUME).commands == (RunStep(order=held),)


def test_a_second_start_and_a_stale_answer_are_recorded_and_change_nothing(world: World) -> None:
    """Unknown or stale events only count."""
    world.start()
    before = world.state
    assert world.say(Started(plan=submission(1).artifact.digest)).refusal
    stale = StepSucceeded(visit=before.visit + 7, step="classify", result=world.result(before.in_flight))  # type: ignore[arg-type]
    assert "stale" in (world.say(stale).refusal or "")
    assert world.state == change(before, seq=before.seq + 2)


def test_readings_are_credited_to_the_version_that_earned_them(world: World) -> None:
    """What the steps measured is kept with the candidate."""
    _at_gate(world, "validation")
    assert world.state.candidate is not None
    assert {reading.name for reading in world.state.candidate.readings} == {reading.name for reading in GOOD}


def test_a_model_turned_away_at_intake_never_enters(world: World) -> None:
    """A version that waited during intake is not let in once retirement has begun."""
    world.start()
    world.submit()
    world.answer(verdict=Verdict.FAIL)
    assert world.state.stage == world.plan.enters.retirement
    world.earn()
    assert world.state.phase is Phase.ENDED
    assert world.state.statuses == {}


def test_a_submission_does_not_disturb_a_rollback(producing: World) -> None:
    """A new version waits until the previous champion has been restored."""
    producing.submit()
    producing.earn()
    producing.ask(Action.ROLLBACK)
    restoring = producing.state.in_flight
    assert producing.submit().commands == ()
    assert producing.state.in_flight == restoring
    producing.answer()
    assert producing.state.serving[Environment.PROD] == 1
    producing.answer()
    assert producing.state.candidate is not None
    assert producing.state.candidate.number == 3


def test_a_submission_does_not_disturb_a_suspension(producing: World) -> None:
    """A new version waits until production has stopped serving, even if that is stuck."""
    producing.ask(Action.SUSPEND)
    producing.fail()
    producing.submit()
    assert producing.state.phase is Phase.STUCK
    producing.ask(Action.RETRY)
    producing.answer()
    assert Environment.PROD not in producing.state.serving
    producing.answer()
    assert producing.state.candidate is not None


def test_monitors_start_before_a_newer_version_enters(producing: World) -> None:
    """A submission while production begins waits until its monitors run."""
    producing.submit()
    while producing.state.stage != "production":
        producing.answer() if producing.state.in_flight else producing.approve_one()
    producing.submit()
    producing.answer()
    assert producing.state.in_flight is not None
    assert producing.state.in_flight.kind is StepKind.MONITOR


def test_a_weaker_turn_does_not_replace_a_stronger_one(producing: World) -> None:
    """A breach that would suspend does not undo a retirement that waits for a step."""
    producing.breach("w1")
    producing.ask(Action.RETIRE)
    producing.breach("w2", timedelta(minutes=1))
    producing.fail()
    assert producing.state.stage == producing.plan.enters.retirement


def test_a_promotion_that_failed_midway_leaves_no_doubt(producing: World) -> None:
    """After a promotion to PROD that failed and was given up, the champion is deployed again, whatever PROD serves."""
    producing.submit()
    while producing.state.stage != "production":
        producing.answer() if producing.state.in_flight else producing.approve_one()
    producing.fail()
    producing.ask(Action.ABANDON)
    order = producing.state.in_flight
    assert order is not None
    assert (order.kind, order.version) == (StepKind.RESTORE, 1)
    producing.earn()
    assert producing.state.phase is Phase.STEADY
    assert producing.state.statuses == {1: VersionStatus.CHAMPION, 2: VersionStatus.WITHDRAWN}


def test_a_first_promotion_that_failed_midway_is_undone(world: World) -> None:
    """Without a champion, PROD is told to stop serving before a version is awaited again."""
    world.start()
    world.run("development")
    world.submit()
    while world.state.stage != "production":
        world.answer() if world.state.in_flight else world.approve_one()
    world.fail()
    world.ask(Action.ABANDON)
    order = world.state.in_flight
    assert order is not None
    assert (order.kind, order.environment) == (StepKind.STOP_SERVING, Environment.PROD)
    world.answer()
    assert world.state.phase is Phase.AWAITING_VERSION
    assert not world.state.doubtful


def test_an_approval_is_told_as_one(world: World) -> None:
    """The reason of a passage says who approved."""
    _at_gate(world, "validation")
    world.decide("dmitri")
    world.decide("rosa")
    assert world.state.passages[-1].reason.startswith("rosa approved it")
