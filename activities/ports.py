"""What the activities need of the world, in our words. Adapters fit these; the fakes of the tests fit them too."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from models.answers import Asked
from models.audit import AuditEntry, AuditHead
from models.bundle.definitions import Elsewhere
from models.canonical import Digest, Slug
from models.clearance import Tied
from models.clearance_statement import Clearance
from models.directory import DirectoryEdition
from models.evidence import EffectKey, Electorate, EvaluationReport, ScanReport, StepResult, WindowReport
from models.external import CheckReport, CheckRequest
from models.golden import Parity
from models.inventory import Change, Environment, ModelFacts, Reference, Source, Submission
from models.journal import JournalEntry
from models.keys import Keyring
from models.maturity import Look
from models.observations import Observations
from models.placement import Placed
from models.plan import Plan, Proof
from models.policy import Pack
from models.schema import SchemaReport
from models.signing import Document, Envelope, PublicKey
from models.supply.osv import Bulletin
from models.supply.reports import SourceReport, SupplyReport
from models.traffic import Split
from models.validation import Sample
from models.value import Entry, Stint


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
        """(window, verdict) of a monitor's last looks at each window since the champion changed, by their moments."""

    def looks(self, model: str, monitor: str) -> Sequence[Look]:
        """A monitor's last looks at each window since the champion changed, by what they stand for."""

    def deployments(self, model: str) -> Mapping[Environment, Serving]:
        """What serves where."""

    def stints(self, model: str, environment: Environment) -> Sequence[Stint]:
        """Which version served in an environment when, oldest first."""

    def booked(self, model: str) -> Sequence[Entry]:
        """The value ledger of a model, in the order of its entries."""

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


class Blobs(Protocol):
    """Bytes by their digest, to be read."""

    def path(self, digest: Digest) -> Path:
        """A read-only file with just these bytes, hashed now; UnknownNameError, DigestMismatchError."""

    def referrers(self, digest: Digest) -> Sequence[Digest]:
        """What is known to refer to some bytes, as a signature does."""


class Sink(Protocol):
    """Takes bytes."""

    def write(self, data: bytes) -> object:
        """Some more of them."""


class Depot(Protocol):
    """Where a target fetches bundles from, each by its digest."""

    def bring(self, model: Slug, bundle: Digest) -> None:
        """Have a bundle be there, once; DigestMismatchError if something else is in its place."""

    def holds(self, model: Slug, bundle: Digest) -> bool:
        """Whether a bundle is there, byte for byte; UnknownNameError if nobody knows what it was."""


class ArtifactStore(Blobs, Protocol):
    """Content-addressed bytes: what is put in once is there, unchanged, for good."""

    def put(self, data: bytes) -> Digest:
        """Keep some bytes."""

    def fetch(self, reference: Reference) -> Path:
        """Bring pinned bytes in, unless they are here; DigestMismatchError, UnknownNameError, UnavailableError."""

    def refer(self, digest: Digest, referrer: Digest) -> None:
        """Remember that one thing that is kept refers to another."""


class Scanner(Protocol):
    """The artifact gate: says what a file is, never loading it."""

    def scan(self, path: Path, digest: Digest, parts: Mapping[str, Path] = ...) -> ScanReport:
        """Anything but a `clean` verdict means that the file must not be used, or one of its parts must not."""


class SupplyScanner(Protocol):
    """Looks at everything that a version names beside its artifact and its data."""

    def look(self, submission: Submission) -> Sequence[SupplyReport]:
        """A report on each; what could not be looked at says so, and its readings rest on nothing."""


class Advisories(Protocol):
    """What is known against released distributions, by a copy that needs no network."""

    def about(self, names: Collection[str]) -> Bulletin:
        """What it says of some distributions, by their normalised names; InvalidInputError if it cannot be read."""


class Repositories(Protocol):
    """The code that versions were made with."""

    def tree(self, source: Source) -> Mapping[str, bytes]:
        """Every file of a commit by its path, whole or not at all.

        UnknownNameError, InvalidInputError, UnavailableError.
        """


class SourceScanner(Protocol):
    """Looks for weaknesses in code, never running it."""

    def scan(self, source: Source, files: Mapping[str, bytes]) -> SourceReport:
        """What was found, or why it was not looked at; never an exception because of a file."""


class Evaluator(Protocol):
    """Runs a scanned model over data and measures it."""

    def evaluate(self, model: Path, data: Path, submission: Submission) -> EvaluationReport:
        """Measure on held-out data; MissingColumnError."""

    def measure(
        self,
        model: Path,
        reference: Path,
        held_out: Path,
        window: Path,
        submission: Submission,
        outcomes: Path | None = None,
    ) -> WindowReport:
        """Compare a window of production data with the training data and the held-out data; MissingColumnError.

        `outcomes` is what became of its cases, as `window_ports.Known` has it.
        """

    def compare_columns(self, training: Path, window: Path, submission: Submission) -> SchemaReport:
        """What has become of a window's columns, whether or not it can be measured; InvalidInputError."""

    def replay(self, model: Path, golden: Path, submission: Submission) -> Parity:
        """Have golden predictions answered anew; MissingColumnError."""


class Packager(Protocol):
    """Makes a bundle: the model with its environment, schemas and manifest, content-addressed."""

    def package(
        self, facts: ModelFacts, version: int, submission: Submission, evidence: Mapping[str, Digest]
    ) -> Digest:
        """Sign it, too; the digest of the bundle's manifest, the same for the same content."""


class Bundles(Protocol):
    """Bundles that are there, for whoever is about to trust one."""

    def verify(self, bundle: Digest, model: str, version: int, artifact: Digest) -> None:
        """Look at every byte and at the signature; DigestMismatchError, SignatureError, UnknownNameError,
        InvalidInputError if it is a bundle of something else."""

    def elsewhere(self, bundle: Digest, model: str, version: int) -> Elsewhere:
        """What a bundle says of a model that somebody else runs; InvalidInputError if it is none."""


class Deployer(Protocol):
    """Puts bundles into environments. Every call is idempotent per key."""

    def deploy(self, environment: Environment, model: str, version: int, bundle: Digest, key: EffectKey) -> str:
        """Load beside what serves, prove it by real predictions, then switch; the endpoint's URL.

        SmokeTestError leaves what served before in place; UnavailableError.
        """

    def divide(self, environment: Environment, model: str, split: Split | None, key: EffectKey) -> None:
        """Have a challenger answer its share beside the champion, or none (None): the champion answers all.

        Load it beside, prove it, then divide; SmokeTestError leaves everything as it was. Whoever deploys or withdraws
        the model ends the split. UnavailableError, ConflictError if there is no champion, or if the challenger is it.
        """

    def withdraw(self, environment: Environment, model: str, key: EffectKey) -> None:
        """Stop serving the model; no error if it does not serve."""


class Predictor(Protocol):
    """Asks versions that are loaded in environments, whether or not they serve everybody."""

    def predict(self, environment: Environment, model: str, placed: Placed, request: str) -> Asked:
        """The answer to an inference request; SmokeTestError if the version gives none, UnavailableError."""


class Samples(Protocol):
    """What bundles bring along to be asked."""

    def sample(self, bundle: Digest) -> Sample:
        """The sample request of a bundle, and its golden predictions if it has any; UnknownNameError."""


class Trainer(Protocol):
    """Makes a new version for real."""

    def train(self, trainer: str, previous: Submission, window: Path | None, key: EffectKey) -> Submission:
        """Run the trainer registered under a name; TrainingError, UnknownNameError.

        Asked again under a key, it goes on with the run that it began under it, if that outlived the asking.
        """


class CheckAnswer(NamedTuple):
    """What a run of a pipeline left: which run, where people see it, the bytes as collected, and what they say."""

    run: str
    page: str
    collected: bytes
    report: CheckReport


class Pipelines(Protocol):
    """Pipelines of other people's CI systems, by the names that they are configured under."""

    def check(self, pipeline: str, asked: CheckRequest, timeout: int, key: EffectKey) -> CheckAnswer:
        """Have one look at a version, for so many seconds at most; PipelineError, UnknownNameError, UnavailableError.

        Asked again under a key, it goes on with the run that it began under it; what has failed is begun anew.
        """


class Prover(Protocol):
    """Explores plans before they govern anything."""

    def prove(self, plan: Plan) -> Proof:
        """The proof of a plan; NotPermittedError if it breaks a promise, or cannot be explored."""


class Policies(Protocol):
    """Where policy packs are kept."""

    def packs(self) -> tuple[Pack, ...]:
        """Every pack that is known."""


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


class Traffic(Protocol):
    """What was seen of a champion and its challenger where they serve."""

    def observe(
        self, environment: Environment, model: str, champion: int, challenger: int, since: datetime
    ) -> Observations:
        """Everything since a moment, of both versions; UnavailableError, InvalidInputError if outcomes do not fit."""
