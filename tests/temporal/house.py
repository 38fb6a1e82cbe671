"""A worker with quick parts, and the few words that a test of the engine needs."""

import asyncio
import contextlib
import logging
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.worker import Worker

from activities.adapters.sql_migration import migrate
from models.audit import AuditEntry
from models.compiler import compile_template
from models.inventory import ModelFacts, RiskTier, Submission
from models.journal import LifecycleInput
from models.messages import Action, Choice, HandedIn, Receipt
from models.plan import Plan, Proof
from models.signing import Envelope
from models.state import Phase, State
from models.status import Status
from tests.contract.reader import Reader
from tests.signers import AUDIENCE, signer
from tests.temporal.doubles import (
    GOOD,
    RecordingDeployer,
    TrustingProver,
    quick_actuator_parts,
    quick_parts,
    write_submission,
)
from worker.wiring import build_actuator, build_worker
from workflows import attributes

TEMPLATES = Path(__file__).parents[2] / "workflows" / "templates"
WITHIN = 20.0


def plan_of(name: str, *edits: tuple[str, str]) -> Plan:
    """A built-in template, compiled, after some replacements of its text."""
    text = (TEMPLATES / f"{name}.yaml").read_text()
    for old, new in edits:
        assert old in text, f"{old!r} is not in {name}"
        text = text.replace(old, new)
    return compile_template(text, f"{name}.yaml")


_IMPACT = {
    RiskTier.LOW: "slight",
    RiskTier.MEDIUM: "material",
    RiskTier.HIGH: "serious",
    RiskTier.CRITICAL: "grave",
}


def facts_of(model: str, tier: RiskTier) -> ModelFacts:
    """Facts of a model for tests."""
    return ModelFacts.model_validate(
        {
            "id": model,
            "title": "Loans",
            "kind": "ml",
            "risk_tier": tier,
            "assessment": {
                "answers": {
                    "impact": _IMPACT[tier],
                    "autonomy": "decides_within_limits",
                    "population": "few",
                    "data_sensitivity": "personal",
                }
            },
            "intended_use": "decide about loans",
            "use_case": {"id": "loans", "process": "origination", "owner": "paul", "value_hypothesis": "fewer losses"},
            "owner": "olga",
            "jurisdictions": ["EU"],
            "personal_data": True,
            "automated_decision": True,
            "sector": "banking",
            "consumers": [{"name": "pricing", "contact": "pricing@example.com"}],
        }
    )


def claimed(plan: Plan) -> Proof:
    """A proof that nobody has made; the house's worker takes it."""
    return TrustingProver().prove(plan)


class Acknowledged(NamedTuple):
    """A decision that an update answered, and the answer."""

    envelope: Envelope
    receipt: Receipt


@cache
def _migrated() -> bytes:
    """The file of an inventory without any row: made once, and copied for each house."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "inventory.db"
        migrate(f"sqlite:///{path}")
        return path.read_bytes()


class House:
    """One folder, one task queue, one worker with its actuator, one model."""

    def __init__(self, client: Client, root: Path, name: str) -> None:
        self.client = client
        self.root = root
        self.model = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-")
        self.queue = f"queue-{self.model}"
        file = root / "inventory.db"
        self.database = f"sqlite:///{file}"
        if not file.exists():
            file.write_bytes(_migrated())
        self.parts = quick_parts(root)
        self.actuator_parts = quick_actuator_parts(root, self.parts, RecordingDeployer(root / "effects.txt"))
        self.made = 0
        self.acknowledged: list[Acknowledged] = []
        self._workers: list[Worker] = []
        self._log = logging.FileHandler(root / "house.log", delay=True)

    async def __aenter__(self) -> "House":
        logging.getLogger().addHandler(self._log)
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(Exception):
            await self.handle.terminate("the test has ended")
        await self.close()
        logging.getLogger().removeHandler(self._log)
        self._log.close()

    async def open(self) -> None:
        """A worker starts, and its actuator."""
        await self.open_worker()
        await self.open_actuator()

    async def open_worker(self) -> None:
        """A worker starts alone."""
        await self._enter(build_worker(self.client, self.parts, self.queue))

    async def open_actuator(self) -> None:
        """The actuator starts."""
        await self._enter(build_actuator(self.client, self.actuator_parts, self.queue))

    async def _enter(self, worker: Worker) -> None:
        await worker.__aenter__()
        self._workers.append(worker)

    async def close(self) -> None:
        """Both stop."""
        while self._workers:
            await self._workers.pop().__aexit__(None, None, None)

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        """The lifecycle's execution, whichever run it is in."""
        return self.client.get_workflow_handle(f"model/{self.model}")

    def whole_trail(self) -> list[AuditEntry]:
        """Every audit entry of the database."""
        return list(Reader(self.database).entries())

    @property
    def deployer(self) -> RecordingDeployer:
        """The environments."""
        assert isinstance(self.actuator_parts.deployer, RecordingDeployer)
        return self.actuator_parts.deployer

    async def start(self, plan: Plan, task_timeout: timedelta | None = None) -> None:
        """Register the model and begin its lifecycle; a worker that dies in a task is noticed after the timeout."""
        await self.register(plan)
        await self.begin(plan, task_timeout)

    async def register(self, plan: Plan) -> None:
        """The model enters the inventory, with a tier that the plan governs."""
        facts = facts_of(self.model, plan.tiers[0])
        await self.client.execute_workflow(
            "ModelRegistration", facts, id=f"register/{self.model}", task_queue=self.queue
        )

    async def begin(self, plan: Plan, task_timeout: timedelta | None = None) -> None:
        """The lifecycle begins; that needs no worker."""
        await self.client.start_workflow(
            plan.template,
            LifecycleInput(plan=plan, state=State(model=self.model, owner="olga"), proof=claimed(plan)),
            id=f"model/{self.model}",
            task_queue=self.queue,
            search_attributes=TypedSearchAttributes([SearchAttributePair(attributes.MODEL, self.model)]),
            task_timeout=task_timeout,
        )

    def version(self, readings: Mapping[str, float] = GOOD, developer: str = "ana", note: str = "") -> Submission:
        """Files and facts of a fresh version."""
        self.made += 1
        return write_submission(self.root, f"v{self.made}", readings, developer, note)

    async def submit(self, readings: Mapping[str, float] = GOOD, developer: str = "ana", note: str = "") -> Receipt:
        """A fresh version goes in."""
        return await self.update("submit_version", self.handed_in(self.version(readings, developer, note)))

    def handed_in(self, submission: Submission) -> HandedIn:
        """A version, signed for by its submitter."""
        return signer(submission.submitter).submit(AUDIENCE, self.model, submission)

    async def update(self, name: str, argument: object) -> Receipt:
        """An update, answered."""
        receipt = Receipt.model_validate(await self.handle.execute_update(name, argument))
        if name == "decide" and isinstance(argument, Envelope):
            self.remember(argument, receipt)
        return receipt

    def remember(self, decision: Envelope, receipt: Receipt) -> None:
        """A decision that was answered has to count for ever."""
        self.acknowledged.append(Acknowledged(decision, receipt))

    async def request(self, action: Action, person: str = "olga") -> Receipt:
        """A person asks."""
        return await self.update("request", self.asked(action, person))

    def asked(self, action: Action, person: str = "olga") -> Envelope:
        """What a person would sign to ask for something."""
        return signer(person).request(AUDIENCE, self.model, action, "for the test")

    async def status(self) -> Status:
        """The query."""
        return Status.model_validate(await self.handle.query("status", result_type=Status))

    async def until(self, what: Callable[[Status], bool]) -> Status:
        """The first status that satisfies a condition."""
        status = await self.status()
        async with asyncio.timeout(WITHIN):
            while not what(status):
                await asyncio.sleep(0.05)
                status = await self.status()
        return status

    async def until_phase(self, phase: Phase, stage: str | None = None) -> Status:
        """The first status in a phase (of a stage)."""
        return await self.until(lambda s: s.phase is phase and stage in (None, s.stage))

    async def recorded(self, within: float = WITHIN) -> Status:
        """The status, once every event that led to it is on record; whoever waits longer looks less often."""
        async with asyncio.timeout(within):
            while True:
                status = await self.status()
                trail = self.parts.inventory.trail(self.model)
                if sum(entry.kind == "event" for entry in trail) == status.seq:
                    return status
                await asyncio.sleep(within / 400)

    async def decision(
        self,
        person: str,
        choice: Choice = Choice.APPROVE,
        role: str | None = None,
        reason: str = "looked at the evidence",
        findings: Sequence[str] = (),
        closes: Sequence[str] = (),
        **about: object,
    ) -> Envelope:
        """What a person would sign about the open gate, or about something else."""
        gate = (await self.status()).gate
        assert gate is not None
        assert gate.about is not None
        held = [one for one, people in gate.holders.items() if person in people]
        asked = gate.about.model_copy(update=about)
        chosen = role or (held[0] if held else next(iter(gate.holders)))
        return signer(person).decide(asked, choice, chosen, reason, findings=findings, closes=closes)

    async def decide(self, person: str, choice: Choice = Choice.APPROVE) -> Receipt:
        """A decision as an update."""
        return await self.update("decide", await self.decision(person, choice))

    async def approve(self, stage: str, *people: str) -> None:
        """Everybody approves in a stage."""
        await self.until_phase(Phase.DECIDING, stage)
        for person in people:
            await self.decide(person)

    async def to_production(self) -> Status:
        """A good version earns every gate."""
        await self.submit()
        await self.approve("validation", "dmitri", "rosa")
        await self.approve("staging", "lena", "paul")
        return await self.until_phase(Phase.STEADY)

    async def refusal(self, name: str, argument: object) -> str:
        """Why an update is refused."""
        try:
            await self.handle.execute_update(name, argument)
        except WorkflowUpdateFailedError as error:
            return str(error.cause)
        raise AssertionError(f"{name} was not refused")
