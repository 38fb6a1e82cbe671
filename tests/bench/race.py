"""Runs many lifecycles at once, ours or a reference's, and says what they cost."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from models.canonical import digest
from models.inventory import Submission
from models.journal import LifecycleInput
from models.messages import Choice, Decision, HandedIn
from models.plan import Plan
from models.signing import Envelope
from models.state import State
from models.status import Status
from tests.bench.by_hand import CreditByHand, LowRiskByHand, Progress
from tests.bench.parts import InstantPromotion, instant_parts
from tests.signers import AUDIENCE, signer
from tests.temporal.house import claimed
from worker.wiring import ACTIVITY_THREADS, build_worker
from workflows import attributes, options
from workflows.sandbox import sandboxed

OURS, RECORDED, BARE = "interpreted", "by hand, recorded", "by hand, bare"
RETRY_AFTER = 0.01
WITHIN = 90.0
SETTLED = 0.3
"""Seconds for the last workflow tasks to end before a history is read."""
SAMPLED = 5

Asked = tuple[int, str, tuple[str, ...]]
"""A gate that people decide at: its visit, its id, who approves."""


class History(NamedTuple):
    """The events of a lifecycle over all its runs, by type, and their bytes."""

    events: Counter[str]
    size: int


class Round(NamedTuple):
    """What so many lifecycles at once took: seconds, seconds of this process's CPU, and one typical history."""

    wall: float
    cpu: float
    history: History


class Course:
    """A plan, its reference, and how people act on it."""

    def __init__(self, client: Client, root: Path, plan: Plan, asked: Sequence[Asked], last: str) -> None:
        self._client = client
        self._plan = plan
        self._asked = asked
        self._last = last
        self._loop = asyncio.get_running_loop()
        self._reached: dict[str, asyncio.Event] = {}
        self._queue = f"bench-{plan.template}"
        self._parts, self._submission = instant_parts(root, plan, self._progress)
        self._rounds = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Two workers alike but for their workflows, ours and the references', and one that promotes for ours."""
        ours = build_worker(self._client, self._parts, self._queue)
        promote = InstantPromotion(self._parts.inventory).promote_version
        actuator = Worker(
            self._client,
            task_queue=options.actuator_queue(self._queue),
            activities=[promote],
            activity_executor=ThreadPoolExecutor(ACTIVITY_THREADS),
        )
        config = ours.config()
        restrictions = sandboxed().restrictions.with_passthrough_modules("tests")
        config["task_queue"] = f"{self._queue}-by-hand"
        config["activities"] = [*config["activities"], promote]
        config["workflows"] = [LowRiskByHand, CreditByHand]
        config["workflow_runner"] = SandboxedWorkflowRunner(restrictions=restrictions)
        async with ours, actuator, Worker(**config):
            yield

    async def run(self, kind: str, lifecycles: int) -> Round:
        """So many lifecycles at once, each from its start to production."""
        self._rounds += 1
        models = [f"{self._plan.template}-{self._rounds}-{index}" for index in range(lifecycles)]
        began, worked = time.perf_counter(), time.process_time()
        async with asyncio.timeout(WITHIN):
            handles = await asyncio.gather(*(self._lead(kind, model) for model in models))
        wall, cpu = time.perf_counter() - began, time.process_time() - worked
        await asyncio.sleep(SETTLED)
        histories = [await self._history(handle) for handle in handles[:SAMPLED]]
        await self._clear(kind, models)
        return Round(wall, cpu, sorted(histories, key=lambda history: history.events.total())[SAMPLED // 2])

    async def _lead(self, kind: str, model: str) -> WorkflowHandle[object, object]:
        handle = await self._start(kind, model)
        await handle.execute_update("submit_version", self._handed_in(kind, model))
        for visit, gate, people in self._asked:
            await self._reach(f"{model}/{visit}/ask")
            for person in people:
                await self._decide(kind, handle, self._decision(visit, gate, person, self._submission))
        await self._reach(f"{model}/{self._last}" if kind == BARE else f"{model}/steady")
        return handle

    async def _start(self, kind: str, model: str) -> WorkflowHandle[object, object]:
        ours = LifecycleInput(plan=self._plan, state=State(model=model, owner="olga"), proof=claimed(self._plan))
        theirs = Progress(model=model, plan=digest(self._plan), recorded=kind == RECORDED)
        suffix = "" if kind == OURS else "-by-hand"
        return await self._client.start_workflow(
            f"{self._plan.template}{suffix}",
            ours if kind == OURS else theirs,
            id=f"model/{model}",
            task_queue=f"{self._queue}{suffix}",
            search_attributes=TypedSearchAttributes([SearchAttributePair(attributes.MODEL, model)]),
        )

    def _handed_in(self, kind: str, model: str) -> HandedIn | Submission:
        given = self._submission
        return signer(given.submitter).submit(AUDIENCE, model, given) if kind == OURS else given

    async def _decide(self, kind: str, handle: WorkflowHandle[object, object], decision: Decision) -> None:
        """Ours signs what the gate asks, which has to be read first."""
        while True:
            try:
                latest = self._client.get_workflow_handle(handle.id)
                message = await self._signed(latest, decision) if kind == OURS else decision
                await latest.execute_update("decide", message)
            except (WorkflowUpdateFailedError, RPCError):
                await asyncio.sleep(RETRY_AFTER)
            else:
                return

    async def _signed(self, handle: WorkflowHandle[Any, Any], decision: Decision) -> Envelope | Decision:
        gate = (await handle.query("status", result_type=Status)).gate
        if gate is None or gate.about is None or gate.visit != decision.visit:
            return decision
        role = next(role for role, people in gate.holders.items() if decision.person in people)
        return signer(decision.person).decide(gate.about, decision.decision, role, decision.reason)

    def _decision(self, visit: int, gate: str, person: str, submission: Submission) -> Decision:
        return Decision(
            gate=gate,
            visit=visit,
            person=person,
            decision=Choice.APPROVE,
            reason="looked at the evidence",
            artifact=submission.artifact.digest,
        )

    def _progress(self, what: str) -> None:
        self._loop.call_soon_threadsafe(lambda: self._event(what).set())

    def _event(self, what: str) -> asyncio.Event:
        return self._reached.setdefault(what, asyncio.Event())

    async def _reach(self, what: str) -> None:
        await self._event(what).wait()

    async def _history(self, handle: WorkflowHandle[object, object]) -> History:
        run, events, size = handle.first_execution_run_id, Counter[str](), 0
        while run:
            ahead = ""
            async for event in self._client.get_workflow_handle(handle.id, run_id=run).fetch_history_events():
                events[_name(event)] += 1
                size += event.ByteSize()
                ahead = event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id or ahead
            run = ahead
        return History(events, size)

    async def _clear(self, kind: str, models: Sequence[str]) -> None:
        self._reached.clear()
        if kind == OURS:
            for model in models:
                await self._client.get_workflow_handle(f"model/{model}").terminate("measured")


def _name(event: HistoryEvent) -> str:
    return EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower()


def paired(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of neighbouring rounds: a change of the machine's load hits both alike."""
    return median(a / b for a, b in zip(ours, theirs, strict=True))


def best(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The ratio of the best rounds: whatever else the machine does can only make a round slower."""
    return min(ours) / min(theirs)
