"""What the rows of a model must be: the recorded events and effects told once more, without a database."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple, assert_never

import rfc8785

from models.audit import AuditEntry, AuditKind, EffectRecord, Publication
from models.bookings import says_otherwise, value_record
from models.canonical import Digest, digest
from models.evidence import EffectKey, Evidence
from models.inventory import (
    Archived,
    Booked,
    Change,
    Deployed,
    Divided,
    Environment,
    Measured,
    ModelFacts,
    ModelRegistered,
    Notified,
    Packaged,
    VersionRegistered,
    VersionStatus,
    Withdrawn,
)
from models.journal import JournalEntry
from models.measurements import look_again, measurement_of, readings_of
from models.plan import Plan
from models.reconciliation import Discovery
from models.records import (
    DeploymentRecord,
    EvidenceRecord,
    FindingRecord,
    LedgerRecord,
    LifecycleRecord,
    MeasurementRecord,
    ModelRecord,
    NotificationRecord,
    PlanRecord,
    RegulationRecord,
    ValueRecord,
    VersionRecord,
    finding_of,
    row_of,
)
from models.rows import Row


class Told(NamedTuple):
    """What a trail tells of one model: its rows, and what in the trail cannot be understood.

    `plans` are those that the trail keeps, `facts` None if it does not register the model, `under` the digest of the
    plan of its last event, None without any.
    """

    rows: tuple[Row, ...]
    problems: tuple[str, ...]
    plans: Mapping[Digest, Plan]
    facts: ModelFacts | None
    under: Digest | None


def fold_inventory(model: str, entries: Iterable[AuditEntry]) -> Told:
    """Fold the entries of one model, and those of the plans, into rows. An entry that cannot be read is left out.

    What the directory held is of no model: `client.editions` looks at it.
    """
    inventory, problems = _Inventory(model), list[str]()
    for entry in entries:
        try:
            inventory.add(entry)
        except ValueError:
            problems.append(f"audit row {entry.position}: its body is no {entry.kind} of '{model}'")
    lifecycle = inventory.lifecycle
    return Told(
        rows=tuple(inventory.rows()),
        problems=tuple(problems),
        plans=inventory.plans,
        facts=inventory.facts,
        under=lifecycle.plan if lifecycle else None,
    )


class _Inventory:
    """The rows of one model as they become; the product writes them in `sql_projection`."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.plans: dict[Digest, Plan] = {}
        self.facts: ModelFacts | None = None
        self._regulations: tuple[str, ...] = ()
        self.lifecycle: LifecycleRecord | None = None
        self._versions: dict[int, VersionRecord] = {}
        self._deployments: list[DeploymentRecord] = []
        self._findings: list[FindingRecord] = []
        self._measurements: dict[tuple[str, str, int], MeasurementRecord] = {}
        self._values: list[ValueRecord] = []
        self._once: list[Row] = []

    def rows(self) -> Iterator[Row]:
        """All of them, in no order that matters."""
        yield from self._once
        for name in dict.fromkeys(self._regulations):
            yield row_of(RegulationRecord(model=self.model, regulation=name))
        yield from map(row_of, self._versions.values())
        yield from map(row_of, self._deployments)
        yield from map(row_of, self._measurements.values())
        yield from map(row_of, self._values)
        yield from map(_unseen, self._findings)
        if self.lifecycle:
            yield row_of(self.lifecycle)

    def add(self, entry: AuditEntry) -> None:
        """What one entry makes of them; ValueError if it cannot be read or belongs elsewhere."""
        known: dict[str, object] = {"position": entry.position}
        self._once.append(Row("audit", known))
        match entry.kind:
            case AuditKind.PLAN:
                self._keep(Plan.model_validate_json(entry.body), entry.body)
                known["seq"] = None
            case AuditKind.EFFECT:
                effect = EffectRecord.model_validate_json(entry.body)
                self._claim(effect.key.model)
                self._perform(entry, effect)
                known["seq"] = None
            case AuditKind.EVENT:
                recorded = JournalEntry.model_validate_json(entry.body)
                self._claim(recorded.model)
                self._happen(entry, recorded)
                known["seq"] = recorded.seq
            case AuditKind.FINDING:
                discovery = Discovery.model_validate_json(entry.body)
                if entry.model != discovery.finding.model:
                    raise ValueError("it is about another model")
                self._discover(entry.at, discovery)
                known["seq"] = None
            case AuditKind.DIRECTORY:
                Publication.model_validate_json(entry.body)
                known["seq"] = None
            case _:
                raise ValueError(f"no entry is of kind '{entry.kind}'")

    def _claim(self, model: str) -> None:
        if model != self.model:
            raise ValueError(f"it is about '{model}'")

    def _keep(self, plan: Plan, content: str) -> None:
        name = digest(plan)
        self.plans[name] = plan
        self._once.append(
            row_of(PlanRecord(digest=name, template=plan.template, version=plan.version, content=content))
        )

    def _discover(self, at: datetime, discovery: Discovery) -> None:
        found = discovery.finding
        if discovery.holds:
            self._findings.append(FindingRecord(**found.model_dump(), first_seen=at, last_seen=at))
        for row in self._findings:
            if not discovery.holds and row.resolved_at is None and finding_of(row) == found:
                row.resolved_at = at

    def _happen(self, entry: AuditEntry, event: JournalEntry) -> None:
        said, before, plan = event.snapshot, self.lifecycle, self.plans.get(event.plan)
        crowned = before.crowned if before else 0
        if said.champion != (before.champion if before else None):
            crowned = entry.position
        self.lifecycle = LifecycleRecord(
            model=self.model,
            template=plan.template if plan else "",
            plan=event.plan,
            stage=said.stage,
            phase=said.phase,
            visit=said.visit,
            seq=event.seq,
            candidate=said.version,
            champion=said.champion,
            previous=said.previous,
            crowned=crowned,
            paused=said.paused,
            failure=said.failure,
            updated_at=event.event.at,
        )
        for number, status in said.statuses.items():
            row = self._version(number)
            row.status, row.gates = status, list(said.gates.get(number, row.gates))

    def _perform(self, entry: AuditEntry, effect: EffectRecord) -> None:
        key = effect.key
        result = _part(entry.body, "result")
        self._once.append(
            row_of(LedgerRecord(model=self.model, visit=key.visit, step=key.step, result=result, at=entry.at))
        )
        for index, change in enumerate(effect.changes):
            self._apply(entry, key, change, index)
        version = self._subject(key, effect.changes)
        for evidence in dict.fromkeys(effect.result.evidence):
            self._list(key, evidence, version)
        self._once += map(row_of, readings_of(key, effect.result, effect.changes, version, entry.at))

    def _apply(self, entry: AuditEntry, key: EffectKey, change: Change, index: int) -> None:
        match change:
            case ModelRegistered():
                self._register(entry, change, index)
            case VersionRegistered():
                row = self._version(change.version)
                row.artifact = change.submission.artifact.digest
                row.facts = _part(entry.body, "changes", index, "submission")
            case Packaged():
                self._version(change.version).bundle = change.bundle
            case Deployed():
                self._deploy(entry.at, change)
            case Withdrawn():
                self._withdraw(entry.at, change.environments)
            case Divided():
                pass
            case Notified():
                self._send(entry.at, f"{key}#{index}", change)
            case Measured() | Booked():
                self._look(entry.at, change)
            case Archived():
                sealed = Evidence(kind="archive", digest=change.archive, summary="all records of the retired model")
                self._list(key, sealed, None)
            case _:
                assert_never(change)

    def _register(self, entry: AuditEntry, change: ModelRegistered, index: int) -> None:
        self._regulations = change.regulations
        if self.facts:
            return
        self.facts = facts = change.facts
        record = ModelRecord(
            id=facts.id,
            title=facts.title,
            kind=facts.kind,
            tier=facts.risk_tier,
            owner=facts.owner,
            use_case=facts.use_case.id,
            facts=_part(entry.body, "changes", index, "facts"),
            rating=_part(entry.body, "changes", index, "rating") if change.rating else None,
            registered_at=entry.at,
        )
        self._once.append(row_of(record))

    def _version(self, number: int) -> VersionRecord:
        fresh = VersionRecord(model=self.model, number=number, status=VersionStatus.CANDIDATE)
        return self._versions.setdefault(number, fresh)

    def _deploy(self, at: datetime, change: Deployed) -> None:
        self._withdraw(at, (change.environment,))
        self._deployments.append(
            DeploymentRecord(
                model=self.model,
                environment=change.environment,
                version=change.version,
                bundle=change.bundle,
                endpoint=change.endpoint,
                since=at,
            )
        )

    def _withdraw(self, at: datetime, environments: tuple[Environment, ...]) -> None:
        for row in self._deployments:
            if row.environment in environments and row.until is None:
                row.until = at

    def _send(self, at: datetime, key: str, change: Notified) -> None:
        record = NotificationRecord(
            key=key, model=self.model, recipient=change.recipient, subject=change.subject, body=change.body, at=at
        )
        self._once.append(row_of(record))

    def _look(self, at: datetime, change: Measured | Booked) -> None:
        if isinstance(change, Booked):
            self._book(at, change)
        else:
            self._measure(at, change)

    def _measure(self, at: datetime, change: Measured) -> None:
        reign = self.lifecycle.crowned if self.lifecycle else 0
        known = self._measurements.get((change.monitor, change.window, reign))
        if known is None:
            self._measurements[change.monitor, change.window, reign] = measurement_of(self.model, reign, change, at)
        else:
            look_again(known, change, at)

    def _book(self, at: datetime, change: Booked) -> None:
        about = change.metric, change.version, change.since, change.until
        same = [one for one in self._values if (one.metric, one.version, one.since, one.until) == about]
        if not same or says_otherwise(same[-1], change):
            self._values.append(value_record(self.model, change, len(same), at))

    def _list(self, key: EffectKey, evidence: Evidence, version: int | None) -> None:
        record = EvidenceRecord(
            model=self.model,
            version=version,
            visit=key.visit,
            step=key.step,
            kind=evidence.kind,
            digest=evidence.digest,
            summary=evidence.summary,
        )
        self._once.append(row_of(record))

    def _subject(self, key: EffectKey, changes: tuple[Change, ...]) -> int | None:
        """The version that an effect is about: one it names itself, or what its visit works on."""
        for change in changes:
            if isinstance(change, VersionRegistered | Packaged | Deployed | Divided | Measured):
                return change.version
        row = self.lifecycle
        return (row.candidate or row.champion) if row and row.visit == key.visit else None


def _unseen(record: FindingRecord) -> Row:
    """A finding's row without what each look changes, of which the trail says nothing."""
    table, values = row_of(record)
    return Row(table, {name: value for name, value in values.items() if name != "last_seen"})


def _part(body: str, *path: str | int) -> str:
    """A part of a body as it was recorded: canonical JSON, in which all numbers are floating."""
    part = json.loads(body, parse_int=float)
    for name in path:
        part = part[name]
    return rfc8785.dumps(part).decode()
