"""A challenger is tried, elected and promoted, or stopped, with worker and actuator killed at any moment of it."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from temporalio.client import Client

from models.compiler import compile_template
from models.inventory import VersionStatus
from models.plan import Plan
from models.status import Status
from tests.temporal.crashing_worker import NOTICED_WITHIN, Office
from tests.temporal.doubles import ScriptedTraffic
from tests.temporal.dying import Staff, boundaries, ended, written, wrong
from tests.temporal.house import House
from tests.temporal.insisting import eventually, steady_with
from tests.temporal.invariants import check_invariants
from tests.temporal.tried import check_trial
from tests.unit import trying

STAGES = ("challenge", "production")


class Story(NamedTuple):
    """What is tried, how it ends, and what production was told by then: shares (-1: copies, None: none), versions."""

    plan: Plan
    errors: float
    ends: Callable[[Status], bool]
    given: tuple[int | None, ...]
    served: tuple[int, ...]


def stopped(status: Status) -> bool:
    """Whether the challenger was turned away, and the champion serves on."""
    return steady_with(1)(status) and status.statuses.get(2) is VersionStatus.REJECTED


ELECTED = Story(compile_template(trying.ALONE, "electing.yaml"), 0.0, steady_with(2), (0, -1, 50, None), (1, 2))
STOPPED = Story(
    compile_template(trying.ALONE.replace(trying.SHADOW, ""), "stopping.yaml"), 0.5, stopped, (0, 50, None), (1,)
)


class Trial:
    """A champion, and a challenger beside it, by a worker and an actuator that die one after the other."""

    def __init__(self, client: Client, root: Path, story: Story, mortal: tuple[Office, ...], *fatal: str) -> None:
        """`mortal` are one process, which dies at each of `fatal` in their order; the others are one that lives."""
        root.mkdir()
        self.story = story
        self.house = House(client, root, f"trial-{root.name}")
        self._staff = Staff(self.house, STAGES, mortal, *fatal)

    async def run(self) -> None:
        """Until nothing goes on any more."""
        house, story = self.house, self.story
        assert isinstance(house.actuator_parts.traffic, ScriptedTraffic)
        house.actuator_parts.traffic.write(4_000, story.errors)
        async with ended(house), self._staff as staff:
            await house.start(story.plan, task_timeout=NOTICED_WITHIN)
            await house.submit()
            await eventually(house, steady_with(1))
            await house.submit()
            await eventually(house, story.ends)
            await staff.have_died()
            await check_invariants(house, story.plan)
            check_trial(house, story.given, story.served)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("mortal", "must"),
    [
        (Office.ACTUATOR, {"before deployer.divide", "in inventory.commit_effect, before its transaction commits"}),
        (Office.WORKER, {"after inventory.commit_event"}),
    ],
)
@pytest.mark.parametrize("story", [ELECTED, STOPPED], ids=["elected", "stopped"])
async def test_they_may_die_at_any_boundary_of_a_trial(
    temporal: Client, tmp_path: Path, story: Story, mortal: Office, must: set[str]
) -> None:
    """Killed around or inside any change, the challenger is given each share once, and ends as the figures say."""
    whole = Trial(temporal, tmp_path / "whole", story, (mortal,))
    await whole.run()
    places = boundaries(whole.house, (mortal,))
    assert must <= set(places)
    found = await wrong(written(places), lambda room, fatal: Trial(temporal, tmp_path / room, story, (mortal,), fatal))
    assert found == {}
