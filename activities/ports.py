"""What the activities need of the world, in our words. Adapters fit these; the fakes of the tests fit them too."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from models.audit import AuditEntry, AuditHead
from models.canonical import Digest
from models.clearance import Tied
from models.clearance_statement import Clearance
from models.directory import DirectoryEdition
from models.evidence import EffectKey, Electorate, EvaluationReport, ScanReport, StepResult, WindowReport
from models.inventory import Change, Environment, ModelFacts, Reference, Submission
from models.journal import JournalEntry
from models.keys import Keyring
from models.messages import HandedIn
from models.plan import Plan, Proof
from models.policy import Pack
from models.reconciliation import Execution, Finding, Place, Shelf, Turned
from models.signing import Document, Envelope, PublicKey


class Serving(NamedTuple):
    """A version that serves, from which bundle, since when (UTC)."""

    version: int
    bundle: Digest
    since: datetime


class Earned(NamedTuple):
    """What a version is, what it has passed, and where it has served from which bundle, by the record."""

    artifact: Digest | None
    bundle: Digest | None
    gates: frozenset[str]
    served: frozenset[tuple[Environment, Digest]] = frozenset()


class Reign(NamedTuple):
    """Which version is champion, and at which position of the trail it became so; 0 if none ever was."""

    champion: int | None
    since: int


class Inventory(Protocol):
    """The system of record. Every write is one transaction: ledger key, rows and audit entry together."""

    def effect(self, key: EffectKey) -> StepResult | None:
        """The result of an effect that was already performed."""

    def commit_effect(self, key: EffectKey, result: StepResult, changes: Sequence[Change]) -> StepResult:
        """Record an effect once. A key that is already there wins: its result is returned, nothing is written."""

    def commit_event(self, entry: JournalEntry) -> None:
        """Record what an event did to a lifecycle, once per (model, seq)."""

    def commit_plan(self, plan: Plan) -> None:
        """Keep a plan by its digest."""

    def governing_plan(self, model: str) -> Plan:
        """The plan that a model's lifecycle runs on; UnknownNameError."""

    def model(self, model: str) -> ModelFacts:
        """The registered facts of a model; UnknownNameError."""

    def submission(self, model: str, version: int) -> Submission:
        """The registered facts of a version; UnknownNameError."""

    def earned(self, model: str, version: int) -> Earned:
        """What the record says of a version: its bytes, its bundle, its gates, where it served; UnknownNameError."""

    def holding(self, digest: Digest) -> Sequence[tuple[str, int]]:
        """Of each model that has these bytes as artifact or as bundle, its newest version with them."""

    def reign(self, model: str) -> Reign:
        """Which version is champion, and since when; UnknownNameError."""

    def visit(self, model: str) -> tuple[str, int]:
        """The stage that the record says a lifecycle is in, and which visit that is; UnknownNameError."""

    def verdicts(self, model: str, monitor: str) -> Sequence[tuple[str, str]]:
        """(window, verdict) of a monitor's measurements since the champion changed, oldest first."""

    def deployments(self, model: str) -> Mapping[Environment, Serving]:
        """What serves where."""

    def trail(self, model: str) -> Sequence[AuditEntry]:
        """The audit entries that name a model, oldest first."""

    def ties(self, model: str) -> Sequence[Tied]:
        """The same, each with what the entries beside it say of it."""

    def head(self, position: int | None = None) -> AuditHead:
        """Where the whole trail ends, or what it was at a position; UnknownNameError if it has no such entry.

        Read it before `entries`, or writers come between.
        """

    def entries(self) -> Iterator[AuditEntry]:
        """The whole trail of all models, oldest first; it may be longer than the memory."""


class Checkpoints(Protocol):
    """Where signed checkpoints are kept: outside the database, and only ever added to."""

    def append(self, envelope: Envelope) -> None:
        """Keep one more, for good; ConflictError if it does not follow the last one, as somebody was quicker."""

    def last(self) -> bytes | None:
        """The last one, as it stands there; None if nothing is kept."""

    def all(self) -> Sequence[bytes]:
        """All that is kept, oldest first, as it stands there: whether it is a checkpoint is for the reader to say."""


class Notary(Protocol):
    """Signs where the trail ends, so that nobody can make it anew unseen."""

    def introduce(self) -> None:
        """Have a key, and its public half known, before anything is sealed."""

    def checkpoint(self) -> Envelope | None:
        """Seal the present head; None if it has not moved since the last time, or nothing is recorded yet.

        DigestMismatchError if the trail is not what was sealed before: then nothing is.
        """

    def vouch(self, clearance: Clearance) -> Envelope:
        """Sign an answer of the installation."""


class ArtifactStore(Protocol):
    """Content-addressed bytes: what is put in once is there, unchanged, for good."""

    def put(self, data: bytes) -> Digest:
        """Keep some bytes."""

    def fetch(self, reference: Reference) -> Path:
        """Bring pinned bytes in, unless they are here; DigestMismatchError, UnknownNameError, UnavailableError."""

    def path(self, digest: Digest) -> Path:
        """A read-only file with these bytes; UnknownNameError."""


class Scanner(Protocol):
    """The artifact gate: says what a file is, never loading it."""

    def scan(self, path: Path, digest: Digest) -> ScanReport:
        """Anything but a `clean` verdict means that the file must not be used."""


class Evaluator(Protocol):
    """Runs a scanned model over data and measures it."""

    def evaluate(self, model: Path, data: Path, submission: Submission) -> EvaluationReport:
        """Measure on held-out data; MissingColumnError."""

    def measure(self, model: Path, reference: Path, window: Path, submission: Submission) -> WindowReport:
        """Compare a window of production data with the training data; MissingColumnError."""


class Packager(Protocol):
    """Makes a bundle: the model with its environment, schemas and manifest, content-addressed."""

    def package(self, model: str, version: int, submission: Submission, evidence: Mapping[str, Digest]) -> Digest:
        """The digest of the bundle's manifest, the same for the same content."""


class Deployer(Protocol):
    """Puts bundles into environments. Every call is idempotent per key."""

    def deploy(self, environment: Environment, model: str, version: int, bundle: Digest, key: EffectKey) -> str:
        """Load beside what serves, prove it by real predictions, then switch; the endpoint's URL.

        SmokeTestError leaves what served before in place; UnavailableError.
        """

    def withdraw(self, environment: Environment, model: str, key: EffectKey) -> None:
        """Stop serving the model; no error if it does not serve."""


class Trainer(Protocol):
    """Makes a new version for real."""

    def train(self, trainer: str, previous: Submission, window: Path | None, key: EffectKey) -> Submission:
        """Run the trainer registered under a name; TrainingError, UnknownNameError.

        Asked again under a key, it goes on with the run that it began under it, if that outlived the asking.
        """


class Prover(Protocol):
    """Explores plans before they govern anything."""

    def prove(self, plan: Plan) -> Proof:
        """The proof of a plan; NotPermittedError if it breaks a promise, or cannot be explored."""


class Policies(Protocol):
    """Where policy packs are kept."""

    def packs(self) -> tuple[Pack, ...]:
        """Every pack that is known."""


class Windows(Protocol):
    """Where windows of production data arrive."""

    def latest(self, model: str) -> tuple[Path, datetime] | None:
        """The newest window of a model and when it arrived."""


class Directory(Protocol):
    """People, the groups that they are in, and the keys with which they sign."""

    def electorate(self, roles: Mapping[str, str], also: Sequence[str] = ()) -> Electorate:
        """Who holds each role, given the group that it is bound to, and with which keys they, and others, sign now."""

    def keyring(self) -> Keyring:
        """Every key that was ever enrolled."""


class Kept(NamedTuple):
    """An edition as it is kept, and which administrator's key signed it: None if none did that counts today."""

    edition: DirectoryEdition
    signer: PublicKey | None


class Editions(Directory, Protocol):
    """A directory that administrators publish."""

    def newest(self) -> DirectoryEdition:
        """The edition that counts; UnknownNameError, NotPermittedError, DigestMismatchError."""

    def kept(self, number: int | None = None) -> Kept | None:
        """An edition by its number or else the newest one, whoever signed it; None if nothing is published yet."""

    def publish(self, envelope: Document) -> None:
        """Have the next edition count; NotPermittedError, ConflictError."""

    def close(self) -> None:
        """Give all connections back."""


class Schedules(Protocol):
    """Monitors that run by the clock."""

    async def start(self, model: str, plan: Plan) -> Sequence[str]:
        """Have each monitor of the plan run on its own schedule, once; the schedules' names."""

    async def stop(self, model: str, plan: Plan) -> None:
        """End the schedule of each monitor of the plan; no error if there are none."""


class Findings(Protocol):
    """What the record says of all models at once, and what contradicts it."""

    def places(self) -> Mapping[str, Place]:
        """Where every lifecycle is, ended or not."""

    def serving(self) -> Mapping[Environment, Shelf]:
        """What serves where."""

    def findings(self) -> Sequence[Finding]:
        """Those that hold."""

    def commit_findings(self, seen: frozenset[Finding]) -> Turned:
        """Record what was seen, in one transaction: an audit entry for each finding that is new or holds no more."""


class Executions(Protocol):
    """Lifecycles as the engine knows them."""

    async def look(self, models: Iterable[str]) -> Mapping[str, Execution]:
        """The executions of some models, with their places, and every other one that is open."""

    async def pollers(self, queue: str) -> frozenset[str]:
        """The identities that have polled a task queue lately."""


class Environments(Protocol):
    """What really serves, for whoever only looks."""

    def serves(self, environment: Environment) -> Shelf:
        """What serves in an environment; UnavailableError."""


class RegistryVersion(NamedTuple):
    """A version in somebody else's registry: its name and number there, its run, and what we have noted at it."""

    name: str
    number: str
    run: str
    note: str


class Registry(Protocol):
    """A registry of models beside ours. Every method may raise UnavailableError."""

    def versions(self, name: str) -> Sequence[RegistryVersion]:
        """Every version under a name, oldest first."""

    def document(self, version: RegistryVersion) -> bytes | None:
        """What is kept at a version for us: that it is handed in, signed. None if nothing is. InvalidInputError."""

    def champion(self, name: str) -> str | None:
        """Which version the alias `champion` points to."""

    def point(self, name: str, number: str | None) -> None:
        """Have the alias point to a version, or to none."""

    def note(self, version: RegistryVersion, text: str) -> None:
        """Leave a word about a version where its people look."""


class Lifecycles(Protocol):
    """Lifecycles, spoken to from outside of them."""

    async def hand_in(self, model: str, template: str, given: HandedIn) -> int:
        """Hand a version in, beginning the lifecycle if there is none; the event's number.

        RefusedError if it does not count, UnavailableError if nobody answers.
        """
