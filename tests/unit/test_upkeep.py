"""How a model is kept is read from its record: nobody has to say it, and nobody can say it otherwise."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.authentication import read_request
from models.canonical import digest
from models.entitlement import Claim, void
from models.evidence import EffectKey, StepResult
from models.inventory import Environment, Measured, RiskTier
from models.messages import Action
from models.plan import ControlPlan, PackPlan, WaiverPlan
from models.policy import NAMED, Pack, Policy
from models.scope import Scope
from models.state import Version
from models.upkeep import KEPT, Kept, period, read, unheeded
from models.verdict import Reading
from tests.temporal.house import facts_of
from tests.unit.signed_record import APPROVALS, CREDIT, MODEL, NOON, Scribe, released, submission_of

DAY = timedelta(days=1)
ADVICE = {"title": "Two", "reference": "1", "confidence": "high", "severity": "advisory", "retention": "1d"}


def serving(scribe: Scribe | None = None) -> Scribe:
    """Version 1 serves."""
    told = scribe or released()
    told.serve()
    return told


def readings(
    scribe: Scribe,
    after: timedelta = timedelta(),
    void: Sequence[str] = (),
    contradictions: int = 0,
    policy: Sequence[str] | None = (),
) -> dict[str, float]:
    """What the record shows, so long after the last event."""
    at = scribe.now + after
    kept = Kept(since=scribe.now, void=void, contradictions=contradictions, policy=policy)
    found = read(scribe.plan, MODEL, "olga", scribe.entries, kept, at)
    assert {one.name for one in found} <= KEPT
    return {one.name: one.value for one in found}


def look(scribe: Scribe, window: str, rows: int) -> None:
    """A monitor has measured a window of so many rows, or nothing but the record (0)."""
    names = ("drift", "live_selection_rate") if rows else ("days_in_service",)
    found = StepResult(summary=window, readings=tuple(Reading(name=name, value=0.5, count=rows) for name in names))
    measured = Measured(monitor="drift", window=window, version=1, verdict="pass", reasons=())
    scribe.now += timedelta(minutes=1)
    key = EffectKey(model=MODEL, visit=0, step=f"measure/drift/{window}/{len(scribe.entries)}")
    scribe.perform(key, found, measured)


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
    """Nothing is old, nothing is owed, both gates were decided in time, no data has come since."""
    scribe = Scribe()
    look(scribe, "before", 40)
    found = readings(serving(released(scribe)))
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


def test_new_data_is_counted_until_somebody_trains_with_it() -> None:
    """Each window once, by its rows, whichever monitors look at it and however often; looks at the record are none."""
    scribe = serving()
    assert "rows_since_training" not in readings(scribe)
    for window, rows in (("march", 40), ("march", 40), ("record at noon", 0), ("april", 60)):
        look(scribe, window, rows)
    assert readings(scribe)["rows_since_training"] == 100
    scribe.submit(submission_of("two"))
    assert readings(scribe)["rows_since_training"] == 100
    scribe.approve_all(APPROVALS)
    scribe.serve()
    look(scribe, "april", 60)
    assert readings(scribe)["rows_since_training"] == 0
    look(scribe, "may", 7)
    assert readings(scribe)["rows_since_training"] == 7


def test_a_pack_that_came_later_is_a_policy_change() -> None:
    """What applies today and in which version, against what its plan was compiled under; what has ended is none."""
    ours = Pack.model_validate(
        {
            "pack": "ours",
            "version": "1",
            "title": "Ours",
            "authority": "us",
            "effective": {"from": f"{NOON:%Y-%m-%d}"},
            "controls": {"one": ADVICE},
        }
    )
    facts, day = facts_of(MODEL, RiskTier.HIGH), NOON.date()
    plan = PackPlan(pack="ours", version="1", digest=digest(ours), reason=NAMED)
    under = CREDIT.model_copy(update={"packs": (plan,)})
    assert unheeded(under, Policy((ours,), day, facts)) == ()
    assert unheeded(CREDIT, Policy((ours,), day, facts)) == ("ours@1",)
    assert unheeded(CREDIT, Policy((ours,), day - DAY, facts)) == ()
    later = ours.model_copy(update={"version": "2", "applies": Scope(sectors=("health",))})
    assert unheeded(under, Policy((ours, later), day, facts)) == ("ours@2",)
    assert unheeded(CREDIT, Policy((later,), day, facts)) == ()
    assert readings(serving(), policy=("ours@2",))["policy_changes"] == 1
    assert "policy_changes" not in readings(serving(), policy=None)


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
