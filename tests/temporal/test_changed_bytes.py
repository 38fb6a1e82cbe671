"""Bytes that change after somebody has vouched for them, and approvals of bytes that are not there any more."""

import json
from pathlib import Path

import pytest

from models.canonical import digest_bytes
from models.inventory import Submission
from models.messages import Action, Choice
from models.state import Phase
from tests.temporal.attackers import DEV, ONE, PROD, TEST, rightful
from tests.temporal.doubles import GOOD
from tests.temporal.house import House, plan_of

pytestmark = pytest.mark.long

CREDIT = plan_of("credit-high-risk")


def artifact(version: Submission) -> Path:
    """Where a version says that its bytes are."""
    return Path(version.artifact.uri.removeprefix("file://"))


def swap(file: Path) -> None:
    """Other bytes, that claim better readings."""
    file.chmod(0o644)
    file.write_text(json.dumps({"name": "other", "readings": {**GOOD, "auc": 0.99}, "note": ""}))


async def test_bytes_that_are_swapped_before_they_are_registered(house: House) -> None:
    """What is at the place that the submitter signed for is not what they signed for: it never enters."""
    await house.start(CREDIT)
    version = house.version()
    swap(artifact(version))
    await house.update("submit_version", house.handed_in(version))
    stuck = await house.until_phase(Phase.STUCK, "development")
    assert stuck.failure is not None
    assert stuck.failure.type == "DigestMismatchError"
    await rightful(house, CREDIT, ())
    await house.request(Action.ABANDON)
    await house.to_production()
    await rightful(house, CREDIT, ((DEV, 2), (TEST, 2), (PROD, 2)))


async def test_bytes_that_are_swapped_after_they_are_registered(house: House) -> None:
    """What was scanned, measured and approved is what is deployed, whatever is at its old place by then."""
    await house.start(CREDIT)
    version = house.version()
    await house.update("submit_version", house.handed_in(version))
    await house.until_phase(Phase.DECIDING, "validation")
    swap(artifact(version))
    bundle = house.parts.inventory.earned(house.model, 1).bundle
    await house.approve("validation", "dmitri", "rosa")
    await house.approve("staging", "lena", "paul")
    await house.until_phase(Phase.STEADY)
    assert {one.bundle for one in house.deployer.effects()} == {bundle}
    await rightful(house, CREDIT, ONE)


async def test_bytes_that_are_swapped_in_the_store(house: House) -> None:
    """What is measured again is hashed again: a version whose kept bytes were changed goes no further."""
    await house.start(CREDIT)
    await house.request(Action.PAUSE)
    version = house.version()
    await house.update("submit_version", house.handed_in(version))
    house.parts.store.fetch(version.artifact)
    swap(house.parts.store.path(version.artifact.digest))
    await house.request(Action.RESUME)
    stuck = await house.until_phase(Phase.STUCK, "development")
    assert stuck.failure is not None
    assert "was changed in the store: its bytes are now" in stuck.failure.message
    await rightful(house, CREDIT, ())


async def test_approvals_of_a_version_that_was_replaced(house: House) -> None:
    """What was said of the first version, and what is sent late, does nothing for the second one."""
    await house.start(CREDIT)
    await house.submit()
    await house.approve("validation", "dmitri", "rosa")
    await house.approve("staging", "lena")
    late = await house.decision("paul")
    await house.submit()
    await house.until(lambda s: s.phase is Phase.DECIDING and s.version is not None and s.version.number == 2)
    assert "the open gate is 'independent-validation'" in await house.refusal("decide", late)
    await house.approve("validation", "dmitri", "rosa")
    await house.until_phase(Phase.DECIDING, "staging")
    assert "the decision is about visit 4" in await house.refusal("decide", late)
    visit = (await house.status()).visit
    other = await house.decision("paul", artifact=digest_bytes(b"the first"), visit=visit)
    assert "the decision is about sha256:" in await house.refusal("decide", other)
    await house.handle.signal("decide", late)
    await house.approve("staging", "lena", "paul")
    await house.until_phase(Phase.STEADY)
    await rightful(house, CREDIT, (*ONE[:2], (DEV, 2), (TEST, 2), (PROD, 2)))


async def test_a_rejection_is_not_taken_back(house: House) -> None:
    """Whoever approves afterwards, and however often: the version is out."""
    await house.start(CREDIT)
    await house.submit()
    await house.until_phase(Phase.DECIDING, "validation")
    approvals = [await house.decision("dmitri"), await house.decision("rosa")]
    await house.decide("rosa", Choice.REJECT)
    await house.until_phase(Phase.AWAITING_VERSION)
    for envelope in approvals:
        assert "no gate is open" in await house.refusal("decide", envelope)
        await house.handle.signal("decide", envelope)
    await rightful(house, CREDIT, ONE[:1])
