"""What the audit trail makes of messages: who is told what, and how a storm becomes one."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.alerts import VALID, StandingBreach, alert_of, resolved
from models.announcing import Message, Topic, announced, folded
from models.audit import GENESIS, AuditEntry, AuditHead, AuditKind, EffectRecord, seal
from models.canonical import canonical, replace
from models.evidence import EffectKey, StepResult
from models.inventory import Notified, RiskTier
from models.journal import JournalEntry
from models.lifecycle import step
from models.messages import Breach, Breached, Event, Failure, Notify, RunStep, StepFailed
from models.plan import Brakes, Plan, Remedy
from models.reconciliation import Discovery, Finding, FindingKind
from models.state import Phase, State
from tests.contract.story import events, small_plan, tell_story

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLAN = small_plan()


def entry(
    kind: AuditKind, body: EffectRecord | JournalEntry | Discovery | Plan, model: str | None = "loan"
) -> AuditEntry:
    """An entry of the trail."""
    return seal(AuditHead(position=16, hash=GENESIS), model, kind, NOON, canonical(body).decode())


def effect(name: str, *told: str) -> AuditEntry:
    """An effect that has told some people something."""
    notices = tuple(Notified(recipient=person, subject="loan: something", body="more") for person in told)
    key = EffectKey(model="loan", visit=3, step=name)
    return entry(AuditKind.EFFECT, EffectRecord(key=key, result=StepResult(summary="done"), changes=notices))


@pytest.mark.parametrize(
    ("step_name", "topic"),
    [
        ("ask", Topic.DECISION),
        ("ask-19", Topic.DECISION),
        ("notify/remind:0", Topic.DECISION),
        ("notify/anew:12:rosa", Topic.DECISION),
        ("notify/escalate:1", Topic.ESCALATION),
        ("notify/sla", Topic.ESCALATION),
        ("notify/glass:40", Topic.ESCALATION),
        ("notify/breach:21", Topic.BREACH),
        ("notify/investigate:21", Topic.INVESTIGATION),
        ("notify/review:9", Topic.OBLIGATION),
        ("notify/waiver:legal:30d", Topic.OBLIGATION),
        ("notify/of-a-later-kernel", Topic.NOTICE),
        ("tell-consumers", Topic.NOTICE),
        ("asking-again", Topic.NOTICE),
    ],
)
def test_who_was_told_is_told(step_name: str, topic: Topic) -> None:
    """One message for each, named by where it stands in the trail; what it is about follows from the effect."""
    found = tuple(announced(effect(step_name, "rosa", "ravi")))
    assert [(one.key, one.recipient, one.topic) for one in found] == [("17.0", "rosa", topic), ("17.1", "ravi", topic)]
    assert {(one.subject, one.body, one.at, one.model) for one in found} == {("loan: something", "more", NOON, "loan")}


@pytest.mark.parametrize("name", ["train", "restore"])
def test_remediations_are_told(name: str) -> None:
    """That a version was trained or restored, whoever started it."""
    (found,) = announced(effect(name))
    assert (found.topic, found.subject, found.recipient) == (Topic.REMEDIATION, f"loan: {name} is done: done", None)


def test_stuck_lifecycles_are_told() -> None:
    """A step that has failed for good, with what to do; one that led elsewhere is no news."""
    recorded = next(one for one in tell_story(PLAN, "loan") if isinstance(one, JournalEntry))
    failed = StepFailed(
        visit=1, step="scan", failure=Failure(type="X", message="the scanner is gone", remedy="Call it.")
    )
    told = replace(recorded, event=Event(at=NOON, body=failed))
    stuck = replace(told, snapshot=replace(told.snapshot, phase=Phase.STUCK))
    (found,) = announced(entry(AuditKind.EVENT, stuck))
    assert (found.topic, found.subject, found.body) == (Topic.STUCK, "loan: stuck: the scanner is gone", "Call it.")
    assert list(announced(entry(AuditKind.EVENT, told))) == []


def test_findings_are_told() -> None:
    """When they open, and when they hold no more; those of no model, too."""
    finding = Finding(kind=FindingKind.SILENT, model=None, about="PROD", text="PROD does not answer")
    for holds, word in ((True, "found"), (False, "no longer so")):
        (found,) = announced(entry(AuditKind.FINDING, Discovery(finding=finding, holds=holds), model=None))
        assert (found.topic, found.model, found.subject) == (Topic.FINDING, None, f"{word}: PROD does not answer")


@pytest.mark.parametrize("kind", ["effect", "event", "finding", "plan", "directory", "something"])
def test_what_cannot_be_read_is_left_to_the_audit(kind: str) -> None:
    """An entry that somebody has damaged stops no message after it."""
    damaged = AuditEntry(position=1, model=None, kind=kind, at=NOON, body="{", previous=GENESIS, hash=GENESIS)
    assert list(announced(damaged)) == []


MESSAGES = st.lists(
    st.builds(
        Message,
        key=st.uuids().map(str),
        topic=st.sampled_from(Topic),
        model=st.none(),
        recipient=st.sampled_from(["rosa", "ravi", None]),
        subject=st.text(),
        body=st.just(""),
        at=st.just(NOON),
        thread=st.sampled_from(["a", "b", None]),
        more=st.integers(0, 9),
    ),
    unique_by=lambda one: one.key,
)


@given(MESSAGES)
def test_folding_loses_nobody(messages: Sequence[Message]) -> None:
    """All are counted, each thread and recipient has one, and what belongs to no thread stays as it is."""
    found = folded(messages)
    assert sum(one.more + 1 for one in found) == sum(one.more + 1 for one in messages)
    threads = [(one.thread, one.recipient) for one in found if one.thread]
    assert len(threads) == len(set(threads))
    assert [one for one in found if not one.thread] == [one for one in messages if not one.thread]
    assert {one.key for one in found} <= {each.key for each in messages}
    assert folded(found) == found
    for one in found:
        alike = [
            each for each in messages if one.thread and (each.thread, each.recipient) == (one.thread, one.recipient)
        ]
        assert not alike or (one.subject, one.key) == (alike[-1].subject, alike[0].key)


def test_ten_thousand_breaches_are_one_remediation_and_one_message() -> None:
    """The kernel acts once and tells of each; whoever listens hears once."""
    monitor = replace(
        PLAN.monitors[0],
        then=Remedy.RETRAIN,
        brakes=Brakes(cooldown=86_400, at_most=1, per=86_400, otherwise=Remedy.ESCALATE),
    )
    plan = replace(PLAN, monitors=(monitor,))
    state = serving(plan)
    at, trainings, notices = NOON + timedelta(days=1), 0, list[Notify]()
    for number in range(10_000):
        breach = Breach(monitor="drift", window=f"w{number}", reasons=("psi 0.4 > 0.2",))
        answer = step(plan, state, Event(at=at + timedelta(seconds=number), body=Breached(breach=breach)))
        state = answer.state
        trainings += sum(isinstance(one, RunStep) and one.order.kind == "train" for one in answer.commands)
        notices += [one for one in answer.commands if isinstance(one, Notify)]
    assert trainings == 1
    assert len(notices) == 10_000
    told = [one for notice in notices for one in announced(effect(notice.key("loan").step, "olga"))]
    (found,) = folded(told)
    assert found.more == 9_999


def serving(plan: Plan) -> State:
    """A state in which a champion serves and nothing else goes on."""
    state = State(model="loan", owner="olga")
    for recorded in events(list(tell_story(plan, "loan")))[:10]:
        state = step(plan, state, recorded.event).state
    assert state.phase is Phase.STEADY
    return state


def standing(model: str = "loan", tier: RiskTier = RiskTier.HIGH) -> StandingBreach:
    """A breach."""
    return StandingBreach(
        model=model,
        monitor="drift",
        tier=tier,
        owner="olga",
        window="w1",
        reasons=("psi 0.4 > 0.2",) * 100,
        failures=3,
        then=Remedy.RETRAIN,
        since=NOON,
    )


def test_an_alert_is_the_same_while_a_breach_stands() -> None:
    """Windows, figures and counts are no labels: they would make it another alert each time."""
    now = alert_of(standing(), "acme", NOON)
    later = alert_of(standing().model_copy(update={"window": "w2", "failures": 4}), "acme", NOON + timedelta(minutes=1))
    assert now.labels == later.labels
    assert (now.starts, later.starts, now.ends) == (NOON, NOON, NOON + VALID)
    assert len(now.annotations["description"]) <= 1_000
    assert alert_of(standing(tier=RiskTier.LOW), "acme", NOON).labels["severity"] == "warning"


def test_what_stands_no_more_ends_now() -> None:
    """And what stands goes on, whatever else Alertmanager has added to it."""
    loan, churn = (alert_of(standing(model), "acme", NOON) for model in ("loan", "churn"))
    late = NOON + timedelta(minutes=5)
    assert resolved([loan, churn], [churn._replace(annotations={})], late) == (loan._replace(ends=late),)
