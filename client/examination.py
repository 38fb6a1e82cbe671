"""The whole record examined: chain, checkpoints, rows, rules, signatures, and what the engine has seen of it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from client.catalog import Catalog, Record
from client.editions import misprints
from client.verification import Rerun, misplaced, run_again
from models.audit import Tampering, Walked, walk
from models.canonical import Digest, Frozen, Slug
from models.checkpoint import Sealed, contradictions, read_checkpoints, vouched, window
from models.inventory_fold import Told, fold_inventory
from models.keys import Keyring
from models.signing import PublicKey
from models.testimony import doubts
from workflows.options import CHECKPOINT_EVERY

_OF_ALL = ("audit_head ", "plan ")
"""What the rows begin with that are about no one model, and are found with each."""


class Finding(Frozen):
    """One thing that is wrong: in which row (or checkpoint, or run), what was done to it, and between which moments.

    `since` None: from the beginning; `until` None: until now.
    """

    model: Slug | None = None
    row: str
    kind: Tampering
    message: str
    since: datetime | None = None
    until: datetime | None = None


class Examined(Frozen):
    """What was looked at, and all that is wrong. Entries after position `vouched` are not sealed yet.

    `engine` are the models whose record was compared with the history of their execution; `remarks` is what could not
    be looked at, or need not be wrong.
    """

    entries: int
    head: str
    checkpoints: int
    vouched: int
    sealed_at: datetime | None
    models: tuple[Slug, ...]
    events: int
    engine: tuple[Slug, ...] = ()
    findings: tuple[Finding, ...]
    remarks: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


class Seals(NamedTuple):
    """The checkpoints as they were kept, and by which keys, for which installation and when they are looked at.

    `administrators` are the keys of those who sign the directory, if it is in the database; `keyring` says whose key
    is whose, if it is known here.
    """

    kept: Sequence[bytes]
    keys: Sequence[PublicKey]
    audience: str
    at: datetime
    administrators: Sequence[PublicKey] = ()
    keyring: Keyring = Keyring()

    def read(self) -> Sealed:
        """Those that the notary has signed, and what is wrong with the others."""
        return read_checkpoints(self.kept, self.keys, self.audience, self.at)


class Dossier(NamedTuple):
    """All that is recorded of one model, and what the trail makes of it."""

    record: Record
    told: Told
    rerun: Rerun
    plan: Digest | None


def open_dossier(record: Record) -> Dossier:
    """What the trail makes of a record."""
    told = fold_inventory(record.model, record.entries)
    return Dossier(record, told, run_again(record, told), told.under)


class Examiner:
    """Looks at one inventory and its checkpoints: at the trail once, then at one model after the other."""

    def __init__(self, catalog: Catalog, seals: Seals) -> None:
        self._catalog = catalog
        self._sealed, self._kept, self._keys = seals.read(), len(seals.kept), seals.keys
        self._keyring, self._at = seals.keyring, seals.at
        self._misprints = tuple(misprints(catalog.editions(), seals.administrators, seals.audience))
        self._head = catalog.head()
        self.walked: Walked = walk(catalog.trail(), self._head, self._sealed.positions)

    def conclude(
        self, dossiers: Sequence[Dossier], engine: Sequence[Slug], more: Iterable[Finding], remarks: Iterable[str]
    ) -> Examined:
        """Everything that is wrong with the trail and with some models, `more` included."""
        last = vouched(self._sealed, self.walked.hashes)
        found = [
            *self._trail(),
            *self._directory(),
            *(one for dossier in dossiers for one in self.model(dossier)),
            *more,
        ]
        return Examined(
            entries=self.walked.entries,
            head=self._head.hash,
            checkpoints=self._kept,
            vouched=last.position if last else 0,
            sealed_at=last.at if last else None,
            models=tuple(dossier.record.model for dossier in dossiers),
            events=sum(dossier.record.events for dossier in dossiers),
            engine=tuple(engine),
            findings=tuple(dict.fromkeys(found)),
            remarks=(*remarks, *self._unknown()),
        )

    def _is_overdue(self) -> bool:
        """Whether the trail is old enough to have been sealed."""
        first = next(iter(self._catalog.trail()), None)
        return first is not None and self._at - first.at > 2 * CHECKPOINT_EVERY

    def _unknown(self) -> Iterator[str]:
        if not self._keyring.keys:
            yield "no key is known here: whose the keys are that signed is left to what was recorded of them"

    def model(self, dossier: Dossier) -> Iterator[Finding]:
        """What is wrong with what is recorded of one model."""
        model, told, rerun = dossier.record.model, dossier.told, dossier.rerun
        for problem in told.problems:
            yield self.entry(model, int(problem.split(":")[0].split()[-1]), Tampering.CHANGED, problem)
        for one in misplaced(dossier.record, told):
            kind, message = Tampering(one.deed), f"{one.row}: {one.message}"
            whose = None if one.row.startswith(_OF_ALL) else model
            yield Finding(model=whose, row=one.row, kind=kind, message=message, since=one.since)
        if rerun.obstacle:
            yield Finding(model=model, row="audit", kind=Tampering.REMOVED, message=rerun.obstacle)
        for event in rerun.events:
            for problem in event.problems:
                yield self.entry(model, event.position, Tampering.CHANGED, f"audit row {event.position}: {problem}")
            if rerun.plan and dossier.plan:
                for doubt in doubts(rerun.plan, dossier.plan, event, self._keyring):
                    yield self.entry(model, event.position, doubt.kind, f"audit row {event.position}: {doubt.message}")

    def entry(self, model: Slug | None, position: int, kind: Tampering, message: str) -> Finding:
        """Something that is wrong with an entry."""
        since, until = window(self._sealed, self.walked.hashes, position)
        return Finding(model=model, row=f"audit row {position}", kind=kind, message=message, since=since, until=until)

    def _trail(self) -> Iterator[Finding]:
        for problem in self.walked.problems:
            yield self.entry(None, problem.position, problem.kind, problem.message)
        for one in (*self._sealed.problems, *contradictions(self._sealed, self.walked.hashes, self.walked.last)):
            row = f"checkpoint {one.number}"
            yield Finding(row=row, kind=one.kind, message=one.message, since=one.since, until=one.until)
        if self._keys and not self._kept and self._is_overdue():
            message = "the notary has a key, and no checkpoint is kept: they were removed"
            yield Finding(row="checkpoint 1", kind=Tampering.REMOVED, message=message)

    def _directory(self) -> Iterator[Finding]:
        for one in self._misprints:
            message = f"{one.row}: {one.message}"
            yield Finding(row=one.row, kind=Tampering(one.deed), message=message, since=one.since)
