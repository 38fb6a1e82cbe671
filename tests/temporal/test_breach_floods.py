"""Thousands of breaches at a lifecycle that serves: one remedy, a bounded history, and one message to each person."""

from collections.abc import Iterator

import pytest

from activities.adapters.sql_outbox import SqlOutbox
from models.announcing import Message, Topic
from models.channels import Chat
from models.environments import Credentials
from models.evidence import StepKind
from models.inventory import Notified
from models.journal import JournalEntry
from models.messages import Breach
from models.state import Phase
from tests.temporal.house import House, plan_of
from tests.temporal.test_floods import all_of, answering, heard_out
from tests.temporal.tried import effects
from workflows import options

pytestmark = pytest.mark.long

BRAKES = "brakes: {cooldown: 7d, at_most: 3, per: 180d, otherwise: escalate}"
RETRAINED = f"then: retrain\n    {BRAKES}\n    to: "
PLAN = plan_of(
    "credit-high-risk",
    ("otherwise: suspend", "otherwise: escalate"),
    ("then: escalate\n    to: product", f"{RETRAINED}product"),
    ("then: escalate\n    to: data_science", f"{RETRAINED}data_science"),
)
"""Three monitors, each of which may have a version trained."""
MONITORS = [monitor.id for monitor in PLAN.monitors]
OPS = {"ops": Chat(kind="chat", url=Credentials(env="X"), topics=(Topic.BREACH, Topic.REMEDIATION))}
COUNT = 10_000
AT_ONCE = 80
"""The server ends a workflow task during which more than a hundred come, and the whole run is replayed for the next."""


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
    for begin in range(0, COUNT, AT_ONCE):
        signals = (house.handle.signal("report_breach", one) for one in found[begin : begin + AT_ONCE])
        assert await all_of("signal", signals) == [None] * AT_ONCE
        await answering(house)
    await heard_out(house)
    await house.recorded(within=400)
    runs = [run async for run in house.client.list_workflows(f'WorkflowId="{house.handle.id}"')]
    return max([run.history_length for run in runs if run.history_length] or [0])


def trained(house: House) -> int:
    """How often a version was trained."""
    return sum(effect.key.step == StepKind.TRAIN.value for effect in effects(house))


@pytest.fixture
def outbox(house: House) -> Iterator[SqlOutbox]:
    """What goes out, with a channel that listens from now on."""
    opened = SqlOutbox(house.database)
    opened.gather(OPS)
    yield opened
    opened.close()


def told(outbox: SqlOutbox, topic: Topic) -> list[Message]:
    """What the channel is to say."""
    outbox.gather(OPS)
    return [one.message for one in outbox.due("ops", COUNT) if one.message.topic is topic]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("windows", [1, COUNT], ids=["one-window", "as-many-windows"])
async def test_thousands_of_breaches_have_one_remedy(house: House, outbox: SqlOutbox, windows: int) -> None:
    """Of one window, all but one of each monitor are refused; of as many windows, all count, and have one remedy.

    Whoever a channel tells of them is told once. The same worker goes on: no payload has become too large.
    """
    await house.start(PLAN)
    await house.to_production()
    longest = await flood(house, windows)
    assert trained(house) == 1
    counted = [event for event in breaches(house) if event.refusal is None]
    refused = [event for event in breaches(house) if event.refusal]
    assert len(counted) == (len(MONITORS) if windows == 1 else COUNT)
    assert len(refused) <= options.REFUSALS_RECORDED * (1 + (await house.status()).visit)
    assert 0 < longest < 51_200
    assert len(told(outbox, Topic.REMEDIATION)) == 1
    heard = told(outbox, Topic.BREACH)
    assert len({one.recipient for one in heard}) == len(heard)
    notified = [change for effect in effects(house) for change in effect.changes if isinstance(change, Notified)]
    subjects = [one.subject for one in notified if "breached" in one.subject]
    assert sum(one.more + 1 for one in heard) == len(subjects)
    assert {monitor for monitor in MONITORS if any(f": {monitor} breached" in said for said in subjects)} == {*MONITORS}
    await house.until_phase(Phase.DECIDING, "validation")
    await house.approve("validation", "dmitri", "rosa")
    await house.until_phase(Phase.DECIDING, "staging")
