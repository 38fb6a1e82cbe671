"""What people see who decide: their inbox, the gate with its evidence, and decisions of each other, from the shell."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from client.signer import Signer
from models.messages import Choice
from models.state import Phase
from tests.signers import signer
from tests.temporal.house import House, plan_of
from tests.temporal.shell import run
from workflows import options

CREDIT = plan_of("credit-high-risk")


@pytest.fixture
async def waiting(house: House) -> House:
    """A second version waits at the first gate; rosa rejected the first one, and left a finding."""
    await house.close()
    house.queue = options.TASK_QUEUE
    await house.open()
    await house.start(CREDIT)
    await house.submit()
    await house.until_phase(Phase.DECIDING, "validation")
    gate = (await house.status()).gate
    assert gate is not None
    assert gate.about is not None
    rejection = signer("rosa").decide(gate.about, Choice.REJECT, "risk", "unfair", findings=["Look at the widowed."])
    await house.update("decide", rejection)
    await house.until_phase(Phase.AWAITING_VERSION)
    await house.submit()
    await house.until_phase(Phase.DECIDING, "validation")
    await house.recorded()
    return house


def possessing(who: Signer) -> str:
    """A request to enrol a key."""
    return who.possess().model_dump_json()


async def test_from_the_inbox_to_the_decision(waiting: House) -> None:
    """The inbox names what waits and for whom; the gate shows and opens the evidence; findings have to be closed."""
    model = waiting.model
    mine = json.loads((await run(waiting, "inbox", "--as", "rosa", "--json")).stdout)
    (one,) = [found for found in mine["waiting"] if found["model"] == model]
    assert (one["roles"], one["others"], one["version"]) == (["risk"], ["dmitri"], 2)
    assert one["findings"] == ["F1: Look at the widowed."]
    assert one["command"].endswith("--closes F1")
    shown = (await run(waiting, "inbox", "--as", "rosa")).stdout
    assert "Is the model fit for its intended use" in shown
    assert "Nothing waits for ana" in (await run(waiting, "inbox", "--as", "ana")).stdout
    opened = await run(waiting, "gate", "show", model, "--open", "evaluation")
    assert json.loads(opened.stdout)["rows"] == 500
    missing = await run(waiting, "gate", "show", model, "--open", "nothing")
    assert (missing.returncode, "there is:" in missing.stderr) == (6, True)
    assert "closes F1" in (await run(waiting, "gate", "show", model)).stdout
    decide = ("decide", model, "independent-validation", "approve", "--as", "rosa", "--reason", "fine")
    refused = await run(waiting, *decide)
    assert (refused.returncode, "F1" in refused.stderr) == (3, True)
    printed = await run(waiting, *decide, "--closes", "F1", "--print")
    assert json.loads(printed.stdout)["payloadType"] == "application/vnd.modelops.statement+json"
    assert (await run(waiting, *decide, "--closes", "F1")).returncode == 0
    decided = await waiting.until(lambda s: s.gate is not None and len(s.gate.decisions) == 1)
    assert decided.gate is not None
    assert decided.gate.decisions[0].closes == ("F1",)


async def test_in_somebodys_place(waiting: House) -> None:
    """What rosa signed lets tom decide for risk, once, and the record says for whom."""
    await waiting.close()
    await waiting.open()
    request = waiting.root / "tom.json"
    request.write_text(possessing(signer("tom")))
    given = waiting.root / "tom-for-dmitri.json"
    words = ("--to", str(request), "--role", "data_science", "--until", "2099-01-01T00:00Z", "--output", str(given))
    too_long = await run(waiting, "delegate", "--as", "dmitri", *words)
    assert (too_long.returncode, "longer than 30 days" in too_long.stderr) == (4, True)
    decide = ("decide", waiting.model, "independent-validation", "approve", "--as", "tom", "--reason", "In his place.")
    day = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    words = ("--to", str(request), "--role", "data_science", "--until", day, "--output", str(given))
    assert (await run(waiting, "delegate", "--as", "dmitri", *words)).returncode == 0
    found = await run(waiting, *decide, "--delegation", str(given))
    assert found.returncode == 0, found.stderr
    assert "tom approved" in (await run(waiting, "history", waiting.model)).stdout
    again = await run(waiting, *decide, "--delegation", str(given))
    assert (again.returncode, "has already decided" in again.stderr) == (3, True)
