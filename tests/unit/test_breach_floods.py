"""However many breaches are reported: one remedy, no more than the brakes allow, and a state that stays small."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.evidence import StepKind
from models.lifecycle import Step
from models.messages import Action, Breach, Breached, Notify, RunStep
from models.plan import Brakes, Plan
from models.state import AS_JSON, Phase
from tests.temporal.house import plan_of
from tests.unit.kernel_world import World

MANY = 10_000
STATE_BYTES = 12_000
"""A state with all that it may remember of breaches; ten thousand of them would be more than a million."""
PLAN = plan_of("credit-high-risk", ("otherwise: suspend", "otherwise: escalate"))
MONITORS = [monitor.id for monitor in PLAN.monitors]
NOW, HOUR = timedelta(0), timedelta(hours=1)
gaps = st.sampled_from([NOW, timedelta(seconds=1), HOUR, timedelta(days=1), timedelta(days=8), timedelta(days=60)])


def producing(plan: Plan = PLAN) -> World:
    """A champion that is watched."""
    world = World(plan)
    world.to_production()
    return world


def breach(world: World, monitor: str, window: str, after: timedelta) -> Step:
    """A monitor reports a breach."""
    return world.say(Breached(breach=Breach(monitor=monitor, window=window, reasons=("drift 0.4",))), after)


def ordered(step: Step) -> Iterator[StepKind]:
    """What an event has begun."""
    return (command.order.kind for command in step.commands if isinstance(command, RunStep))


def most(plan: Plan) -> int:
    """How many uses a state may remember: those that brakes count, and the last one of each monitor."""
    return sum(monitor.brakes.at_most + 1 for monitor in plan.monitors)


@pytest.mark.parametrize("gap", [NOW, HOUR], ids=["at-once", "hourly"])
@pytest.mark.parametrize("windows", [1, MANY], ids=["one-window", "as-many-windows"])
def test_ten_thousand_breaches_have_one_remedy(windows: int, gap: timedelta) -> None:
    """Of several monitors, by turns, while the version that is to mend it is on its way: it is trained once."""
    world, begun, told = producing(), Counter[StepKind](), 0
    for number in range(MANY):
        answer = breach(world, MONITORS[number % len(MONITORS)], f"w{number % windows}", gap)
        begun.update(ordered(answer))
        notices = sum(isinstance(command, Notify) for command in answer.commands)
        assert notices == (answer.refusal is None)
        told += notices
    assert begun == {StepKind.TRAIN: 1}
    assert told == (len(MONITORS) if windows == 1 else MANY)
    assert len(world.state.remedies) <= most(PLAN)
    assert len(AS_JSON.dump_json(world.state)) <= STATE_BYTES


def test_a_breach_that_only_tells_people_is_of_its_monitors_thread() -> None:
    """What starts a remedy is told by itself; of the others, when too many wait, the newest of a monitor is enough."""
    world = producing()
    found = [(monitor, breach(world, monitor, f"w{number}", HOUR)) for number, monitor in enumerate(MONITORS * 3)]
    told = [(monitor, one.thread) for monitor, answer in found for one in answer.commands if isinstance(one, Notify)]
    assert len(told) == len(found)
    remedied = [thread for (_, thread), (_, answer) in zip(told, found, strict=True) if list(ordered(answer))]
    assert remedied == [""]
    assert sum(thread == monitor for monitor, thread in told) == len(told) - 1


def within(brakes: Brakes, uses: Sequence[datetime]) -> bool:
    """Whether an automatic action happened no more often than its brakes allow."""
    cooled = all(after - before >= timedelta(seconds=brakes.cooldown) for before, after in pairwise(uses))
    windows = [[use for use in uses if timedelta(0) <= last - use < timedelta(seconds=brakes.per)] for last in uses]
    return cooled and all(len(recent) <= brakes.at_most for recent in windows)


def live_on(world: World, data: st.DataObject) -> None:
    """Whatever the lifecycle waits for is done, or fails, or nobody does anything."""
    for _ in range(data.draw(st.integers(0, 40))):
        if world.state.in_flight and data.draw(st.integers(0, 19)):
            world.answer()
        elif world.state.in_flight:
            world.fail()
        elif world.state.phase is Phase.STUCK:
            world.ask(Action.RETRY)
        elif world.state.phase is Phase.DECIDING and world.state.gate:
            world.approve_one()
        elif world.state.phase is Phase.AWAITING_VERSION:
            world.submit()
        else:
            return


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), otherwise=st.sampled_from(["suspend", "escalate"]))
def test_brakes_hold_whatever_happens_in_between(data: st.DataObject, otherwise: str) -> None:
    """Breaches of anything at any time: never sooner than the cooldown says, never more often than within the time."""
    plan = plan_of("credit-high-risk", ("otherwise: suspend", f"otherwise: {otherwise}"))
    world, trained = producing(plan), dict[str, list[datetime]]()
    for _ in range(data.draw(st.integers(1, 12))):
        monitor, window = data.draw(st.sampled_from(MONITORS)), f"w{data.draw(st.integers(0, 6))}"
        answer = breach(world, monitor, window, data.draw(gaps))
        if StepKind.TRAIN in ordered(answer):
            trained.setdefault(monitor, []).append(world.now)
        assert len(world.state.remedies) <= most(plan)
        live_on(world, data)
    for name, uses in trained.items():
        planned = plan.monitor(name)
        assert planned
        assert within(planned.brakes, uses)
