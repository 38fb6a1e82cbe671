"""What people see of a challenger, from the shell, while it is tried and afterwards."""

import asyncio
import json

from models.compiler import compile_template
from tests.temporal.doubles import ScriptedTraffic
from tests.temporal.house import House
from tests.temporal.insisting import steady_with
from tests.temporal.shell import run
from tests.unit import trying
from workflows import options


async def test_a_challenger_is_looked_at(house: House) -> None:
    """Before a trial there is none; meanwhile, its shares and figures; afterwards, the result with the last figures."""
    await house.close()
    house.queue = options.TASK_QUEUE
    await house.open()
    traffic = house.actuator_parts.traffic
    assert isinstance(traffic, ScriptedTraffic)
    traffic.write(90, of=99)
    await house.start(compile_template(trying.ALONE, "trying.yaml"))
    await house.submit()
    await house.until(steady_with(1))
    none = await run(house, "trial", house.model)
    assert (none.returncode, none.stdout) == (6, "")
    assert "no challenger of" in none.stderr
    await house.submit()
    async with asyncio.timeout(20):
        while not await house.handle.query("trial"):
            await asyncio.sleep(0.1)
    shown = json.loads((await run(house, "trial", house.model, "--json")).stdout)
    assert (shown["running"], shown["champion"], shown["trial"]["version"]) == (True, 1, 2)
    assert shown["trial"]["given"][0]["share"] == 0
    assert shown["look"]["found"][0]["count"] == 99
    assert shown["coming"]["until"] > shown["coming"]["look"]
    drawn = (await run(house, "trial", house.model, "--utc")).stdout
    assert "Version 2 beside version 1 in PROD" in drawn
    assert "too few cases" in drawn
    assert "Next look: " in drawn
    traffic.write(4_000)
    await house.until(steady_with(2))
    assert await house.handle.query("trial") is None
    await house.recorded()
    ended = (await run(house, "trial", house.model)).stdout
    assert "answers copies since" in ended
    assert "version 2 takes over: accuracy: better by 0" in ended
    assert "above -0.05" in ended
    assert "Next look" not in ended
