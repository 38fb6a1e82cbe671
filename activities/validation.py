"""A version is asked where it was loaded, before it serves there, and its champion beside it."""

from collections.abc import Mapping

from activities.ports import ArtifactStore, Predictor, Samples
from activities.reports import keep_report
from models.answers import Asked
from models.errors import SmokeTestError
from models.evidence import Evidence
from models.inventory import DataContract, Environment
from models.placement import Placed
from models.validation import Sample, Shown, Validation, ValidationReport, validate


class TurnedAwayError(SmokeTestError):
    """A version fell short of what an environment asks; the report says in what."""

    def __init__(self, report: ValidationReport, evidence: Evidence) -> None:
        super().__init__(report.summary)
        self.evidence = evidence


class Validator:
    """Asks what an environment's settings say, and keeps what it found."""

    def __init__(
        self,
        asks: Mapping[Environment, Validation],
        samples: Samples,
        predictor: Predictor,
        store: ArtifactStore,
    ) -> None:
        """`asks` is what each environment's settings say; the reports go to the store."""
        self._asks = asks
        self._samples = samples
        self._predictor = predictor
        self._store = store

    def validate(
        self, environment: Environment, model: str, contract: DataContract, placed: Placed, champion: Placed | None
    ) -> Evidence:
        """The evidence that a version, loaded in an environment, gives what is asked there; TurnedAwayError.

        UnavailableError if it cannot be asked now.
        """
        sample, asks = self._samples.sample(placed.bundle), self._asks[environment]
        try:
            shown = self._shown(environment, model, placed, champion, sample, asks.requests)
            readings, failures = validate(asks, contract, sample, shown)
        except SmokeTestError as error:
            readings, failures = [], [str(error)]
        report = ValidationReport(
            environment=environment,
            version=placed.version,
            champion=champion.version if champion else None,
            readings=tuple(readings),
            failures=tuple(failures),
        )
        evidence = keep_report(self._store, "validation", report, report.summary)
        if failures:
            raise TurnedAwayError(report, evidence)
        return evidence

    def _shown(
        self,
        environment: Environment,
        model: str,
        placed: Placed,
        champion: Placed | None,
        sample: Sample,
        requests: int,
    ) -> Shown:
        def ask(whom: Placed, request: str) -> Asked:
            return self._predictor.predict(environment, model, whom, request)

        asked = [ask(placed, sample.request) for _ in range(requests + 1)]
        golden = ask(placed, sample.golden.request) if sample.golden else None
        if champion is None:
            return Shown(asked, golden)
        also = [sample.golden.request] if sample.golden else []
        try:
            return Shown(asked, golden, tuple(ask(champion, request) for request in (sample.request, *also)))
        except SmokeTestError:
            return Shown(asked, golden, ())
