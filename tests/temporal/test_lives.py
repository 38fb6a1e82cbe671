"""Anybody says anything through the client, at any time: it is answered as the kernel answers, and nothing breaks."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from temporalio.client import Client

from tests.temporal.lives import Ground, Life

FEW = settings(
    max_examples=4,
    stateful_step_count=14,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MANY = settings(FEW, max_examples=60, stateful_step_count=40)


async def test_a_few_lives(temporal: Client, tmp_path: Path) -> None:
    """Short ones, others each time."""
    await _lead(temporal, tmp_path, FEW)


@pytest.mark.bench
@pytest.mark.timeout(3600)
async def test_many_lives(temporal: Client, tmp_path: Path) -> None:
    """Longer ones."""
    await _lead(temporal, tmp_path, MANY)


async def _lead(temporal: Client, root: Path, how: settings) -> None:
    ground = Ground(asyncio.get_running_loop(), temporal, root)
    await asyncio.to_thread(run_state_machine_as_test, lambda: Life(ground), settings=how)
