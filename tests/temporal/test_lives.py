"""Anybody says anything through the client, at any time: it is answered as the kernel answers, and nothing breaks."""

from pathlib import Path

import pytest
from temporalio.client import Client

from tests.temporal import lives

pytestmark = pytest.mark.long


async def test_a_few_lives(temporal: Client, tmp_path: Path) -> None:
    """Short ones, others each time; `tests/bench/test_soak_bench.py` leads many."""
    await lives.lead(temporal, tmp_path, lives.FEW)


async def test_an_answer_that_is_not_the_kernels_is_noticed(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a kernel that admits everything, the real one refuses something before long."""
    monkeypatch.setattr(lives, "refuse", lambda *_: None)
    with pytest.raises(AssertionError):
        await lives.lead(temporal, tmp_path, lives.FEW)
