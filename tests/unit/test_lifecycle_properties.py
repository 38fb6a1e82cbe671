"""What holds in every lifecycle, whatever happens in whatever order."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.evidence import StepKind
from models.inventory import VersionStatus
from models.lifecycle import Step, step
from models.messages import RunStep
from models.state import AS_JSON, Phase, State, change, snapshot
from models.status import describe
from tests.unit.kernel_world import World, happening, plan_of

PLANS = {name: plan_of(name) for name in ("credit-high-risk", "low-risk")}


def check(world: World, before: State, last: Step) -> None:
    """Every invariant of the kernel, after one event."""
    state = world.state
    assert state.seq == before.seq + 1
    if last.refusal:
        assert last.commands == ()
        assert state == change(before, seq=state.seq)
    champions = [n for n, status in state.statuses.items() if status is VersionStatus.CHAMPION]
    assert champions == ([state.champion.number] if state.champion else [])
    if before.phase is Phase.ENDED:
        assert last.refusal
    if before.stage in world.plan.closing:
        assert state.stage in world.plan.closing
    if before.intent and not last.refusal and state.intent and state.visit == before.visit:
        assert state.intent.turn >= before.intent.turn
    orders = [command.order for command in last.commands if isinstance(command, RunStep)]
    assert len(orders) <= 1
    for order in orders:
        assert order == state.in_flight
        if order.kind in (StepKind.PROMOTE, StepKind.RESTORE):
            _check_gates(world, state)
    _check_not_lost(state)
    _check_serving(world, state)


def _check_gates(world: World, state: State) -> None:
    order = state.in_flight
    assert order is not None
    assert order.environment is not None
    versions = [v for v in (state.candidate, state.champion, state.previous) if v and v.number == order.version]
    assert versions, "only a version in play is deployed"
    assert set(world.plan.environment_gates[order.environment]) <= set(versions[0].gates)


def _check_serving(world: World, state: State) -> None:
    production = world.plan.production
    if production in state.serving:
        assert state.champion is not None
        assert state.serving[production] == state.champion.number


def _check_not_lost(state: State) -> None:
    match state.phase:
        case Phase.WORKING:
            assert state.in_flight or (state.paused and state.held)
        case Phase.DECIDING:
            assert state.gate
            assert state.subject
        case Phase.STUCK:
            assert state.failure
        case Phase.ENDED:
            assert state.champion is None
            assert state.in_flight is None


def _drive(world: World, data: st.DataObject, length: int) -> None:
    for _ in range(length):
        before = world.state
        if before.in_flight and data.draw(st.integers(0, 2)):
            last = world.answer()
        elif before.gate and data.draw(st.booleans()):
            last = world.decide(data.draw(st.sampled_from(["dmitri", "rosa", "ravi", "lena", "paul", "ana"])))
        elif data.draw(st.integers(0, 9)) == 0:
            last = world.submit()
        else:
            last = world.say(happening(data, world))
        check(world, before, last)


@pytest.mark.parametrize("name", PLANS)
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_invariants_hold_from_the_beginning(name: str, data: st.DataObject) -> None:
    """One champion at most, gates before environments, the end is the end, nothing is lost, refusals change nothing."""
    world = World(PLANS[name])
    world.start()
    _drive(world, data, 40)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_invariants_hold_in_production(data: st.DataObject) -> None:
    """The same, from a lifecycle that has a champion already."""
    world = World(PLANS["credit-high-risk"])
    world.to_production()
    _drive(world, data, 40)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_replaying_the_events_gives_the_same_state(data: st.DataObject) -> None:
    """State is a fold over events: the same list gives the same state, and survives JSON on the way."""
    world = World(PLANS["credit-high-risk"])
    world.start()
    _drive(world, data, 30)
    state = State(model="loans", owner="olga")
    for event in world.events:
        state = AS_JSON.validate_json(AS_JSON.dump_json(state))
        state = step(world.plan, state, event).state
    assert state == world.state
    assert snapshot(state) == snapshot(world.state)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_state_can_be_described(data: st.DataObject) -> None:
    """There is always a sentence for what a lifecycle waits for."""
    world = World(PLANS["credit-high-risk"])
    world.start()
    _drive(world, data, 25)
    assert describe(world.plan, "sha256:" + "0" * 64, world.state).waiting_for
