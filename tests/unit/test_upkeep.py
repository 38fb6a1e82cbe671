"""How a model is kept is read from its record: nobody has to say it, and nobody can say it otherwise."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.authentication import read_request
from models.entitlement import Claim, void
from models.inventory import Environment
from models.messages import Action
from models.plan import ControlPlan, WaiverPlan
from models.state import Version
from models.upkeep import KEPT, Kept, period, read
from tests.unit.signed_record import APPROVALS, CREDIT, MODEL, NOON, Scribe, released, submission_of

DAY = timedelta(days=1)


def serving(scribe: Scribe | None = None) -> Scribe:
    """Version 1 serves."""
    told = scribe or released()
    told.serve()
    return told


def readings(
    scribe: Scribe, after: timedelta = timedelta(), void: Sequence[str] = (), contradictions: int = 0
) -> dict[str, float]:
    """What the record shows, so long after the last event."""
    at = scribe.now + after
    kept = Kept(since=scribe.now, void=void, contradictions=contradictions)
    found = read(scribe.plan, MODEL, "olga", scribe.entries, kept, at)
    assert {one.name for one in found} <= KEPT
    return {one.name: one.value for one in found}


def claim_of(version: Version | None) -> Claim:
    """What its rows say of a champion."""
    assert version is not None
    return Claim(
        model=MODEL,
        version=version.number,
        artifact=version.artifact,
        bundle=version.bundle,
        environment=Environment.PROD,
    )


def test_a_model_that_has_just_entered_is_well_kept() -> None:
    """Nothing is old, nothing is owed, both gates were decided in time."""
    found = readings(serving())
    assert set(found) == KEPT
    assert found.pop("gates_in_time") == 1
    assert set(found.values()) == {0}


def test_what_was_made_of_a_champion_ages() -> None:
    """Its training, its evaluation and its documentation each count from when they were made."""
    scribe = serving()
    assert readings(scribe, 400 * DAY)["days_since_training"] == 400
    assert readings(scribe, 400 * DAY)["days_since_evaluation"] == 400
    assert readings(scribe, 400 * DAY)["days_since_documentation"] == 400
    assert readings(scribe, 400 * DAY)["days_in_service"] == 400


def test_a_candidate_does_not_make_the_champion_younger() -> None:
    """What was evaluated is another version; the champion is as old as it was."""
    scribe = serving()
    scribe.now += 100 * DAY
    scribe.submit(submission_of("two"))
    assert readings(scribe)["days_since_evaluation"] == 100
    assert readings(scribe)["days_since_training"] == 100


def test_an_open_gate_is_overdue_by_hours_and_is_owed() -> None:
    """From its deadline on, until somebody decides; then that it was late stays on record."""
    scribe = serving()
    scribe.submit(submission_of("two"))
    assert readings(scribe, 10 * DAY)["gate_hours_overdue"] == pytest.approx(0, abs=1)
    assert readings(scribe, 9 * DAY)["obligations_overdue"] == 0
    late = readings(scribe, 11 * DAY)
    assert late["gate_hours_overdue"] == pytest.approx(24, abs=1)
    assert late["obligations_overdue"] == 1
    scribe.now += 11 * DAY
    scribe.approve_all(APPROVALS[:2])
    assert readings(scribe)["gate_hours_overdue"] == 0
    assert readings(scribe)["gates_in_time"] == pytest.approx(2 / 3)


def test_an_approval_whose_giver_has_left_is_void() -> None:
    """Whoever approved and holds the role no more would not let it in today, and neither does the reading."""
    scribe = serving()
    claim = claim_of(scribe.state.champion)
    assert void(claim, scribe.plan, scribe.record, scribe.known()) == ()
    scribe.people["risk"] = ("rita",)
    gone = void(claim, scribe.plan, scribe.record, scribe.known())
    assert any("rosa" in why for why in gone)
    assert readings(scribe, void=gone)["void_approvals"] == len(gone)


def test_an_emergency_that_nobody_reviews_is_owed_after_a_day() -> None:
    """Until then it is looked into; a second person who confirms it takes it off the list."""
    scribe = serving()
    envelope = scribe.signers["olga"].request("tests", MODEL, Action.SUSPEND, "It harms.", emergency=True)
    scribe.say(read_request(scribe.state, envelope, scribe.electorate, scribe.now + timedelta(minutes=1)))
    scribe.serve()
    assert readings(scribe, DAY - timedelta(hours=1))["obligations_overdue"] == 0
    assert readings(scribe, DAY + timedelta(hours=1))["obligations_overdue"] == 1


def test_a_waiver_that_has_ended_and_a_contradiction_are_owed() -> None:
    """Each counts, for as long as it holds."""
    ends = (NOON + 30 * DAY).date()
    waiver = WaiverPlan(owner="olga", reason="Later.")
    control = ControlPlan(
        pack="ours", control="four-eyes", reference="4", severity="hard", waived_until=ends, waiver=waiver
    )
    plan = CREDIT.model_copy(update={"controls": (control,)})
    scribe = serving(released(Scribe(plan)))
    assert readings(scribe, 29 * DAY)["obligations_overdue"] == 0
    assert readings(scribe, 32 * DAY)["obligations_overdue"] == 1
    assert readings(scribe, 32 * DAY, contradictions=2)["obligations_overdue"] == 3


def test_what_never_happened_has_no_reading() -> None:
    """Without a champion nothing was trained or evaluated; without a gate with people none was in time."""
    found = readings(Scribe())
    assert not {"days_since_training", "days_since_evaluation", "days_since_documentation", "gates_in_time"} & set(
        found
    )


@given(st.integers(0, 2**31), st.integers(60, 400 * 86_400))
def test_a_period_begins_before_its_moment_and_ends_after_it(second: int, every: int) -> None:
    """Each moment is in one period of the monitor's length, named by its beginning."""
    at = datetime.fromtimestamp(second, UTC)
    begun = datetime.fromtimestamp(second // every * every, UTC)
    assert period(every, at) == period(every, begun) == f"record at {begun:%Y-%m-%d %H:%M} UTC"
    assert period(every, at + timedelta(seconds=every)) != period(every, at)
