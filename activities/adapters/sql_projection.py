"""From what happened to rows: snapshots of lifecycles, and the changes that effects made."""

from datetime import datetime
from typing import NamedTuple, assert_never

from sqlmodel import Session, col, delete, select, update

from models.bookings import says_otherwise, value_record
from models.canonical import canonical
from models.errors import ConflictError, UnknownNameError
from models.evidence import EffectKey, Evidence, StepResult
from models.inventory import (
    Archived,
    Booked,
    Change,
    Deployed,
    Divided,
    Environment,
    Measured,
    ModelRegistered,
    Notified,
    Packaged,
    VersionRegistered,
    VersionStatus,
    Withdrawn,
)
from models.journal import JournalEntry
from models.measurements import look_again, measurement_of, readings_of
from models.records import (
    DeploymentRecord,
    EvidenceRecord,
    LifecycleRecord,
    MeasurementRecord,
    ModelRecord,
    NotificationRecord,
    PlanRecord,
    RegulationRecord,
    ValueRecord,
    VersionRecord,
)
from models.state import Snapshot


class Occasion(NamedTuple):
    """The effect that makes changes, and when."""

    key: EffectKey
    at: datetime


def project_event(session: Session, entry: JournalEntry, plan: PlanRecord, position: int) -> None:
    """Have the rows of a lifecycle and its versions say what the event's snapshot says."""
    said = entry.snapshot
    row = session.get(LifecycleRecord, entry.model)
    crowned = row.crowned if row else 0
    if said.champion != (row.champion if row else None):
        crowned = position
    session.merge(
        LifecycleRecord(
            model=entry.model,
            template=plan.template,
            plan=entry.plan,
            stage=said.stage,
            phase=said.phase,
            visit=said.visit,
            seq=entry.seq,
            candidate=said.version,
            champion=said.champion,
            previous=said.previous,
            crowned=crowned,
            paused=said.paused,
            failure=said.failure,
            updated_at=entry.event.at,
        )
    )
    _project_versions(session, entry.model, said)


def project_result(session: Session, occasion: Occasion, result: StepResult, changes: tuple[Change, ...]) -> None:
    """Make the changes of an effect in their order, and list its evidence."""
    for index, change in enumerate(changes):
        _apply(session, occasion, change, index)
    version = _subject(session, occasion.key, changes)
    for evidence in dict.fromkeys(result.evidence):
        session.add(_evidence_row(occasion.key, evidence, version))
    session.add_all(readings_of(occasion.key, result, changes, version, occasion.at))


def version_row(session: Session, model: str, number: int) -> VersionRecord:
    """A version that is known; UnknownNameError."""
    row = session.get(VersionRecord, (model, number))
    if row is None:
        raise UnknownNameError(
            f"The inventory has no version {number} of '{model}'.", remedy="Look with `modelops show` what it has."
        )
    return row


def _project_versions(session: Session, model: str, said: Snapshot) -> None:
    known = session.exec(select(VersionRecord).where(VersionRecord.model == model))
    rows = {row.number: row for row in known}
    for number, status in said.statuses.items():
        row = rows.get(number) or VersionRecord(model=model, number=number, status=status)
        row.status = status
        row.gates = list(said.gates.get(number, row.gates))
        session.add(row)


def _apply(session: Session, occasion: Occasion, change: Change, index: int) -> None:
    model = occasion.key.model
    match change:
        case ModelRegistered():
            _register_model(session, occasion, change)
        case VersionRegistered():
            _register_version(session, model, change)
        case Packaged():
            version_row(session, model, change.version).bundle = change.bundle
        case Deployed():
            _deploy(session, occasion, change)
        case Withdrawn():
            _end(session, occasion, change.environments)
        case Divided():
            pass
        case Notified():
            _send(session, occasion, change, index)
        case Measured() | Booked():
            _look(session, occasion, change)
        case Archived():
            sealed = Evidence(kind="archive", digest=change.archive, summary="all records of the retired model")
            session.add(_evidence_row(occasion.key, sealed, version=None))
        case _:
            assert_never(change)


def _register_model(session: Session, occasion: Occasion, change: ModelRegistered) -> None:
    """Facts never change; the regulations that apply are those found last."""
    facts, content = change.facts, canonical(change.facts).decode()
    known = session.get(ModelRecord, facts.id)
    if known:
        _same(f"model '{facts.id}'", known.facts, content)
        session.exec(delete(RegulationRecord).where(col(RegulationRecord.model) == facts.id))
    else:
        session.add(_model_row(change, content, occasion.at))
    session.flush()
    session.add_all(RegulationRecord(model=facts.id, regulation=name) for name in dict.fromkeys(change.regulations))


def _model_row(change: ModelRegistered, content: str, at: datetime) -> ModelRecord:
    facts = change.facts
    return ModelRecord(
        id=facts.id,
        title=facts.title,
        kind=facts.kind,
        tier=facts.risk_tier,
        owner=facts.owner,
        use_case=facts.use_case.id,
        facts=content,
        rating=canonical(change.rating).decode() if change.rating else None,
        registered_at=at,
    )


def _register_version(session: Session, model: str, change: VersionRegistered) -> None:
    content = canonical(change.submission).decode()
    row = session.get(VersionRecord, (model, change.version))
    if row is None:
        row = VersionRecord(model=model, number=change.version, status=VersionStatus.CANDIDATE)
    if row.facts:
        _same(f"version {change.version} of '{model}'", row.facts, content)
    row.facts, row.artifact = content, change.submission.artifact.digest
    session.add(row)


def _same(what: str, recorded: str, offered: str) -> None:
    if recorded != offered:
        raise ConflictError(
            f"The inventory has {what} already, with other facts.",
            remedy="What is registered never changes: use another name, or submit a new version.",
        )


def _deploy(session: Session, occasion: Occasion, change: Deployed) -> None:
    version_row(session, occasion.key.model, change.version)
    _end(session, occasion, (change.environment,))
    session.add(
        DeploymentRecord(
            model=occasion.key.model,
            environment=change.environment,
            version=change.version,
            bundle=change.bundle,
            endpoint=change.endpoint,
            since=occasion.at,
        )
    )


def _end(session: Session, occasion: Occasion, environments: tuple[Environment, ...]) -> None:
    current = (
        col(DeploymentRecord.model) == occasion.key.model,
        col(DeploymentRecord.environment).in_(environments),
        col(DeploymentRecord.until).is_(None),
    )
    session.exec(update(DeploymentRecord).where(*current).values(until=occasion.at))


def _send(session: Session, occasion: Occasion, change: Notified, index: int) -> None:
    session.add(
        NotificationRecord(
            key=f"{occasion.key}#{index}",
            model=occasion.key.model,
            recipient=change.recipient,
            subject=change.subject,
            body=change.body,
            at=occasion.at,
        )
    )


def _look(session: Session, occasion: Occasion, change: Measured | Booked) -> None:
    if isinstance(change, Booked):
        _book(session, occasion, change)
    else:
        _measure(session, occasion, change)


def _measure(session: Session, occasion: Occasion, change: Measured) -> None:
    model = occasion.key.model
    lifecycle = session.get(LifecycleRecord, model)
    reign = lifecycle.crowned if lifecycle else 0
    unique = (
        MeasurementRecord.model == model,
        MeasurementRecord.monitor == change.monitor,
        MeasurementRecord.window == change.window,
        MeasurementRecord.reign == reign,
    )
    known = session.exec(select(MeasurementRecord).where(*unique)).first()
    if known is None:
        session.add(measurement_of(model, reign, change, occasion.at))
    elif not look_again(known, change, occasion.at):
        raise ConflictError(
            f"Monitor '{change.monitor}' of '{model}' found something else in window '{change.window}' before.",
            remedy="A window's data must not change after it was measured: give new data a window of its own.",
        )


def _book(session: Session, occasion: Occasion, change: Booked) -> None:
    """Whoever asked at the same time, and was told the same, has booked it."""
    model = occasion.key.model
    same = (
        ValueRecord.model == model,
        ValueRecord.metric == change.metric,
        ValueRecord.version == change.version,
        ValueRecord.since == change.since,
        ValueRecord.until == change.until,
    )
    known = session.exec(select(ValueRecord).where(*same).order_by(col(ValueRecord.revision).desc()).limit(1)).first()
    if known is None or says_otherwise(known, change):
        session.add(value_record(model, change, known.revision + 1 if known else 0, occasion.at))


def _evidence_row(key: EffectKey, evidence: Evidence, version: int | None) -> EvidenceRecord:
    return EvidenceRecord(
        model=key.model,
        version=version,
        visit=key.visit,
        step=key.step,
        kind=evidence.kind,
        digest=evidence.digest,
        summary=evidence.summary,
    )


def _subject(session: Session, key: EffectKey, changes: tuple[Change, ...]) -> int | None:
    """The version that an effect is about: one it names itself, or what its visit works on."""
    for change in changes:
        if isinstance(change, VersionRegistered | Packaged | Deployed | Divided | Measured):
            return change.version
    row = session.get(LifecycleRecord, key.model)
    return (row.candidate or row.champion) if row and row.visit == key.visit else None
