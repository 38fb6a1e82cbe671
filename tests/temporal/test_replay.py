"""Lifecycles that began years ago go on under today's code: recorded histories replay, command by command."""

import difflib
import re

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from activities.evaluation import EvaluationActivities
from models.evidence import StepKind
from tests.temporal.record_histories import COMMANDS, HISTORIES, RECORDER, STORIES, fingerprint, recorded, texts
from worker.wiring import BUILD
from workflows.lifecycle import ModelLifecycle
from workflows.monitoring import MonitorCheck
from workflows.registration import ModelRegistration
from workflows.sandbox import sandboxed
from workflows.steps import ACTIVITIES

CHANGED = """\
{what}

Lifecycles run for years. Those that have such a history behind them would stand still from now on, because their
worker no longer does what the history says it did. Keep the old way for them, and take the new one for all others:

    if workflow.patched("what-changes"):
        ...  # the new way
    else:
        ...  # exactly the old way: histories that were recorded without the patch take it

Keep the recorded history as it is, and record what the new way does as another story (record_histories.py). Only as
long as no release has run the old way may its story be recorded anew:

    python -m tests.temporal.record_histories {story}
"""
A_MACHINE = re.compile(r"/(tmp|home|root|Users|private|var|work)/|[A-Z]:\\|\b\d+@")
IDENTITIES = re.compile(r'"identity": "(.*)"')


async def replay(story: str) -> None:
    """Every run of a story, in the worker's sandbox; NondeterminismError if one does something else now."""
    replayer = Replayer(
        workflows=[ModelLifecycle, MonitorCheck, ModelRegistration],
        workflow_runner=sandboxed(),
        data_converter=pydantic_data_converter,
        build_id=BUILD,
    )
    for run in recorded(story):
        await replayer.replay_workflow(run.replayable())


@pytest.mark.parametrize("story", STORIES)
async def test_a_recorded_story_replays(story: str) -> None:
    """Every run of a lifecycle, its registration and its monitors does again what its history says it did."""
    try:
        await replay(story)
    except NondeterminismError as error:
        pytest.fail(CHANGED.format(what=f"'{story}' does not replay: {error}", story=story))


def test_the_commands_of_every_story_are_those_of_the_baseline() -> None:
    """A history that was recorded anew, and asks for other things than before, is noticed in review."""
    baseline, now = COMMANDS.read_text(), fingerprint()
    if baseline != now:
        lines = difflib.unified_diff(baseline.splitlines(), now.splitlines(), "commands.txt", "histories", n=2)
        what = "The commands in the recorded histories are not those of commands.txt:\n\n" + "\n".join(list(lines)[:40])
        pytest.fail(CHANGED.format(what=what, story="<story>"))


async def test_a_changed_workflow_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A workflow that performs another activity than its history says is nondeterministic."""
    monkeypatch.setitem(ACTIVITIES, StepKind.SCAN, EvaluationActivities.evaluate_version)
    with pytest.raises(NondeterminismError, match="evaluate_version"):
        await replay("low-risk-loop")


@pytest.mark.parametrize("story", STORIES)
def test_a_history_names_no_machine(story: str) -> None:
    """No path, host name or process of whoever recorded it stays in a history."""
    assert set(IDENTITIES.findall((HISTORIES / f"{story}.json").read_text())) <= {RECORDER, "history-service"}
    for run in recorded(story):
        assert [text for text in texts(run.history) if A_MACHINE.search(text)] == []
