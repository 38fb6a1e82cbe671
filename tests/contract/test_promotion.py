"""Versions are validated where they are promoted to: with a real record; the answers are told."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from activities.adapters.bundle_samples import BundleSamples
from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.sql_inventory import SqlInventory
from models.canonical import digest_bytes
from models.errors import DigestMismatchError, InvalidInputError, UnavailableError, UnknownNameError
from models.validation import ValidationReport
from models.verdict import Verdict
from tests.contract.serving import Shop, constant, new_key
from tests.contract.test_actuator import PROD, Plant, lately
from tests.temporal.doubles import PlainSamples
from tests.unit.signed_record import MODEL, released, submission_of


@pytest.fixture
def record(migrated_sqlite: Path, tmp_path: Path) -> Iterator[SqlInventory]:
    """A record of the test's own; which database keeps it makes no difference here."""
    shutil.copy(migrated_sqlite, tmp_path / "inventory.db")
    with closing(SqlInventory(f"sqlite:///{tmp_path / 'inventory.db'}")) as opened:
        yield opened


@pytest.fixture
def first(tmp_path: Path, record: SqlInventory) -> Plant:
    """The first version is to be promoted; nothing serves."""
    scribe = released(lately())
    built = Plant(tmp_path, record, scribe)
    built.tell(scribe.entries)
    return built


@pytest.fixture
def second(tmp_path: Path, record: SqlInventory) -> Plant:
    """Version 1 serves, version 2 is to be promoted."""
    scribe = released(lately())
    scribe.serve()
    scribe.submit(submission_of("two"))
    scribe.approve_all()
    built = Plant(tmp_path, record, scribe)
    built.tell(scribe.entries)
    built.deployer.deploy(PROD, MODEL, 1, record.deployments(MODEL)[PROD].bundle, new_key())
    return built


def report_of(plant: Plant, root: Path, result: object) -> ValidationReport:
    """The report that a result names."""
    (evidence,) = result.evidence  # type: ignore[attr-defined]
    assert evidence.kind == "validation"
    return ValidationReport.model_validate_json(FileArtifactStore(root / "kept", []).path(evidence.digest).read_bytes())


def test_the_first_version_is_validated_where_it_serves(first: Plant, tmp_path: Path) -> None:
    """The report is evidence, with how fast it answered; there is nobody to compare it with."""
    result = first.run("promote_version", first.scribe.order)
    report = report_of(first, tmp_path, result)
    assert (result.verdict, report.failures, report.champion) == (Verdict.PASS, (), None)
    assert [one.name for one in report.readings] == ["latency_p95"]
    assert result.evidence[0].summary in result.summary


def test_a_first_version_that_answers_nonsense_is_withdrawn(first: Plant, tmp_path: Path) -> None:
    """Nothing served before it, and nothing does after it; the record says why."""
    first.predictor.scores[1] = 1.5
    result = first.run("promote_version", first.scribe.order)
    assert (result.verdict, "not a probability" in result.summary) == (Verdict.FAIL, True)
    assert report_of(first, tmp_path, result).failures
    assert [call.version for call in first.deployer.calls()] == [1, None]
    assert first.deployer.serves(PROD) == {}
    assert PROD not in first.inventory.deployments(MODEL)
    assert first.run("promote_version", first.scribe.order) == result


def test_the_next_version_is_compared_with_the_champion(second: Plant, tmp_path: Path) -> None:
    """On the same requests: how many labels agree, how far the scores are apart."""
    second.predictor.scores = {1: 0.4, 2: 0.7}
    result = second.run("promote_version", second.scribe.order)
    report = report_of(second, tmp_path, result)
    values = {one.name: one.value for one in report.readings}
    assert (result.verdict, report.champion) == (Verdict.PASS, 1)
    assert values["agreement"] == 0
    assert values["score_difference"] == pytest.approx(0.3)
    assert "beside version 1" in result.summary
    assert second.inventory.deployments(MODEL)[PROD].version == 2


def test_a_next_version_that_answers_nonsense_never_serves(second: Plant) -> None:
    """It was loaded beside the champion and is taken away again: nothing was deployed."""
    second.predictor.scores[2] = -1.0
    before = second.deployer.calls()
    result = second.run("promote_version", second.scribe.order)
    assert result.verdict is Verdict.FAIL
    assert second.deployer.calls() == before
    assert [one.split and one.split.version for one in second.deployer.divisions()] == [2, None]
    assert second.inventory.deployments(MODEL)[PROD].version == 1


def test_what_was_undone_is_prepared_under_another_key(second: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that got stuck after its undoing begins at attempt 1 again, under keys of its own."""

    def broken(*what: object) -> None:
        raise InvalidInputError("the bundle cannot be read")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(PlainSamples, "sample", broken)
        with pytest.raises(InvalidInputError):
            second.run("promote_version", second.scribe.order, number="1")
    assert [one.split and one.split.version for one in second.deployer.divisions()] == [2, None]
    assert second.run("promote_version", second.scribe.order, number="2").verdict is Verdict.PASS
    keys = [one.key for one in second.deployer.divisions()]
    assert len(set(keys)) == len(keys) == 3


def test_a_smoke_test_that_fails_at_last_is_undone_too(second: Plant) -> None:
    """The target itself turns it down: the version that was loaded beside goes, and the champion stays."""
    second.deployer.refuses = True
    result = second.run("promote_version", second.scribe.order)
    assert (result.verdict, "answered nonsense" in result.summary) == (Verdict.FAIL, True)
    assert [one.split and one.split.version for one in second.deployer.divisions()] == [2, None]
    assert second.inventory.deployments(MODEL)[PROD].version == 1


def test_a_version_that_serves_by_itself_already_is_validated_there(second: Plant) -> None:
    """An attempt that died after its deployment: the next one deploys nothing, and goes back if it must."""
    order = second.scribe.order
    assert order.version
    assert order.bundle
    second.deployer.deploy(PROD, MODEL, order.version, order.bundle, order.key)
    second.predictor.scores[2] = -1.0
    assert second.run("promote_version", order).verdict is Verdict.FAIL
    assert second.deployer.serves(PROD)[MODEL].version == 1


def test_an_outage_undoes_nothing_and_the_next_attempt_goes_on(first: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was deployed stays; under the same key it is not deployed again."""

    def away(*what: object) -> None:
        raise UnavailableError("nobody answers")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(first.predictor, "predict", away)
        with pytest.raises(UnavailableError):
            first.run("promote_version", first.scribe.order)
    assert first.deployer.serves(PROD)
    assert first.run("promote_version", first.scribe.order).verdict is Verdict.PASS
    assert len(first.deployer.effects()) == 1


class TestSamples:
    """What a bundle brings along."""

    def test_a_sample_request(self, shop: Shop) -> None:
        """As packaging put it there."""
        sample = BundleSamples(shop.store).sample(shop.bundle(1, constant(0.5)))
        assert (sample.rows, sample.golden) == (2, None)
        assert json.loads(sample.request)["inputs"][0]["shape"] == [2, 3]

    def test_golden_predictions(self, shop: Shop) -> None:
        """A CSV file of inputs and scores becomes a request, missing values with it, and what is to be answered."""
        golden = b"score,years,income,debt\n0.25,3,1,2\n0.5,6,,5\n"
        sample = BundleSamples(shop.store).sample(shop.bundle(1, constant(0.5), golden=golden))
        assert sample.golden is not None
        assert (sample.golden.scores, sample.golden.tolerance) == ((0.25, 0.5), 1e-4)
        (tensor,) = json.loads(sample.golden.request)["inputs"]
        assert (tensor["shape"], tensor["data"]) == ([2, 3], [1, 2, 3, None, 5, 6])

    def test_what_is_no_bundle(self, shop: Shop) -> None:
        """Another file, one that is not there, one that was changed."""
        samples = BundleSamples(shop.store)
        with pytest.raises(InvalidInputError, match="no bundle"):
            samples.sample(shop.store.put(b"something else"))
        with pytest.raises(UnknownNameError):
            samples.sample(digest_bytes(b"nowhere"))
        bundle = shop.bundle(9, constant(0.9))
        path = shop.store.path(bundle)
        path.chmod(0o600)
        path.write_bytes(path.read_bytes().replace(b"loan", b"lone"))
        with pytest.raises(DigestMismatchError):
            samples.sample(bundle)
