"""A version becomes a bundle: content-addressed, signed, with all that it needs to run."""

from collections.abc import Iterator

from temporalio import activity

from activities.ledger import Ledger, Outcome
from activities.ports import ArtifactStore, Bundles, Evaluator, Inventory, Packager
from activities.reports import keep_report
from models.errors import InvalidInputError
from models.evidence import Evidence, StepKind, StepOrder, StepResult
from models.golden import Parity
from models.inventory import Packaged, Submission
from models.journal import Assignment
from models.verdict import Reading, Verdict


class PackagingActivities:
    """Makes bundles of versions that answer as they did where they were trained."""

    def __init__(
        self, inventory: Inventory, store: ArtifactStore, evaluator: Evaluator, packager: Packager, bundles: Bundles
    ) -> None:
        """`bundles` looks at each bundle once more as whoever serves it will."""
        self._inventory = inventory
        self._ledger = Ledger(inventory)
        self._store = store
        self._evaluator = evaluator
        self._packager = packager
        self._bundles = bundles

    @activity.defn(name="package_version", no_thread_cancel_exception=True)
    def package_version(self, task: Assignment) -> StepResult:
        """The bundle's digest, the same for the same content.

        With golden predictions, reading `parity_difference`: verdict FAIL, and no bundle, if the version answers them
        otherwise than its tolerance allows.
        """
        return self._ledger.find_out(task, StepKind.PACKAGE, lambda: self._package(task.order))

    def _package(self, order: StepOrder) -> Outcome:
        if order.version is None or order.artifact is None:
            raise InvalidInputError(f"step '{order.step}' was ordered without a version")
        submission = self._inventory.submission(order.model, order.version)
        parity = self._parity(submission)
        evidence, readings = tuple(self._kept(parity)), tuple(_readings(parity))
        if parity and not parity.holds:
            return StepResult(verdict=Verdict.FAIL, summary=str(parity), evidence=evidence, readings=readings), []
        reports = {item.kind: item.digest for item in (*order.evidence, *evidence)}
        facts = self._inventory.model(order.model)
        bundle = self._packager.package(facts, order.version, submission, reports)
        self._bundles.verify(bundle, order.model, order.version, order.artifact)
        result = StepResult(summary=f"bundle {bundle[:19]}", bundle=bundle, evidence=evidence, readings=readings)
        return result, [Packaged(version=order.version, bundle=bundle)]

    def _parity(self, submission: Submission) -> Parity | None:
        if submission.golden is None:
            return None
        golden = self._store.fetch(submission.golden.predictions)
        return self._evaluator.replay(self._store.path(submission.artifact.digest), golden, submission)

    def _kept(self, parity: Parity | None) -> Iterator[Evidence]:
        if parity:
            yield keep_report(self._store, "parity", parity, str(parity))


def _readings(parity: Parity | None) -> Iterator[Reading]:
    if parity:
        yield Reading(name="parity_difference", value=parity.largest, count=parity.rows)
