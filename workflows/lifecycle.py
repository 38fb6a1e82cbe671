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

from activities.audit import AuditActivities, Beginning
from models.admission import refuse
from models.authentication import read_decision, read_request, read_submission
from models.canonical import Slug
from models.deadlines import Deadline, pending, timer_in_words
from models.evidence import Electorate, StepKind, StepResult
from models.journal import Assignment, JournalEntry, LifecycleInput
from models.lifecycle import step
from models.messages import (
    Attempted,
    Body,
    CancelStep,
    Event,
    HandedIn,
    Notify,
    Receipt,
    RunStep,
    Started,
    StepFailed,
    StepSucceeded,
    TimerFired,
)
from models.signing import Envelope
from models.state import Phase, State, snapshot
from models.status import Status, describe, sentence, waiting_for
from models.trial import Look
from workflows import options
from workflows.attributes import searchable, updated
from workflows.card import moved_on, render
from workflows.courier import Courier
from workflows.failures import failure_of
from workflows.mailbox import Mailbox
from workflows.persistence import Tell, insist
from workflows.plans import shared
from workflows.recorder import Recorder
from workflows.steps import ACTIVITIES, attempt_timeout, queue_of
from workflows.trial import TrialRun

UNCONFIRMED = "Rebuilt, and not confirmed by the record yet"
"""What a lifecycle's trouble begins with until it may go on."""


@workflow.defn(dynamic=True)
class ModelLifecycle(Mailbox):
    """Takes a model from registration to retirement, by its template."""

    @workflow.init
    def __init__(self, args: Sequence[RawValue]) -> None:
        super().__init__()
        self._commands: list[RunStep | CancelStep] = []
        self._answers: list[Body] = []
        self._running: dict[tuple[int, str], asyncio.Task[StepResult]] = {}
        self._trial: TrialRun | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._delivery: asyncio.Task[None] | None = None
        self._troubles: dict[str, str] = {}
        self._news = False
        self._claimed: LifecycleInput | None = None
        self._heard: list[Body] = []
        self._unusable = ""
        try:
            given = workflow.payload_converter().from_payload(args[0].payload, LifecycleInput)
            self._begin(given)
        except Exception as error:
            if _continued():
                raise  # a worker that is too old holds a lifecycle up until it is replaced; it must not end it
            self._unusable = f"the input is not a plan and a state of this lifecycle: {error}"

    def _begin(self, given: LifecycleInput) -> None:
        if workflow.info().workflow_id != f"model/{given.state.model}":
            raise ValueError(f"the lifecycle of '{given.state.model}' has the id model/{given.state.model}")
        fresh = State(model=given.state.model, owner=given.state.owner)
        first = LifecycleInput(plan=given.plan, state=fresh, proof=given.proof)
        if not (_continued() or given.rebuilt or given == first):
            raise ValueError("a lifecycle begins at its beginning: only its own next run goes on from a later state")
        self._plan, self._digest = shared(given.plan)
        self._recorder = Recorder(given.journal, self._teller("The record does not answer"))
        told = self._teller("People cannot be told")
        self._courier = Courier(given.state.model, given.plan.roles, given.notices, told)
        self._state: State = given.state
        self._first_visit = given.state.visit
        self._claimed = given if given.rebuilt else None
        self._fresh = not (given.state.stage or given.rebuilt)
        if self._fresh and not (given.proof and given.proof.covers(self._digest)):
            raise ValueError(f"plan {self._digest} is not proved by this compiler and kernel: start it with `modelops`")
        if self._fresh:
            self._apply(Started(plan=self._digest))
            self._first_visit = self._state.visit
        elif given.state.in_flight:
            self._commands.append(RunStep(order=given.state.in_flight))

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Status:
        """Drive the kernel until the lifecycle has ended; the last status is the result."""
        if self._unusable:
            raise ApplicationError(self._unusable, type="UnusableInput", non_retryable=True)
        if self._claimed:
            await _through(self._confirm(self._claimed))
        if self._fresh:
            whose = Beginning(model=self._state.model, owner=self._state.owner, plan=self._plan)
            await _through(self._recorder.keep_plan(whose))
        while True:
            self._advance()
            if self._ended():
                return self._status()
            if self._may_continue_as_new():
                self._continue_as_new()
            try:
                await self._wait()
            except asyncio.CancelledError:
                _refuse_to_cancel()

    async def _confirm(self, claimed: LifecycleInput) -> None:
        """Nothing is done and nothing taken until the record itself says what the starter claims."""
        tell = self._teller(UNCONFIRMED)
        tell("its trail is being read")
        await insist(
            AuditActivities.confirm_state,
            claimed,
            "confirm the rebuilt state",
            tell,
            within=options.CONFIRM_TIMEOUT,
            in_vain="NotPermittedError",
        )
        self._claimed = None
        for body in self._heard:
            self._apply(body)

    # --- events

    def _refuse(self, body: Body) -> str | None:
        if self._unusable:
            return self._unusable
        return refuse(self._plan, self._state, Event(at=workflow.now(), body=body))

    def _apply(self, body: Body) -> str | None:
        if self._unusable:
            return self._unusable
        if self._claimed:
            self._heard.append(body)
            return None
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
        for command in result.commands:
            match command:
                case Notify():
                    self._courier.add(command)
                case _:
                    self._commands.append(command)
        self._news = True
        return result.refusal

    def _decision(self, envelope: Envelope) -> Body:
        if self._unusable:
            return Attempted(envelope=envelope, objection=self._unusable)
        return read_decision(self._plan, self._digest, self._state, envelope, workflow.now())

    def _request(self, envelope: Envelope, known: Electorate) -> Body:
        if self._unusable:
            return Attempted(envelope=envelope, objection=self._unusable)
        return read_request(self._state, envelope, known, workflow.now())

    def _submission(self, given: HandedIn, known: Electorate) -> Body:
        if self._unusable:
            return Attempted(envelope=given.envelope, objection=self._unusable)
        return read_submission(self._state, given, known, workflow.now())

    def _closed(self) -> str | None:
        waits = not self._unusable and self._claimed
        return "the lifecycle is being rebuilt: send it again when the record has confirmed it" if waits else None

    def _roles(self) -> dict[Slug, Slug]:
        return {} if self._unusable else self._plan.roles

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
        if self._answers or self._news or (self._hearing and self._hearing.done()):
            return True
        return not self._held_back() and (self._startable() or self._recorder.unsent or self._courier.idle)

    def _held_back(self) -> bool:
        """At a boundary, the next step and what is not recorded yet are left to the next run."""
        starts = all(isinstance(command, RunStep) for command in self._commands)
        return self._at_boundary() and not self._works() and starts and not self._recorder.crowded

    def _works(self) -> bool:
        """Whether a step is being performed: a trial that rests until its next look may do so in the next run."""
        return len(self._running) > self._rests()

    def _rests(self) -> bool:
        return self._trial is not None and self._trial.resting

    def _startable(self) -> bool:
        """A step takes along what led to it, so it waits until that is little enough."""
        return bool(self._commands) and not self._recorder.crowded

    def _advance(self) -> None:
        self._still_hears()
        while self._answers:
            self._apply(self._answers.pop(0))
        self._news = False
        if not self._may_continue_as_new():
            self._show()
        if self._held_back():
            return
        if self._startable():
            commands, self._commands = self._commands, []
            for command in commands:
                self._execute(command)
        if self._recorder.unsent:
            self._spawn(self._recorder.flush())
        if self._courier.idle:
            self._delivery = asyncio.create_task(self._courier.deliver())

    def _execute(self, command: RunStep | CancelStep) -> None:
        match command:
            case RunStep(order=order):
                task = Assignment(order=order, journal=self._recorder.take())
                handle = self._start(task)
                self._running[order.visit, order.step] = handle
                self._spawn(self._await_answer(task, handle))
            case CancelStep():
                for handle in self._running.values():
                    handle.cancel()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _start(self, task: Assignment) -> asyncio.Task[StepResult]:
        order = task.order
        if order.kind is StepKind.TRIAL:
            self._trial = TrialRun(self._plan, task, lambda: self._recorder.confirm(task.journal))
            return asyncio.create_task(self._trial.run())
        return workflow.start_activity_method(
            ACTIVITIES[order.kind],
            task,
            task_queue=queue_of(order.kind, workflow.info().task_queue),
            start_to_close_timeout=attempt_timeout(self._plan, order),
            heartbeat_timeout=options.HEARTBEAT_TIMEOUT,
            retry_policy=options.TRAINING_RETRIES if order.kind is StepKind.TRAIN else options.STEP_RETRIES,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=f"{sentence(order, self._state.submitted)} ({order.stage})",
        )

    async def _await_answer(self, task: Assignment, handle: asyncio.Task[StepResult]) -> None:
        order = task.order
        try:
            body: Body = StepSucceeded(visit=order.visit, step=order.step, result=await handle)
            self._recorder.confirm(task.journal)
        except (ActivityError, asyncio.CancelledError) as error:
            # A step that is cancelled in the workflow task that starts it never becomes an activity.
            self._recorder.lose()
            body = StepFailed(visit=order.visit, step=order.step, failure=failure_of(error))
        del self._running[order.visit, order.step]
        if order.kind is StepKind.TRIAL:
            self._trial = None
        self._answers.append(body)

    # --- continue as new

    def _at_boundary(self) -> bool:
        if self._state.phase is Phase.ENDED:
            return False
        return self._state.visit != self._first_visit or workflow.info().is_continue_as_new_suggested()

    def _idle(self) -> bool:
        at_work = len(self._tasks) > self._rests()
        return not (self._answers or at_work or self._hearing) and workflow.all_handlers_finished()

    def _ended(self) -> bool:
        left = self._recorder.pending or self._courier.pending
        return self._state.phase is Phase.ENDED and self._idle() and not left

    def _may_continue_as_new(self) -> bool:
        return self._held_back() and self._idle()

    def _continue_as_new(self) -> NoReturn:
        """The next run begins with the attributes of its stage, which costs no event."""
        known = workflow.info().typed_search_attributes
        attributes = updated(known, searchable(self._status(), known))
        journal, notices = self._recorder.pending, self._courier.pending
        following = LifecycleInput(plan=self._plan, state=self._state, journal=journal, notices=notices)
        workflow.set_current_details(moved_on(workflow.info().workflow_id))
        workflow.continue_as_new(args=[following], search_attributes=attributes)

    # --- what people see

    def _status(self) -> Status:
        troubles = tuple(f"{what}: {why}" for what, why in self._troubles.items() if why)
        return describe(self._plan, self._digest, self._state, troubles)

    def _teller(self, what: str) -> Tell:
        def tell(why: str) -> None:
            if why != self._troubles.get(what, ""):
                self._troubles[what] = why
                self._show()

        return tell

    def _show(self) -> None:
        """The card costs no event; attributes cost one, so at a boundary they are left to the next run."""
        status = self._status()
        workflow.set_current_details(self._card(status))
        changed = searchable(status, workflow.info().typed_search_attributes)
        if changed and not self._claimed and not self._held_back():
            workflow.upsert_search_attributes(changed)

    def _card(self, status: Status) -> str:
        try:
            return render(self._plan, status)
        except Exception as error:  # a card is only looked at: a defect in it must not stop a lifecycle
            workflow.logger.exception("the model card cannot be drawn")
            return f"The card cannot be drawn ({type(error).__name__}); the query `status` tells the same."

    @workflow.query
    def trial(self) -> Look | None:
        """What the last look at the challenger that is tried has seen, in this run."""
        return self._trial.seen if self._trial else None

    @workflow.query
    def status(self) -> Status:
        """Where the lifecycle is, what it waits for, and who can act."""
        return self._status()


def _continued() -> bool:
    """Whether the input comes from the run before: one that the server starts anew has that of the first."""
    info = workflow.info()
    return bool(info.continued_run_id) and not info.cron_schedule and not info.retry_policy


async def _through(work: Coroutine[None, None, None]) -> None:
    task = asyncio.create_task(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            _refuse_to_cancel()


def _refuse_to_cancel() -> None:
    """A workflow that is asked to cancel goes on: a model is taken out of production by `retire`. Evicted, it ends."""
    if workflow.cancellation_reason() is None:
        raise asyncio.CancelledError
    workflow.logger.warning("a request to cancel is not followed: use `retire`")


def _deadline_sentence(deadline: Deadline, state: State) -> str:
    return f"{timer_in_words(deadline.timer)} in stage {state.stage} at {deadline.due:%Y-%m-%d %H:%M} UTC"
