"""The lifecycle of one model: drives the kernel. One execution per model, for years.

The workflow's type is the template's name; its input is the plan and the state, so that a history is complete by
itself. It decides nothing: every event goes through `models.lifecycle.step`, is recorded, and its commands carried out.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import NoReturn

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from activities.notification import Notice, NotificationActivities
from models.admission import refuse
from models.deadlines import Deadline, pending
from models.evidence import EffectKey, StepResult
from models.journal import Assignment, JournalEntry, LifecycleInput
from models.lifecycle import step
from models.messages import (
    Body,
    CancelStep,
    Command,
    Event,
    Notify,
    Receipt,
    RunStep,
    Started,
    StepFailed,
    StepSucceeded,
    TimerFired,
)
from models.state import Phase, State, snapshot
from models.status import Status, describe, sentence, waiting_for
from workflows import options
from workflows.attributes import searchable, updated
from workflows.card import moved_on, render
from workflows.failures import failure_of
from workflows.mailbox import Mailbox
from workflows.plans import shared
from workflows.recorder import Recorder
from workflows.steps import ACTIVITIES, attempt_timeout


@workflow.defn(dynamic=True)
class ModelLifecycle(Mailbox):
    """Takes a model from registration to retirement, by its template."""

    @workflow.init
    def __init__(self, args: Sequence[RawValue]) -> None:
        self._commands: list[Command] = []
        self._answers: list[Body] = []
        self._running: dict[tuple[int, str], workflow.ActivityHandle[StepResult]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._undecodable = ""
        try:
            given = workflow.payload_converter().from_payload(args[0].payload, LifecycleInput)
        except Exception as error:
            self._undecodable = f"the input is not a plan and a state: {error}"
            return
        self._recorder = Recorder(given.journal, self._show)
        self._plan, self._digest = shared(given.plan)
        self._state: State = given.state
        self._first_visit = given.state.visit
        self._fresh = not given.state.stage
        if self._fresh:
            self._apply(Started(plan=self._digest))
            self._first_visit = self._state.visit
        elif given.state.in_flight:
            self._commands.append(RunStep(order=given.state.in_flight))

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Status:
        """Drive the kernel until the lifecycle has ended; the last status is the result."""
        if self._undecodable:
            raise ApplicationError(self._undecodable, type="UndecodableInput", non_retryable=True)
        if self._fresh:
            await self._recorder.keep_plan(self._plan)
        while True:
            self._advance()
            if self._ended():
                return self._status()
            if self._may_continue_as_new():
                self._continue_as_new()
            await self._wait()

    # --- events

    def _refuse(self, body: Body) -> str | None:
        if self._undecodable:
            return self._undecodable
        return refuse(self._plan, self._state, Event(at=workflow.now(), body=body))

    def _apply(self, body: Body) -> str | None:
        if self._undecodable:
            return self._undecodable
        event = Event(at=workflow.now(), body=body)
        result = step(self._plan, self._state, event)
        self._state = result.state
        self._recorder.add(
            JournalEntry(
                model=self._state.model,
                plan=self._digest,
                seq=self._state.seq,
                event=event,
                refusal=result.refusal,
                snapshot=snapshot(self._state),
            )
        )
        self._commands.extend(result.commands)
        return result.refusal

    def _receipt(self) -> Receipt:
        return Receipt(seq=self._state.seq, waiting_for=waiting_for(self._plan, self._state))

    async def _wait(self) -> None:
        deadline = self._next_deadline()
        timeout = None if deadline is None else max(0.0, (deadline.due - workflow.now()).total_seconds())
        try:
            await workflow.wait_condition(
                lambda: self._has_work() or self._may_continue_as_new() or self._ended(),
                timeout=timeout,
                timeout_summary=_deadline_sentence(deadline, self._state) if deadline else None,
            )
        except TimeoutError:
            if deadline:
                self._apply(TimerFired(visit=self._state.visit, timer=deadline.timer))

    def _next_deadline(self) -> Deadline | None:
        return next(iter(pending(self._plan, self._state)), None)

    # --- what the kernel asked for

    def _has_work(self) -> bool:
        return bool(self._answers) or (not self._held_back() and bool(self._commands or self._recorder.unsent))

    def _held_back(self) -> bool:
        """At a boundary, the next step and what is not recorded yet are left to the next run."""
        return self._at_boundary() and all(isinstance(command, RunStep) for command in self._commands)

    def _advance(self) -> None:
        while self._answers:
            self._apply(self._answers.pop(0))
        if not self._may_continue_as_new():
            self._show()
        if self._held_back():
            return
        commands, self._commands = self._commands, []
        for command in commands:
            self._execute(command)
        if self._recorder.unsent:
            self._spawn(self._recorder.flush())

    def _execute(self, command: Command) -> None:
        match command:
            case RunStep(order=order):
                task = Assignment(order=order, journal=self._recorder.take())
                handle = self._start(task)
                self._running[order.visit, order.step] = handle
                self._spawn(self._await_answer(task, handle))
            case CancelStep():
                for handle in self._running.values():
                    handle.cancel()
            case Notify():
                self._spawn(self._notify(command))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _start(self, task: Assignment) -> workflow.ActivityHandle[StepResult]:
        order = task.order
        return workflow.start_activity_method(
            ACTIVITIES[order.kind],
            task,
            start_to_close_timeout=attempt_timeout(self._plan, order),
            heartbeat_timeout=options.HEARTBEAT_TIMEOUT,
            retry_policy=options.STEP_RETRIES,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=f"{sentence(order)} ({order.stage})",
        )

    async def _await_answer(self, task: Assignment, handle: workflow.ActivityHandle[StepResult]) -> None:
        order = task.order
        try:
            body: Body = StepSucceeded(visit=order.visit, step=order.step, result=await handle)
            self._recorder.confirm(task.journal)
        except ActivityError as error:
            self._recorder.lose()
            body = StepFailed(visit=order.visit, step=order.step, failure=failure_of(error))
        del self._running[order.visit, order.step]
        self._answers.append(body)

    async def _notify(self, command: Notify) -> None:
        key = EffectKey(model=self._state.model, visit=command.visit, step=f"notify/{command.topic}")
        groups = tuple(self._plan.roles[role] for role in command.roles)
        notice = Notice(key=key, groups=groups, subject=command.subject)
        await self._recorder.write(NotificationActivities.notify_people, notice, command.subject)

    # --- continue as new

    def _at_boundary(self) -> bool:
        if self._state.phase is Phase.ENDED:
            return False
        return self._state.visit != self._first_visit or workflow.info().is_continue_as_new_suggested()

    def _idle(self) -> bool:
        return not (self._answers or self._tasks) and workflow.all_handlers_finished()

    def _ended(self) -> bool:
        return self._state.phase is Phase.ENDED and self._idle() and not self._recorder.pending

    def _may_continue_as_new(self) -> bool:
        return self._held_back() and self._idle()

    def _continue_as_new(self) -> NoReturn:
        """The next run begins with the attributes of its stage, which costs no event."""
        known = workflow.info().typed_search_attributes
        attributes = updated(known, searchable(self._status(), known))
        following = LifecycleInput(plan=self._plan, state=self._state, journal=self._recorder.pending)
        workflow.set_current_details(moved_on(workflow.info().workflow_id))
        workflow.continue_as_new(args=[following], search_attributes=attributes)

    # --- what people see

    def _status(self) -> Status:
        return describe(self._plan, self._digest, self._state)

    def _show(self) -> None:
        status = self._status()
        workflow.set_current_details(self._card(status))
        changed = searchable(status, workflow.info().typed_search_attributes)
        if changed:
            workflow.upsert_search_attributes(changed)

    def _card(self, status: Status) -> str:
        try:
            return render(self._plan, status, self._recorder.trouble)
        except Exception as error:  # a card is only looked at: a defect in it must not stop a lifecycle
            workflow.logger.exception("the model card cannot be drawn")
            return f"The card cannot be drawn ({type(error).__name__}); the query `status` tells the same."

    @workflow.query
    def status(self) -> Status:
        """Where the lifecycle is, what it waits for, and who can act."""
        return self._status()


def _deadline_sentence(deadline: Deadline, state: State) -> str:
    kind = deadline.timer.partition(":")[0]
    word = {"remind": "reminder", "escalate": "escalation"}.get(kind, "deadline")
    return f"{word} of the gate in stage {state.stage} at {deadline.due:%Y-%m-%d %H:%M} UTC"
