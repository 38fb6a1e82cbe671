"""What every demo does: programs run, versions go in, people decide, windows arrive, and somebody waits."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2

from client.api import Modelops
from client.catalog import Catalog
from client.documents import read_facts, read_submission
from client.library import find_template, policy_of
from client.proofs import proof_of
from client.signer import Signer
from client.views import Looked
from client.wallet import open_signer
from examples.demo.customers import Customers
from examples.demo.premises import Premises, run_program
from examples.demo.voice import command, tell
from models.audit import AuditKind, EffectRecord
from models.errors import UnavailableError
from models.inventory import Environment, ModelFacts, VersionStatus
from models.messages import Choice
from models.plan import Plan, Proof
from models.state import Phase
from models.status import Status
from worker.environments import environments_of

WITHIN = 120.0
ENDED = frozenset({VersionStatus.REJECTED, VersionStatus.RETIRED, VersionStatus.WITHDRAWN})


class Scene:
    """A model of one of the examples, where a demo plays."""

    def __init__(self, modelops: Modelops, premises: Premises, model: str) -> None:
        self.modelops = modelops
        self.premises = premises
        self.model = model
        self.template = str(premises.example / "lifecycle.yaml")
        self.settings = premises.settings()
        self.data = premises.home / "data"
        self.production = dict(environments_of(self.settings).locals())[Environment.PROD].url
        self.signers: dict[str, Signer] = {}

    async def enrol(self, person: str) -> None:
        """A person makes a key; an administrator enrols it."""
        file = self.premises.home / f"{person}.json"
        await run_program("-m", "client.cli", "key", "create", "--as", person, "--output", str(file))
        await run_program("-m", "client.cli", "key", "enroll", str(file))
        self.signers[person] = open_signer(self.settings, person)

    def facts(self) -> ModelFacts:
        """Of the example's model."""
        return read_facts(self.premises.example / "model.yaml", policy_of(self.settings))

    async def govern(self, facts: ModelFacts) -> tuple[Plan, Proof]:
        """A model enters the inventory, and its lifecycle begins: its plan, and what was proved of it."""
        await self.modelops.register(facts)
        plan = find_template(self.template).compiled(policy_of(self.settings, facts)).plan
        proof = await asyncio.to_thread(proof_of, plan, self.settings.root / "proofs")
        await self.modelops.start(facts, plan, proof)
        return plan, proof

    @contextlib.asynccontextmanager
    async def customers(self, version: str, rows: str) -> AsyncIterator[Customers]:
        """Customers who ask PROD all the time; a question without an answer is an error of the demo."""
        contract = read_submission(self.data / version / "result.json", "ana").contract
        folder = self.settings.outcomes / self.model
        asking = Customers(self.production, self.model, self.data / f"{rows}.csv", folder, contract)
        async with asking.asking():
            yield asking
        if asking.failures:
            raise AssertionError(f"{len(asking.failures)} questions had no answer, as {asking.failures[0]}")

    async def program(self, name: str, *arguments: str) -> str:
        """Run one of the example's own programs, as Ana would; what it says."""
        shown = " ".join(self.short(argument) for argument in arguments)
        command(f"python examples/{self.premises.example.name}/{name} {shown}")
        return await run_program(str(self.premises.example / name), *arguments)

    def short(self, argument: str) -> str:
        """A path as a person would type it."""
        return argument.replace(f"{self.premises.home.parent}/", "")

    async def train(self, name: str) -> None:
        """A version from its request."""
        await self.program("train.py", "--request", str(self.data / f"{name}.json"), "--output", str(self.data / name))

    async def submit(self, name: str, person: str, model: str = "") -> None:
        """A version goes in."""
        model, file = model or self.model, self.data / name / "result.json"
        command(f"modelops submit {model} {self.short(str(file))} --as {person}")
        await self.modelops.submit(model, read_submission(file, person), self.signers[person])

    async def decide(self, gate: str, person: str, reason: str) -> None:
        """A person approves, if they may."""
        command(f'modelops decide {self.model} {gate} approve --as {person} --reason "{reason}"')
        await self.modelops.decide(self.model, gate, Choice.APPROVE, self.signers[person], reason)

    async def window(self, name: str) -> None:
        """A window of production data arrives, and the schedules are fired now instead of tomorrow."""
        await self.arrive(name, (self.data / f"{name}.csv").read_bytes())
        command(f"modelops monitor run {self.model}")

    async def arrive(self, name: str, window: bytes, model: str = "") -> None:
        """Rows of production data as CSV; every monitor looks at them."""
        model = model or self.model
        folder = self.settings.windows / model
        folder.mkdir(parents=True, exist_ok=True)
        written = folder / f".{name}"
        written.write_bytes(window)
        written.rename(folder / f"{name}.csv")
        await self.modelops.check_monitors(model)

    async def look(self, monitor: str, count: int, model: str = "") -> Looked:
        """What a monitor found, once it has looked as often."""
        async with asyncio.timeout(WITHIN):
            while True:
                with Catalog(self.settings.database) as catalog:
                    found = [one for one in catalog.looks(model or self.model) if one.monitor == monitor]
                if len(found) >= count:
                    return found[count - 1]
                await asyncio.sleep(0.2)

    async def measured(self, monitor: str, count: int) -> str:
        """The same in a sentence."""
        return (await self.look(monitor, count)).reasons[0]

    def found_by(self, step: str) -> str:
        """What a step was recorded to have found, the last time."""
        with Catalog(self.settings.database) as catalog:
            entries = [entry for entry in catalog.record(self.model).history if entry.kind == AuditKind.EFFECT]
        effects = [EffectRecord.model_validate_json(entry.body) for entry in entries]
        return next(effect.result.summary for effect in reversed(effects) if effect.key.step == step)

    async def gate_open(self, stage: str, version: int) -> Status:
        """Wait for a gate; a version that was turned away instead is an error of the demo."""
        status = await self.until(
            lambda s: s.statuses.get(version) in ENDED or (s.stage == stage and s.phase is Phase.DECIDING)
        )
        if status.gate is None:
            raise AssertionError(f"version {version} did not reach '{stage}': {status.waiting_for}; {status.checks}")
        tell(f"gate '{status.gate.gate}' is open: {status.waiting_for}")
        return status

    async def until(self, what: Callable[[Status], bool], model: str = "") -> Status:
        """The first status that satisfies a condition, however long no worker answers; a stuck one is an error."""
        async with asyncio.timeout(WITHIN):
            while True:
                try:
                    status = await self.modelops.status(model or self.model)
                except UnavailableError:
                    continue
                if what(status):
                    return status
                if status.phase is Phase.STUCK:
                    raise AssertionError(f"stuck: {status.failure}")
                await asyncio.sleep(0.1)

    async def get(self, path: str) -> Any:
        """What PROD says."""
        async with httpx2.AsyncClient(base_url=self.production, trust_env=False) as http:
            return (await http.get(path)).raise_for_status().json()

    async def post(self, path: str, body: object) -> Any:
        """What PROD answers."""
        async with httpx2.AsyncClient(base_url=self.production, trust_env=False) as http:
            return (await http.post(path, json=body)).raise_for_status().json()
