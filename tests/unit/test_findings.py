"""Findings: what a rejection leaves is open until the role that raised it closes it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from client.render import status as drawn
from client.story import tell_body
from models.canonical import digest
from models.findings import AT_MOST, still_open
from models.messages import Choice, Decided, Decision
from models.state import AS_JSON, Phase
from models.status import describe
from tests.unit.kernel_world import World, plan_of

CREDIT = plan_of("credit-high-risk")


def at_validation(world: World) -> World:
    """A further version comes to the first gate that asks people."""
    if not world.state.stage:
        world.start()
        world.run("development")
    world.submit()
    while world.state.phase is not Phase.DECIDING:
        world.answer()
    return world


@pytest.fixture
def rejected() -> World:
    """Risk has rejected the first version with two findings, and a second one is at the same gate."""
    world = at_validation(World(CREDIT))
    world.decide("rosa", Choice.REJECT, findings=("Renters are treated worse.", "The limits are not written down."))
    return at_validation(world)


def test_a_rejection_is_final_and_leaves_its_findings(rejected: World) -> None:
    """They are open at that gate, each under a name of its own, with who raised it about which version."""
    found = [(one.id, one.gate, one.role, one.person, one.version, one.text) for one in rejected.state.findings]
    assert found == [
        ("F1", "independent-validation", "risk", "rosa", 1, "Renters are treated worse."),
        ("F2", "independent-validation", "risk", "rosa", 1, "The limits are not written down."),
    ]


def test_an_approval_of_the_role_closes_every_finding(rejected: World) -> None:
    """Whoever approves for the role that raised them, another person too, is told which are left."""
    refused = rejected.decide("ravi", closes=("F2",)).refusal or ""
    assert "F1 (Renters are treated worse)" in refused
    assert "F2" not in refused
    assert "no open finding F1" in (rejected.decide("dmitri", closes=("F1",)).refusal or "")
    assert rejected.decide("dmitri").refusal is None
    assert len(still_open(rejected.state, "independent-validation", "risk")) == 2
    assert rejected.decide("ravi", closes=("F1", "F2")).refusal is None
    assert rejected.state.stage == "staging"
    assert rejected.state.findings == ()


def test_closed_findings_are_open_again_if_the_version_is_rejected(rejected: World) -> None:
    """Closing counts when the gate passes: until then nothing is gone, and no name is given twice."""
    rejected.decide("ravi", closes=("F1", "F2"))
    rejected.decide("dmitri", Choice.REJECT, findings=("It was trained on the holdout.",))
    assert [(one.id, one.role) for one in rejected.state.findings] == [
        ("F1", "risk"),
        ("F2", "risk"),
        ("F3", "data_science"),
    ]


def test_findings_and_closes_belong_to_their_decisions(rejected: World) -> None:
    """An approval finds nothing, a rejection closes nothing."""
    assert "approval leaves no findings" in (
        rejected.decide("ravi", findings=("x",), closes=("F1", "F2")).refusal or ""
    )
    assert "rejection closes no" in (rejected.decide("ravi", Choice.REJECT, closes=("F1",)).refusal or "")


def test_no_more_may_be_open_than_one_approval_can_close() -> None:
    """Else nobody could ever approve again."""
    world = at_validation(World(CREDIT))
    for _ in range(AT_MOST // 20):
        world.decide("rosa", Choice.REJECT, findings=tuple(f"finding {number}" for number in range(20)))
        at_validation(world)
    assert "40 open findings" in (world.decide("rosa", Choice.REJECT, findings=("one more",)).refusal or "")
    assert world.decide("rosa", closes=tuple(f"F{number}" for number in range(1, AT_MOST + 1))).refusal is None


def test_states_and_decisions_without_findings_are_written_as_before() -> None:
    """What is empty is left out, so that what was written and signed stays what it was."""
    world = at_validation(World(CREDIT))
    assert not {"findings", "found"} & AS_JSON.dump_python(world.state, mode="json").keys()
    assert not {"findings", "closes"} & world.decision("rosa").model_dump(mode="json").keys()


def test_people_are_told(rejected: World) -> None:
    """The status shows what has to be closed, the history what was found and closed."""
    told = describe(CREDIT, digest(CREDIT), rejected.state)
    assert told.gate is not None
    assert [one.id for one in told.gate.findings] == ["F1", "F2"]
    console = Console(width=200, record=True)
    console.print(drawn(told))
    assert "The limits are not written down." in console.export_text()
    rejected.decide("ravi", Choice.REJECT)
    awaiting = describe(CREDIT, digest(CREDIT), rejected.state)
    assert (awaiting.gate, len(awaiting.findings)) == (None, 2)
    console.print(drawn(awaiting))
    assert console.export_text().count("independent-validation  risk") == 2
    at_validation(rejected)
    closing = Decided(decision=rejected.decision("ravi", closes=("F1", "F2")))
    assert tell_body(closing).endswith("This closes F1, F2.")
    finding = Decided(decision=rejected.decision("ravi", Choice.REJECT, findings=("Too slow",)))
    assert tell_body(finding).endswith("Finding: Too slow.")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_gate_is_passed_with_nothing_left_open(data: st.DataObject) -> None:
    """Whoever decides whatever: a version that passes has closed all that was found there, and nothing else is gone."""
    world = at_validation(World(CREDIT))
    for _ in range(data.draw(st.integers(1, 12))):
        person = data.draw(st.sampled_from(["rosa", "ravi", "dmitri"]))
        if data.draw(st.integers(0, 3)) == 0:
            decision = world.decision(person, Choice.REJECT, findings=("a", "b")[: data.draw(st.integers(0, 2))])
        else:
            known = [one.id for one in world.state.findings]
            decision = world.decision(person, closes=tuple(one for one in known if data.draw(st.booleans())))
        _say(world, decision)


def _say(world: World, decision: Decision) -> None:
    before, gates = world.state.findings, world.state.candidate.gates if world.state.candidate else ()
    world.say(Decided(decision=decision))
    now = world.state.candidate
    if now and len(now.gates) > len(gates):
        assert not [one for one in world.state.findings if one.gate == decision.gate]
    else:
        assert world.state.findings[: len(before)] == before
    if world.state.stage != "validation" or world.state.phase is not Phase.DECIDING:
        at_validation(world)
