"""A trial as the lifecycle runs it: a look, a rest until the next one, for days or weeks.

The rests are timers of the lifecycle itself, so each look stands in its timeline. How far the trial is was recorded
by whoever looks; a run that begins while the challenger is tried looks at once.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow

from activities.trial import TrialActivities
from models.evidence import StepResult
from models.journal import Assignment, TrialAnswer
from models.plan import Plan
from models.trial import Look
from workflows import options
from workflows.steps import attempt_timeout


class TrialRun:
    """One challenger that is tried in one run of a lifecycle. `resting` while it waits for its next look."""

    def __init__(self, plan: Plan, task: Assignment, looked: Callable[[], None]) -> None:
        """`looked` is called after each look: what came with the task is on record then."""
        self.resting = False
        self.seen: Look | None = None
        self._plan = plan
        self._task = task
        self._looked = looked

    async def run(self) -> StepResult:
        """The result, once the figures or the time have decided."""
        task = self._task
        while True:
            answer = await self._look(task)
            self._looked()
            if answer.result:
                return answer.result
            if _given_up():
                raise asyncio.CancelledError
            self.seen = answer.look or self.seen
            task = Assignment(order=task.order)
            self.resting = True
            try:
                await workflow.sleep(timedelta(seconds=answer.wait), summary=self._rest())
            finally:
                self.resting = False

    async def _look(self, task: Assignment) -> TrialAnswer:
        order = task.order
        return await workflow.execute_activity_method(
            TrialActivities.look_at_trial,
            task,
            task_queue=options.actuator_queue(workflow.info().task_queue),
            start_to_close_timeout=attempt_timeout(self._plan, order),
            heartbeat_timeout=options.HEARTBEAT_TIMEOUT,
            retry_policy=options.STEP_RETRIES,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=f"look at version {order.version} beside the champion",
        )

    def _rest(self) -> str:
        return f"{self.seen.split.in_words}: {'; '.join(self.seen.reasons)}"[:200] if self.seen else "it has just begun"


def _given_up() -> bool:
    """Whether the trial was to stop during a look, which was waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
