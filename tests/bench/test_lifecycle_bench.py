"""What the interpreter costs: our lifecycle beside the same one written out by hand, interleaved in one process."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import pytest
from temporalio.client import Client

from tests.bench.race import BARE, OURS, RECORDED, Asked, Course, History, Round, best, paired
from tests.bench.table import show
from tests.temporal.house import plan_of

pytestmark = pytest.mark.bench

LIFECYCLES = 20
KINDS = (OURS, RECORDED, BARE)
APPROVALS: tuple[Asked, ...] = (
    (3, "independent-validation", ("dmitri", "rosa")),
    (4, "release", ("lena", "paul")),
)

MORE_EVENTS = 1.0
"""Per step, beside the recorded reference: search attributes, and the plan's own record once per lifecycle."""
MORE_WALL = 1.35
MORE_CPU = 1.40
MORE_BYTES = 2.2
"""The plan travels with every run."""


async def test_low_risk(temporal: Client, tmp_path: Path) -> None:
    """A lifecycle without people costs little more than one written by hand with the same record and runs."""
    course = Course(temporal, tmp_path, plan_of("low-risk"), (), "4/promote")
    _judge("low-risk, 6 steps", 6, await _race(course, 5))


async def test_credit_high_risk(temporal: Client, tmp_path: Path) -> None:
    """A lifecycle with four approvals costs little more than one written by hand with the same record and runs."""
    course = Course(temporal, tmp_path, plan_of("credit-high-risk"), APPROVALS, "5/monitor")
    _judge("credit-high-risk, 12 steps, 4 approvals", 12, await _race(course, 4))


async def _race(course: Course, rounds: int) -> dict[str, list[Round]]:
    raced: dict[str, list[Round]] = {kind: [] for kind in KINDS}
    async with course.open():
        for kind in KINDS:
            await course.run(kind, 5)
        for turn in range(rounds):
            first = turn % len(KINDS)
            for kind in KINDS[first:] + KINDS[:first]:
                raced[kind].append(await course.run(kind, LIFECYCLES))
    return raced


def _judge(title: str, steps: int, raced: Mapping[str, Sequence[Round]]) -> None:
    ours, recorded = raced[OURS], raced[RECORDED]
    _report(f"{title}; {LIFECYCLES} at once, {len(ours)} rounds of each", steps, raced)
    assert _more(ours, recorded, steps) <= MORE_EVENTS
    assert _bytes(ours) / _bytes(recorded) <= MORE_BYTES
    assert best([r.cpu for r in ours], [r.cpu for r in recorded]) <= MORE_CPU
    assert best([r.wall for r in ours], [r.wall for r in recorded]) <= MORE_WALL


def _report(title: str, steps: int, raced: Mapping[str, Sequence[Round]]) -> None:
    ours, rows = raced[OURS], []
    for kind in (RECORDED, BARE):
        theirs = raced[kind]
        walls, processors = (
            ([getattr(r, name) for r in ours], [getattr(r, name) for r in theirs]) for name in ("wall", "cpu")
        )
        cells = (
            f"{best(*walls):.2f} ({paired(*walls):.2f})",
            f"{best(*processors):.2f} ({paired(*processors):.2f})",
            f"{_total(ours):.0f} / {_total(theirs):.0f}",
            f"{(_total(ours) - _total(theirs)) / steps:+.2f}",
            f"{_more(ours, theirs, steps):+.2f}",
            f"{_bytes(ours) / _bytes(theirs):.2f}",
        )
        rows.append((f"interpreted / {kind}", cells))
    heads = ("wall best (median)", "cpu best (median)", "events", "a step, all", "without tasks", "bytes")
    show(title, heads, rows)


def _more(ours: Sequence[Round], theirs: Sequence[Round], steps: int) -> float:
    """Events more per step, workflow tasks aside: how many of those there are depends on timing."""
    return (median(_fixed(r.history) for r in ours) - median(_fixed(r.history) for r in theirs)) / steps


def _fixed(history: History) -> int:
    counted = history.events.items()
    return sum(n for name, n in counted if "workflow_task" not in name and name != "workflow_execution_completed")


def _total(rounds: Sequence[Round]) -> float:
    return median(r.history.events.total() for r in rounds)


def _bytes(rounds: Sequence[Round]) -> float:
    return median(r.history.size for r in rounds)
