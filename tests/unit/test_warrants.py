"""Nothing is taken out of service, or put back, because a lifecycle was told who asked or what was measured."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.authentication import read_request
from models.canonical import replace
from models.clearance import Minimum, objections, withdrawal_objections
from models.evidence import EffectKey, Electorate, StepKind, StepResult
from models.inventory import Measured
from models.messages import Action, Breach, Breached, Event, Failure, StepFailed, StepSucceeded
from models.plan import Brakes, MonitorPlan, Plan, Remedy
from models.signing import PublicKey
from models.state import Phase
from models.verdict import Verdict
from models.warrants import WAY_ON
from tests.unit.signed_record import AUDIENCE, CREDIT, PEOPLE, Scribe, released, submission_of

TURNS = (Action.SUSPEND, Action.ROLLBACK, Action.RETIRE)
WATCH = MonitorPlan(
    id="drift",
    checks=CREDIT.monitors[0].checks,
    every=86_400,
    breaches=2,
    then=Remedy.SUSPEND,
    brakes=Brakes(cooldown=60, at_most=9, per=600, otherwise=Remedy.SUSPEND),
)
PROHIBITED = StepResult(summary="prohibited", verdict=Verdict.FAIL)
WATCHED = CREDIT.model_copy(update={"monitors": (WATCH,)})


def reigning(plan: Plan = CREDIT) -> Scribe:
    """Version 1 was champion, version 2 is."""
    scribe = released(Scribe(plan))
    scribe.serve()
    scribe.submit(submission_of("two"))
    scribe.approve_all()
    scribe.serve()
    assert scribe.state.phase is Phase.STEADY
    return scribe


def due(scribe: Scribe) -> str:
    """The lifecycle does what the actuator has no part in, up to the step that it has; the kind of that."""
    while scribe.state.in_flight and scribe.state.in_flight.kind not in (
        StepKind.STOP_SERVING,
        StepKind.UNDEPLOY,
        StepKind.RESTORE,
    ):
        scribe.do(scribe.state.in_flight)
    return scribe.order.kind


def against(scribe: Scribe) -> list[str]:
    """What speaks against the order that is due."""
    told = objections if scribe.order.kind is StepKind.RESTORE else withdrawal_objections
    return list(told(scribe.order, scribe.plan, scribe.record, scribe.known(Minimum(approvals=2))))


def refuse(scribe: Scribe) -> None:
    """The actuator refuses: the lifecycle is stuck."""
    order = scribe.order
    why = Failure(type="NotPermittedError", message="; ".join(against(scribe)), remedy="see there")
    scribe.say(StepFailed(visit=order.visit, step=order.step, failure=why))
    assert scribe.state.phase is Phase.STUCK


def told(person: str, key: PublicKey) -> Electorate:
    """What somebody answers in the directory's place."""
    return Electorate(people=PEOPLE, audience=AUDIENCE, keys={person: (key,)})


def forge(scribe: Scribe, action: Action, person: str = "olga") -> None:
    """Somebody signs in another's name, and answers for the directory that this is their key."""
    mallory = scribe.signer(person, Ed25519PrivateKey.generate())
    scribe.ask(action, mallory, told(person, mallory.public))


@pytest.mark.parametrize("action", TURNS)
def test_what_the_owner_signed_happens(action: Action) -> None:
    """Owners turn their models."""
    scribe = reigning()
    scribe.ask(action)
    due(scribe)
    assert against(scribe) == []


@pytest.mark.parametrize("action", TURNS)
def test_who_asked_is_not_believed(action: Action) -> None:
    """The lifecycle goes where it is told; environments stay as they are until somebody who may stands for it."""
    scribe = reigning()
    forge(scribe, action)
    due(scribe)
    (said,) = against(scribe)
    assert said.startswith("olga has no key ")
    assert said.endswith(WAY_ON)
    refuse(scribe)
    forge(scribe, Action.RETRY)
    assert len(against(scribe)) == 1
    refuse(scribe)
    scribe.ask(Action.RETRY, scribe.signers["sven"])
    assert len(against(scribe)) == 1
    refuse(scribe)
    scribe.ask(Action.RETRY)
    assert against(scribe) == []


@pytest.mark.parametrize("action", TURNS[:2])
def test_who_may_gives_up_what_nobody_asked_for(action: Action) -> None:
    """After `abandon` the champion serves again, put there anew to be sure, and later requests count as ever."""
    scribe = reigning()
    forge(scribe, action)
    due(scribe)
    refuse(scribe)
    scribe.ask(Action.ABANDON)
    assert (scribe.order.kind, scribe.order.version) == (StepKind.RESTORE, 2)
    assert against(scribe) == []
    scribe.serve()
    assert (scribe.state.phase, scribe.state.champion and scribe.state.champion.number) == (Phase.STEADY, 2)
    scribe.ask(Action.SUSPEND)
    assert due(scribe) == "stop_serving"
    assert against(scribe) == []


def test_a_role_that_somebody_was_said_to_hold() -> None:
    """Whose key is genuine, but who answers for no model, may have been said to hold a role."""
    scribe = reigning()
    sven = scribe.signers["sven"]
    scribe.ask(Action.SUSPEND, sven, replace(told("sven", sven.public), people={**PEOPLE, "risk": ("sven",)}))
    due(scribe)
    (said,) = against(scribe)
    assert said.startswith("sven is not the model's owner and holds no role")


def test_a_revoked_key_turns_nothing() -> None:
    """Also if the revocation is known only after the lifecycle has counted the request."""
    scribe = reigning()
    since = scribe.now
    scribe.ask(Action.SUSPEND)
    due(scribe)
    name = next(key.id for key in scribe.keyring.keys if key.person == "olga")
    scribe.keyring = scribe.keyring.revoke(name, since, "stolen")
    (said,) = against(scribe)
    assert said.startswith("olga has no key ")


def measure(scribe: Scribe, window: str, verdict: str) -> None:
    """A window was measured, or could not be, and that is on record."""
    said = {"verdict": "inconclusive", "unmeasured": True} if verdict == "blind" else {"verdict": verdict}
    change = Measured.model_validate({"monitor": "drift", "window": window, "reasons": ("psi",), **said})
    key = EffectKey(model=scribe.state.model, visit=0, step=f"measure/drift/{window}/v2")
    scribe.perform(key, StepResult(summary=verdict), change)


@pytest.mark.parametrize(
    ("windows", "borne_out"),
    [
        ((("a", "fail"), ("b", "fail")), True),
        ((("b", "fail"), ("a", "fail")), True),
        ((("a", "pass"), ("b", "fail")), False),
        ((("a", "fail"), ("c", "fail")), False),
        ((("a", "fail"), ("b", "fail"), ("c", "pass")), True),
        ((("a", "fail"), ("x", "blind"), ("b", "fail")), True),
        ((("x", "fail"), ("a", "fail"), ("b", "blind")), False),
        ((), False),
    ],
)
def test_a_breach_is_on_record(windows: tuple[tuple[str, str], ...], borne_out: bool) -> None:
    """Anybody may signal one: without as many failures on record as the plan asks, nothing is suspended for it."""
    scribe = reigning(WATCHED)
    for window, verdict in windows:
        measure(scribe, window, verdict)
    scribe.say(Breached(breach=Breach(monitor="drift", window="b", reasons=("psi",))))
    assert due(scribe) == "stop_serving"
    found = against(scribe)
    assert (found == []) is borne_out
    assert all(said.startswith("by the measurements on record, 'drift' is not in breach on window b") for said in found)


@pytest.mark.parametrize("borne_out", [True, False])
def test_a_breach_that_rolls_back_is_on_record(borne_out: bool) -> None:
    """What puts another version into service by itself rests on measurements, too."""
    plan = CREDIT.model_copy(update={"monitors": (replace(WATCH, then=Remedy.ROLLBACK),)})
    scribe = reigning(plan)
    for window in ("a", "b"):
        measure(scribe, window, "fail" if borne_out else "pass")
    scribe.say(Breached(breach=Breach(monitor="drift", window="b", reasons=("psi",))))
    assert (due(scribe), scribe.order.version) == ("restore", 1)
    found = against(scribe)
    assert (found == []) is borne_out
    assert all(said.startswith("by the measurements on record, 'drift' is not in breach on window b") for said in found)


def test_what_was_measured_after_a_breach_does_not_bear_it_out() -> None:
    """A record that comes later proves nothing."""
    scribe = reigning(WATCHED)
    scribe.say(Breached(breach=Breach(monitor="drift", window="b", reasons=("psi",))))
    measure(scribe, "a", "fail")
    measure(scribe, "b", "fail")
    due(scribe)
    assert len(against(scribe)) == 1


def test_an_order_that_is_not_due_takes_nothing_out_of_service() -> None:
    """Whoever has a terminated lifecycle's name may order anything in its stage."""
    scribe = reigning()
    scribe.ask(Action.SUSPEND)
    due(scribe)
    known = scribe.known()
    other = scribe.order.model_copy(update={"step": "forged", "kind": StepKind.UNDEPLOY})
    (said,) = withdrawal_objections(other, scribe.plan, scribe.record, known)
    assert "the order differs in step, kind" in said


LEFT = StepResult(summary="another")
"""What is on record, where something else was answered."""


@pytest.mark.parametrize("recorded", [PROHIBITED, LEFT, None])
def test_what_a_step_found_is_on_record(recorded: StepResult | None) -> None:
    """A model that is classified out leaves as ever; not if somebody answered for the step who did not perform it."""
    scribe = Scribe()
    order = scribe.order
    assert order.kind is StepKind.CLASSIFY
    if recorded:
        scribe.perform(order.key, recorded)
    scribe.say(StepSucceeded(visit=order.visit, step=order.step, result=PROHIBITED))
    assert due(scribe) == "undeploy"
    said = [f"'intake' has led to 'retiring', and nobody has asked for it; {WAY_ON}"]
    assert against(scribe) == ([] if recorded is PROHIBITED else said)


def test_an_old_request_is_not_dated_back() -> None:
    """What the owner once signed and nobody sent has run out, whenever somebody says that it came."""
    scribe = reigning()
    envelope = scribe.signers["olga"].request(AUDIENCE, scribe.state.model, Action.SUSPEND, "It has to be.")
    at = scribe.now + timedelta(minutes=1)
    asked = read_request(scribe.state, envelope, scribe.electorate, at)
    scribe.now += timedelta(days=3)
    scribe.tell(Event(at=at, body=asked))
    assert due(scribe) == "stop_serving"
    (said,) = against(scribe)
    assert said.startswith("the signature has run out")
