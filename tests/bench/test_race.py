"""What is measured can be run: a bench that nobody has started for a while is no measurement."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from temporalio.client import Client

from models.plan import Plan
from tests.bench.race import BARE, OURS, RECORDED, SAMPLED, Asked, Course
from tests.bench.test_lifecycle_bench import APPROVALS
from tests.temporal.house import plan_of


@pytest.mark.parametrize(
    ("template", "asked", "last"), [("low-risk", (), "4/promote"), ("credit-high-risk", APPROVALS, "5/monitor")]
)
async def test_everybody_reaches_production(
    temporal: Client, tmp_path: Path, template: str, asked: Sequence[Asked], last: str
) -> None:
    """Ours and both references take the same steps to the same end; what is recorded costs events."""
    course = Course(temporal, tmp_path, plan_of(template), asked, last)
    async with course.open():
        ran = {kind: (await course.run(kind, SAMPLED)).history.events for kind in (OURS, RECORDED, BARE)}
    steps = {kind: events["activity_task_completed"] for kind, events in ran.items()}
    assert steps[BARE] == _steps(plan_of(template), int(last[0]))
    assert steps[OURS] >= steps[RECORDED] >= steps[BARE]


def _steps(plan: Plan, stages: int) -> int:
    """The steps of the first stages; to ask people at a gate is one."""
    return sum(len(stage.steps) + bool(stage.gate and stage.gate.approvals) for stage in plan.stages[:stages])
