"""The references: two built-in templates written out by hand, as a Temporal developer would without a kernel.

Same activities in the same order with the same orders and summaries, the same gates and reminders. With `recorded` also
the same record of every event and the same runs; without, one run that records nothing.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta

from pydantic import Field
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.audit import AuditActivities
from models.canonical import Digest, Frozen, Slug
from models.evidence import Evidence, StepKind, StepOrder, StepResult
from models.inventory import Environment, RiskTier, Submission, VersionStatus
from models.journal import Assignment, Journal, JournalEntry
from models.messages import Body, Decided, Decision, Event, Receipt, Started, StepSucceeded, VersionSubmitted
from models.state import Phase, Snapshot
from models.status import sentence
from models.verdict import Reading
from workflows import options
from workflows.steps import ACTIVITIES

Stage = Callable[[], Coroutine[None, None, None]]


class Progress(Frozen):
    """Where a lifecycle written by hand is."""

    model: Slug
    plan: Digest
    recorded: bool
    visit: int = 0
    seq: int = 0
    submission: Submission | None = None
    bundle: Digest | None = None
    champion: int | None = None
    gates: tuple[Slug, ...] = ()
    readings: tuple[Reading, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    serving: dict[Environment, int] = Field(default_factory=dict)
    pending: tuple[JournalEntry, ...] = ()


class ByHand:
    """What both references share: a step, a record, a gate, a boundary."""

    def _begin(self, given: Progress) -> None:
        self._at = given
        self._stage = ""
        self._owed: dict[Slug, frozenset[Slug]] = {}
        self._decisions: list[Decision] = []

    def _note(self, **changed: object) -> None:
        self._at = self._at.model_copy(update=changed)

    async def _drive(self, stages: tuple[Stage, ...]) -> None:
        for index in range(self._at.visit, len(stages)):
            self._note(visit=index + 1)
            self._stage = stages[index].__name__
            await stages[index]()
            if self._at.recorded and index + 1 < len(stages):
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self._at)
        await self._record()

    async def _step(self, kind: StepKind, environment: Environment | None = None, **given: object) -> StepResult:
        submitted = self._at.submission
        order = StepOrder(
            model=self._at.model,
            visit=self._at.visit,
            step=kind.value,
            kind=kind,
            stage=self._stage,
            version=1 if submitted else None,
            artifact=submitted.artifact.digest if submitted else None,
            bundle=self._at.bundle,
            environment=environment,
        ).model_copy(update=given)
        result: StepResult = await workflow.execute_activity_method(
            ACTIVITIES[kind],
            Assignment(order=order, journal=self._at.pending),
            start_to_close_timeout=options.INTERNAL_TIMEOUT,
            heartbeat_timeout=options.HEARTBEAT_TIMEOUT,
            retry_policy=options.STEP_RETRIES,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=f"{sentence(order, 1)} ({order.stage})",
        )
        self._earn(order, result)
        self._note(pending=())
        return result

    def _earn(self, order: StepOrder, result: StepResult) -> None:
        self._note(
            readings=(*self._at.readings, *result.readings),
            evidence=(*self._at.evidence, *result.evidence),
            bundle=result.bundle or self._at.bundle,
        )
        if order.kind is StepKind.PROMOTE and order.environment:
            self._note(serving=self._at.serving | {order.environment: 1})
            if order.environment is Environment.PROD:
                self._note(champion=1)

    async def _do(
        self, kind: StepKind, environment: Environment | None = None, phase: Phase = Phase.WORKING, **given: object
    ) -> None:
        result = await self._step(kind, environment, **given)
        self._tell(StepSucceeded(visit=self._at.visit, step=kind.value, result=result), phase)

    def _tell(self, body: Body, phase: Phase = Phase.WORKING) -> None:
        if not self._at.recorded:
            return
        entry = JournalEntry(
            model=self._at.model,
            plan=self._at.plan,
            seq=self._at.seq + 1,
            event=Event(at=workflow.now(), body=body),
            snapshot=self._snapshot(phase),
        )
        self._note(seq=entry.seq, pending=(*self._at.pending, entry))

    async def _record(self) -> None:
        if not self._at.pending:
            return
        await workflow.execute_activity_method(
            AuditActivities.record_events,
            Journal(entries=self._at.pending),
            start_to_close_timeout=options.RECORD_TIMEOUT,
            retry_policy=options.RECORD_RETRIES,
            summary="record what has happened",
        )
        self._note(pending=())

    def _snapshot(self, phase: Phase) -> Snapshot:
        champion = self._at.champion
        status = VersionStatus.CHAMPION if champion else VersionStatus.CANDIDATE
        return Snapshot(
            stage=self._stage,
            phase=phase,
            visit=self._at.visit,
            version=1 if self._at.submission and not champion else None,
            champion=champion,
            previous=None,
            statuses={1: status} if self._at.submission else {},
            serving=self._at.serving,
            gates={1: self._at.gates} if self._at.submission else {},
            paused=False,
        )

    async def _await_version(self) -> Submission:
        if self._at.submission is None:
            await self._record()
        await workflow.wait_condition(lambda: self._at.submission is not None)
        if self._at.submission is None:
            raise AssertionError("the condition has just held")
        self._tell(VersionSubmitted(submission=self._at.submission))
        return self._at.submission

    async def _decide_gate(self, name: str, question: str, roles: dict[Slug, Slug], reminders: tuple[int, ...]) -> None:
        result = await self._step(StepKind.ASK, roles=roles, question=question)
        held = result.electorate.people if result.electorate else {}
        self._owed = {role: frozenset(held.get(role, ())) for role in roles}
        self._tell(StepSucceeded(visit=self._at.visit, step=StepKind.ASK.value, result=result), Phase.DECIDING)
        await self._await_decisions(name, reminders)
        self._note(gates=(*self._at.gates, name))

    async def _await_decisions(self, name: str, reminders: tuple[int, ...]) -> None:
        opened, ahead = workflow.now(), [timedelta(days=day) for day in reminders]
        while self._owed or self._decisions:
            recording = asyncio.create_task(self._record())
            remaining = opened + ahead[0] - workflow.now() if ahead else None
            try:
                await workflow.wait_condition(
                    lambda: bool(self._decisions) if self._at.recorded else not self._owed,
                    timeout=remaining,
                    timeout_summary=f"reminder of the gate {name}" if remaining else None,
                )
            except TimeoutError:
                ahead.pop(0)
            await recording
            while self._decisions:
                self._tell(Decided(decision=self._decisions.pop(0)), Phase.DECIDING)

    @workflow.update(name="submit_version", description="The one version enters.")
    def submit_version(self, submission: Submission) -> Receipt:
        """Taken."""
        self._note(submission=submission)
        return Receipt(seq=self._at.seq, waiting_for="the next step")

    @workflow.update(name="decide", description="Approve at the open gate.")
    def decide(self, decision: Decision) -> Receipt:
        """One role fewer is owed."""
        self._owed = {role: people for role, people in self._owed.items() if decision.person not in people}
        self._decisions.append(decision)
        return Receipt(seq=self._at.seq, waiting_for=f"approvals of {', '.join(self._owed)}")

    @decide.validator
    def check_decision(self, decision: Decision) -> None:
        """Only who owes one, and never the developer."""
        submitted = self._at.submission
        if submitted is None or decision.person in (submitted.developer, submitted.submitter):
            raise ApplicationError("separation of duties", type="Refused", non_retryable=True)
        if decision.visit != self._at.visit or not any(decision.person in people for people in self._owed.values()):
            raise ApplicationError("no gate waits for you", type="Refused", non_retryable=True)


@workflow.defn(name="low-risk-by-hand")
class LowRiskByHand(ByHand):
    """Intake, development, staging, production."""

    @workflow.init
    def __init__(self, given: Progress) -> None:
        self._begin(given)

    @workflow.run
    async def run(self, given: Progress) -> None:
        """Until the version serves."""
        await self._drive((self.intake, self.development, self.staging, self.production))

    async def intake(self) -> None:
        """Classify."""
        self._tell(Started(plan=self._at.plan))
        await self._do(StepKind.CLASSIFY, tiers=(RiskTier.LOW,))

    async def development(self) -> None:
        """Register, scan, package."""
        submission = await self._await_version()
        await self._do(StepKind.REGISTER, submission=submission)
        await self._do(StepKind.SCAN)
        await self._do(StepKind.PACKAGE, evidence=self._at.evidence)
        self._note(gates=("development",))

    async def staging(self) -> None:
        """Into TEST."""
        await self._do(StepKind.PROMOTE, Environment.TEST)

    async def production(self) -> None:
        """Into PROD."""
        await self._do(StepKind.PROMOTE, Environment.PROD, phase=Phase.STEADY)


@workflow.defn(name="credit-high-risk-by-hand")
class CreditByHand(ByHand):
    """Intake, development, validation, staging, production."""

    @workflow.init
    def __init__(self, given: Progress) -> None:
        self._begin(given)

    @workflow.run
    async def run(self, given: Progress) -> None:
        """Until the version serves and is monitored."""
        await self._drive((self.intake, self.development, self.validation, self.staging, self.production))

    async def intake(self) -> None:
        """Classify."""
        self._tell(Started(plan=self._at.plan))
        await self._do(StepKind.CLASSIFY, tiers=(RiskTier.HIGH, RiskTier.CRITICAL))

    async def development(self) -> None:
        """Register, scan, evaluate, package, into DEV."""
        submission = await self._await_version()
        await self._do(StepKind.REGISTER, Environment.DEV, submission=submission)
        await self._do(StepKind.SCAN, Environment.DEV)
        await self._do(StepKind.EVALUATE, Environment.DEV)
        await self._do(StepKind.PACKAGE, Environment.DEV, evidence=self._at.evidence)
        await self._do(StepKind.PROMOTE, Environment.DEV)
        self._note(gates=("development",))

    async def validation(self) -> None:
        """Two people who did not build it."""
        await self._do(StepKind.EVALUATE)
        roles = {"data_science": "credit-data-science-leads", "risk": "model-risk"}
        question = "Is the model fit for its intended use, and are its limits understood?"
        await self._decide_gate("independent-validation", question, roles, (3, 7))

    async def staging(self) -> None:
        """Into TEST, then legal and product."""
        await self._do(StepKind.PROMOTE, Environment.TEST)
        roles = {"legal": "legal-ai", "product": "lending-product"}
        question = "May this version decide about customers in production?"
        await self._decide_gate("release", question, roles, (2, 4))

    async def production(self) -> None:
        """Into PROD, and watched."""
        await self._do(StepKind.PROMOTE, Environment.PROD)
        await self._do(StepKind.MONITOR, Environment.PROD, phase=Phase.STEADY)


@workflow.defn(name="waiting-by-hand")
class Waiting:
    """The least that a workflow can be which waits for a person: the reference for memory."""

    def __init__(self) -> None:
        self._decided = False

    @workflow.run
    async def run(self, model: str) -> str:
        """Until somebody decides."""
        await workflow.wait_condition(lambda: self._decided, timeout=timedelta(days=3))
        return model

    @workflow.signal
    def decide(self, decision: Decision) -> None:
        """Anything will do."""
        self._decided = True
