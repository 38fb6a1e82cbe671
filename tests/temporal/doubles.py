"""Quick parts for tests of the engine: inventory, store and directory are real; the rest fits the same ports."""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from activities.adapters.ci_checks import CiChecks
from activities.adapters.ci_runs import CiRuns
from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.file_checkpoints import FileCheckpoints
from activities.adapters.file_notary import FileNotary
from activities.adapters.sql_findings import SqlFindings
from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.yaml_directory import YamlDirectory
from activities.ports import Deployer
from activities.window_ports import Brought, Given, Window
from models.answers import Asked
from models.bundle.definitions import Elsewhere
from models.canonical import Digest, Frozen, Slug, digest, digest_bytes
from models.environments import usual_environments
from models.errors import (
    ConflictError,
    InvalidInputError,
    MissingColumnError,
    SignatureError,
    SmokeTestError,
    TrainingError,
    UnavailableError,
)
from models.evidence import EffectKey, EvaluationReport, ScanReport, WindowReport, WindowSource
from models.golden import Parity, compare
from models.inventory import DataContract, Environment, ModelFacts, Submission
from models.metrics import Metrics, Period
from models.monitoring import MonitorOrder
from models.observations import Arms, Observations, share_of
from models.placement import Placed
from models.plan import COMPILER, KERNEL, Plan, Proof
from models.reconciliation import Execution, Served, Shelf
from models.schema import SchemaReport
from models.service import ServiceReport
from models.supply.reports import DependencyReport, LicenceReport, SecretReport, SourceReport, SupplyReport
from models.traffic import Split
from models.validation import Sample
from models.verdict import Reading
from tests.contract.ci_systems import TOKEN
from tests.signers import AUDIENCE, keyring
from worker.ci import Ci
from worker.metrics import NamedMetrics
from worker.pipelines import ci_runs
from worker.policies import PolicyFolder
from worker.wiring import ActuatorParts, Parts

PEOPLE = """\
people:
  ana: {name: Ana, email: ana@example.com, groups: [credit-data-science-leads]}
  dmitri: {name: Dmitri, email: dmitri@example.com, groups: [credit-data-science-leads]}
  rosa: {name: Rosa, email: rosa@example.com, groups: [model-risk]}
  lena: {name: Lena, email: lena@example.com, groups: [legal-ai]}
  paul: {name: Paul, email: paul@example.com, groups: [lending-product]}
  olga: {name: Olga, email: olga@example.com, groups: []}
  sam: {name: Sam, email: sam@example.com, groups: [ml-platform]}
"""
NAMES = ("ana", "dmitri", "rosa", "lena", "paul", "olga", "sam")
"""Everybody in it."""


class TextScanner:
    """Artifacts are JSON texts of readings; one that says `evil` is not clean."""

    def scan(self, path: Path, digest: Digest, parts: Mapping[str, Path] | None = None) -> ScanReport:
        """Clean unless the text says otherwise."""
        text = path.read_text()
        verdict = "malicious" if "evil" in text else "clean"
        return ScanReport(format="onnx", verdict=verdict, scanned_bytes=len(text), artifact=digest)


class NothingAgainst:
    """Takes everything that a version names for looked at and found in order."""

    def look(self, submission: Submission) -> Sequence[SupplyReport]:
        """Reports that rest on one thing each."""
        lock, source, one = submission.dependencies.digest, submission.source, ("numpy==2.4.0",)
        return (
            DependencyReport(lock=lock, distributions=one),
            LicenceReport(lock=lock, distributions=one),
            SourceReport(source=source, files=1),
            SecretReport(source=source, files=1),
        )


class TextEvaluator:
    """The artifact itself says what it would measure."""

    def evaluate(self, model: Path, data: Path, submission: Submission) -> EvaluationReport:
        """Readings as written in the artifact."""
        values: dict[str, float] = json.loads(model.read_text())["readings"]
        readings = tuple(Reading(name=name, value=value, count=500) for name, value in values.items())
        return EvaluationReport(rows=500, readings=readings, groups=())

    def measure(
        self,
        model: Path,
        reference: Path,
        held_out: Path,
        window: Path,
        submission: Submission,
        outcomes: Path | None = None,
    ) -> WindowReport:
        """Readings as written in the window."""
        values: dict[str, float] = json.loads(window.read_text())
        if "missing" in values or "went" in values:
            raise MissingColumnError(f"{window.name} has no column 'obrat'")
        readings = tuple(Reading(name=name, value=value, count=500) for name, value in values.items())
        return WindowReport(window=digest_bytes(window.read_bytes()), rows=500, readings=readings, psi={})

    def compare_columns(self, training: Path, window: Path, submission: Submission) -> SchemaReport:
        """Columns went as written in the window."""
        return SchemaReport(went=tuple(json.loads(window.read_text()).get("went", ())))

    def replay(self, model: Path, golden: Path, submission: Submission) -> Parity:
        """Always alike."""
        return compare([0.5] * 100, [0.5] * 100, 1e-5)


class NamingPackager:
    """A bundle is named after its content."""

    def package(
        self, facts: ModelFacts, version: int, submission: Submission, evidence: Mapping[str, Digest]
    ) -> Digest:
        """Deterministic."""
        return digest_bytes(f"{facts.id}/{version}/{submission.artifact.digest}".encode())


class NamedBundles:
    """The bundles of such a packager: their names are all that there is of them."""

    def verify(self, bundle: Digest, model: str, version: int, artifact: Digest) -> None:
        """The name says it."""
        if bundle != digest_bytes(f"{model}/{version}/{artifact}".encode()):
            raise SignatureError(f"{bundle} is no bundle of version {version} of '{model}'")

    def elsewhere(self, bundle: Digest, model: str, version: int) -> Elsewhere:
        """None."""
        raise InvalidInputError(f"{bundle} is run by nobody else")


class DeployerCall(Frozen):
    """What an environment was told; without a version, to serve the model no more."""

    environment: Environment
    model: str
    version: int | None
    bundle: Digest | None
    key: EffectKey


class Division(Frozen):
    """A challenger was given its part of the requests, or none any more."""

    environment: Environment
    model: str
    split: Split | None
    key: EffectKey


class RecordingDeployer:
    """Environments as files, so that they outlive a killed worker: one of every call, one of what took effect.

    As by the real server, a key that took effect in an environment is honoured from then on; under another one
    the same call is another effect.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.refuses = False
        self.broken = 0

    def deploy(self, environment: Environment, model: str, version: int, bundle: Digest, key: EffectKey) -> str:
        """Once per key."""
        if self.broken:
            self.broken -= 1
            raise UnavailableError(f"{environment} does not answer", "start it")
        if self.refuses:
            raise SmokeTestError(f"version {version} answered nonsense")
        self._append(DeployerCall(environment=environment, model=model, version=version, bundle=bundle, key=key))
        return f"http://{environment.lower()}.example/{model}"

    def divide(self, environment: Environment, model: str, split: Split | None, key: EffectKey) -> None:
        """Once per key."""
        if split and self.serves(environment).get(model) in (None, Served(split.version, split.bundle)):
            raise ConflictError(f"there is nothing else in {environment} beside which '{model}' could be loaded")
        if self.refuses and split and (split.share or split.mirrored):
            raise SmokeTestError(f"version {split.version} answered nonsense")
        division = Division(environment=environment, model=model, split=split, key=key)
        known = {one.key: one for one in self.divisions()}
        if known.setdefault(key, division) != division:
            raise ConflictError(f"the key '{key}' belongs to another effect: {known[key]}")
        with self._path.with_suffix(".splits").open("a") as divisions:
            divisions.write(division.model_dump_json() + "\n")

    def divisions(self) -> list[Division]:
        """What challengers were given, in order; a key that came again is there again."""
        path = self._path.with_suffix(".splits")
        return [Division.model_validate_json(line) for line in path.read_text().splitlines()] if path.exists() else []

    def withdraw(self, environment: Environment, model: str, key: EffectKey) -> None:
        """Once per key and environment."""
        self._append(DeployerCall(environment=environment, model=model, version=None, bundle=None, key=key))

    def serves(self, environment: Environment) -> Shelf:
        """What the effects left there."""
        shelf: dict[str, Served] = {}
        for effect in self.effects():
            if effect.environment is environment:
                shelf.pop(effect.model, None)
                if effect.version and effect.bundle:
                    shelf[effect.model] = Served(effect.version, effect.bundle)
        return shelf

    def calls(self) -> list[DeployerCall]:
        """Every call that reached an environment, in order."""
        return _lines(self._path.with_suffix(".calls"))

    def effects(self) -> list[DeployerCall]:
        """Every call that changed an environment, in order."""
        return _lines(self._path)

    def _append(self, call: DeployerCall) -> None:
        with self._path.open("a") as effects, self._path.with_suffix(".calls").open("a") as calls:
            fcntl.flock(effects, fcntl.LOCK_EX)
            calls.write(call.model_dump_json() + "\n")
            known = [
                effect for effect in self.effects() if (effect.environment, effect.key) == (call.environment, call.key)
            ]
            if not known:
                effects.write(call.model_dump_json() + "\n")
            elif known != [call]:
                raise ConflictError(f"the key '{call.key}' belongs to another effect: {known[0]}")


def _lines(path: Path) -> list[DeployerCall]:
    return [DeployerCall.model_validate_json(line) for line in path.read_text().splitlines()] if path.exists() else []


class ScriptedTraffic:
    """What is seen of a champion and a challenger is written in a file: at first, that both are alike."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, right: int, errors: float = 0.0, of: int = 5_000) -> None:
        """From now on, the challenger decides so many of 5,000 cases rightly, the champion 4,000."""
        self._path.write_text(json.dumps({"right": right, "errors": errors, "of": of}))

    def observe(
        self, environment: Environment, model: str, champion: int, challenger: int, since: datetime
    ) -> Observations:
        """As it is written."""
        if not self._path.exists():
            self.write(4_000)
        seen = json.loads(self._path.read_text())
        champion_share, challenger_share = share_of(4_000, 5_000), share_of(seen["right"], seen["of"])
        assert champion_share
        assert challenger_share
        return Observations(
            since=since,
            until=datetime.now(UTC),
            champion_requests=5_000,
            challenger_requests=seen["of"],
            measures={"accuracy": Arms(champion=champion_share, challenger=challenger_share)},
            readings=(Reading(name="trial_errors", value=seen["errors"], count=seen["of"]),),
        )


class PlainSamples:
    """Every bundle has the same request."""

    def sample(self, bundle: Digest) -> Sample:
        """One row."""
        return Sample(request="{}", rows=1)


class PlainPredictor:
    """Every version answers the same, unless it is to answer something else."""

    def __init__(self) -> None:
        self.scores: dict[int, float] = {}

    def predict(self, environment: Environment, model: str, placed: Placed, request: str) -> Asked:
        """At once."""
        data = [self.scores.get(placed.version, 0.5)]
        return Asked(json.dumps({"outputs": [{"name": "score", "datatype": "FP32", "data": data}]}).encode(), 0.001)


class CopyingTrainer:
    """A new version that measures as it is told to."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.trained = 0
        self.broken = False

    def train(self, trainer: str, previous: Submission, window: Path | None, key: EffectKey) -> Submission:
        """The previous submission with a fresh artifact."""
        if self.broken:
            raise TrainingError("the training data is gone", "bring it back")
        self.trained += 1
        return write_submission(self._root, f"retrained-{self.trained}", developer="trainer")


class NewestFile:
    """Windows are files of one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def of(self, model: Slug) -> "ModelFiles":
        """Told apart by their names."""
        return ModelFiles(self._root, model)


class ModelFiles:
    """The windows of one model, by the time of their change."""

    def __init__(self, root: Path, model: Slug) -> None:
        self._root = root
        self._model = model

    def newest(self, period: Period) -> Window | None:
        """Whatever the period."""
        path = self._latest()
        return self._window(path) if path else None

    @contextmanager
    def opened(self, window: Window, contract: DataContract) -> Iterator[Brought]:
        """As it is."""
        yield Brought(self._root / window.source.place, window.source)

    def kept(self, name: Digest) -> Window | None:
        """By its content."""
        return next((found for path in self._files() if (found := self._window(path)).name == name), None)

    def for_training(self, contract: DataContract) -> Given | None:
        """The newest, as it is."""
        path = self._latest()
        return Given(path, self._window(path).name) if path else None

    def _latest(self) -> Path | None:
        return max(self._files(), key=lambda path: path.stat().st_mtime_ns, default=None)

    def _files(self) -> Sequence[Path]:
        return list(self._root.glob(f"{self._model}-*.json"))

    def _window(self, path: Path) -> Window:
        name = digest_bytes(path.read_bytes())
        arrived = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return Window(name, arrived, WindowSource(kind="files", place=path.name, content=name))


class WrittenService:
    """What a version was asked is written in a file; nothing, if there is none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, environment: Environment, model: str, version: int, period: Period) -> ServiceReport:
        """As it is written; whatever the period."""
        if not self._path.exists():
            return ServiceReport(requests=0, failed=0)
        return ServiceReport.model_validate_json(self._path.read_text())


class NoSchedules:
    """Remembers what was to be scheduled."""

    def __init__(self) -> None:
        self.running: set[str] = set()

    async def start(self, model: str, plan: Plan) -> Sequence[str]:
        """Names only."""
        names = [f"monitor/{model}/{monitor.id}" for monitor in plan.monitors]
        self.running |= set(names)
        return names

    async def tighten(self, order: MonitorOrder, until: datetime) -> None:
        """Its name only."""
        self.running.add(f"monitor/{order.model}/{order.monitor.id}/tightened")

    async def stop(self, model: str, plan: Plan) -> None:
        """All of a plan's."""
        self.running -= {f"monitor/{model}/{monitor.id}/tightened" for monitor in plan.monitors}
        self.running -= {f"monitor/{model}/{monitor.id}" for monitor in plan.monitors}


class NoExecutions:
    """Nobody asks what runs."""

    async def look(self, models: Iterable[str]) -> Mapping[str, Execution]:
        """Nothing."""
        return {}

    async def pollers(self, queue: str) -> frozenset[str]:
        """Nobody."""
        return frozenset()


GOOD = {"auc": 0.82, "adverse_impact": 0.91, "calibration_error": 0.03, "rows": 500.0}


def write_submission(
    root: Path, name: str, readings: Mapping[str, float] = GOOD, developer: str = "ana", note: str = ""
) -> Submission:
    """Files of a version under `root`, and its facts."""
    artifact = root / f"{name}.json"
    artifact.write_text(json.dumps({"name": name, "readings": dict(readings), "note": note}))
    data = root / "data.csv"
    data.write_text("income,approved\n1,1\n")
    reference = {"uri": data.as_uri(), "digest": digest_bytes(data.read_bytes())}
    return Submission.model_validate(
        {
            "artifact": {"uri": artifact.as_uri(), "digest": digest_bytes(artifact.read_bytes())},
            "source": {"repository": "git@example.com:credit.git", "commit": "0" * 39 + "1"},
            "training_data": [reference],
            "holdout": reference,
            "dependencies": reference,
            "golden": {"predictions": reference, "tolerance": 1e-5},
            "contract": {"inputs": [{"name": "income"}], "outputs": [{"name": "score"}], "label": "approved"},
            "developer": developer,
            "submitter": developer,
            "trainer": "loans",
        }
    )


class TrustingProver:
    """Takes every plan for proved: what is tested with it is the driver, `tests/unit` explores the plans."""

    def prove(self, plan: Plan) -> Proof:
        """A proof that nobody has made."""
        return Proof(plan=digest(plan), compiler=COMPILER, kernel=KERNEL, states=0, transitions=0, depth=0)


def configured_runs(root: Path) -> dict[str, CiRuns]:
    """Pipelines as `MODELOPS_CI` has them, from the file `ci.json`; none without it."""
    os.environ.setdefault("CI_TOKEN", TOKEN)
    configured = root / "ci.json"
    chosen = TypeAdapter(dict[str, Ci]).validate_json(configured.read_text() if configured.exists() else "{}")
    return ci_runs(chosen, pause=0.05)


def quick_parts(root: Path) -> Parts:
    """Everything a worker needs, under one folder."""
    people = root / "directory.yaml"
    if not people.exists():
        people.write_text(PEOPLE)
        people.with_name("keys.json").write_text(keyring(NAMES).model_dump_json())
    inventory = SqlInventory(f"sqlite:///{root / 'inventory.db'}")
    deployer = RecordingDeployer(root / "effects.txt")
    return Parts(
        inventory=inventory,
        store=FileArtifactStore(root / "artifacts", [root]),
        scanner=TextScanner(),
        supply=NothingAgainst(),
        evaluator=TextEvaluator(),
        packager=NamingPackager(),
        bundles=NamedBundles(),
        trainer=CopyingTrainer(root),
        pipelines=CiChecks(configured_runs(root)),
        windows=NewestFile(root),
        directory=YamlDirectory(people, people.with_name("keys.json"), AUDIENCE),
        schedules=NoSchedules(),
        policies=PolicyFolder(),
        prover=TrustingProver(),
        findings=SqlFindings(f"sqlite:///{root / 'inventory.db'}"),
        executions=NoExecutions(),
        environments=deployer,
        service=WrittenService(root / "service.json"),
        metrics=NamedMetrics(Metrics()),
    )


def quick_actuator_parts(root: Path, parts: Parts, deployer: Deployer) -> ActuatorParts:
    """What the actuator beside a worker with such parts needs."""
    return ActuatorParts(
        inventory=parts.inventory,
        store=parts.store,
        deployer=deployer,
        traffic=ScriptedTraffic(root / "traffic.json"),
        directory=parts.directory,
        surroundings=usual_environments(),
        notary=FileNotary(parts.inventory, FileCheckpoints(root / "checkpoints"), root / "notary.key", AUDIENCE),
        bundles=parts.bundles,
        samples=PlainSamples(),
        predictor=PlainPredictor(),
    )
