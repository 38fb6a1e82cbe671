"""A checker that never fails proves nothing: bugs are put into the kernel, and each has to be noticed."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from tests.unit.mutants import KERNEL
from tests.unit.mutated import noticed

PROCESSES = 2


def test_the_proofs_notice_every_bug_of_the_kernel() -> None:
    """No test of ours is asked: the exploration alone finds each, and tells a story. Without a bug it finds nothing."""
    unchanged = KERNEL[0]._replace(new=KERNEL[0].old)
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=fresh, max_tasks_per_child=1) as pool:
        try:
            sane, *said = pool.map(noticed, [unchanged, *KERNEL], ["tests.unit.judges:proofs"] * (len(KERNEL) + 1))
        except BrokenProcessPool as error:
            pytest.fail(f"a mutant ended its process: {error}")
    assert sane == ""
    missed = [f"{mutant.file}: {mutant.breaks}" for mutant, how in zip(KERNEL, said, strict=True) if not how]
    assert missed == []
    assert len(KERNEL) >= 40
