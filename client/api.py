"""The client for programs: register, start, look, decide. Every call is bounded in time and fails in our words.

    async with Modelops.connect(Settings()) as modelops:
        status = await modelops.status("loan-approval")

Errors: RefusedError (a rule says no), InvalidInputError, UnknownNameError, ConflictError, UnavailableError (no server,
no worker, or too slow); each has a `remedy`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import quote

from temporalio.client import (
    Client,
    ScheduleOverlapPolicy,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryRejectedError,
)
from temporalio.common import (
    QueryRejectCondition,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from client.caller import CALL_TIMEOUT, Caller
from client.deciding import challenge_at, open_gate, role_of
from client.documents import in_plain_words
from client.histories import Heard, listen
from client.lost import Lost, look_for
from client.schedules import MonitorSchedules
from client.signer import Signer
from client.underway import Underway, underway
from models.audit import AuditEntry
from models.canonical import Digest, Slug, digest
from models.errors import ConflictError, RefusedError, UnavailableError
from models.evidence import StepResult
from models.inventory import ModelFacts, Submission
from models.journal import LifecycleInput
from models.messages import Action, Choice, HandedIn, Receipt
from models.plan import Plan, Proof
from models.signing import Envelope
from models.state import State
from models.status import Status
from models.trial import Look
from worker.connection import connect
from worker.settings import Settings
from workflows import options
from workflows.attributes import MODEL, OWNER, TIER
from workflows.lifecycle import UNCONFIRMED

_REGISTRATION_TIMEOUT = timedelta(seconds=20)
_LINGER = 0.05
_LOOK_AGAIN = 0.2
_TITLE_BYTES = 100
"""The server takes 200 bytes of summary."""

Message = Literal["decide", "request", "submit_version"]
"""The name of a message, as an update that is answered and as a signal that is not."""

_LATER = " It is carried out as soon as a worker can."
_IN_DOUBT = " Whether the message was taken is not known: it may still be."
_REMEDIES = {
    "decide": "`modelops status {model}` shows which gate is open, and who may decide",
    "submit_version": "`modelops model show {model}` lists its versions",
    "request": "`modelops status {model}` shows where it is, and what it waits for",
}

_AFTERWARDS = ScheduleOverlapPolicy.BUFFER_ONE
"""A check that somebody asks for is made, also if one is under way: what that looks at may be an older window."""


class Modelops:
    """Speaks to one Temporal namespace and the workers of one task queue. `ui` is the Web UI's address, for links;
    `audience` is the installation that statements are signed for.

    `tell` hears, in a sentence, what a call that takes long waits for.
    """

    def __init__(
        self,
        client: Client,
        ui: str = "",
        queue: str = options.TASK_QUEUE,
        tell: Callable[[str], None] | None = None,
        audience: str = "modelops",
    ) -> None:
        self._client = client
        self._ui = ui
        self._audience = audience
        self._caller = Caller(client, queue, tell)

    @classmethod
    @asynccontextmanager
    async def connect(cls, settings: Settings, tell: Callable[[str], None] | None = None) -> AsyncIterator["Modelops"]:
        """A connection for the length of a block; UnavailableError."""
        try:
            yield cls(await _connected(settings), settings.temporal_ui, tell=tell, audience=settings.audience)
        finally:
            # A process that exits while the SDK's threads still work is aborted (sdk-core issue 300).
            await asyncio.sleep(_LINGER)

    async def register(self, facts: ModelFacts) -> StepResult:
        """Enter a model's facts. The same facts again change nothing; others are a ConflictError."""
        workflow_id = f"register/{facts.id}"
        async with self._caller.translated(workflow_id):
            try:
                handle = await self._register(facts, workflow_id)
            except WorkflowAlreadyStartedError:
                with suppress(WorkflowFailureError):
                    await self._outcome(self._client.get_workflow_handle(workflow_id))
                handle = await self._register(facts, workflow_id)
            return StepResult.model_validate(await self._outcome(handle))

    async def _register(self, facts: ModelFacts, workflow_id: str) -> WorkflowHandle[Any, Any]:
        return await self._client.start_workflow(
            "ModelRegistration",
            facts,
            id=workflow_id,
            task_queue=self._caller.queue,
            result_type=StepResult,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=f"register {facts.id}",
            rpc_timeout=CALL_TIMEOUT,
        )

    async def _outcome(self, handle: WorkflowHandle[Any, Any]) -> object:
        return await self._caller.answer(handle.id, handle.result(), _REGISTRATION_TIMEOUT, _LATER)

    async def start(self, facts: ModelFacts, plan: Plan, proof: Proof) -> str:
        """Begin a registered model's lifecycle under a plan that is proved (`models.proof`); the workflow's id.

        RefusedError if the plan does not govern the model's tier or the proof is of another plan, compiler or kernel,
        ConflictError if the model has or had a lifecycle; one that failed to begin, as its worker could not prove the
        plan, is none.
        """
        if not proof.covers(digest(plan)):
            raise RefusedError("the proof is of another plan, compiler or kernel", "prove the plan anew")
        if facts.risk_tier not in plan.tiers:
            raise RefusedError(
                f"'{facts.id}' has risk tier {facts.risk_tier}; template '{plan.template}' governs "
                f"{', '.join(plan.tiers)}",
                "choose a template for this tier: `modelops template list`",
            )
        workflow_id = lifecycle_id(facts.id)
        async with self._caller.translated(workflow_id):
            try:
                await self._start(facts, LifecycleInput(plan=plan, state=_fresh(facts), proof=proof), workflow_id)
            except WorkflowAlreadyStartedError as error:
                raise ConflictError(
                    f"'{facts.id}' has a lifecycle already, running or ended; a model has only one",
                    f"`modelops status {facts.id}` shows it; a new version goes in with `modelops submit`",
                ) from error
        return workflow_id

    async def lost(self, model: Slug, recorded: Sequence[AuditEntry]) -> Lost:
        """What is left of a lifecycle's execution; ConflictError if it runs, RefusedError if it ended by itself."""
        async with self._caller.translated(lifecycle_id(model)):
            return await look_for(self._client, lifecycle_id(model), recorded)

    async def rebuild(self, facts: ModelFacts, given: LifecycleInput) -> Status:
        """Go on in another execution with what the record leads to (`models.rebuilding.resumed`); where it is then.

        NotPermittedError if the record, asked by the worker, says otherwise; ConflictError if an execution runs, or
        has ended by itself.
        """
        workflow_id = lifecycle_id(facts.id)
        async with self._caller.translated(workflow_id):
            try:
                await self._start(facts, given, workflow_id)
            except WorkflowAlreadyStartedError as error:
                raise ConflictError(
                    f"the lifecycle of '{facts.id}' runs, or has ended by itself", f"`modelops status {facts.id}`"
                ) from error
            return await self._confirmed(facts.id)

    async def _confirmed(self, model: Slug) -> Status:
        while True:
            found = await self._handle(model).describe(rpc_timeout=CALL_TIMEOUT)
            if found.close_time:
                await self._handle(model).result()
            status = await self._ask(model)
            if not any(trouble.startswith(UNCONFIRMED) for trouble in status.troubles):
                return status
            await asyncio.sleep(_LOOK_AGAIN)

    async def _start(self, facts: ModelFacts, given: LifecycleInput, workflow_id: str) -> None:
        plan = given.plan
        found_by = [
            SearchAttributePair(MODEL, facts.id),
            SearchAttributePair(OWNER, facts.owner),
            SearchAttributePair(TIER, facts.risk_tier.value),
        ]
        await self._client.start_workflow(
            plan.template,
            given,
            id=workflow_id,
            task_queue=self._caller.queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            search_attributes=TypedSearchAttributes(found_by),
            static_summary=_summary(facts, plan),
            static_details=_details(facts, plan),
            # Summary and details belong to the first run alone; the memo goes on with continue-as-new.
            memo={"title": facts.title, "intended_use": facts.intended_use},
            rpc_timeout=CALL_TIMEOUT,
        )

    async def status(self, model: Slug) -> Status:
        """Where a lifecycle is, what it waits for, and who can act; RefusedError if its execution is lost."""
        async with self._caller.translated(lifecycle_id(model)):
            while True:
                try:
                    return await self._ask(model, QueryRejectCondition.NOT_COMPLETED_CLEANLY)
                except WorkflowQueryRejectedError as rejected:
                    # The run was followed by the next one between the finding of it and the asking.
                    if rejected.status is not WorkflowExecutionStatus.CONTINUED_AS_NEW:
                        raise

    async def underway(self, model: Slug) -> list[Underway]:
        """What a lifecycle's worker is at, and how far; nothing if no step is."""
        async with self._caller.translated(lifecycle_id(model)):
            found = await self._caller.describe(lifecycle_id(model))
            return await underway(found, self._client.data_converter) if found else []

    async def trial(self, model: Slug) -> Look | None:
        """What the last look at a challenger has seen; None if none is tried, or nobody has looked in this run."""
        async with self._caller.translated(lifecycle_id(model)):
            found = await self._answered(model, self._handle(model).query("trial", rpc_timeout=CALL_TIMEOUT))
            return Look.model_validate(found) if found else None

    async def _ask(self, model: Slug, refusing: QueryRejectCondition | None = None) -> Status:
        asked = self._handle(model).query(
            "status", result_type=Status, reject_condition=refusing, rpc_timeout=CALL_TIMEOUT
        )
        return Status.model_validate(await self._answered(model, asked))

    async def heard(self, model: Slug) -> Heard:
        """What all runs of a lifecycle tell that the server still keeps, and their histories."""
        async with self._caller.translated(lifecycle_id(model)):
            return await listen(self._client, lifecycle_id(model))

    async def decide(
        self, model: Slug, gate: Slug, choice: Choice, signer: Signer, reason: str, **given: Any
    ) -> Receipt:
        """Sign a decision at the open gate (`sign_decision` says what may be given), and send it."""
        return await self.send(model, "decide", await self.sign_decision(model, gate, choice, signer, reason, **given))

    async def sign_decision(
        self,
        model: Slug,
        gate: Slug,
        choice: Choice,
        signer: Signer,
        reason: str,
        *,
        role: Slug | None = None,
        artifact: Digest | None = None,
        findings: Sequence[str] = (),
        closes: Sequence[str] = (),
        delegation: Envelope | None = None,
    ) -> Envelope:
        """A decision at the open gate, signed. `artifact` is what the person looked at, if not what waits now.

        `findings` say why a version is rejected, `closes` which are closed by the one that is approved; with a
        `delegation`, which names the role, the decision is in somebody's place.
        """
        opened = open_gate(await self.status(model), gate)
        about, chosen = challenge_at(opened, artifact), role or role_of(opened, signer.person)
        with in_plain_words("the decision"):
            return signer.decide(about, choice, chosen, reason, findings=findings, closes=closes, delegation=delegation)

    async def submit(self, model: Slug, submission: Submission, signer: Signer) -> Receipt:
        """Sign for a new version, and hand it in."""
        return await self._update(model, "submit_version", signer.submit(self._audience, model, submission))

    async def request(
        self, model: Slug, action: Action, signer: Signer, reason: str, emergency: bool = False
    ) -> Receipt:
        """Sign and ask for what may be asked at any time; RefusedError where it makes no sense."""
        with in_plain_words("the request"):
            asked = signer.request(self._audience, model, action, reason, emergency)
        return await self._update(model, "request", asked)

    async def send(self, model: Slug, name: Message, message: Envelope | HandedIn) -> Receipt:
        """Send what was signed elsewhere, and be answered."""
        return await self._update(model, name, message)

    async def leave(self, model: Slug, name: Message, message: Envelope | HandedIn) -> None:
        """Leave what was signed for a worker to come. Whether it counted is told by the history alone."""
        async with self._caller.translated(lifecycle_id(model)):
            await self._handle(model).signal(name, message, rpc_timeout=CALL_TIMEOUT)

    async def check_monitors(self, model: Slug) -> Sequence[str]:
        """Have every monitor of a model look now; the names of their schedules."""
        prefix = f"monitor/{model}/"
        async with self._caller.translated(lifecycle_id(model)):
            names = sorted([one.id async for one in await self._client.list_schedules() if one.id.startswith(prefix)])
            for name in names:
                await self._client.get_schedule_handle(name).trigger(overlap=_AFTERWARDS, rpc_timeout=CALL_TIMEOUT)
        return names

    @property
    def schedules(self) -> MonitorSchedules:
        """When monitors look."""
        return MonitorSchedules(self._client, self._caller)

    async def has_worker(self) -> bool:
        """Whether a worker polls for work."""
        try:
            return await self._caller.last_poll() is not None
        except RPCError:
            return False

    def link(self, model: Slug) -> str:
        """The lifecycle's page in the Web UI."""
        workflow = quote(lifecycle_id(model), safe="")
        return f"{self._ui}/namespaces/{quote(self._client.namespace, safe='')}/workflows/{workflow}"

    def _handle(self, model: Slug) -> WorkflowHandle[Any, Any]:
        return self._client.get_workflow_handle(lifecycle_id(model))

    async def _update(self, model: Slug, name: Message, message: Envelope | HandedIn) -> Receipt:
        asked = self._handle(model).execute_update(name, message, result_type=Receipt, rpc_timeout=CALL_TIMEOUT)
        try:
            async with self._caller.translated(lifecycle_id(model), _IN_DOUBT):
                return Receipt.model_validate(await self._answered(model, asked, _IN_DOUBT))
        except RefusedError as error:
            error.remedy = error.remedy or _REMEDIES[name].format(model=model)
            raise

    async def _answered(self, model: Slug, asked: Coroutine[Any, Any, object], note: str = "") -> object:
        return await self._caller.answer(lifecycle_id(model), asked, CALL_TIMEOUT, note)


async def _connected(settings: Settings) -> Client:
    try:
        async with asyncio.timeout(CALL_TIMEOUT.total_seconds()):
            return await connect(settings)
    except TimeoutError as error:
        raise UnavailableError(
            f"the Temporal server at {settings.temporal_address} does not answer",
            "start the embedded one with `modelops up`, or set MODELOPS_TEMPORAL_ADDRESS",
        ) from error


def _fresh(facts: ModelFacts) -> State:
    return State(model=facts.id, owner=facts.owner)


def lifecycle_id(model: Slug) -> str:
    """The workflow id of a model's lifecycle."""
    return f"model/{model}"


def _summary(facts: ModelFacts, plan: Plan) -> str:
    title = facts.title.encode()[:_TITLE_BYTES].decode(errors="ignore")
    return f"{title} · template {plan.template} {plan.version} · tier {facts.risk_tier}"


def _details(facts: ModelFacts, plan: Plan) -> str:
    lines = (
        f"model: {facts.id}",
        f"tier: {facts.tier_in_words}",
        f"owner: {facts.owner}",
        f"intended use: {facts.intended_use}",
        f"use case: {facts.use_case.id} ({facts.use_case.process})",
        f"plan: {digest(plan)}",
    )
    return "\n".join(f"    {' '.join(line.split())}" for line in lines)
