"""Nothing is cleared but what the record, the signatures in it and the actuator's own knowledge bear out."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from models.audit import AuditEntry
from models.canonical import digest, digest_bytes, replace
from models.clearance import Known, Minimum, objections
from models.evidence import Electorate, StepKind, StepOrder
from models.inventory import Environment, RiskTier, Submission
from models.keys import EnrolledKey, Keyholder, Keyring
from models.messages import Action, Choice, Decided, Event, Request, Requested, VersionSubmitted
from models.plan import GatePlan, Plan
from models.signing import Envelope, Signature, key_id
from models.state import Phase
from models.statements import Challenge, read_statement
from tests.unit.signed_record import (
    APPROVALS,
    AUDIENCE,
    CREDIT,
    MODEL,
    NOON,
    PEOPLE,
    Scribe,
    rechain,
    released,
    submission_of,
    tie,
)

TWO = Minimum(approvals=2)
RELEASED = released()


def against(scribe: Scribe = RELEASED, **other: object) -> list[str]:
    """What speaks against what a record orders; `order`, `plan`, `entries` and `known` may be others."""
    given = {"order": scribe.order, "plan": scribe.plan, "entries": scribe.entries, "known": scribe.known(TWO), **other}
    return list(objections(given["order"], given["plan"], tie(given["entries"]), given["known"]))  # type: ignore[arg-type]


def known(electorate: Electorate | None = None, keyring: Keyring | None = None) -> Known:
    """What the actuator knows, but for something."""
    usual = RELEASED.known(TWO)
    return Known(electorate or usual.electorate, keyring or usual.keyring, TWO)


def gate(name: str, **changes: object) -> Plan:
    """The plan with one gate edited."""
    stages = []
    for stage in CREDIT.stages:
        edited = stage.gate is not None and stage.gate.id == name
        stages.append(replace(stage, gate=replace(stage.gate, **changes)) if edited and stage.gate else stage)
    return CREDIT.model_copy(update={"stages": tuple(stages)})


def test_what_everybody_approved_is_cleared() -> None:
    """Four signatures, two gates, one order: nothing speaks against it."""
    assert against() == []
    assert RELEASED.order.environment is Environment.PROD


# --- the record


@given(st.data())
@settings(max_examples=60)
def test_any_edited_entry_is_noticed(data: st.DataObject) -> None:
    """Whatever is changed of any entry without sealing it anew, the entry is named; so is one that is gone."""
    entries = list(RELEASED.entries)
    index = data.draw(st.integers(0, len(entries) - 1))
    edits = {
        "body": entries[index].body.replace("0", "1", 1) + " ",
        "at": entries[index].at + timedelta(seconds=1),
        "previous": digest_bytes(b"other"),
        "hash": digest_bytes(b"other"),
        "kind": "plan",
        "model": "other",
    }
    name = data.draw(st.sampled_from([*edits, "removed"]))
    if name == "removed":
        del entries[index]
        assert against(entries=entries)
        return
    entries[index] = entries[index].model_copy(update={name: edits[name]})
    assert any(f"audit entry {index + 1} is" in said for said in against(entries=entries))


def test_an_end_that_was_cut_off_is_noticed() -> None:
    """The head of the trail says which entry is the last."""
    *before, last = RELEASED.record
    cut = [*before[:-1], before[-1]._replace(after=last.entry.hash)]
    said = list(objections(RELEASED.order, RELEASED.plan, cut, RELEASED.known(TWO)))
    assert f"audit entry {before[-1].entry.position} is not tied to the entries beside it" in said


def events_of(entries: list[AuditEntry]) -> list[int]:
    """Where the events are."""
    return [index for index, entry in enumerate(entries) if entry.kind == "event"]


@pytest.mark.parametrize("index", events_of(RELEASED.entries))
def test_an_event_left_out_of_a_chain_made_anew_is_noticed(index: int) -> None:
    """With owner rights the chain can be made whole again; the kernel finds what is missing."""
    entries = rechain([entry for place, entry in enumerate(RELEASED.entries) if place != index])
    assert against(entries=entries)


def decisions(entries: list[AuditEntry]) -> list[int]:
    """Where the decisions are."""
    return [index for index in events_of(entries) if '"event":"decided"' in entries[index].body]


EDITS: dict[str, object] = {
    "person": "ana",
    "role": "auditor",
    "artifact": digest_bytes(b"other"),
    "decision": "reject",
    "reason": "Another reason.",
    "key": digest_bytes(b"other"),
    "gate": "another-gate",
    "visit": 99,
    "on_behalf_of": "ana",
}


@pytest.mark.parametrize("index", decisions(RELEASED.entries))
@pytest.mark.parametrize("name", EDITS)
def test_a_decision_is_what_was_signed(index: int, name: str) -> None:
    """In a chain made anew, each part of each decision still has to be what the envelope says."""
    entries = list(RELEASED.entries)
    body = json.loads(entries[index].body)
    body["event"]["body"]["decision"][name] = EDITS[name]
    entries[index] = entries[index].model_copy(update={"body": json.dumps(body)})
    assert against(entries=rechain(entries))


def test_an_order_is_what_the_record_leads_to() -> None:
    """Each part of an order that differs from what is due is named."""
    other: dict[str, object] = {
        "visit": 99,
        "step": "other",
        "kind": "restore",
        "stage": "staging",
        "version": 2,
        "artifact": digest_bytes(b"other"),
        "bundle": digest_bytes(b"other"),
        "environment": "TEST",
        "tiers": ["low"],
        "question": "Why?",
    }
    for name, value in other.items():
        order = StepOrder.model_validate({**RELEASED.order.model_dump(mode="json"), name: value})
        assert any(f"differs in {name}" in said for said in against(order=order)), name


def test_the_plan_is_the_one_of_the_events() -> None:
    """A plan put in the place of the one that governed is found out by every event."""
    weak = gate("release", approvals={"legal": 1})
    assert f"not under {digest(weak)}" in against(plan=weak)[0]


def test_a_lifecycle_that_waits_for_nothing_orders_nothing() -> None:
    """Before the last approval nothing is due, whoever orders it."""
    early = Scribe()
    early.submit(submission_of("one"))
    early.approve_all(APPROVALS[:3])
    assert early.state.phase is Phase.DECIDING
    said = list(objections(RELEASED.order, CREDIT, early.record, early.known(TWO)))
    assert f"by the record, '{MODEL}' waits for no step: it is in stage 'staging', deciding" in said
    assert "version 1 lacks approvals at 'release': product 1" in said


@pytest.mark.parametrize("kind", [StepKind.SCAN, StepKind.EVALUATE, StepKind.PACKAGE, StepKind.ASK])
def test_what_a_step_found_is_what_is_recorded_of_it(kind: StepKind) -> None:
    """Anybody may answer for an activity: of a lie there is no effect, or one that says something else."""
    honest = released()
    (performed, *_) = [
        index
        for index, entry in enumerate(honest.entries)
        if entry.kind == "effect" and f'"step":"{kind}' in entry.body
    ]
    step = json.loads(honest.entries[performed].body)["key"]["step"]
    without = rechain([entry for index, entry in enumerate(honest.entries) if index != performed])
    (said,) = against(honest, entries=without)
    assert said.startswith(f"what step '{step}' of visit ")
    assert said.endswith("is said to have found is not on record")
    entries = list(honest.entries)
    body = json.loads(entries[performed].body)
    body["result"]["summary"] = "something else"
    entries[performed] = replace(entries[performed], body=json.dumps(body))
    assert against(honest, entries=rechain(entries)) == [said]


@pytest.mark.parametrize(
    ("signed", "reason"),
    [
        (lambda scribe, version: None, "nothing is signed"),
        (
            lambda scribe, version: scribe.signer("sven").submit(AUDIENCE, MODEL, version).envelope,
            "sven has no key",
        ),
        (
            lambda scribe, version: scribe.signers["sven"].submit(AUDIENCE, MODEL, submission_of("two")).envelope,
            "the signature is for another version",
        ),
        (
            lambda scribe, version: scribe.signers["dmitri"].submit(AUDIENCE, MODEL, version).envelope,
            "dmitri signed for a version that sven is to have submitted",
        ),
    ],
)
def test_a_version_is_what_its_submitter_signed_for(
    signed: Callable[[Scribe, Submission], Envelope | None], reason: str
) -> None:
    """Who submitted a version, and so may not approve it, is nobody's word but the submitter's signature."""
    scribe = Scribe()
    version = submission_of("one")
    scribe.work()
    scribe.say(VersionSubmitted(submission=version, envelope=signed(scribe, version)))
    scribe.work()
    scribe.approve_all()
    (said,) = against(scribe)
    assert said.startswith("nobody answers for version 1: ")
    assert reason in said


# --- signatures: the kernel believes whatever it is told, the actuator looks for itself

Forge = Callable[[Scribe], Decided]


def forged_last(forge: Forge, scribe: Scribe | None = None) -> list[str]:
    """What is said when the last approval is not the honest one, and a rogue worker lets it count."""
    told = scribe or Scribe()
    told.submit(submission_of("one"))
    told.approve_all(APPROVALS[:3])
    told.say(forge(told))
    told.work()
    assert told.state.stage == "production", "the kernel did not take it"
    return against(told)


def honest(scribe: Scribe) -> Decided:
    """Paul's approval, as it should be."""
    return scribe.read(scribe.sign("paul", "product"))


def test_an_honest_last_approval_is_cleared() -> None:
    """What the forgeries are compared with."""
    assert forged_last(honest) == []


def _other_signature(scribe: Scribe) -> Decided:
    told = honest(scribe)
    assert told.envelope is not None
    stranger = scribe.signer("paul").decide(scribe.challenge(), Choice.APPROVE, "product", "I looked at the evidence.")
    return replace(told, envelope=replace(told.envelope, signatures=stranger.signatures))


def _broken_signature(scribe: Scribe) -> Decided:
    told = honest(scribe)
    assert told.envelope is not None
    (signature,) = told.envelope.signatures
    flipped = ("B" if signature.sig[0] == "A" else "A") + signature.sig[1:]
    return replace(told, envelope=replace(told.envelope, signatures=(Signature(keyid=signature.keyid, sig=flipped),)))


def _stale(scribe: Scribe) -> Decided:
    told = honest(scribe)
    scribe.now += timedelta(days=2)
    return told


def _early(scribe: Scribe) -> Decided:
    told = honest(scribe)
    scribe.now -= timedelta(hours=1)
    return told


def _by_a_stranger(scribe: Scribe) -> Decided:
    mallory = scribe.signer("mallory")
    envelope = mallory.decide(scribe.challenge(), Choice.APPROVE, "product", "I looked at the evidence.")
    told = scribe.read(envelope)
    return Decided(decision=replace(told.decision, person="paul"), envelope=envelope)


FORGERIES: dict[str, tuple[Forge, str]] = {
    "unsigned": (lambda s: replace(honest(s), envelope=None), "nothing is signed"),
    "signed by another key": (_other_signature, "the signature is not that of paul's key"),
    "a bit of the signature": (_broken_signature, "the signature is not that of paul's key"),
    "another payload type": (
        lambda s: replace(honest(s), envelope=replace(honest(s).envelope, payloadType="text/plain")),  # type: ignore[type-var]
        "this is no signed statement",
    ),
    "by somebody whom nobody knows": (_by_a_stranger, "something else was signed than is recorded"),
    "sent too late": (_stale, "the signature has run out"),
    "signed in the future": (_early, "still to come"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_approval_does_not_count(name: str) -> None:
    """Each is named with who, where and why; the gate then lacks an approval."""
    forge, reason = FORGERIES[name]
    said = forged_last(forge)
    assert any(line.startswith("paul at 'release', visit 5: ") and reason in line for line in said), said
    assert "version 1 lacks approvals at 'release': product 1" in said


@pytest.mark.parametrize("name", Challenge.model_fields)
def test_a_signature_is_about_one_thing_alone(name: str) -> None:
    """A signature of the right person about another installation, gate, visit ... counts for nothing here."""
    other: dict[str, object] = {"visit": 4, "gate": "other", "lifecycle": "other", "audience": "elsewhere"}
    value = other.get(name, digest_bytes(b"other"))

    def forge(scribe: Scribe) -> Decided:
        told = honest(scribe)
        challenge = replace(scribe.challenge(), **{name: value})
        envelope = scribe.signers["paul"].decide(challenge, Choice.APPROVE, "product", told.decision.reason)
        return replace(told, envelope=envelope)

    assert "version 1 lacks approvals at 'release': product 1" in forged_last(forge)


def test_an_envelope_of_another_visit_cannot_be_replayed() -> None:
    """What Paul signed for the first version does not bring the second one to production."""
    scribe = Scribe()
    scribe.submit(submission_of("one"))
    scribe.approve_all(APPROVALS[:3])
    last = honest(scribe)
    scribe.say(last)
    scribe.serve()
    scribe.submit(submission_of("two"))
    scribe.approve_all(APPROVALS[:3])
    scribe.say(replace(honest(scribe), envelope=last.envelope))
    assert any("something else was signed than is recorded" in line for line in against(scribe))


# --- keys and people


def keys(change: Callable[[EnrolledKey], EnrolledKey | None]) -> Known:
    """What the actuator knows, with Paul's key changed."""
    found = [change(key) if key.person == "paul" else key for key in RELEASED.keyring.keys]
    return known(keyring=Keyring(keys=tuple(key for key in found if key)))


DECIDED = NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda key: None, "has to be enrolled"),
        (
            lambda key: replace(key, revoked=NOON, reason="it was stolen"),
            "was revoked as of 2026-03-02 12:00 UTC: it was",
        ),
        (lambda key: replace(key, enrolled=DECIDED), "was not enrolled yet"),
        (lambda key: replace(key, person="ana"), "is ana's"),
    ],
)
def test_a_key_that_did_not_hold_voids_what_it_signed(
    change: Callable[[EnrolledKey], EnrolledKey | None], reason: str
) -> None:
    """A key has to be its person's, enrolled before, and not revoked as of an earlier moment."""
    said = against(known=keys(change))
    assert any(line.startswith("paul at 'release'") and reason in line for line in said), said


def test_a_key_revoked_as_of_later_leaves_what_it_signed() -> None:
    """Who loses a key today has still decided yesterday."""
    assert against(known=keys(lambda key: replace(key, revoked=DECIDED))) == []


@pytest.mark.parametrize("person", ["dmitri", "rosa", "lena", "paul"])
def test_who_holds_the_role_is_asked_of_the_actuators_own_directory(person: str) -> None:
    """Whoever is in no group any more, or never was but in the ordinary worker's directory, does not count."""
    people = {role: tuple(p for p in names if p != person) for role, names in PEOPLE.items()}
    said = against(known=known(electorate=RELEASED.known().electorate.model_copy(update={"people": people})))
    assert any(line.startswith(f"{person} at ") for line in said)


def test_another_installation_believes_none_of_it() -> None:
    """The audience is the actuator's own."""
    elsewhere = RELEASED.known().electorate.model_copy(update={"audience": "elsewhere"})
    assert any(
        "another installation: tests, not elsewhere" in line for line in against(known=known(electorate=elsewhere))
    )


def test_a_role_is_held_by_those_in_its_own_group() -> None:
    """Somebody who holds another role, and has a key, does not hold this one."""
    people = {**PEOPLE, "legal": ("lena", "paul"), "product": ()}
    moved = RELEASED.known().electorate.model_copy(update={"people": people})
    assert any("paul does not hold the role 'product'" in line for line in against(known=known(electorate=moved)))


@pytest.mark.parametrize(
    ("developer", "submitter", "last"), [("paul", "sven", "paul"), ("dora", "paul", "paul"), ("dora", "sven", "olga")]
)
def test_nobody_clears_their_own_work(developer: str, submitter: str, last: str) -> None:
    """Where a plan lets the developer, submitter or owner approve, the environment still does not count them."""
    trusting = Scribe(CREDIT.model_copy(update={"separation": ()}), people={**PEOPLE, "product": (last,)})
    trusting.submit(submission_of("one", developer, submitter))
    trusting.approve_all((*APPROVALS[:3], (last, "product")))
    assert against(trusting, known=trusting.known(Minimum(approvals=4))) == [
        "3 people who did not build version 1 have approved it; PROD asks 4 of every model of tier high"
    ]


def test_what_a_stolen_key_said_is_said_anew() -> None:
    """A revoked approval fell when the gate looked again; the same person's next one, with another key, clears it."""
    scribe = Scribe()
    scribe.submit(submission_of("one"))
    scribe.approve_all(APPROVALS[:3])
    stolen = key_id(scribe.signers["lena"].public)
    scribe.keyring = scribe.keyring.revoke(stolen, scribe.now - timedelta(hours=1), "stolen")
    scribe.signers["lena"] = scribe.signer("lena")
    scribe.keyring = scribe.keyring.enrol(scribe.enrolled(scribe.signers["lena"]))
    scribe.say(Requested(action=Action.RETRY, request=Request(person="sam", reason="a key is void")))
    scribe.work()
    scribe.now += timedelta(minutes=1)
    scribe.approve_all(APPROVALS[2:])
    assert scribe.state.stage == "production"
    assert list(objections(scribe.order, CREDIT, scribe.record, scribe.known(TWO))) == []


def test_what_was_said_of_one_version_is_not_said_of_the_next() -> None:
    """The first version's approvals do nothing for the second one, which nobody has decided about."""
    scribe = released()
    scribe.serve()
    scribe.submit(submission_of("two"))
    said = list(objections(replace(RELEASED.order, version=2), CREDIT, scribe.record, scribe.known(TWO)))
    for name in ("independent-validation", "release"):
        assert f"nobody is on record as deciding about version 2 at '{name}'" in said


# --- gates of all kinds


def test_a_gateway_vouches_for_nobody_at_a_high_tier() -> None:
    """Also where a plan says so: a gateway's key counts at low and medium tiers alone."""
    for tiers, tier, cleared in (
        ((RiskTier.MEDIUM,), RiskTier.MEDIUM, True),
        ((RiskTier.MEDIUM, RiskTier.HIGH), RiskTier.MEDIUM, False),
        ((RiskTier.MEDIUM, RiskTier.HIGH), RiskTier.HIGH, False),
    ):
        plan = gate("release", authentication="gateway").model_copy(update={"tiers": tiers})
        scribe = Scribe(plan, tier)
        private = Ed25519PrivateKey.generate()
        key = replace(scribe.enrolled(scribe.signer("desk", private)), kind=Keyholder.GATEWAY)
        scribe.keyring = Keyring(keys=(*scribe.keyring.keys, key))
        assert (forged_last(_vouched(private), scribe) == []) is cleared, (tiers, tier)


def _vouched(private: Ed25519PrivateKey) -> Forge:
    """The gateway has let Paul in, and signs for him."""

    def forge(scribe: Scribe) -> Decided:
        signer = scribe.signer("paul", private)
        envelope = signer.decide(scribe.challenge(), Choice.APPROVE, "product", "I looked at the evidence.")
        return Decided(decision=scribe.read(envelope).decision, envelope=envelope)

    return forge


def test_a_rejected_version_stays_rejected() -> None:
    """The kernel takes no second opinion, and no order follows."""
    scribe = Scribe()
    scribe.submit(submission_of("one"))
    scribe.approve_all(APPROVALS[:3])
    scribe.decide("paul", "product", Choice.REJECT)
    said = list(objections(RELEASED.order, CREDIT, scribe.record, scribe.known(TWO)))
    assert "version 1 was rejected at 'release'" in said


def _delegated(scribe: Scribe, lifecycles: tuple[str, ...] = (MODEL,)) -> Decided:
    sam = scribe.signer("sam")
    until = scribe.now + timedelta(days=1)
    grant = scribe.signers["paul"].delegate(AUDIENCE, "sam", sam.public, "product", until, lifecycles)
    envelope = sam.decide(scribe.challenge(), Choice.APPROVE, "product", "For Paul.", delegation=grant)
    return scribe.read(envelope)


def test_who_decides_in_somebodys_place_counts_for_them() -> None:
    """A delegation that its giver signed, for this lifecycle; one for another lifecycle does not do."""
    assert forged_last(_delegated) == []
    said = forged_last(lambda scribe: replace(_delegated(scribe, ("other",)), objection=""))
    assert any("delegated for other" in line for line in said)


def test_a_revoked_key_decides_in_nobodys_place() -> None:
    """What a delegation names is no key that the registry has revoked."""
    scribe = Scribe()

    def forge(told: Scribe) -> Decided:
        decided = _delegated(told)
        assert decided.envelope is not None
        delegation = read_statement(decided.envelope).delegation
        assert delegation is not None
        public = read_statement(delegation).says.to_public  # type: ignore[union-attr]
        stolen = EnrolledKey(person="sam", public=public, enrolled=NOON, revoked=NOON + timedelta(seconds=1))
        told.keyring = Keyring(keys=(*told.keyring.keys, stolen))
        return decided

    assert any("was revoked as of" in line for line in forged_last(forge, scribe))


# --- the environment's own minimum


def ungated() -> Plan:
    """A template that somebody edited: nobody is asked any more."""
    stages = tuple(
        replace(stage, gate=GatePlan(id=stage.gate.id, question="", checks=stage.gate.checks)) if stage.gate else stage
        for stage in CREDIT.stages
    )
    return CREDIT.model_copy(update={"stages": stages})


@pytest.mark.parametrize("tier", RiskTier)
def test_a_template_cannot_take_the_minimum_away(tier: RiskTier) -> None:
    """Without a gate that asks anybody, an environment that asks for two people is entered only at other tiers."""
    scribe = Scribe(ungated().model_copy(update={"tiers": tuple(RiskTier)}), tier)
    scribe.submit(submission_of("one"))
    demanding = Minimum(approvals=2, tiers=(RiskTier.HIGH, RiskTier.CRITICAL))
    said = against(scribe, known=scribe.known(demanding))
    refused = [f"0 people who did not build version 1 have approved it; PROD asks 2 of every model of tier {tier}"]
    assert said == (refused if tier in demanding.tiers else [])


def test_a_plan_that_is_not_for_the_models_tier() -> None:
    """Whatever was said at intake, the model's registered tier is one that the plan governs."""
    scribe = released(Scribe(tier=RiskTier.LOW))
    assert against(scribe) == ["'loans' has tier low; its plan governs high, critical"]


def test_an_event_that_is_dated_back_does_not_revive_a_key() -> None:
    """Whoever has a stolen key that is revoked dates what they sign, and the event, to before: what is recorded later
    than the key is revoked does not count.
    """
    scribe = Scribe()
    scribe.submit(submission_of("one"))
    scribe.approve_all(APPROVALS[:-1])
    signed = scribe.read(scribe.sign("paul", "product"))
    event = Event(at=scribe.now + timedelta(minutes=1), body=signed)
    since = scribe.now + timedelta(hours=3)
    scribe.now += timedelta(hours=6)
    scribe.tell(event)
    assert against(scribe) == []
    key = next(key.id for key in scribe.keyring.keys if key.person == "paul")
    scribe.keyring = scribe.keyring.revoke(key, since, "stolen")
    assert any("was revoked as of" in said for said in against(scribe))


def test_one_person_is_not_two() -> None:
    """Who approves at two gates, for one role and then another, is one person."""
    scribe = Scribe(gate("release", approvals={"legal": 1}), people={**PEOPLE, "legal": ("rosa",)})
    scribe.submit(submission_of("one"))
    scribe.approve_all((*APPROVALS[:2], ("rosa", "legal")))
    assert against(scribe, known=scribe.known(TWO)) == []
    (said,) = against(scribe, known=scribe.known(Minimum(approvals=3)))
    assert said.startswith("2 people who did not build version 1")


# --- what served before


def reigning() -> Scribe:
    """Version 1 was champion, version 2 is, and the owner asks to go back."""
    scribe = released()
    scribe.serve()
    scribe.submit(submission_of("two"))
    scribe.approve_all()
    scribe.serve()
    scribe.ask(Action.ROLLBACK)
    return scribe


def test_going_back_needs_the_owner_and_a_record_of_having_served() -> None:
    """What was champion is restored from the bundle that it served from, with every approver gone; nothing else is."""
    scribe = reigning()
    assert (scribe.order.kind, scribe.order.version) == ("restore", 1)
    owner = Keyring(keys=(scribe.enrolled(scribe.signers["olga"]),))
    nobody = Known(RELEASED.known().electorate.model_copy(update={"people": {}}), owner, Minimum(approvals=20))
    assert against(scribe, known=nobody) == []
    kept = [e for e in scribe.entries if not ('"version":1' in e.body and '"change":"deployed"' in e.body)]
    said = against(scribe, entries=rechain(kept), known=nobody)
    assert said == [f"version 1 has never served in PROD from bundle {scribe.order.bundle}"]
