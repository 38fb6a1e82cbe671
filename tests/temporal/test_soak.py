"""Some lifecycles at once while worker and actuator are killed; `tests/bench/test_soak_bench.py` has many."""

from pathlib import Path

import pytest
from temporalio.client import Client

from tests.temporal.soak import Soak

pytestmark = pytest.mark.long


async def test_a_short_soak(temporal: Client, tmp_path: Path) -> None:
    """Ten lifecycles and three kills leave every invariant."""
    figures = await Soak(temporal, tmp_path, seed=1, credit=3, seconds=120).run(10, pause=3, kills=3)
    assert figures.violations == ()
    assert figures.lifecycles == 10
    assert sum(figures.kills.values()) == 3
