"""Two thousand models with hourly checks for a virtual year on the kernel: an event's cost, and every promise held."""

import time
from statistics import mean

import pytest

from models.lifecycle import step
from models.state import State
from tests.bench.dictionary import dispatch, table_of
from tests.bench.table import show
from tests.bench.year import Year
from tests.temporal.house import plan_of
from tests.unit.test_breach_floods import STATE_BYTES, most, within

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3_600)]

MODELS = 2_000
REPEATS = 5
TIMES_A_DICTIONARY = 120
HOURLY = plan_of("credit-high-risk", ("every: 1d\n    breach_after: 1", "every: 1h\n    breach_after: 3"))


def test_a_year_of_two_thousand_models() -> None:
    """Brakes are never passed, no state grows, and an event costs what it costs at the beginning."""
    began = time.process_time()
    years = [Year(HOURLY, seed).live() for seed in range(MODELS)]
    took = time.process_time() - began
    events = sum(year.world.state.seq for year in years)
    uses = [(HOURLY.monitor(name), times) for year in years for name, times in year.trained.items()]
    assert all(planned is not None and within(planned.brakes, times) for planned, times in uses)
    assert max(year.largest for year in years) <= most(HOURLY)
    assert max(year.bytes for year in years) <= STATE_BYTES
    counts = {
        "models": MODELS,
        "looks": sum(year.looks for year in years),
        "looks that failed": sum(year.failing for year in years),
        "breaches reported": sum(year.breaches for year in years),
        "breaches admitted, each told": sum(year.told for year in years),
        "retrainings begun": sum(len(times) for _, times in uses),
        "suspensions begun": sum(year.suspended for year in years),
        "events of lifecycles": events,
        "events of the busiest model": max(year.world.state.seq for year in years),
        "bytes of a state in the mean": round(mean(year.bytes for year in years)),
        "bytes of the largest state": max(year.bytes for year in years),
        "us of CPU an event, checked": round(took / events * 1e6),
    }
    show("a virtual year on the kernel", ("",), [(name, (f"{count:,}",)) for name, count in counts.items()])
    ratio, each = _beside_a_dictionary(years)
    row = ("step() / dictionary of functions", (f"{ratio:.0f}", f"{each * 1e6:.0f} us"))
    show("the same events again", ("CPU time", "an event"), [row])
    assert ratio <= TIMES_A_DICTIONARY


def _beside_a_dictionary(years: list[Year]) -> tuple[float, float]:
    """How many times longer than the reference a step takes, and how long, over the busiest models' years."""
    busiest = sorted(years, key=lambda year: year.world.state.seq)[-20:]
    ours = theirs = 0.0
    for year in busiest:
        events, table = year.world.events, table_of(year.world.events)
        ours += min(_folded(year) for _ in range(REPEATS))
        began = time.process_time()
        for _ in range(REPEATS):
            dispatch(table, events)
        theirs += (time.process_time() - began) / REPEATS
    return ours / theirs, ours / sum(year.world.state.seq for year in busiest)


def _folded(year: Year) -> float:
    state = State(model="loans", owner="olga")
    began = time.process_time()
    for event in year.world.events:
        state = step(year.plan, state, event).state
    took = time.process_time() - began
    assert state == year.world.state
    return took
