"""The audit trail as sentences."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import assert_never

from pydantic import ValidationError

from models.audit import AuditEntry, AuditKind, EffectRecord, Publication
from models.canonical import Frozen
from models.deadlines import timer_in_words
from models.evidence import EffectKey
from models.inventory import (
    Archived,
    Booked,
    Change,
    Deployed,
    Divided,
    Measured,
    ModelRegistered,
    Notified,
    Packaged,
    VersionRegistered,
    Withdrawn,
    Worth,
)
from models.journal import JournalEntry
from models.messages import (
    Action,
    Attempted,
    Body,
    Breached,
    Choice,
    Decided,
    Decision,
    Requested,
    Started,
    StepFailed,
    StepSucceeded,
    TimerFired,
    VersionSubmitted,
)
from models.plan import Plan
from models.reconciliation import Discovery
from models.state import Phase, Snapshot
from models.verdict import Verdict

_ASKED = {
    Action.RETIRE: "to retire the model",
    Action.SUSPEND: "to suspend the model",
    Action.ROLLBACK: "to roll back to the previous champion",
    Action.ABANDON: "to abandon the version under way",
    Action.RETRAIN: "to train a new version like the champion",
    Action.RETRY: "to try again",
    Action.PAUSE: "to pause",
    Action.RESUME: "to go on after the pause",
    Action.CONFIRM: "to confirm what was done in an emergency",
    Action.REVIEW: "to close the review of what was done in an emergency",
}
_DECIDED = {Choice.APPROVE: "approved", Choice.REJECT: "rejected"}
_ANSWERED = {Verdict.PASS: "passed", Verdict.FAIL: "failed", Verdict.INCONCLUSIVE: "was inconclusive"}


class Line(Frozen):
    """One entry in words. `refused` says why it changed nothing, `led_to` what is so from then on.

    `step` is whose effect or answer it is, `verdict` what was answered.
    """

    position: int
    at: datetime
    kind: str
    text: str
    refused: str | None = None
    led_to: tuple[str, ...] = ()
    step: EffectKey | None = None
    verdict: Verdict | None = None

    def __str__(self) -> str:
        if self.refused:
            return f"{self.text.rstrip('.')}: REFUSED because {_full_stop(self.refused)}"
        return f"{self.text} → {', '.join(self.led_to)}" if self.led_to else self.text


def tell(entries: Iterable[AuditEntry]) -> Iterator[Line]:
    """The entries of one model, oldest first, as lines; an entry that cannot be read is said to be so."""
    before: Snapshot | None = None
    for entry in entries:
        try:
            match entry.kind:
                case AuditKind.EVENT:
                    recorded = JournalEntry.model_validate_json(entry.body)
                    line = _tell_event(entry, recorded, before)
                    before = recorded.snapshot
                case AuditKind.EFFECT:
                    effect = EffectRecord.model_validate_json(entry.body)
                    line = _line(entry, tell_effect(effect)).model_copy(update={"step": effect.key})
                case AuditKind.PLAN:
                    plan = Plan.model_validate_json(entry.body)
                    line = _line(entry, f"The plan of template {plan.template} {plan.version} was recorded.")
                case AuditKind.FINDING:
                    line = _line(entry, tell_discovery(Discovery.model_validate_json(entry.body)))
                case AuditKind.DIRECTORY:
                    published = Publication.model_validate_json(entry.body)
                    line = _line(entry, f"{published.by} published edition {published.number} of the directory.")
                case _:
                    line = _line(entry, f"An entry of an unknown kind, '{entry.kind}'.")
        except ValidationError:
            line = _line(entry, "This entry cannot be read.")
        yield line


def brief(lines: Iterable[Line]) -> Iterator[Line]:
    """The same story in fewer lines: what a step did and what it answered are one, if nothing came between."""
    held: Line | None = None
    for line in lines:
        if held and held.step and held.step == line.step and line.verdict and not line.refused:
            text = held.text if line.verdict is Verdict.PASS else line.text
            yield held.model_copy(update={"text": text, "led_to": line.led_to, "verdict": line.verdict})
            held = None
            continue
        if held:
            yield held
        held = line
    if held:
        yield held


def tell_effect(record: EffectRecord) -> str:
    """What an effect changed, or else found."""
    notices = [change for change in record.changes if isinstance(change, Notified)]
    told = {notice.subject: [one.recipient for one in notices if one.subject == notice.subject] for notice in notices}
    sentences = [
        *(tell_change(change) for change in record.changes if not isinstance(change, Notified)),
        *(f"Told {', '.join(people)}: {_full_stop(subject)}" for subject, people in told.items()),
    ]
    return " ".join(sentences) or _full_stop(f"{_step(record.key.step).capitalize()}: {record.result.summary}")


def tell_change(change: Change) -> str:
    """One change of the inventory."""
    match change:
        case Deployed():
            return f"Version {change.version} serves in {change.environment} at {change.endpoint}."
        case Withdrawn():
            return f"Nothing serves in {', '.join(change.environments)} any more."
        case Divided():
            what = "answers copies" if change.mirrored else f"answers {change.share} % of the requests"
            said = what if change.share or change.mirrored else "is tried no more"
            return f"Version {change.version} {said} in {change.environment}."
        case ModelRegistered():
            facts = change.facts
            applying = f"{len(change.regulations)} policy packs apply"
            return f"Facts of '{facts.id}' recorded: tier {facts.tier_in_words}; {applying}."
        case VersionRegistered():
            return f"Facts of version {change.version} recorded."
        case Packaged():
            return f"Version {change.version} is bundle {_short(change.bundle)}."
        case Notified():
            return f"Told {change.recipient}: {_full_stop(change.subject)}"
        case Archived():
            return f"The records were sealed into archive {_short(change.archive)}."
        case Measured() | Booked():
            return _tell_look(change)
        case _:
            assert_never(change)


def _tell_look(change: Measured | Booked) -> str:
    if isinstance(change, Measured):
        return _full_stop(f"Monitor '{change.monitor}' found {change.verdict}: {'; '.join(change.reasons)}")
    did = "brought" if change.worth is Worth.VALUE else "cost"
    when = f"from {change.since:%Y-%m-%d %H:%M} to {change.until:%Y-%m-%d %H:%M} UTC"
    return f"Version {change.version} {did} {change.amount:,.2f} {change.unit} {when}, as '{change.metric}' says."


def tell_discovery(discovery: Discovery) -> str:
    """What was found to contradict the record, or that it does so no more."""
    return _full_stop(f"{'Found' if discovery.holds else 'No longer so'}: {discovery.finding.text}")


def tell_body(body: Body) -> str:
    """What happened."""
    match body:
        case Started():
            return f"The lifecycle began, under plan {_short(body.plan)}."
        case StepSucceeded():
            why = "" if body.result.verdict is Verdict.PASS else f": {body.result.summary}"
            return _full_stop(f"Step '{_step(body.step)}' {_ANSWERED[body.result.verdict]}{why}")
        case StepFailed():
            return _full_stop(f"Step '{_step(body.step)}' did not finish: {body.failure.type}: {body.failure.message}")
        case Decided(decision=made):
            role = f" for {made.role}" if made.role else ""
            instead = f" in {made.on_behalf_of}'s place" if made.on_behalf_of else ""
            what = f"{made.person} {_DECIDED[made.decision]} at gate '{made.gate}'{role}{instead}: {made.reason}"
            return " ".join((_full_stop(what), *_found(made)))
        case Attempted():
            return "Something signed was sent that is no message to a lifecycle."
        case TimerFired():
            due = timer_in_words(body.timer)
            return f"{due[:1].upper()}{due[1:]} was due."
        case VersionSubmitted(submission=given):
            what = f"a version developed by {given.developer}, artifact {_short(given.artifact.digest)}"
            return f"{given.submitter} submitted {what}."
        case Breached(breach=breach):
            return _full_stop(f"Monitor '{breach.monitor}' reported a breach: {'; '.join(breach.reasons)}")
        case Requested(action=action, request=asked):
            glass = "broke the glass and " if body.emergency else ""
            return _full_stop(f"{asked.person} {glass}asked {_ASKED[action]}: {asked.reason}")
        case _:
            assert_never(body)


def _found(made: Decision) -> Iterator[str]:
    """What a decision leaves for later versions, and what it closes."""
    yield from (f"Finding: {_full_stop(text)}" for text in made.findings)
    if made.closes:
        yield f"This closes {', '.join(made.closes)}."


def tell_attempt(body: Body) -> str:
    """What somebody tried, who was refused."""
    match body:
        case Decided(decision=made):
            return f"{made.person} tried to {made.decision} at gate '{made.gate}', saying '{_one_line(made.reason)}'"
        case Requested(action=action, request=asked):
            return f"{asked.person} asked {_ASKED[action]}, saying '{_one_line(asked.reason)}'"
        case _:
            return tell_body(body)


def _tell_event(entry: AuditEntry, recorded: JournalEntry, before: Snapshot | None) -> Line:
    body = recorded.event.body
    answer = body if isinstance(body, StepSucceeded) else None
    return Line(
        position=entry.position,
        at=recorded.event.at,
        kind=entry.kind,
        text=tell_attempt(body) if recorded.refusal else tell_body(body),
        refused=recorded.refusal,
        led_to=tuple(_differences(before, recorded.snapshot)),
        step=EffectKey(model=recorded.model, visit=answer.visit, step=answer.step) if answer else None,
        verdict=answer.result.verdict if answer else None,
    )


def _differences(before: Snapshot | None, after: Snapshot) -> Iterator[str]:
    """What an event changed that a reader of the history looks for."""
    gates, statuses = (before.gates, before.statuses) if before else ({}, {})
    for version, passed in after.gates.items():
        yield from (f"version {version} passed gate '{gate}'" for gate in passed if gate not in gates.get(version, ()))
    for version, status in after.statuses.items():
        if statuses.get(version) != status:
            yield f"version {version} is {status}"
    if before is None or before.stage != after.stage:
        yield f"stage '{after.stage}'"
    if after.phase is Phase.STUCK and (before is None or before.phase is not Phase.STUCK):
        yield "stuck until a person acts"


def _line(entry: AuditEntry, text: str) -> Line:
    return Line(position=entry.position, at=entry.at, kind=entry.kind, text=text)


def _step(name: str) -> str:
    """A step's name for people: without what makes it unique."""
    return "ask" if name.startswith("ask-") else name.split("/")[0].replace("_", " ")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _full_stop(text: str) -> str:
    text = _one_line(text).replace(".;", ";")
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
