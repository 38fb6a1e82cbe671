"""The comparison: agreement has no findings, each contradiction is one, and what nobody could see is not resolved."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.canonical import digest_bytes
from models.inventory import Environment
from models.reconciliation import (
    Execution,
    Expected,
    Finding,
    FindingKind,
    Observation,
    Place,
    Served,
    findings,
    settled,
    turn,
)

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=30)
EXPECTED = Expected(("modelops-actuator@",), timedelta(minutes=15))
MODELS = st.sampled_from(["loans", "churn", "fraud", "pricing"])
PLACES = st.builds(
    Place, st.sampled_from(["development", "production"]), st.integers(1, 9), st.integers(1, 99), st.booleans()
)
SERVED = st.builds(Served, st.integers(1, 3), st.sampled_from([digest_bytes(b"a"), digest_bytes(b"b")]))
SHELVES = st.fixed_dictionaries({one: st.dictionaries(MODELS, SERVED) for one in Environment})
ABOUT = st.sampled_from(["loans", "churn", "PROD", "TEST", "4711@elsewhere"])
FINDINGS = st.frozensets(
    st.builds(
        Finding,
        kind=st.sampled_from(FindingKind),
        model=st.none() | MODELS,
        about=ABOUT,
        text=st.sampled_from(["this", "that"]),
    ),
    max_size=8,
)


def agreeing(places: Mapping[str, Place], shelves: Any) -> Observation:
    """A world in which everything is as the record says."""
    executions = {
        model: Execution("completed", LONG_AGO) if place.ended else Execution("running", LONG_AGO, place)
        for model, place in places.items()
    }
    return Observation(NOW, places, executions, shelves, shelves, ["modelops-actuator@host"])


WORLDS = st.builds(agreeing, st.dictionaries(MODELS, PLACES, min_size=1), SHELVES)
HERE = Place("production", 4, 20, False)
ONE = agreeing({"loans": HERE}, {one: {"loans": Served(1, digest_bytes(b"a"))} for one in Environment})


@given(WORLDS)
def test_agreement_has_no_findings(world: Observation) -> None:
    """Whatever the places and the versions are, if both sides say the same nothing is found."""
    assert findings(world, EXPECTED) == frozenset()


@pytest.mark.parametrize("execution", [None, Execution("terminated", NOW), Execution("completed", NOW)])
def test_an_execution_that_is_gone(execution: Execution | None) -> None:
    """A lifecycle that has not ended needs an execution that runs."""
    (found,) = findings(ONE._replace(executions={"loans": execution} if execution else {}), EXPECTED)
    assert (found.kind, found.model) == (FindingKind.EXECUTION_GONE, "loans")
    assert found.text.endswith("`modelops rebuild loans`")


def test_an_execution_without_a_record() -> None:
    """It counts once there was time to prove and to record the plan; one that is over counts never."""
    other = {**ONE.executions, "ghost": Execution("running", LONG_AGO)}
    (found,) = findings(ONE._replace(executions=other), EXPECTED)
    assert (found.kind, found.model) == (FindingKind.RECORD_GONE, "ghost")
    for fine in (Execution("running", NOW - timedelta(minutes=14)), Execution("terminated", LONG_AGO)):
        assert findings(ONE._replace(executions={**ONE.executions, "ghost": fine}), EXPECTED) == frozenset()


@given(WORLDS, st.data())
def test_another_place_is_found_at_each_model(world: Observation, data: st.DataObject) -> None:
    """Of the lifecycles that run, just those are found whose execution is elsewhere, whatever of the place differs."""
    moved = {
        model: execution._replace(place=data.draw(PLACES))
        for model, execution in world.executions.items()
        if execution.runs
    }
    found = findings(world._replace(executions={**world.executions, **moved}), EXPECTED)
    assert {one.model for one in found} == {m for m, execution in moved.items() if execution.place != world.places[m]}
    assert {one.kind for one in found} <= {FindingKind.STATE_DIFFERS}


def test_an_execution_of_a_lifecycle_that_has_ended() -> None:
    """By the record it is over, and somebody drives it still."""
    ended = HERE._replace(ended=True)
    (found,) = findings(ONE._replace(places={"loans": ended}), EXPECTED)
    assert found.text.endswith("by the record it is in stage 'production', visit 4, after event 20, ended")
    assert found.kind is FindingKind.STATE_DIFFERS


@given(WORLDS, SHELVES)
def test_what_serves_otherwise_is_found(world: Observation, shelves: Any) -> None:
    """One finding for each environment and model that serves another version, another bundle, nothing, or too much."""
    found = findings(world._replace(serving=shelves), EXPECTED)
    differs = {
        (environment.value, model)
        for environment in Environment
        for model in {*shelves[environment], *world.recorded[environment]}
        if shelves[environment].get(model) != world.recorded[environment].get(model)
    }
    assert {(one.about, one.model) for one in found} == differs
    assert len(found) == len(differs)


@given(st.frozensets(st.sampled_from(["1@a", "modelops-actuator@b", "modelops-actuator", "evil modelops-actuator@b"])))
def test_strangers_are_found(pollers: frozenset[str]) -> None:
    """Whoever's identity does not begin as an actuator's does."""
    found = findings(ONE._replace(pollers=pollers), EXPECTED)
    assert {one.about for one in found} == pollers - {"modelops-actuator@b"}


def test_silence_is_a_finding_and_resolves_nothing() -> None:
    """What does not answer is said to be silent, and nobody takes what was found there before for resolved."""
    quiet = ONE._replace(
        executions={"loans": Execution("running", LONG_AGO, silent=True)},
        serving={**ONE.serving, Environment.PROD: None},
    )
    silent = findings(quiet, EXPECTED)
    assert {(one.kind, one.about) for one in silent} == {(FindingKind.SILENT, "loans"), (FindingKind.SILENT, "PROD")}
    elsewhere = Execution("running", LONG_AGO, HERE._replace(visit=9))
    bare: dict[Environment, Any] = {environment: {} for environment in Environment}
    known = findings(ONE._replace(executions={"loans": elsewhere}, serving=bare), EXPECTED)
    turned = turn(known, silent)
    assert {one.about for one in turned.resolved} == {"DEV", "TEST"}
    assert turned.opened == silent


@given(FINDINGS, FINDINGS)
def test_a_look_accounts_for_every_finding(known: frozenset[Finding], seen: frozenset[Finding]) -> None:
    """What is seen holds afterwards, what was known holds or is resolved, and the same look again changes nothing."""
    turned = turn(known, seen)
    assert turned.opened | turned.still >= seen
    assert turned.still | turned.resolved == known
    assert not turned.still & turned.resolved
    again = turn(turned.opened | turned.still, seen)
    assert (again.opened, again.resolved) == (frozenset(), frozenset())


@given(FINDINGS, FINDINGS, FINDINGS)
def test_two_looks(known: frozenset[Finding], first: frozenset[Finding], second: frozenset[Finding]) -> None:
    """Something new counts only if it lasts, something known as long as either look saw it."""
    seen = settled(known, first, second)
    assert seen - known == (first & second) - known
    assert seen & known == (first | second) & known
