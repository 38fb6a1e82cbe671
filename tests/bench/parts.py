"""Parts that take no time, so that what is measured is the workflow and the server, not a database or a disk."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from temporalio import activity

from activities.adapters.ci_checks import CiChecks
from activities.adapters.sql_findings import SqlFindings
from activities.adapters.yaml_directory import YamlDirectory
from activities.ledger import Ledger
from activities.ports import Earned, Inventory, Reign, Serving
from models.audit import AuditEntry, AuditHead
from models.canonical import Digest, digest_bytes
from models.clearance import Tied
from models.evidence import EffectKey, StepKind, StepResult
from models.inventory import Change, Environment, ModelFacts, Reference, RiskTier, Submission
from models.journal import Assignment, JournalEntry
from models.maturity import Look
from models.metrics import Metrics
from models.plan import Plan
from models.reconciliation import Shelf
from models.value import Entry, Stint
from tests.signers import AUDIENCE, keyring
from tests.temporal.doubles import (
    NAMES,
    PEOPLE,
    CopyingTrainer,
    NamedBundles,
    NamingPackager,
    NewestFile,
    NoExecutions,
    NoSchedules,
    NothingAgainst,
    TextEvaluator,
    TextScanner,
    TrustingProver,
    WrittenService,
    write_submission,
)
from tests.temporal.house import facts_of
from worker.metrics import NamedMetrics
from worker.policies import PolicyFolder
from worker.wiring import Parts

Progress = Callable[[str], None]
"""Told of every effect (`model/visit/step`) and of every phase that an event led to (`model/phase`)."""


class MemoryInventory:
    """Remembers effects, counts events, and says that every gate was passed."""

    def __init__(self, plan: Plan, submission: Submission, progress: Progress) -> None:
        self._plan = plan
        self._submission = submission
        self._progress = progress
        self._effects: dict[str, StepResult] = {}
        self._bundles: dict[str, Digest] = {}
        self._visits: dict[str, int] = {}
        self._lock = threading.Lock()
        self.events = 0

    def effect(self, key: EffectKey) -> StepResult | None:
        """As committed."""
        self._visits[key.model] = key.visit
        return self._effects.get(str(key))

    def commit_effect(self, key: EffectKey, result: StepResult, changes: Sequence[Change]) -> StepResult:
        """Once per key."""
        if result.bundle:
            self._bundles[key.model] = result.bundle
        kept = self._effects.setdefault(str(key), result)
        self._progress(str(key))
        return kept

    def commit_event(self, entry: JournalEntry) -> None:
        """Counted."""
        with self._lock:
            self.events += 1
        self._progress(f"{entry.model}/{entry.snapshot.phase.value}")

    def commit_plan(self, plan: Plan) -> None:
        """There is one plan."""

    def governing_plan(self, model: str) -> Plan:
        """The one plan."""
        return self._plan

    def model(self, model: str) -> ModelFacts:
        """Of the tier that the plan governs."""
        return facts_of(model, RiskTier(self._plan.tiers[0]))

    def submission(self, model: str, version: int) -> Submission:
        """The one version."""
        return self._submission

    def earned(self, model: str, version: int) -> Earned:
        """The one version, with every gate passed."""
        gates = frozenset(gate for gates in self._plan.environment_gates.values() for gate in gates)
        return Earned(self._submission.artifact.digest, self._bundles.get(model), gates)

    def holding(self, digest: Digest) -> Sequence[tuple[str, int]]:
        """Nobody asks for it."""
        return []

    def reign(self, model: str) -> Reign:
        """No registry follows it."""
        return Reign(None, 0)

    def visit(self, model: str) -> tuple[str, int]:
        """Where the last effect was asked for: every stage is visited once, in the plan's order."""
        visit = self._visits[model]
        return self._plan.stages[visit - 1].name, visit

    def verdicts(self, model: str, monitor: str) -> Sequence[tuple[str, str]]:
        """Nothing is measured."""
        return []

    def looks(self, model: str, monitor: str) -> Sequence[Look]:
        """Nothing is measured."""
        return []

    def deployments(self, model: str) -> Mapping[Environment, Serving]:
        """Nobody asks."""
        return {}

    def stints(self, model: str, environment: Environment) -> Sequence[Stint]:
        """Nobody asks."""
        return []

    def booked(self, model: str) -> Sequence[Entry]:
        """Nobody asks."""
        return []

    def trail(self, model: str) -> Sequence[AuditEntry]:
        """Nobody asks."""
        return []

    def head(self, position: int | None = None) -> AuditHead:
        """Nobody asks."""
        return AuditHead()

    def entries(self) -> Iterator[AuditEntry]:
        """Nobody asks."""
        return iter(())

    def ties(self, model: str) -> Sequence[Tied]:
        """Nobody asks."""
        return []


class OneFile:
    """A store with the one artifact in it."""

    def __init__(self, artifact: Path) -> None:
        self._artifact = artifact

    def put(self, data: bytes) -> Digest:
        """Its name."""
        return digest_bytes(data)

    def fetch(self, reference: Reference) -> Path:
        """The artifact."""
        return self._artifact

    def path(self, digest: Digest) -> Path:
        """The artifact."""
        return self._artifact

    def refer(self, digest: Digest, referrer: Digest) -> None:
        """Nobody asks."""

    def referrers(self, digest: Digest) -> Sequence[Digest]:
        """None."""
        return ()


class InstantPromotion:
    """Everything serves at once, unchecked: what the actuator does to be sure is not measured here."""

    def __init__(self, inventory: Inventory) -> None:
        self._ledger = Ledger(inventory)

    @activity.defn(name="promote_version")
    def promote_version(self, task: Assignment) -> StepResult:
        """Once per key."""
        return self._ledger.perform(task, StepKind.PROMOTE, lambda: (StepResult(summary="it serves"), []))


class NoEnvironments:
    """Nothing serves."""

    def serves(self, environment: Environment) -> Shelf:
        """Nobody asks."""
        return {}


def instant_parts(root: Path, plan: Plan, progress: Progress) -> tuple[Parts, Submission]:
    """Parts for lifecycles on one plan, and the version that all of them are given."""
    submission = write_submission(root, "v1")
    people = root / "directory.yaml"
    people.write_text(PEOPLE)
    people.with_name("keys.json").write_text(keyring(NAMES).model_dump_json())
    parts = Parts(
        inventory=MemoryInventory(plan, submission, progress),
        store=OneFile(root / "v1.json"),
        scanner=TextScanner(),
        supply=NothingAgainst(),
        evaluator=TextEvaluator(),
        packager=NamingPackager(),
        bundles=NamedBundles(),
        trainer=CopyingTrainer(root),
        pipelines=CiChecks({}),
        windows=NewestFile(root),
        directory=YamlDirectory(people, people.with_name("keys.json"), AUDIENCE),
        schedules=NoSchedules(),
        policies=PolicyFolder(),
        prover=TrustingProver(),
        findings=SqlFindings(f"sqlite:///{root / 'findings.db'}"),
        executions=NoExecutions(),
        environments=NoEnvironments(),
        metrics=NamedMetrics(Metrics()),
        service=WrittenService(root / "service.json"),
    )
    return parts, submission
