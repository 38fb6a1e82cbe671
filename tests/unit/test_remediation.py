"""What a breach starts by itself, what holds it back, and that whatever it started ends somewhere safe."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.compiler import compile_template
from models.evidence import StepKind, Tightened
from models.inventory import Environment, VersionStatus
from models.lifecycle import Step
from models.messages import Action, Breach, Breached, Notify, RunStep
from models.plan import Plan, Remedy
from models.proof.remedies import started
from models.remediation import may_start
from models.state import Phase
from models.verdict import Verdict
from tests.unit.good_templates import edited
from tests.unit.kernel_world import World
from tests.unit.small_plans import REMEDIES

PLAN = compile_template(REMEDIES, "remedies.yaml")
_ASKING = REMEDIES[REMEDIES.index("    gate: {id: release") : REMEDIES.index("    then: {pass: production, fail: dev")]
HOUR = timedelta(hours=1)
UNATTENDED = compile_template(edited(REMEDIES, (_ASKING, "    gate: {checks: [threats]}\n")), "unattended.yaml")
"""Nobody has to decide before a version goes into production."""


class Quiet(World):
    """A lifecycle whose steps answer."""

    def drain(self) -> set[StepKind]:
        """Every step answers; of which kinds they were."""
        kinds = set[StepKind]()
        while self.state.in_flight:
            kinds.add(self.state.in_flight.kind)
            self.answer()
        return kinds


def producing(plan: Plan = PLAN, versions: int = 1) -> Quiet:
    """A lifecycle whose last version is champion, at rest."""
    world = Quiet(plan)
    for _ in range(versions):
        world.to_production()
    assert world.state.phase is Phase.STEADY
    return world


def breach(world: World, monitor: str, window: str = "w1", after: timedelta = timedelta(days=60)) -> Step:
    """A monitor reports a breach."""
    return world.say(Breached(breach=Breach(monitor=monitor, window=window, reasons=("psi 0.4",))), after)


def notice(step: Step) -> Notify:
    """What people are told of it."""
    (said,) = [command for command in step.commands if isinstance(command, Notify)]
    return said


def begins(step: Step) -> list[StepKind]:
    """The steps that begin."""
    return [command.order.kind for command in step.commands if isinstance(command, RunStep)]


def test_a_breach_rolls_back() -> None:
    """The previous champion serves again, and the one in breach has to earn its way anew."""
    world = producing(versions=2)
    step = breach(world, "worse")
    assert begins(step) == [StepKind.RESTORE]
    assert notice(step).subject == "loans: worse breached (psi 0.4); remedy: rollback"
    world.earn()
    assert world.state.statuses == {1: VersionStatus.CHAMPION, 2: VersionStatus.WITHDRAWN}
    assert (world.state.serving[Environment.PROD], world.state.phase) == (1, Phase.STEADY)


def test_nothing_to_roll_back_to_is_what_the_brakes_say() -> None:
    """And whoever is told hears why."""
    world = producing()
    step = breach(world, "worse")
    assert begins(step) == []
    assert notice(step).subject.endswith(
        "remedy: escalate, not rollback: there is no previous champion to roll back to"
    )


def test_what_does_not_serve_is_not_rolled_back() -> None:
    """A suspended model comes back when a person asks for it: a late breach brings nothing back."""
    world = producing(versions=2)
    world.ask(Action.SUSPEND)
    while world.state.in_flight:
        world.answer()
    step = breach(world, "worse")
    assert begins(step) == []
    assert "one thing at a time: suspend is under way" in notice(step).subject


def test_a_rollback_does_not_wait_for_a_version_on_its_way() -> None:
    """It makes things safer at once; retraining waits, and an investigation disturbs nobody."""
    world = producing(versions=2)
    world.submit()
    step = breach(world, "drift")
    assert (begins(step), world.state.candidate is not None) == ([], True)
    assert notice(step).subject.endswith("escalate, not retrain: one thing at a time: a new version is under way")
    assert world.state.in_flight == breach(world, "odd").state.in_flight
    breach(world, "worse")
    world.earn()
    assert world.state.statuses[1] is VersionStatus.CHAMPION
    assert world.state.statuses[3] is VersionStatus.WITHDRAWN


def test_a_rollback_does_not_take_the_next_champion_back() -> None:
    """While another version goes into production, a breach of the one that served is only told."""
    world = producing(versions=2)
    world.submit()
    while world.state.stage != "production":
        world.answer() if world.state.in_flight else world.approve_one()
    assert "not rollback: one thing at a time" in notice(breach(world, "worse")).subject
    world.earn()
    assert world.state.statuses[3] is VersionStatus.CHAMPION


def test_an_investigation_is_a_message_of_its_own() -> None:
    """Whoever opens tickets listens to it; nothing else changes, and its brakes hold."""
    world = producing()
    before = world.state
    step = breach(world, "odd")
    assert (notice(step).topic, begins(step)) == (f"investigate:{step.state.seq}", [])
    assert (step.state.stage, step.state.phase, step.state.visit) == (before.stage, Phase.STEADY, before.visit)
    again = breach(world, "odd", "w2", timedelta(hours=2))
    assert notice(again).topic.startswith("breach:")
    assert "not investigate: its brakes are on" in notice(again).subject


def test_a_breach_tightens() -> None:
    """For the cooldown of its brakes the monitor looks more often; a breach in that time starts what comes instead."""
    world = producing()
    step = breach(world, "near")
    order, until = world.state.in_flight, world.now + timedelta(days=2)
    assert begins(step) == [StepKind.TIGHTEN]
    assert order is not None
    assert order.tightened == Tightened(monitor="near", until=until)
    world.answer()
    assert (world.state.phase, world.state.stage, world.state.tightened) == (
        Phase.STEADY,
        "production",
        order.tightened,
    )
    assert (
        "not retrain: one thing at a time: a monitor is tightened" in notice(breach(world, "drift", "w2", HOUR)).subject
    )
    breach(world, "near", "w3", HOUR)
    world.drain()
    assert (world.state.stage, world.state.tightened) == ("suspended", None)


def test_a_tightened_monitor_is_back_to_normal_by_itself() -> None:
    """Once its time is over nothing is under way any more, and a breach tightens it anew."""
    world = producing()
    breach(world, "near")
    world.answer()
    step = breach(world, "near", "w2", timedelta(days=2))
    assert begins(step) == [StepKind.TIGHTEN]
    world.answer()
    assert begins(breach(world, "drift", "w3", timedelta(days=2))) == [StepKind.TRAIN]


@pytest.mark.parametrize("action", [Action.SUSPEND, Action.ROLLBACK, Action.RETIRE, Action.ABANDON])
def test_a_tightening_that_fails_holds_nothing_up(action: Action) -> None:
    """It is seen, and whoever turns the lifecycle turns it; its monitors begin anew, or end, and none is tightened."""
    world = producing(versions=2)
    breach(world, "near")
    world.fail()
    assert (world.state.phase, world.state.tightened) == (Phase.STUCK, None)
    assert world.ask(action).refusal is None
    kinds = world.drain()
    assert kinds & {StepKind.MONITOR, StepKind.STOP_MONITORS}
    assert world.state.tightened is None


def test_a_tightening_is_tried_again() -> None:
    """Under the same key, for the same time."""
    world = producing()
    breach(world, "near")
    order = world.state.in_flight
    world.fail()
    world.ask(Action.RETRY)
    assert world.state.in_flight == order
    world.answer()
    assert (world.state.phase, world.state.tightened) == (Phase.STEADY, order and order.tightened)


def test_a_rollback_does_not_bring_back_what_a_remedy_has_replaced() -> None:
    """Drift has had version 1 replaced; that version 2 is worse is no reason to begin anew with version 1."""
    world = producing()
    breach(world, "drift")
    world.earn()
    assert world.state.statuses == {1: VersionStatus.PREVIOUS, 2: VersionStatus.CHAMPION}
    step = breach(world, "worse", "w2")
    assert begins(step) == []
    assert "not rollback: loop: version 1 was in breach of drift" in notice(step).subject


def test_nothing_is_trained_again_on_the_same_data() -> None:
    """Two monitors that retrain: what one of them has had trained on a window is not trained on it for the other."""
    second = REMEDIES + (
        "  other: {checks: [drift], every: 1d, then: retrain,\n"
        "          brakes: {cooldown: 7d, at_most: 2, per: 30d, otherwise: escalate}}\n"
    )
    world = producing(compile_template(second, "second.yaml"))
    breach(world, "drift")
    world.earn()
    step = breach(world, "other")
    assert begins(step) == []
    assert "not retrain: loop: a version has been trained on window w1 already" in notice(step).subject
    assert begins(breach(world, "other", "w2")) == [StepKind.TRAIN]


def test_a_restore_that_fails_is_undone() -> None:
    """An automatic rollback that fails half-way: given up, what the state says serves is put there anew."""
    world = producing(versions=2)
    breach(world, "worse")
    world.fail()
    assert (world.state.phase, world.state.doubtful) == (Phase.STUCK, True)
    assert "one thing at a time" in notice(breach(world, "drift", "w2")).subject
    step = world.ask(Action.ABANDON)
    order = world.state.in_flight
    assert begins(step) == [StepKind.RESTORE]
    assert order is not None
    assert (order.version, order.environment) == (2, Environment.PROD)
    world.earn()
    assert (world.state.phase, world.state.doubtful, world.state.serving[Environment.PROD]) == (Phase.STEADY, False, 2)
    assert world.state.statuses == {1: VersionStatus.PREVIOUS, 2: VersionStatus.CHAMPION}


@pytest.mark.parametrize("ends", ["fails", "is rejected"])
def test_a_retraining_that_comes_to_nothing_leaves_the_champion(ends: str) -> None:
    """It serves on, nothing is started or stopped about its monitors, and the lifecycle rests again."""
    world = producing()
    breach(world, "drift")
    if ends == "fails":
        world.fail()
        world.ask(Action.ABANDON)
    else:
        world.answer()
        world.answer(verdict=Verdict.FAIL)
    assert world.drain() <= {StepKind.MONITOR}
    assert (world.state.phase, world.state.serving[Environment.PROD]) == (Phase.STEADY, 1)
    assert world.state.statuses[1] is VersionStatus.CHAMPION


def test_a_person_has_it_retrained() -> None:
    """Brakes are for what acts by itself: they neither hold a person back nor count what a person asked for."""
    world = producing()
    breach(world, "drift")
    world.earn()
    assert begins(world.ask(Action.RETRAIN)) == [StepKind.TRAIN]
    assert [use.monitor for use in world.state.remedies] == ["drift"]
    world.earn()
    assert world.state.statuses[3] is VersionStatus.CHAMPION
    world.submit()
    refusal = world.ask(Action.RETRAIN).refusal or ""
    assert refusal == (
        "a champion is retrained while nothing else is under way; now it is working in stage 'development'"
    )


def test_the_order_of_remedies() -> None:
    """What tells people and what suspends may always start; a rollback beside what is weaker; the rest alone."""
    beside = {
        wanted: [under for under in Remedy if may_start(under, wanted)]
        for wanted in Remedy
        if wanted not in (Remedy.ESCALATE, Remedy.INVESTIGATE, Remedy.SUSPEND)
    }
    assert all(may_start(None, wanted) for wanted in Remedy)
    assert beside.pop(Remedy.ROLLBACK) == [one for one in Remedy if one not in (Remedy.ROLLBACK, Remedy.SUSPEND)]
    assert set(map(tuple, beside.values())) == {()}


class Left(World):
    """A lifecycle that nobody looks at: breaches, and steps that answer."""

    def __init__(self) -> None:
        super().__init__(UNATTENDED)
        self.to_production()
        self.acted: list[tuple[str, datetime]] = []

    def heard(self, monitor: str, window: str, after: timedelta) -> None:
        """A breach, and what it has its monitor do by itself."""
        before = self.state
        began = started(self.plan, before, breach(self, monitor, window, after))
        known = self.plan.monitor(monitor)
        if began and known and began is known.then:
            self.acted.append((monitor, self.now))

    def drain_so(self, verdicts: list[Verdict]) -> None:
        """Every step answers, a version's first ones as given."""
        while self.state.in_flight:
            fits = self.state.in_flight.kind in (StepKind.REGISTER, StepKind.SCAN, StepKind.PACKAGE)
            self.answer(verdict=verdicts.pop() if fits and verdicts else Verdict.PASS)


_MONITORS = st.sampled_from([monitor.id for monitor in UNATTENDED.monitors])
_HEARD = st.tuples(_MONITORS, st.sampled_from(["w1", "w2", "w3", "w4"]), st.integers(1, 24 * 20), st.booleans())


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_HEARD, max_size=25), st.lists(st.sampled_from([Verdict.PASS, Verdict.FAIL]), max_size=12))
def test_without_people_remedies_are_few_and_end_safely(
    happened: list[tuple[str, str, int, bool]], verdicts: list[Verdict]
) -> None:
    """In any period no monitor acts more often than its brakes allow; at the end a champion serves, or nothing does."""
    world = Left()
    for monitor, window, hours, rests in happened:
        world.heard(monitor, window, timedelta(hours=hours))
        if rests:
            world.drain_so(verdicts)
    world.drain_so(verdicts)
    for watched in UNATTENDED.monitors:
        times = [at for name, at in world.acted if name == watched.id]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert all(gap >= timedelta(seconds=watched.brakes.cooldown) for gap in gaps)
        period = timedelta(seconds=watched.brakes.per)
        assert all(sum(since <= at < since + period for at in times) <= watched.brakes.at_most for since in times)
    suspended = world.state.stage == "suspended"
    assert (Environment.PROD in world.state.serving) is not suspended
    assert suspended or world.state.phase is Phase.STEADY
    assert not world.state.doubtful
