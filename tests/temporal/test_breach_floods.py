"""Thousands of breaches at a lifecycle that serves: one remedy, a bounded history, and one page of one group."""

import pytest

from models.evidence import StepKind
from models.journal import JournalEntry
from models.messages import Breach
from models.state import Phase
from tests.temporal.house import House, plan_of
from tests.temporal.test_floods import all_of, heard_out
from tests.temporal.tried import effects
from workflows import options

pytestmark = pytest.mark.long

PLAN = plan_of("credit-high-risk", ("otherwise: suspend", "otherwise: escalate"))
MONITORS = [monitor.id for monitor in PLAN.monitors]
COUNT = 6_000
LOOKS = 10


def breaches(house: House) -> list[JournalEntry]:
    """Every report of a breach that is on record."""
    entries = [entry for entry in house.parts.inventory.trail(house.model) if entry.kind == "event"]
    events = [JournalEntry.model_validate_json(entry.body) for entry in entries]
    return [event for event in events if event.event.body.event == "breached"]


async def flood(house: House, windows: int) -> int:
    """So many signals, by turns of each monitor; the events of the longest run afterwards."""
    found = [
        Breach(monitor=MONITORS[number % len(MONITORS)], window=f"w{number % windows}", reasons=("drift 0.4",))
        for number in range(COUNT)
    ]
    answers = await all_of("signal", (house.handle.signal("report_breach", one) for one in found))
    assert answers.count(None) == COUNT
    await heard_out(house)
    await house.recorded()
    runs = [run async for run in house.client.list_workflows(f'WorkflowId="{house.handle.id}"')]
    return max([run.history_length for run in runs if run.history_length] or [0])


def trained(house: House) -> int:
    """How often a version was trained."""
    return sum(effect.key.step == StepKind.TRAIN.value for effect in effects(house))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("windows", [1, COUNT], ids=["one-window", "as-many-windows"])
async def test_thousands_of_breaches_have_one_remedy(house: House, windows: int) -> None:
    """Of one window, all but one of each monitor are refused; of as many windows, people are told, and that is one."""
    await house.start(PLAN)
    await house.to_production()
    longest = await flood(house, windows)
    assert trained(house) == 1
    counted = [event for event in breaches(house) if event.refusal is None]
    refused = [event for event in breaches(house) if event.refusal]
    assert len(counted) == (len(MONITORS) if windows == 1 else COUNT)
    assert len(refused) <= options.REFUSALS_RECORDED * (1 + (await house.status()).visit)
    assert 0 < longest < 51_200
    await house.until_phase(Phase.DECIDING, "validation")
    await house.approve("validation", "dmitri", "rosa")
    await house.until_phase(Phase.DECIDING, "staging")
