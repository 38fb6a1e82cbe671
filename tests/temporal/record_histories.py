"""Records the histories that `test_replay.py` replays: `python -m tests.temporal.record_histories [story ...]`.

Record a story anew only before the first release that ran it. Afterwards its recorded history stands for lifecycles
that are out there for years: keep it, guard the change of the workflow with `workflow.patched`, and record what the
new code does as a story of its own.

Each story becomes `histories/<story>.json`, every run of its workflows in order, and its commands are written down in
`histories/commands.txt`. Nothing of the machine that recorded it stays in it.
"""

import asyncio
import json
import shutil
import sys
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.common import RetryPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from models.inventory import VersionStatus
from models.messages import Action
from models.monitoring import monitor_orders
from models.plan import Plan
from models.state import Phase
from tests.temporal.house import House, plan_of
from worker.connection import runtime
from worker.embedded import dev_server_options, server_binary
from worker.settings import ACTUATORS
from workflows import attributes, options

HISTORIES = Path(__file__).parent / "histories"
COMMANDS = HISTORIES / "commands.txt"
UNFAIR = {"auc": 0.82, "adverse_impact": 0.77, "calibration_error": 0.03}
DRIFTED = {"drift": 0.4, "live_auc": 0.8, "live_adverse_impact": 0.9}
SOON = (
    ("sla: 10d", "sla: 3s"),
    ("remind: [3d, 7d]", "remind: [1s, 2s]"),
    ("after: 10d, to: risk", "after: 3s, to: legal"),
)
RECORDER = "recorder"
PLACE = Path("/dev/shm/recorded")


class Run(NamedTuple):
    """One run of a workflow: its id, which a replay needs, and its history as JSON."""

    workflow: str
    history: Mapping[str, Any]

    def replayable(self) -> WorkflowHistory:
        """As the replayer takes it."""
        return WorkflowHistory.from_json(self.workflow, dict(self.history))


def recorded(story: str) -> list[Run]:
    """Every run of a recorded story, in order."""
    return [Run(**run) for run in json.loads((HISTORIES / f"{story}.json").read_text())]


def commands(run: Run) -> str:
    """What the workflow asked for in a run: one line per event that a command of its code made."""
    events = [event for event in run.history["events"] if event["eventType"] in _COMMANDS]
    return "\n".join(_line(event) for event in events)


_COMMANDS = frozenset(
    f"EVENT_TYPE_{name}"
    for name in (
        "ACTIVITY_TASK_SCHEDULED",
        "ACTIVITY_TASK_CANCEL_REQUESTED",
        "MARKER_RECORDED",
        "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
        "START_CHILD_WORKFLOW_EXECUTION_INITIATED",
        "TIMER_CANCELED",
        "TIMER_STARTED",
        "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
        "WORKFLOW_EXECUTION_COMPLETED",
        "WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
        "WORKFLOW_EXECUTION_FAILED",
        "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
        "WORKFLOW_EXECUTION_UPDATE_COMPLETED",
    )
)


def _line(event: Mapping[str, Any]) -> str:
    kind = event["eventType"].removeprefix("EVENT_TYPE_")
    (details,) = (value for name, value in event.items() if name.endswith("EventAttributes"))
    named = details.get("activityType", {}).get("name") or details.get("signalName") or details.get("markerName")
    asked = details.get("acceptedRequest", {}).get("input", {}).get("name")
    return " ".join(part for part in (kind, named or asked) if part)


async def credit_loop(house: House) -> None:
    """An unfair version, two gates, production, a drift that starts retraining, a challenger, rollback, retirement."""
    plan = plan_of("credit-high-risk")
    await house.start(plan)
    await house.submit(UNFAIR)
    await house.until(lambda s: s.statuses.get(1) is VersionStatus.REJECTED)
    await house.to_production()
    await _check_monitor(house, plan)
    await house.approve("validation", "dmitri", "rosa")
    await house.approve("staging", "lena", "paul")
    await house.until(lambda s: s.phase is Phase.STEADY and s.statuses.get(3) is VersionStatus.CHAMPION)
    await house.request(Action.ROLLBACK)
    await house.until(lambda s: s.phase is Phase.STEADY and s.statuses.get(3) is VersionStatus.WITHDRAWN)
    await house.request(Action.RETIRE)
    await house.handle.result()


async def _check_monitor(house: House, plan: Plan) -> None:
    """The monitor finds a window of customers who are not those of the training."""
    (house.root / f"{house.model}-1.json").write_text(json.dumps(DRIFTED))
    order = monitor_orders(house.model, plan)[0]
    await house.client.execute_workflow("MonitorCheck", order, id=f"check/{house.model}", task_queue=house.queue)


async def low_risk_loop(house: House) -> None:
    """Two versions that nobody has to decide about, a pause between them, and a rollback to the first."""
    await house.start(plan_of("low-risk"))
    await house.submit()
    await house.until(lambda s: s.phase is Phase.STEADY and s.statuses.get(1) is VersionStatus.CHAMPION)
    await house.request(Action.PAUSE)
    await house.submit()
    await house.request(Action.RESUME)
    await house.until(lambda s: s.phase is Phase.STEADY and s.statuses.get(2) is VersionStatus.CHAMPION)
    await house.request(Action.ROLLBACK)
    await house.until(lambda s: s.phase is Phase.STEADY and s.statuses.get(2) is VersionStatus.WITHDRAWN)


async def stuck_and_retried(house: House) -> None:
    """An environment that does not answer until the step has run out of attempts, and a person who retries."""
    options.STEP_RETRIES = RetryPolicy(maximum_attempts=1)
    house.deployer.broken = 1
    await house.start(plan_of("low-risk"))
    await house.submit()
    await house.until_phase(Phase.STUCK)
    await house.request(Action.RETRY)
    await house.until_phase(Phase.STEADY)


async def overdue_gate(house: House) -> None:
    """A gate whose reminder, escalation and deadline go off before anybody decides who may."""
    await house.start(plan_of("credit-high-risk", *SOON))
    await house.submit()
    await house.until_phase(Phase.DECIDING)
    await house.handle.signal("decide", await house.decision("ana"))
    await house.until(lambda s: s.due is None)
    await house.approve("validation", "dmitri", "rosa")
    await house.until_phase(Phase.DECIDING, "staging")


STORIES: dict[str, Callable[[House], Awaitable[None]]] = {
    "credit-loop": credit_loop,
    "low-risk-loop": low_risk_loop,
    "stuck-and-retried": stuck_and_retried,
    "overdue-gate": overdue_gate,
}


def fingerprint() -> str:
    """The commands of all recorded runs, as `commands.txt` has them."""
    parts = []
    for story in STORIES:
        for number, run in enumerate(recorded(story), 1):
            parts.append(f"[{story} {number}: {run.workflow}]\n{commands(run)}\n")
    return "\n".join(parts)


async def record(stories: list[str]) -> None:
    """Live through some stories on a server of their own, and write down what happened."""
    async with _server() as client:
        for story in stories:
            PLACE.mkdir()
            try:
                async with House(client, PLACE, story) as house:
                    await STORIES[story](house)
                    await house.recorded()
                    runs = [run async for run in _runs(house)]
            finally:
                shutil.rmtree(PLACE)
            kept = [{"workflow": run.workflow, "history": scrubbed(run.history)} for run in runs]
            (HISTORIES / f"{story}.json").write_text(json.dumps(kept, indent=1) + "\n")
    COMMANDS.write_text(fingerprint())
    # A program that exits right after its last call to Temporal may abort.
    await asyncio.sleep(0.05)


@asynccontextmanager
async def _server() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        identity=RECORDER,
        dev_server_existing_path=server_binary(),
        dev_server_log_level="error",
        dev_server_extra_args=list(dev_server_options()),
        search_attributes=attributes.ALL,
        runtime=runtime(),
    ) as environment:
        yield environment.client


async def _runs(house: House) -> AsyncIterator[Run]:
    for workflow in (f"register/{house.model}", f"model/{house.model}", f"check/{house.model}"):
        listed = [one async for one in house.client.list_workflows(f"WorkflowId = '{workflow}'")]
        for one in sorted(listed, key=lambda run: run.start_time):
            history = await _at_rest(house.client, workflow, one.run_id)
            yield Run(workflow, json.loads(history.to_json()))


async def _at_rest(client: Client, workflow: str, run: str) -> WorkflowHistory:
    """The history of a run that has ended, or waits."""
    while True:
        history = await client.get_workflow_handle(workflow, run_id=run).fetch_history()
        last = EventType.Name(history.events[-1].event_type)
        if last == "EVENT_TYPE_WORKFLOW_TASK_COMPLETED" or last.startswith("EVENT_TYPE_WORKFLOW_EXECUTION_"):
            return history
        await asyncio.sleep(0.1)


def scrubbed(value: Any) -> Any:
    """A history without the names of the machine that recorded it."""
    match value:
        case {"identity": str(who)} if who.startswith(ACTUATORS):
            return scrubbed({**value, "identity": RECORDER})
        case dict():
            return {name: scrubbed(inner) for name, inner in value.items() if name != "stackTrace"}
        case list():
            return [scrubbed(inner) for inner in value]
        case _:
            return value


def texts(value: Any) -> Iterator[str]:
    """Every text in a history, those inside payloads too."""
    match value:
        case {"metadata": _, "data": str(data)}:
            yield b64decode(data).decode()
        case dict() | list():
            for inner in value.values() if isinstance(value, dict) else value:
                yield from texts(inner)
        case str():
            yield value


async def main(stories: list[str]) -> None:
    """Record the stories named, or all."""
    await record(stories or list(STORIES))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
