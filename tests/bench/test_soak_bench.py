"""Five hundred lifecycles while worker and actuator are killed at random: what it comes to, and that nothing breaks."""

from pathlib import Path

import pytest
from temporalio.client import Client

from tests.temporal.lives import MANY, lead
from tests.temporal.soak import Soak

LIFECYCLES = 500
SECONDS = 3_000.0
"""After which no other lifecycle begins, and nothing is killed any more."""

pytestmark = [pytest.mark.bench, pytest.mark.timeout(4_000)]


async def test_soak(temporal: Client, tmp_path: Path) -> None:
    """Of ten one with people; every invariant holds for each of them at the end."""
    figures = await Soak(temporal, tmp_path, seed=4, credit=1, seconds=SECONDS).run(LIFECYCLES, pause=15, kills=10_000)
    print(f"\n{figures}")
    assert figures.violations == ()
    assert figures.lifecycles == LIFECYCLES
    assert figures.effects
    assert sum(figures.kills.values())


async def test_many_lives(temporal: Client, tmp_path: Path) -> None:
    """Longer lives than the suite leads, each beside the pure kernel, one after the other."""
    await lead(temporal, tmp_path, MANY)
