"""The audit trail in sentences, and what reaches a terminal."""

from datetime import UTC, datetime

import pytest

from client.console import clean, show
from client.render import table
from client.story import tell, tell_body, tell_change
from models.audit import AuditEntry, AuditHead, AuditKind, seal
from models.canonical import digest_bytes
from models.evidence import StepResult
from models.inventory import Change, Deployed, Environment, Measured, Notified, Withdrawn
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
    """A refused event says why, and no more."""
    (refused,) = [line for line in lines() if line.startswith("REFUSED")]
    assert refused == ("REFUSED: olga asked to go on after the pause: because. Reason: the lifecycle is not paused.")


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
