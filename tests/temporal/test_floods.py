"""Too many messages, and too large ones: the record stays small, nothing is wedged, and whoever may decide is heard."""

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Iterable
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError
from temporalio.worker._workflow import _WorkflowWorker

from models.canonical import canonical
from models.inventory import Column, Submission
from models.messages import Action, Breach, Choice
from models.signing import Envelope, seal
from models.state import Phase
from models.statements import PAYLOAD_TYPE, read_statement
from models.status import Status
from tests.signers import AUDIENCE, private_key, signer
from tests.temporal.attackers import ONE, rightful
from tests.temporal.house import House, plan_of
from workflows import options

pytestmark = pytest.mark.long

CREDIT = plan_of("credit-high-risk")
AT_ONCE = {"signal": 50, "update": 8}
"""How many of them are under way; the server takes ten updates at a time."""
UPDATES = 2_500
SIGNALS = 10_000
"""So many the server takes in one run."""


async def at_the_gate(house: House) -> None:
    """A version waits for its first decision."""
    await house.start(CREDIT)
    await house.submit()
    await house.until_phase(Phase.DECIDING, "validation")


async def all_of(door: str, calls: Iterable[Awaitable[object]]) -> list[object]:
    """Every answer or error, some calls at a time."""
    turn = asyncio.Semaphore(AT_ONCE[door])

    async def one(call: Awaitable[object]) -> object:
        async with turn:
            try:
                return await call
            except (RPCError, WorkflowUpdateFailedError) as error:
                return error

    return list(await asyncio.gather(*map(one, calls)))


async def attempts(house: House) -> int:
    """How many refused messages are on record."""
    await house.recorded()
    return sum('"refusal":"' in entry.body for entry in house.parts.inventory.trail(house.model))


async def forged(house: House) -> Envelope:
    """An approval that somebody without a key has signed."""
    gate = (await house.status()).gate
    assert gate is not None
    assert gate.about is not None
    return signer("rosa", key="mallory").decide(gate.about, Choice.APPROVE, "risk", "trust me")


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("count", "taken"), [(3 * options.REFUSALS_RECORDED,) * 2, (SIGNALS + 1, SIGNALS)])
async def test_a_flood_of_signals(house: House, count: int, taken: int) -> None:
    """More forged decisions than are recorded, and than the server takes: none stays, and the true ones count."""
    await at_the_gate(house)
    envelope = await forged(house)
    answers = await all_of("signal", (house.handle.signal("decide", envelope) for _ in range(count)))
    assert answers.count(None) == taken
    await heard_out(house)
    await house.approve("validation", "dmitri", "rosa")
    await house.until_phase(Phase.DECIDING, "staging")
    assert await attempts(house) == options.REFUSALS_RECORDED
    await house.handle.signal("decide", await house.decision("lena"))
    await house.handle.signal("decide", await house.decision("paul"))
    await house.until_phase(Phase.STEADY)
    await rightful(house, CREDIT, ONE)


@pytest.mark.timeout(400)
async def test_a_flood_while_the_machine_is_busy(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A workflow task with thousands of signals is given up several times; afterwards the true decisions count."""
    begin, made = _WorkflowWorker.__init__, list[_WorkflowWorker]()

    def hurried(self: _WorkflowWorker, *args: Any, **options: Any) -> None:
        begin(self, *args, **options)
        self._deadlock_timeout_seconds = 0.1  # type: ignore[assignment]
        made.append(self)

    monkeypatch.setattr(_WorkflowWorker, "__init__", hurried)
    await at_the_gate(house)
    await house.close()
    breach = Breach(monitor="drift", window="w1", reasons=("because I say so",))
    await all_of("signal", (house.handle.signal("report_breach", breach) for _ in range(3_000)))
    await house.open()
    while "Potential deadlock detected" not in caplog.text:
        await asyncio.sleep(0.1)
    for worker in made:
        worker._deadlock_timeout_seconds = 2
    await heard_out(house)
    await house.approve("validation", "dmitri", "rosa")
    await house.until_phase(Phase.DECIDING, "staging")
    assert [worker._could_not_evict_count for worker in made] == [0] * len(made)


async def test_a_flood_of_requests(house: House) -> None:
    """Each has its sender looked up, which is six events: no more than are recorded. The owner's update is heard."""
    await at_the_gate(house)
    forged = signer("olga", key="mallory").request(AUDIENCE, house.model, Action.RETIRE, "because I say so")
    sent = 4 * options.REFUSALS_RECORDED
    await all_of("signal", (house.handle.signal("request", forged) for _ in range(sent)))
    await answering(house)
    await house.request(Action.PAUSE)
    assert (await house.status()).paused
    await heard_out(house)
    assert await attempts(house) == options.REFUSALS_RECORDED
    assert (await house.handle.describe()).history_length < sent + 20 * options.REFUSALS_RECORDED


async def test_a_flood_of_breaches(house: House) -> None:
    """Before anything serves there is nothing to remedy; no more of them are recorded than of anything else."""
    await at_the_gate(house)
    breach = Breach(monitor="drift", window="w1", reasons=("because I say so",))
    await all_of("signal", (house.handle.signal("report_breach", breach) for _ in range(300)))
    await heard_out(house)
    assert await attempts(house) == options.REFUSALS_RECORDED
    await house.approve("validation", "dmitri", "rosa")
    await house.until_phase(Phase.DECIDING, "staging")


async def test_a_flood_of_updates(house: House) -> None:
    """A tenth of what `test_thousands_of_updates` sends: once enough are on record, a refusal is no event."""
    await flood_of_updates(house, UPDATES // 10)


@pytest.mark.bench
@pytest.mark.timeout(600)
async def test_thousands_of_updates(house: House) -> None:
    """The server takes 2,000 updates per run; refused ones are not counted among them."""
    await flood_of_updates(house, UPDATES)


async def flood_of_updates(house: House, count: int) -> None:
    """So many forged decisions as updates; then the true ones."""
    await at_the_gate(house)
    envelope = await forged(house)
    answers = await all_of("update", (house.handle.execute_update("decide", envelope) for _ in range(count)))
    assert all(isinstance(answer, WorkflowUpdateFailedError) for answer in answers)
    history = await house.client.get_workflow_handle(
        house.handle.id, run_id=(await house.handle.describe()).run_id
    ).fetch_history()
    assert len(history.events) < 20 * options.REFUSALS_RECORDED
    assert await attempts(house) == options.REFUSALS_RECORDED
    await house.approve("validation", "dmitri", "rosa")
    await house.approve("staging", "lena", "paul")
    await house.until_phase(Phase.STEADY)
    await rightful(house, CREDIT, ONE)


def wide(envelope: Envelope, size: int) -> dict[str, object]:
    """An envelope whose payload is so many characters."""
    return envelope.model_dump(mode="json") | {"payload": base64.b64encode(b"x" * (size * 3 // 4)).decode()}


async def test_messages_that_are_too_large(house: House) -> None:
    """Refused at each door, by the type or by the server, and nothing of it stays: the gate goes on as before."""
    await at_the_gate(house)
    true = await house.decision("rosa")
    statement = read_statement(true)
    rambling = statement.says.model_copy(update={"reason": "x" * 20_000})
    long = seal(canonical(statement.model_copy(update={"says": rambling})), PAYLOAD_TYPE, private_key("rosa"))
    nested = true
    for _ in range(8):
        deeper = statement.model_copy(update={"delegation": nested})
        following = seal(canonical(deeper), PAYLOAD_TYPE, private_key("rosa"))
        if len(following.payload) > 60_000:
            break
        nested = following
    given: list[tuple[str, object]] = [
        ("decide", wide(true, 2_000_000)),
        ("decide", wide(true, 60_000)),
        ("decide", long),
        ("decide", nested),
        ("request", wide(true, 1_000_000)),
        ("request", long),
        ("submit_version", house.handed_in(with_columns(house.version(), 20_000))),
    ]
    answers = await all_of("update", (house.handle.execute_update(name, argument) for name, argument in given))
    assert all(isinstance(answer, RPCError | WorkflowUpdateFailedError) for answer in answers), answers
    await all_of("signal", (house.handle.signal(name, argument) for name, argument in given))
    await house.approve("validation", "dmitri", "rosa")
    await house.approve("staging", "lena", "paul")
    await house.until_phase(Phase.STEADY)
    await rightful(house, CREDIT, ONE)


async def test_a_message_that_is_larger_than_the_server_takes(house: House) -> None:
    """The server takes the question and not the answer, which brings it along: for a while nobody is answered.

    That ends by itself, without an event, and so does it for whoever asks at the time.
    """
    await at_the_gate(house)
    huge = wide(await house.decision("rosa"), 3_000_000)
    before = await house.status()
    (answer,) = await all_of("update", [house.handle.execute_update("decide", huge)])
    assert isinstance(answer, RPCError | WorkflowUpdateFailedError)
    (signalled,) = await all_of("signal", [house.handle.signal("decide", huge)])
    assert isinstance(signalled, RPCError)
    assert await answering(house) == before
    await house.approve("validation", "dmitri", "rosa")
    await house.approve("staging", "lena", "paul")
    await house.until_phase(Phase.STEADY)
    await rightful(house, CREDIT, ONE)


async def heard_out(house: House) -> None:
    """Wait until the last signal has been heard: nothing more happens."""
    async with asyncio.timeout(240):
        before = -1
        while before != (now := (await house.handle.describe()).history_length):
            before = now
            await answering(house)
            await asyncio.sleep(2)


async def answering(house: House) -> Status:
    """The status, once the lifecycle gives it."""
    async with asyncio.timeout(240):
        while True:
            with contextlib.suppress(RPCError):
                return await house.status()
            await asyncio.sleep(0.5)


def with_columns(version: Submission, count: int) -> Submission:
    """A version whose data have so many columns."""
    columns = tuple(Column(name=f"{'column' * 10}-{number}") for number in range(count))
    return version.model_copy(update={"contract": version.contract.model_copy(update={"inputs": columns})})
