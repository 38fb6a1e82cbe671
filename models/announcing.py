"""What people and alerting systems are told: messages, each read from one entry of the audit trail."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

from models.audit import AuditEntry, AuditKind, EffectRecord
from models.canonical import Frozen, Slug, replace
from models.evidence import StepKind
from models.inventory import Notified
from models.journal import JournalEntry
from models.messages import StepFailed
from models.reconciliation import Discovery
from models.state import Phase


class Topic(StrEnum):
    """What a message is about."""

    DECISION = "decision"
    ESCALATION = "escalation"
    BREACH = "breach"
    INVESTIGATION = "investigation"
    REMEDIATION = "remediation"
    STUCK = "stuck"
    OBLIGATION = "obligation"
    FINDING = "finding"
    NOTICE = "notice"


class Message(Frozen):
    """One message. `key` names it for ever: the position of its entry in the trail, and its number in there.

    `recipient` is a person of the directory or an address, None if it is for whoever reads the channel. Messages of
    one `thread` that wait together become one: the newest, which tells of how many `more` it stands for.
    """

    key: str
    topic: Topic
    model: Slug | None
    recipient: str | None
    subject: str
    body: str
    at: datetime
    thread: str | None = None
    more: int = 0


_TOPICS = {
    "remind": Topic.DECISION,
    "anew": Topic.DECISION,
    "escalate": Topic.ESCALATION,
    "sla": Topic.ESCALATION,
    "glass": Topic.ESCALATION,
    "breach": Topic.BREACH,
    "investigate": Topic.INVESTIGATION,
    "review": Topic.OBLIGATION,
    "waiver": Topic.OBLIGATION,
}
"""By the beginning of what a notice of the kernel is named after."""

_THREADED = (Topic.BREACH, Topic.INVESTIGATION)
"""Topics of which all messages about a model are one thread."""

_REMEDIES = (StepKind.TRAIN, StepKind.RESTORE, StepKind.TIGHTEN)
"""Steps of the kernel's own, which a breach or a person starts."""


def announced(entry: AuditEntry) -> Iterator[Message]:
    """The messages that an entry makes; none of one that cannot be read, which the audit finds."""
    try:
        match entry.kind:
            case AuditKind.EFFECT:
                yield from _of_effect(entry, EffectRecord.model_validate_json(entry.body))
            case AuditKind.EVENT:
                yield from _of_event(entry, JournalEntry.model_validate_json(entry.body))
            case AuditKind.FINDING:
                yield _of_finding(entry, Discovery.model_validate_json(entry.body))
            case _:
                return
    except ValueError:
        return


def folded(messages: Iterable[Message]) -> tuple[Message, ...]:
    """The same with those of one thread and recipient as one, where the first of them stood."""
    kept = dict[str | tuple[str, str | None], Message]()
    for one in messages:
        place = (one.thread, one.recipient) if one.thread else one.key
        kept[place] = fold(kept[place], one) if place in kept else one
    return tuple(kept.values())


def fold(waiting: Message, newer: Message) -> Message:
    """One message that stands for both: named as the one that waits, and saying what the newer one says."""
    return replace(newer, key=waiting.key, more=waiting.more + newer.more + 1)


def _of_effect(entry: AuditEntry, effect: EffectRecord) -> Iterator[Message]:
    key, topic = effect.key, _topic(effect.key.step)
    if (kind := key.step.partition("-")[0]) in _REMEDIES:
        subject = f"{key.model}: {kind} is done: {effect.result.summary}"
        yield _message(entry, Topic.REMEDIATION, subject, number=len(effect.changes))
    for number, change in enumerate(effect.changes):
        if isinstance(change, Notified):
            told = _message(entry, topic, change.subject, change.body, number)
            thread = f"{topic}/{key.model}" if topic in _THREADED else None
            yield replace(told, recipient=change.recipient, thread=thread)


def _topic(step: str) -> Topic:
    kind, _, name = step.partition("/")
    if kind == "notify":
        return _TOPICS.get(name.partition(":")[0], Topic.NOTICE)
    return Topic.DECISION if kind == StepKind.ASK or kind.startswith(f"{StepKind.ASK}-") else Topic.NOTICE


def _of_event(entry: AuditEntry, recorded: JournalEntry) -> Iterator[Message]:
    body = recorded.event.body
    if isinstance(body, StepFailed) and recorded.snapshot.phase is Phase.STUCK:
        yield _message(entry, Topic.STUCK, f"{recorded.model}: stuck: {body.failure.message}", body.failure.remedy)


def _of_finding(entry: AuditEntry, discovery: Discovery) -> Message:
    word = "found" if discovery.holds else "no longer so"
    told = _message(entry, Topic.FINDING, f"{word}: {discovery.finding.text}", "`modelops findings` lists them all.")
    return replace(told, thread=f"{Topic.FINDING}/{discovery.finding.kind}/{discovery.holds}")


def _message(entry: AuditEntry, topic: Topic, subject: str, body: str = "", number: int = 0) -> Message:
    return Message(
        key=f"{entry.position}.{number}",
        topic=topic,
        model=entry.model,
        recipient=None,
        subject=subject,
        body=body,
        at=entry.at,
    )
