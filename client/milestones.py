"""The audit trail as what a committee looks for: champions, trials, decisions, breaches and what they started."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from pydantic import ValidationError

from client.story import tell_body
from models.audit import AuditEntry, AuditKind, EffectRecord
from models.inventory import Divided, Notified
from models.journal import JournalEntry
from models.messages import Breached, Decided, Requested, StepSucceeded
from models.state import Phase, Snapshot
from models.verdict import Verdict

LANES = ("champions", "trials", "decisions", "breaches", "remedies", "turned away", "stuck")
"""In the order in which they are drawn."""

_REMEDY = re.compile(r"; remedy: (.+)")


class Milestone(NamedTuple):
    """When (UTC), of which kind, and in words; the verdict if it is good or bad."""

    at: datetime
    lane: str
    words: str
    verdict: Verdict | None = None


def milestones(entries: Iterable[AuditEntry]) -> Iterator[Milestone]:
    """Of one model, oldest first. What was refused, and what cannot be read, is none."""
    before: Snapshot | None = None
    for entry in entries:
        try:
            if entry.kind == AuditKind.EVENT:
                recorded = JournalEntry.model_validate_json(entry.body)
                if not recorded.refusal:
                    yield from _of_event(recorded, before)
                before = recorded.snapshot
            elif entry.kind == AuditKind.EFFECT:
                yield from _of_effect(entry.at, EffectRecord.model_validate_json(entry.body))
        except ValidationError:
            continue


def _of_event(recorded: JournalEntry, before: Snapshot | None) -> Iterator[Milestone]:
    at, body, now = recorded.event.at, recorded.event.body, recorded.snapshot
    match body:
        case Decided() | Requested():
            yield Milestone(at, "decisions", tell_body(body))
        case Breached():
            yield Milestone(at, "breaches", tell_body(body), Verdict.FAIL)
        case StepSucceeded() if body.step.startswith("trial"):
            yield Milestone(at, "trials", f"Trial: {body.result.summary}", body.result.verdict)
        case _:
            pass
    was = before.champion if before else None
    if now.champion != was:
        words = f"Version {now.champion} is champion" if now.champion else f"Version {was} is champion no more"
        yield Milestone(at, "champions", words, Verdict.PASS if now.champion else None)
    statuses = before.statuses if before else {}
    for version, status in now.statuses.items():
        if status == "rejected" and statuses.get(version) != status:
            yield Milestone(at, "turned away", f"Version {version} was turned away: {tell_body(body)}", Verdict.FAIL)
    if now.phase is Phase.STUCK and (before is None or before.phase is not Phase.STUCK):
        yield Milestone(at, "stuck", f"Stuck until a person acts: {now.failure}", Verdict.FAIL)


def _of_effect(at: datetime, effect: EffectRecord) -> Iterator[Milestone]:
    for change in effect.changes:
        if isinstance(change, Divided) and (change.share or change.mirrored):
            part = "copies of the requests" if change.mirrored else f"{change.share} % of the requests"
            yield Milestone(at, "trials", f"Version {change.version} answers {part}")
    remedies = dict.fromkeys(
        found[1]
        for change in effect.changes
        if isinstance(change, Notified) and (found := _REMEDY.search(change.subject))
    )
    for remedy in remedies:
        yield Milestone(at, "remedies", f"Remedy: {remedy}")
