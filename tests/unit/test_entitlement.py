"""May it enter? Only what the record, the signatures in it and the present moment all bear out."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.authentication import read_request
from models.canonical import digest, digest_bytes, replace
from models.clearance import Minimum
from models.entitlement import Claim, Entitlement, Passed, entitlement
from models.inventory import Environment
from models.messages import Action, Choice
from models.state import Version
from tests.unit.signed_record import APPROVALS, CREDIT, MODEL, Scribe, rechain, released, submission_of, tie

TWO = Minimum(approvals=2)
PROD = Environment.PROD
RELEASED = released()


def claim_of(version: Version | None, environment: Environment = PROD) -> Claim:
    """What its rows say of a version."""
    assert version is not None
    return Claim(
        model=MODEL,
        version=version.number,
        artifact=version.artifact,
        bundle=version.bundle,
        environment=environment,
    )


def asked(scribe: Scribe, claim: Claim | None = None, environment: Environment = PROD) -> Entitlement:
    """What the record says of the version under way, or of another one."""
    claim = claim or claim_of(scribe.state.subject, environment)
    return entitlement(claim, scribe.plan, scribe.record, scribe.known(TWO), scribe.now)


def serving() -> Scribe:
    """Version 1 serves."""
    scribe = released()
    scribe.serve()
    return scribe


def test_what_everybody_approved_may_enter() -> None:
    """Nothing speaks against it; the answer names each gate and who approved there."""
    found = asked(released())
    assert (found.objections, found.missing) == ((), ())
    assert Passed(gate="release", approved_by=("lena", "paul")) in found.passed
    assert Passed(gate="independent-validation", approved_by=("dmitri", "rosa")) in found.passed


def test_a_champion_may_enter_again() -> None:
    """What serves may be deployed once more, where and however often."""
    scribe = serving()
    assert [asked(scribe, environment=environment).objections for environment in Environment] == [()] * 3


@pytest.mark.parametrize("approved", range(len(APPROVALS)))
def test_each_approval_is_needed(approved: int) -> None:
    """With any number of approvals less, it may not; the gates that are missing are named."""
    scribe = Scribe()
    scribe.submit(submission_of("one"))
    scribe.approve_all(APPROVALS[:approved])
    found = asked(scribe)
    assert "release" in found.missing
    assert any("has not passed" in said for said in found.objections)


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_no_edit_of_the_record_lets_it_in(data: st.DataObject) -> None:
    """Whatever entry is edited, left out, or left out of a chain made anew: no."""
    scribe = RELEASED
    index = data.draw(st.integers(0, len(scribe.entries) - 1))
    entries = list(scribe.entries)
    edited = entries[index].model_copy(update={"body": entries[index].body + " "})
    record = {
        "edited": tie([*entries[:index], edited, *entries[index + 1 :]]),
        "removed": tie([*entries[:index], *entries[index + 1 :]]),
        "cut": tie(rechain(entries[: max(index, 1)])),
    }[data.draw(st.sampled_from(["edited", "removed", "cut"]))]
    claim = claim_of(scribe.state.candidate)
    assert entitlement(claim, scribe.plan, record, scribe.known(TWO), scribe.now).objections


def test_other_bytes_may_not() -> None:
    """The row that led to a version is not believed: its bytes have to be those of the record."""
    scribe = released()
    claim, other = claim_of(scribe.state.candidate), digest_bytes(b"other")
    for name in ("artifact", "bundle"):
        said = asked(scribe, replace(claim, **{name: other})).objections
        assert any(f"has {name}" in one for one in said)
    said = asked(scribe, replace(claim, version=2)).objections
    assert "version 2 of 'loans' is not on record: only one that is under way or serves may enter" in said


def test_what_is_over_may_not() -> None:
    """A rejected version, one that was followed by another, and one of a model that is being retired."""
    rejected = Scribe()
    rejected.submit(submission_of("one"))
    first = rejected.state.candidate
    rejected.decide("dmitri", "data_science", Choice.REJECT)
    assert any("is rejected" in said for said in asked(rejected, claim_of(first)).objections)
    scribe = serving()
    champion = scribe.state.champion
    scribe.submit(submission_of("two"))
    assert asked(scribe, claim_of(champion)).objections == ()
    scribe.approve_all()
    scribe.serve()
    assert any("is previous" in said for said in asked(scribe, claim_of(champion)).objections)
    scribe.ask(Action.RETIRE)
    assert "'loans' is being retired" in asked(scribe).objections


@pytest.mark.parametrize(
    ("action", "said"),
    [(Action.SUSPEND, "was taken out of service in PROD"), (Action.PAUSE, "the lifecycle of 'loans' is paused")],
)
def test_what_is_stopped_may_not(action: Action, said: str) -> None:
    """What its people took out of service or paused enters nothing meanwhile."""
    scribe = serving()
    scribe.ask(action)
    scribe.serve()
    assert any(said in one for one in asked(scribe).objections)


def test_a_turn_that_is_asked_for_counts_before_it_is_taken() -> None:
    """The owner asks to retire the model while a step is in flight: from then on, no."""
    scribe = released()
    scribe.ask(Action.RETIRE)
    assert "'loans' is asked to retire" in asked(scribe).objections


def test_broken_glass_bars_production_alone() -> None:
    """What was done in an emergency and is not reviewed lets nothing into production."""
    scribe = serving()
    envelope = scribe.signers["olga"].request("tests", MODEL, Action.SUSPEND, "It answers nonsense.", True)
    scribe.say(read_request(scribe.state, envelope, scribe.electorate, scribe.now + timedelta(minutes=1)))
    scribe.serve()
    scribe.submit(submission_of("two"))
    assert any("before somebody has reviewed" in said for said in asked(scribe).objections)
    assert not any("reviewed" in said for said in asked(scribe, environment=Environment.TEST).objections)


def test_a_lifecycle_that_never_leads_there() -> None:
    """An environment that the plan does not know is no."""
    scribe = released()
    stages = tuple(replace(one, environment=None) for one in CREDIT.stages)
    plan = scribe.plan.model_copy(update={"stages": stages})
    found = entitlement(claim_of(scribe.state.candidate), plan, scribe.record, scribe.known(TWO), scribe.now)
    assert found.objections == ("the lifecycle of 'loans' leads to no PROD",)
    assert digest(plan) != digest(CREDIT)


def test_every_signature_is_looked_at_again() -> None:
    """A key that was void when its owner approved voids the gate that it passed."""
    scribe = released()
    (key,) = [key for key in scribe.keyring.keys if key.person == "paul"]
    scribe.keyring = scribe.keyring.revoke(key.id, key.enrolled, "it was stolen")
    found = asked(scribe)
    assert any("paul at 'release'" in said for said in found.objections)
    assert "version 1 lacks approvals at 'release': product 1" in found.objections
    assert Passed(gate="release", approved_by=("lena",)) in found.passed
