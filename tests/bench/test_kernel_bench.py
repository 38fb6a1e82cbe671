"""What one event costs in the kernel, beside a state machine that is a dictionary of functions."""

import time
from collections.abc import Callable

import pytest

from models.lifecycle import step
from models.messages import Body
from models.state import AS_JSON, State
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

Place = dict[str, object]
Move = Callable[[Place, Body], Place]
Table = dict[tuple[str, str], Move]


def _story() -> World:
    """From the start to production, with its four approvals."""
    world = World(CREDIT)
    world.to_production()
    return world


def _table(world: World) -> Table:
    """The reference: place and event to a function that returns the next place; it checks nothing."""
    events = enumerate(world.events)
    return {(str(index), event.body.event): _to(str(index + 1), index + 1) for index, event in events}


def _to(name: str, seq: int) -> Move:
    def move(place: Place, body: Body) -> Place:
        return {**place, "name": name, "seq": seq, "last": body}

    return move


def _dispatched(table: Table, world: World) -> None:
    place: Place = {"name": "0", "seq": 0, "last": None}
    for event in world.events:
        place = table[str(place["name"]), event.body.event](place, event.body)


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
    table, events = _table(world), world.events
    pairs = [(_timed(lambda: _stepped(world)), _timed(lambda: _dispatched(table, world))) for _ in range(ROUNDS)]
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
