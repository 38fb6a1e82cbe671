"""What others run is released, not loaded: with a real record, beside versions that are served here."""

import dataclasses
from contextlib import closing
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.sql_findings import SqlFindings
from activities.adapters.sql_inventory import SqlInventory
from activities.trial import TrialActivities
from models.canonical import replace
from models.compiler import compile_template
from models.errors import InvalidInputError
from models.evidence import StepKind, StepOrder
from models.formats import Format
from models.inventory import Environment, Submission
from models.journal import Assignment
from models.verdict import Verdict
from tests.contract.serving import new_key
from tests.contract.test_actuator import PROD, VENDOR, Plant, lately
from tests.contract.test_promotion import record
from tests.unit.signed_record import MODEL, released, submission_of
from tests.unit.trying import TRYING

__all__ = ["record"]

TRIED = compile_template(TRYING, "trying.yaml")


def vendor(name: str) -> Submission:
    """A version that a vendor runs."""
    return submission_of(name).model_copy(update={"format": Format.VENDOR})


def planted(root: Path, inventory: SqlInventory, first: Submission, second: Submission) -> Plant:
    """One version is in production, the next is to be promoted."""
    scribe = released(lately(), first)
    scribe.serve()
    scribe.submit(second)
    scribe.approve_all()
    plant = Plant(root, inventory, scribe)
    plant.tell(scribe.entries)
    if first.format is not Format.VENDOR:
        plant.deployer.deploy(PROD, MODEL, 1, inventory.deployments(MODEL)[PROD].bundle, new_key())
    return plant


def serving(root: Path) -> dict[Environment, dict[str, int]]:
    """What the reconciler expects in environments of ours."""
    with closing(SqlFindings(f"sqlite:///{root / 'inventory.db'}")) as findings:
        shelves = findings.serving()
    return {name: {model: one.version for model, one in shelf.items()} for name, shelf in shelves.items() if shelf}


def test_a_release_takes_what_served_here_out_of_service(tmp_path: Path, record: SqlInventory) -> None:
    """Nobody is answered by the former champion any more; where the vendor answers is on record."""
    plant = planted(tmp_path, record, submission_of("one"), vendor("two"))
    result = plant.run("promote_version", plant.scribe.order)
    assert (result.verdict, result.endpoint) == (Verdict.PASS, VENDOR.endpoint)
    assert [call.version for call in plant.deployer.calls()] == [1, None]
    assert (plant.deployer.serves(PROD), plant.deployer.divisions()) == ({}, [])
    assert record.deployments(MODEL)[PROD].version == 2
    assert PROD not in serving(tmp_path)
    assert plant.run("promote_version", plant.scribe.order) == result


def test_a_version_of_ours_follows_what_a_vendor_ran(tmp_path: Path, record: SqlInventory) -> None:
    """There is no champion here to compare it with, and nothing to go back to when it answers nonsense."""
    plant = planted(tmp_path, record, vendor("one"), submission_of("two"))
    assert PROD not in serving(tmp_path)
    result = plant.run("promote_version", plant.scribe.order)
    assert result.verdict is Verdict.PASS
    assert [call.version for call in plant.deployer.calls()] == [2]
    assert serving(tmp_path)[PROD] == {MODEL: 2}


def test_what_answers_nonsense_after_a_vendor_leaves_the_release_alone(tmp_path: Path, record: SqlInventory) -> None:
    """It is withdrawn from our server; the vendor's release stands in the record as before."""
    plant = planted(tmp_path, record, vendor("one"), submission_of("two"))
    plant.predictor.scores[2] = 1.5
    assert plant.run("promote_version", plant.scribe.order).verdict is Verdict.FAIL
    assert plant.deployer.serves(PROD) == {}
    assert record.deployments(MODEL)[PROD].version == 1


@pytest.fixture
def tried() -> StepOrder:
    """A version is to be tried beside the champion."""
    order = released(lately()).order
    return replace(order, kind=StepKind.TRIAL, step="trial", stage="challenge", version=2)


class Champion:
    """A record in which version 1 serves; one of the versions is a vendor's."""

    def __init__(self, vendors: int, inventory: SqlInventory) -> None:
        self._vendors = vendors
        self._inventory = inventory

    def __getattr__(self, name: str) -> object:
        return getattr(self._inventory, name)

    def governing_plan(self, model: str) -> object:
        """One with a trial."""
        return TRIED

    def submission(self, model: str, version: int) -> Submission:
        """One of them is a vendor's."""
        return vendor("v") if version == self._vendors else submission_of("o")


@pytest.mark.parametrize("vendors", [1, 2])
def test_what_others_run_is_not_tried_on_requests(
    vendors: int, tried: StepOrder, tmp_path: Path, record: SqlInventory
) -> None:
    """Neither as challenger nor as champion: the step says so and what to do, and no share was given to anybody."""
    plant = planted(tmp_path, record, submission_of("one"), submission_of("two"))
    trial = TrialActivities(
        Champion(vendors, record),  # type: ignore[arg-type]
        FileArtifactStore(tmp_path / "kept", []),
        plant.deployer,
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        lambda order: (PROD, 2, "sha256:" + "2" * 64),
        None,  # type: ignore[arg-type]
    )
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, workflow_id=f"model/{MODEL}")
    with pytest.raises(InvalidInputError, match=f"version {vendors} .* is handed in as vendor") as refused:
        environment.run(trial.look_at_trial, Assignment(order=tried, journal=()))
    assert "a template whose versions are not tried" in refused.value.remedy
    assert plant.deployer.divisions() == []
