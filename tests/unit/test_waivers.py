"""What is done without ends on a day, and something follows from that."""

import json
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.canonical import digest
from models.deadlines import pending, timer_in_words
from models.evidence import StepKind
from models.inventory import Environment
from models.messages import Action, Notify, RunStep, TimerFired
from models.plan import Plan, ReviewPlan
from models.policy import END
from models.proof.exploration import explore
from models.proof.moves import Moves
from models.proof.symmetry import Symmetry
from models.state import AS_JSON, Phase, State, change
from models.status import describe, waiting_for
from models.waivers import end_of, guarded
from tests.unit.kernel_world import EPOCH, TEMPLATES, World, happening, plan_of
from tests.unit.small_plans import SMALL, waiving

PLAN = waiving(SMALL)
CONTROLS = {one.control: one for one in PLAN.waived}
TWO_OF_RISK, KEPT = CONTROLS["two-of-risk"], CONTROLS["kept"]
LAST = datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)
"""The last moment of the shorter waiver."""


@pytest.fixture
def world() -> World:
    """A lifecycle in production that does without two controls."""
    found = World(PLAN)
    found.to_production()
    return found


def timers(world: World) -> list[str]:
    """The timers of waivers that run, soonest first."""
    return [one.timer for one in pending(world.plan, world.state) if one.timer.startswith("waiver:")]


def fire(world: World, timer: str) -> tuple[Notify, ...]:
    """A timer fires when it is due; what people are told."""
    due = next(one.due for one in pending(world.plan, world.state) if one.timer == timer)
    answer = world.say(TimerFired(visit=world.state.visit, timer=timer), max(due - world.now, timedelta(0)))
    assert answer.refusal is None
    return tuple(command for command in answer.commands if isinstance(command, Notify))


def to_the_gate(world: World) -> None:
    """A new version comes to where only people keep it from production."""
    world.submit()
    while world.state.phase is not Phase.DECIDING:
        world.answer()


def test_a_plan_says_who_answers_for_what_until_when() -> None:
    """Owner, reason, last day and renewals are in the plan."""
    assert KEPT.waiver is not None
    assert KEPT.waiver.model_dump() == {"owner": "olga", "reason": "The archive is being built.", "renewals": 1}
    assert [(one.control, one.waived_until) for one in PLAN.waived] == [
        ("kept", date(2026, 2, 28)),
        ("two-of-risk", date(2026, 3, 31)),
    ]
    assert end_of(KEPT) == LAST


def test_plans_and_states_without_waivers_are_written_as_before() -> None:
    """Nothing is added to what is written where nothing is waived, so digests of old plans and states stay."""
    state = json.loads(AS_JSON.dump_json(State(model="loans", owner="olga")))
    assert not {"lapsed", "reminded", "glass"} & state.keys()
    assert "waived" not in plan_of("credit-high-risk").model_dump()
    assert pending(plan_of("credit-high-risk"), State(model="loans", owner="olga", stage="intake")) == ()


def test_people_are_reminded_and_told(world: World) -> None:
    """30 days and 7 days before the end, and at the end, who answers for it is told, once each."""
    assert timers(world)[:2] == ["waiver:kept:30", "waiver:kept:7"]
    for timer, words in (("waiver:kept:30", "ends on"), ("waiver:kept:7", "ends on"), ("waiver:kept", "ended on")):
        (told,) = fire(world, timer)
        assert (told.people, told.topic) == (("olga",), timer)
        assert f"the waiver of control 'kept' {words} 2026-02-28" in told.subject
        assert timer not in timers(world)
    assert world.state.lapsed == ("kept",)
    assert world.state.reminded == ()
    assert timers(world) == ["waiver:two-of-risk:30", "waiver:two-of-risk:7", "waiver:two-of-risk"]


def test_who_reviews_champions_is_told_as_well() -> None:
    """Where the plan has a review, its role hears of waivers, too."""
    world = World(PLAN.model_copy(update={"review": ReviewPlan(every=86_400 * 365, to="risk")}))
    world.start()
    (told,) = fire(world, "waiver:kept:30")
    assert (told.roles, told.people) == (("risk",), ("olga",))


def test_reminders_that_are_late_come_as_one(world: World) -> None:
    """A lifecycle that begins in the last week of a waiver reminds once."""
    world.now = LAST - timedelta(days=2)
    assert len(fire(world, "waiver:kept:30")) == 1
    assert [timer for timer in timers(world) if "kept" in timer] == ["waiver:kept"]


@pytest.mark.parametrize("ended", ["its timer has fired", "its timer is late"])
def test_from_the_end_on_nothing_is_promoted(world: World, ended: str) -> None:
    """The promotion is not started, whichever came first; the lifecycle says why, and what does and does not help."""
    to_the_gate(world)
    if ended == "its timer has fired":
        fire(world, "waiver:kept")
    world.now = LAST + timedelta(hours=1)
    while world.state.phase is Phase.DECIDING:
        world.approve_one()
    assert not any(isinstance(command, RunStep) for command in world.last.commands)
    assert (world.state.stage, world.state.phase) == ("production", Phase.STUCK)
    assert world.state.failure is not None
    assert world.state.failure.type == "WaiverLapsed"
    assert (
        "the waiver of control 'kept' ended on 2026-02-28: nothing is promoted to PROD" in world.state.failure.message
    )
    assert "retr" not in waiting_for(world.plan, world.state)
    assert world.state.serving[Environment.PROD] == 1
    world.ask(Action.RETRY)
    assert world.state.phase is Phase.STUCK


def test_until_the_end_everything_goes_on(world: World) -> None:
    """In the last second of its last day a waiver holds; reminders keep nothing back."""
    to_the_gate(world)
    fire(world, "waiver:kept:30")
    world.now = LAST - timedelta(minutes=5)
    world.earn()
    assert world.state.champion is not None
    assert world.state.champion.number == 2


@pytest.mark.parametrize("action", [Action.ROLLBACK, Action.SUSPEND, Action.RETIRE, Action.ABANDON])
def test_what_makes_things_safer_stays_possible(world: World, action: Action) -> None:
    """Without a waiver a lifecycle can still turn back."""
    world.submit()
    world.earn()
    to_the_gate(world)
    fire(world, "waiver:kept")
    assert world.ask(action).refusal is None
    while world.state.in_flight:
        world.answer()
    assert world.state.phase is not Phase.STUCK
    assert (world.state.serving.get(Environment.PROD)) == {Action.ROLLBACK: 1, Action.ABANDON: 2}.get(action)


def test_a_step_that_was_held_is_not_started_either(world: World) -> None:
    """A promotion that a pause held back, or that failed before, does not begin after the end."""
    to_the_gate(world)
    world.ask(Action.PAUSE)
    while world.state.phase is Phase.DECIDING:
        world.approve_one()
    assert world.state.held is not None
    fire(world, "waiver:kept")
    world.ask(Action.RESUME)
    assert (world.state.phase, world.state.in_flight) == (Phase.STUCK, None)


@pytest.mark.parametrize(
    ("before", "place"),
    [(None, "PROD"), ("PROD", "PROD"), ("TEST", "TEST"), ("staging", "staging"), ("DEV", None), ("retired", None)],
)
def test_what_a_control_guards(before: str | None, place: str | None) -> None:
    """Its environment or stage where something is promoted; production, where it names none."""
    assert guarded(PLAN, TWO_OF_RISK.model_copy(update={"before": before})) == place
    assert guarded(PLAN, TWO_OF_RISK.model_copy(update={"before": END})) is None


def test_a_control_before_another_environment_guards_that_one(world: World) -> None:
    """What ended before TEST keeps a new version from TEST, and not one that is there from production."""
    early = TWO_OF_RISK.model_copy(update={"before": "TEST"})
    world.plan = PLAN.model_copy(update={"controls": (early,)})
    to_the_gate(world)
    fire(world, "waiver:two-of-risk")
    world.earn()
    assert world.state.champion is not None
    assert world.state.champion.number == 2
    world.submit()
    while world.state.in_flight:
        world.answer()
    assert (world.state.stage, world.state.phase) == ("staging", Phase.STUCK)


def test_plans_from_before_waivers_had_owners_have_no_timers() -> None:
    """A running lifecycle on such a plan goes on as it did."""
    old = PLAN.model_copy(update={"controls": (KEPT.model_copy(update={"waiver": None}),)})
    world = World(old)
    world.to_production()
    assert timers(world) == []


def test_timers_in_words() -> None:
    """The history and the engine say what is due."""
    assert timer_in_words("waiver:kept") == "the end of the waiver of control 'kept'"
    assert timer_in_words("waiver:kept:7") == "a reminder that the waiver of control 'kept' ends in 7 days"


def test_the_status_tells(world: World) -> None:
    """Before and after the end, the status says what is done without."""
    plan_digest = digest(world.plan)
    (first, second) = describe(world.plan, plan_digest, world.state).matters
    assert first == "Control 'kept' is waived until 2026-02-28 (olga answers for it)"
    fire(world, "waiver:kept")
    (first, again) = describe(world.plan, plan_digest, world.state).matters
    assert first == (
        "The waiver of control 'kept' ended on 2026-02-28 (olga answers for it); nothing is promoted to PROD any more"
    )
    assert again == second


def test_a_plan_that_waives_is_proved() -> None:
    """Whatever happens before and after the end of a waiver: every promise holds, and retirement can be reached."""
    found = explore(waiving((TEMPLATES / "low-risk.yaml").read_text()))
    assert found.counter_example is None
    assert found.outcome == "proved"


def test_of_waivers_that_guard_the_same_one_is_explored() -> None:
    """Which of two has ended makes no difference to what may happen."""
    world = World(PLAN)
    world.start()
    marks = {
        Symmetry(PLAN).fingerprint(change(world.state, lapsed=lapsed))
        for lapsed in ((), ("kept",), ("two-of-risk",), ("kept", "two-of-risk"))
    }
    assert len(marks) == 2
    assert "the timer waiver:kept is due" in [move.words for move, _ in Moves(PLAN).possible(world.state)]


def check_promotions(world: World, plan: Plan) -> None:
    """No promotion has begun where a waiver has ended, by the clock or by its timer."""
    for command in world.last.commands:
        if isinstance(command, RunStep) and command.order.kind is StepKind.PROMOTE:
            for one in plan.waived:
                ended = one.control in world.state.lapsed or world.now > datetime.combine(
                    one.waived_until or date.max, time.max, UTC
                )
                assert not (ended and command.order.environment == Environment.PROD)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_is_promoted_after_the_end(data: st.DataObject) -> None:
    """Whatever is said around the end of a waiver, in whatever order: no promotion to production begins after it."""
    world = World(PLAN)
    world.start()
    world.run("development")
    world.now = LAST - timedelta(days=data.draw(st.integers(0, 40)))
    assert world.now > EPOCH
    for _ in range(30):
        lot = data.draw(st.integers(0, 3))
        if world.state.in_flight and lot:
            world.answer()
        elif world.state.gate and lot:
            world.decide(data.draw(st.sampled_from(["rosa", "ravi", "lena"])))
        elif world.state.phase is Phase.AWAITING_VERSION:
            world.submit()
        else:
            world.say(happening(data, world), timedelta(days=data.draw(st.integers(0, 5))))
        check_promotions(world, PLAN)
