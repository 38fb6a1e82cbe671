"""Who has no key, and may write everywhere in the engine, takes nothing out of service and puts nothing back."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.audit import AuditKind
from models.authentication import read_request, read_submission
from models.canonical import replace
from models.compiler import compile_template
from models.evidence import StepKind, StepResult
from models.journal import JournalEntry
from models.messages import Action, Breach, Breached, Failure, Requested, StepFailed, StepSucceeded
from models.signing import Envelope
from models.state import Phase
from models.verdict import Verdict
from tests.unit.signed_record import AUDIENCE, MODEL, Scribe, released, submission_of
from tests.unit.test_warrants import WATCHED, against, due, forge, measure, refuse, reigning, told

ANYWHERE = (StepKind.RESTORE, StepKind.STOP_SERVING, StepKind.UNDEPLOY)


def answer(scribe: Scribe) -> None:
    """Somebody says in the actuator's place that a step is done: nothing is on record of it."""
    order = scribe.order
    said = StepResult(summary="done")
    scribe.say(StepSucceeded(visit=order.visit, step=order.step, result=said))


def fail(scribe: Scribe) -> None:
    """Somebody says in the actuator's place that a step failed."""
    order = scribe.order
    why = Failure(type="Unavailable", message="no answer", remedy="retry")
    scribe.say(StepFailed(visit=order.visit, step=order.step, failure=why))


def smuggle(scribe: Scribe, name: str = "three") -> None:
    """A version is handed in under a forged signature."""
    mallory = scribe.signer("sven", Ed25519PrivateKey.generate())
    given = mallory.submit(AUDIENCE, MODEL, submission_of(name))
    known = told("sven", mallory.public)
    scribe.say(read_submission(scribe.state, given, known, scribe.now + timedelta(minutes=1)))


def breach(scribe: Scribe, window: str) -> None:
    """Anybody may signal one."""
    scribe.say(Breached(breach=Breach(monitor="drift", window=window, reasons=("psi",))))


def test_a_breach_does_not_stand_for_a_retirement_that_waits() -> None:
    """A weaker turn does not take the place of a stronger one: nor does who stands for it."""
    scribe = reigning(WATCHED)
    scribe.submit(submission_of("three"))
    scribe.approve_all()
    measure(scribe, "a", "fail")
    measure(scribe, "b", "fail")
    forge(scribe, Action.RETIRE)
    breach(scribe, "b")
    fail(scribe)
    assert due(scribe) == "undeploy"
    assert against(scribe)


def test_a_breach_of_an_earlier_champion_is_over() -> None:
    """What was measured of another version says nothing of this one."""
    scribe = released(Scribe(WATCHED))
    scribe.serve()
    measure(scribe, "a", "fail")
    measure(scribe, "b", "fail")
    scribe.submit(submission_of("two"))
    scribe.approve_all()
    scribe.serve()
    breach(scribe, "a")
    assert due(scribe) == "stop_serving"
    assert against(scribe)


def test_a_doubt_outlives_a_forged_answer() -> None:
    """The lifecycle believes that nothing serves; it comes to rest, and suspends once more after a version is gone."""
    scribe = reigning()
    forge(scribe, Action.SUSPEND)
    while scribe.state.in_flight:
        answer(scribe)
    assert scribe.state.phase is Phase.AWAITING_VERSION
    smuggle(scribe)
    forge(scribe, Action.ABANDON)
    fail(scribe)
    assert scribe.order.kind is StepKind.STOP_SERVING
    assert against(scribe)


def test_a_doubt_outlives_a_forged_restoration() -> None:
    """The lifecycle believes that version 1 serves; a promotion is said to fail, and 'what served' is put back."""
    scribe = reigning()
    forge(scribe, Action.ROLLBACK)
    while scribe.state.in_flight:
        answer(scribe)
    assert scribe.state.phase is Phase.STEADY
    scribe.submit(submission_of("three"))
    scribe.approve_all()
    fail(scribe)
    forge(scribe, Action.ABANDON)
    assert (scribe.order.kind, scribe.order.version) == (StepKind.RESTORE, 1)
    assert against(scribe)


@pytest.mark.parametrize("first", [True, False])
def test_who_gives_up_a_promotion_has_to_sign(first: bool) -> None:
    """It was done, and is said to have failed: giving it up would take the new version out of service."""
    scribe = released() if first else reigning()
    if not first:
        scribe.submit(submission_of("three"))
        scribe.approve_all()
    order = scribe.order
    result, changes = scribe.answer(order)
    scribe.perform(order.key, result, *changes)
    fail(scribe)
    forge(scribe, Action.ABANDON)
    assert scribe.order.kind is (StepKind.STOP_SERVING if first else StepKind.RESTORE)
    assert against(scribe)
    refuse(scribe)
    scribe.ask(Action.RETRY)
    assert against(scribe) == []


@pytest.mark.parametrize(("forged", "signed"), [(Action.ROLLBACK, Action.SUSPEND), (Action.SUSPEND, Action.ROLLBACK)])
def test_who_asks_for_another_turn_does_not_stand_for_the_step_in_flight(forged: Action, signed: Action) -> None:
    """What nobody asked for is still due while its cancellation is under way."""
    scribe = reigning()
    forge(scribe, forged)
    due(scribe)
    scribe.ask(signed)
    assert scribe.state.intent
    assert against(scribe)
    fail(scribe)
    due(scribe)
    assert against(scribe) == []


def test_a_forged_turn_that_waits_does_not_hold_up_the_step_in_flight() -> None:
    """What the owner asked for goes on."""
    scribe = reigning()
    scribe.ask(Action.SUSPEND)
    due(scribe)
    forge(scribe, Action.RETIRE)
    assert against(scribe) == []


def again(scribe: Scribe, envelope: Envelope, **changes: object) -> None:
    """What somebody signed is sent once more, by who writes the record."""
    read = read_request(scribe.state, envelope, scribe.electorate, scribe.now + timedelta(minutes=1))
    assert isinstance(read, Requested)
    scribe.say(replace(read, **changes))


@pytest.mark.parametrize("forgotten", [True, False])
def test_what_was_signed_once_counts_once(forgotten: bool) -> None:
    """Also if whoever writes the record leaves out which statement it was, or says that it was long ago."""
    scribe = reigning()
    envelope = scribe.signers["olga"].request(AUDIENCE, MODEL, Action.SUSPEND, "It has to be.")
    again(scribe, envelope)
    due(scribe)
    scribe.serve()
    scribe.submit(submission_of("three"))
    scribe.approve_all()
    scribe.serve()
    assert scribe.state.phase is Phase.STEADY
    if forgotten:
        again(scribe, envelope, once=None)
    else:
        asked = scribe.now
        scribe.now += timedelta(days=30)
        scribe.ask(Action.PAUSE)
        scribe.ask(Action.RESUME)
        later, scribe.now = scribe.now, asked
        again(scribe, envelope)
        scribe.now = later
    assert due(scribe) == "stop_serving"
    assert against(scribe)


def test_an_emergency_is_one() -> None:
    """A stranger may break the glass, and not without anybody noticing."""
    scribe = reigning()
    envelope = scribe.signers["sven"].request(AUDIENCE, MODEL, Action.SUSPEND, "It burns.", emergency=True)
    again(scribe, envelope, emergency=False)
    due(scribe)
    assert against(scribe)


def test_who_retried_before_does_not_stand_for_what_came_after() -> None:
    """A request to retry that was refused, because nothing was stuck, still holds for an hour."""
    scribe = reigning()
    envelope = scribe.signers["olga"].request(AUDIENCE, MODEL, Action.RETRY, "It is stuck.")
    scribe.now += timedelta(minutes=10)
    forge(scribe, Action.SUSPEND)
    due(scribe)
    refuse(scribe)
    again(scribe, envelope)
    assert scribe.state.phase is Phase.WORKING
    assert against(scribe)


def test_a_submitter_does_not_clear_a_doubt() -> None:
    """Anybody whose key is known may hand in a version, and give it up: not what was asked for in the owner's name."""
    scribe = reigning()
    forge(scribe, Action.SUSPEND)
    while scribe.state.in_flight:
        answer(scribe)
    scribe.submit(submission_of("three"))
    scribe.ask(Action.ABANDON, scribe.signers["sven"])
    if scribe.state.in_flight is not None and scribe.state.in_flight.kind not in ANYWHERE:
        fail(scribe)
    assert scribe.order.kind is StepKind.STOP_SERVING
    assert against(scribe)


def test_who_has_a_gate_read_anew_does_not_stand_for_a_turn() -> None:
    """The owner means who may decide about the version at the gate, not what was asked for in their name before."""
    scribe = reigning()
    forge(scribe, Action.SUSPEND)
    while scribe.state.in_flight:
        answer(scribe)
    scribe.submit(submission_of("three"))
    assert scribe.state.phase is Phase.DECIDING
    scribe.ask(Action.RETRY)
    scribe.work()
    scribe.ask(Action.ABANDON, scribe.signers["sven"])
    assert scribe.order.kind is StepKind.STOP_SERVING
    assert against(scribe)


def test_another_answer_than_was_recorded_is_doubted() -> None:
    """A promotion was done, and is said to have turned the version away: the champion before it would come back."""
    scribe = reigning()
    scribe.submit(submission_of("three"))
    scribe.approve_all()
    order = scribe.order
    result, changes = scribe.answer(order)
    scribe.perform(order.key, result, *changes)
    turned_away = replace(result, verdict=Verdict.FAIL)
    scribe.say(StepSucceeded(visit=order.visit, step=order.step, result=turned_away))
    scribe.serve()
    scribe.submit(submission_of("four"))
    scribe.approve_all()
    fail(scribe)
    scribe.ask(Action.ABANDON, scribe.signers["sven"])
    assert (scribe.order.kind, scribe.order.version) == (StepKind.RESTORE, 2)
    (said,) = against(scribe)
    assert said.startswith(f"what step 'promote' of visit {order.visit} is said to have done is not on record")


def test_the_record_does_not_say_what_was_refused() -> None:
    """Whoever writes that a forged request was refused has the kernel take it all the same."""
    scribe = reigning()
    forge(scribe, Action.SUSPEND)
    last = scribe.entries.pop()
    forged = JournalEntry.model_validate_json(last.body)
    scribe.append(AuditKind.EVENT, forged.model_copy(update={"refusal": "no"}))
    due(scribe)
    assert against(scribe)


TURNED_AWAY = compile_template(
    (Path(__file__).parents[2] / "workflows" / "templates" / "credit-high-risk.yaml")
    .read_text()
    .replace("then: {pass: validation, fail: development,", "then: {pass: validation, fail: retiring,"),
    "credit",
)


def test_a_route_takes_no_champion_out_of_service() -> None:
    """A template may lead a version that fails to retirement: whoever hands one in would retire the champion."""
    scribe = reigning(TURNED_AWAY)
    smuggle(scribe)
    scribe.do(scribe.order)
    order = scribe.order
    scribe.say(StepSucceeded(visit=order.visit, step=order.step, result=StepResult(summary="no", verdict=Verdict.FAIL)))
    assert due(scribe) == "undeploy"
    assert against(scribe)
