"""What one event costs in the kernel, beside a state machine that is a dictionary of functions."""

import time
from collections.abc import Callable

import pytest

from models.lifecycle import step
from models.state import AS_JSON, State
from tests.bench.dictionary import dispatch, table_of
from tests.bench.race import best
from tests.bench.table import show
from tests.temporal.house import plan_of
from tests.unit.kernel_world import World

pytestmark = pytest.mark.bench

ROUNDS = 100
REPEATS = 5
TIMES_A_DICTIONARY = 120
TIMES_AN_EVENT = 5
CREDIT = plan_of("credit-high-risk")


def _story() -> World:
    """From the start to production, with its four approvals."""
    world = World(CREDIT)
    world.to_production()
    return world


def _stepped(world: World) -> None:
    state = State(model="loans", owner="olga")
    for event in world.events:
        state = step(world.plan, state, event).state


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    for _ in range(REPEATS):
        work()
    return (time.perf_counter() - began) / REPEATS


def test_a_step_of_the_kernel() -> None:
    """An event takes the kernel a bounded multiple of a dictionary look-up and a copy."""
    world = _story()
    events = world.events
    table = table_of(events)
    pairs = [(_timed(lambda: _stepped(world)), _timed(lambda: dispatch(table, events))) for _ in range(ROUNDS)]
    ratio = best(*zip(*pairs, strict=True))
    each = min(ours for ours, _ in pairs) / len(events)
    row = ("step() / dictionary of functions", (f"{ratio:.0f}", f"{each * 1e6:.0f} us"))
    show(f"kernel, {len(events)} events to production", ("time", "an event"), [row])
    assert ratio <= TIMES_A_DICTIONARY


def test_the_state_as_json() -> None:
    """Writing and reading the state costs about as much as a few events, once per run of a lifecycle."""
    world = _story()
    text = AS_JSON.dump_json(world.state)
    assert AS_JSON.validate_json(text) == world.state

    def there_and_back() -> None:
        AS_JSON.validate_json(AS_JSON.dump_json(world.state))

    pairs = [(_timed(there_and_back), _timed(lambda: _stepped(world)) / len(world.events)) for _ in range(ROUNDS)]
    ratio = best(*zip(*pairs, strict=True))
    row = ("JSON, there and back / step()", (f"{ratio:.1f}", f"{len(text)}"))
    show("state, at the end of the same story", ("time", "bytes"), [row])
    assert ratio <= TIMES_AN_EVENT
