"""The audit trail in sentences, and what reaches a terminal."""

import re
from datetime import UTC, datetime

import pytest
from rich.text import Text

from client.console import clean, show, show_beside
from client.milestones import milestones
from client.render import table
from client.story import Line, brief, tell, tell_attempt, tell_body, tell_change, tell_effect
from models.audit import AuditEntry, AuditHead, AuditKind, EffectRecord, seal
from models.canonical import digest_bytes
from models.evidence import EffectKey, StepResult
from models.inventory import Archived, Change, Deployed, Divided, Environment, Measured, Notified, Withdrawn
from models.journal import JournalEntry
from models.messages import (
    Action,
    Body,
    Breach,
    Breached,
    Choice,
    Decided,
    Decision,
    Failure,
    Request,
    Requested,
    StepFailed,
    StepSucceeded,
    TimerFired,
)
from models.verdict import Verdict
from tests.contract.story import small_plan, tell_story

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DIGEST = digest_bytes(b"bytes")
ARCHIVED = Archived(archive=DIGEST)
NOTICES = [
    Notified(recipient=recipient, subject=subject, body="")
    for recipient, subject in (("ana", "decide"), ("rosa", "decide"), ("olga", "it is over"))
]
DECISION = Decision(
    gate="release", visit=4, person="rosa", decision=Choice.REJECT, reason="Unfair to\n renters", artifact=DIGEST
)


def sealed(kind: AuditKind, body: str) -> AuditEntry:
    """An entry with some body."""
    return seal(AuditHead(), "loans", kind, AT, body)


def lines() -> list[str]:
    """The events of a whole lifecycle, as told."""
    told = [one for one in tell_story(small_plan(), "loans") if isinstance(one, JournalEntry)]
    return [str(line) for line in tell(sealed(AuditKind.EVENT, one.model_dump_json()) for one in told)]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (Decided(decision=DECISION), "rosa rejected at gate 'release': Unfair to renters."),
        (
            StepSucceeded(visit=1, step="scan", result=StepResult(verdict=Verdict.FAIL, summary="pickle: malicious")),
            "Step 'scan' failed: pickle: malicious.",
        ),
        (
            StepFailed(visit=1, step="scan", failure=Failure(type="Timeout", message="no answer in time")),
            "Step 'scan' did not finish: Timeout: no answer in time.",
        ),
        (TimerFired(visit=4, timer="sla"), "The deadline of the gate was due."),
        (TimerFired(visit=4, timer="remind:0"), "A reminder of the gate was due."),
        (TimerFired(visit=4, timer="review"), "The review of the champion was due."),
        (TimerFired(visit=4, timer="glass"), "The confirmation of what was done in an emergency was due."),
        (TimerFired(visit=4, timer="waiver:kept"), "The end of the waiver of control 'kept' was due."),
        (
            TimerFired(visit=4, timer="waiver:kept:7"),
            "A reminder that the waiver of control 'kept' ends in 7 days was due.",
        ),
        (
            Requested(action=Action.SUSPEND, request=Request(person="ana", reason="Fraud"), emergency=True),
            "ana broke the glass and asked to suspend the model: Fraud.",
        ),
        (
            Breached(breach=Breach(monitor="drift", window="w", reasons=("drift 0.4 > 0.25", "live_auc 0.6 < 0.65"))),
            "Monitor 'drift' reported a breach: drift 0.4 > 0.25; live_auc 0.6 < 0.65.",
        ),
        *(
            (Requested(action=action, request=Request(person="ana", reason="Why not?")), "ana asked to ")
            for action in Action
        ),
    ],
)
def test_events(body: Body, sentence: str) -> None:
    """Each event is a sentence that says who did what, and why."""
    assert tell_body(body).startswith(sentence)
    assert tell_body(body)[-1] in ".?"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            Deployed(environment=Environment.PROD, version=2, bundle=DIGEST, endpoint="http://x"),
            "Version 2 serves in PROD at http://x.",
        ),
        (
            Withdrawn(environments=(Environment.DEV, Environment.PROD)),
            "Nothing serves in DEV, PROD any more.",
        ),
        (Notified(recipient="rosa", subject="decide", body=""), "Told rosa: decide."),
        (
            Measured(monitor="drift", window=DIGEST, verdict="fail", reasons=("Too far.", "Too late.")),
            "Monitor 'drift' found fail: Too far; Too late.",
        ),
        (
            Measured(monitor="drift", window=DIGEST, verdict="fail", reasons=("too far",)),
            "Monitor 'drift' found fail: too far.",
        ),
    ],
)
def test_changes(change: Change, sentence: str) -> None:
    """Each change of the inventory is a sentence."""
    assert tell_change(change) == sentence


def test_what_events_led_to() -> None:
    """A line says which stage was reached, which gate was passed and what became of the versions."""
    told = lines()
    assert told[0].endswith("→ stage 'intake'")
    assert any(
        "rita approved" in line and "version 1 passed gate 'validation', stage 'production'" in line for line in told
    )
    assert any("version 2 is rejected" in line for line in told)
    assert any("version 1 is previous" in line and "version 3 is champion" in line for line in told)
    assert told[-1].endswith("stage 'retired'")


def test_refusals_lead_nowhere() -> None:
    """A refused event says who tried what, and why it was refused, and no more."""
    (refused,) = [line for line in lines() if "REFUSED" in line]
    why = "REFUSED because the lifecycle is not paused."
    assert refused == f"olga asked to go on after the pause, saying 'because': {why}"


def test_refused_decisions_are_attempts() -> None:
    """Whose decision was refused has not decided, but tried to."""
    assert tell_attempt(Decided(decision=DECISION)) == (
        "rosa tried to reject at gate 'release', saying 'Unfair to renters'"
    )


@pytest.mark.parametrize(
    ("step", "changes", "sentence"),
    [
        ("register", (ARCHIVED,), f"The records were sealed into archive {DIGEST[7:19]}."),
        ("stop_monitors", (), "Stop monitors: no schedule is left."),
        ("ask-11", (), "Ask: no schedule is left."),
        ("ask-11", tuple(NOTICES), "Told ana, rosa: decide. Told olga: it is over."),
    ],
)
def test_effects(step: str, changes: tuple[Change, ...], sentence: str) -> None:
    """An effect is told by what it changed, else by what it found; people told the same thing, in one sentence."""
    key = EffectKey(model="loans", visit=3, step=step)
    result = StepResult(summary="no schedule is left")
    assert tell_effect(EffectRecord(key=key, result=result, changes=changes)) == sentence


def test_brief() -> None:
    """A step's effect and the answer right after it are one line; what failed is said by the answer."""
    at = {"position": 1, "at": AT, "kind": "effect"}
    scan, register = (EffectKey(model="loans", visit=1, step=step) for step in ("scan", "register"))
    told = [
        Line(**at, text="Facts recorded.", step=register),
        Line(**at, text="Step 'register' passed.", step=register, verdict=Verdict.PASS, led_to=("stage 'x'",)),
        Line(**at, text="Scan: a pickle.", step=scan),
        Line(**at, text="ana asked to pause."),
        Line(**at, text="Step 'scan' failed: a pickle.", step=scan, verdict=Verdict.FAIL),
        Line(**at, text="Evaluate: unfair.", step=scan),
        Line(**at, text="Step 'evaluate' failed: unfair.", step=scan, verdict=Verdict.FAIL),
    ]
    assert list(map(str, brief(told))) == [
        "Facts recorded. → stage 'x'",
        "Scan: a pickle.",
        "ana asked to pause.",
        "Step 'scan' failed: a pickle.",
        "Step 'evaluate' failed: unfair.",
    ]


@pytest.mark.parametrize("body", ["", "{}", "not json", '{"seq": 1}'])
@pytest.mark.parametrize("kind", AuditKind)
def test_unreadable(kind: AuditKind, body: str) -> None:
    """An entry that cannot be read is said to be so; the rest is told."""
    good = sealed(AuditKind.PLAN, small_plan().model_dump_json())
    first, second = tell([sealed(kind, body), good])
    assert str(first) == "This entry cannot be read."
    assert "plan of template credit 1 was recorded" in str(second)


def test_nothing_acts_upon_the_terminal() -> None:
    """Escape sequences and other control characters that people wrote are shown, not obeyed."""
    shown = clean("red \x1b[31m bell \x07 back \x08 rtl \u202e line\nnext é 漢")
    assert not {"\x1b", "\x07", "\x08", "\u202e"} & set(shown)
    assert shown.endswith("line\nnext é 漢")


def test_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """Text that people wrote is shown as it is, also where it looks like markup."""
    show("title [red]with[/] markup [/bold] \x1b[31m", table(("A",), [("[b]cell[/c]",)]))
    shown = capsys.readouterr().out
    assert "title [red]with[/] markup [/bold] \N{REPLACEMENT CHARACTER}[31m" in shown
    assert "[b]cell[/c]" in shown


def test_long_lines_hang(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a long line goes on below its own beginning; elsewhere it stays one line."""
    monkeypatch.setenv("COLUMNS", "30")
    told = [("12:00", Text("one two three four five six seven"))]
    show_beside(told)
    assert capsys.readouterr().out == "12:00  one two three four five six seven\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    show_beside(told)
    first, second = re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out).splitlines()
    assert first.startswith("12:00  one two")
    assert second.startswith("       ")
    assert "12:00" not in second


def test_width_that_is_given(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no terminal has a width, COLUMNS gives it."""
    shown = table(("A", "B"), [("x" * 30, "y" * 30)])
    monkeypatch.delenv("COLUMNS", raising=False)
    show(shown)
    assert len(capsys.readouterr().out.splitlines()) == 2
    monkeypatch.setenv("COLUMNS", "40")
    show(shown)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_milestones_are_what_a_committee_looks_for() -> None:
    """Champions, decisions and versions that were turned away, in their order; nothing of what every step did."""
    kinds = {JournalEntry: AuditKind.EVENT, EffectRecord: AuditKind.EFFECT}
    told = list(tell_story(small_plan(), "loans"))
    entries = [sealed(kinds[type(one)], one.model_dump_json()) for one in told]
    found = list(milestones([sealed(AuditKind.EVENT, "{}"), *entries]))
    assert [one.at for one in found] == sorted(one.at for one in found)
    champions = [one.words for one in found if one.lane == "champions"]
    assert champions == [
        "Version 1 is champion",
        "Version 3 is champion",
        "Version 1 is champion",
        "Version 1 is champion no more",
    ]
    assert "rita approved at gate 'validation' for risk: It is sound." in [one.words for one in found]
    assert [one.lane for one in found].count("turned away") == 1
    assert len(found) < len(told) / 4


def test_a_breach_its_remedy_and_a_trial_are_milestones() -> None:
    """A remedy is what somebody was told of it; of a trial, each share and what it found; a refusal is none."""
    key = EffectKey(model="loans", visit=1, step="x")

    def effect(*changes: Change) -> AuditEntry:
        record = EffectRecord(key=key, result=StepResult(summary="done"), changes=changes)
        return sealed(AuditKind.EFFECT, record.model_dump_json())

    def divided(share: int, mirrored: bool) -> Divided:
        return Divided(environment=Environment.PROD, version=2, bundle=DIGEST, share=share, mirrored=mirrored)

    notices = [
        Notified(recipient=one, subject="loans: drift breached (PSI; high); remedy: retrain", body="")
        for one in ("ana", "rosa")
    ]
    entries = [effect(*notices), effect(divided(0, True)), effect(divided(50, False)), effect(divided(0, False))]
    assert [(one.lane, one.words) for one in milestones(entries)] == [
        ("remedies", "Remedy: retrain"),
        ("trials", "Version 2 answers copies of the requests"),
        ("trials", "Version 2 answers 50 % of the requests"),
    ]
    told = next(one for one in tell_story(small_plan(), "loans") if isinstance(one, JournalEntry))
    breached = Breached(breach=Breach(monitor="drift", window="w", reasons=("PSI .4",)))
    event = told.model_copy(update={"event": told.event.model_copy(update={"body": breached})})
    refused = event.model_copy(update={"refusal": "it is over"})
    assert [one.lane for one in milestones([sealed(AuditKind.EVENT, event.model_dump_json())])] == ["breaches"]
    assert list(milestones([sealed(AuditKind.EVENT, refused.model_dump_json())])) == []
