"""The evidence of one model in a folder, to be verified by somebody who has nothing of ours."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from temporalio.client import WorkflowHistory

from activities.ports import ArtifactStore
from client.catalog import Catalog
from client.examination import Dossier, Seals
from models.audit import AuditEntry, AuditKind, EffectRecord, leaf_of
from models.canonical import Digest, canonical, digest, digest_bytes
from models.errors import ConflictError, InvalidInputError, UnknownNameError
from models.evidence import Electorate
from models.inventory import Archived
from models.plan import Plan
from models.policy import Pack
from models.signing import Envelope, PublicKey, key_id
from models.statements import Delegating, read_statement
from models.status import describe
from workflows.card import render

FORMAT = "modelops/bundle/1"
_MANIFEST = "manifest.json"


class Sources(NamedTuple):
    """Where the parts of a bundle come from."""

    catalog: Catalog
    dossier: Dossier
    seals: Seals
    store: ArtifactStore
    packs: Sequence[Pack]
    histories: Sequence[WorkflowHistory]


class Exported(NamedTuple):
    """What was written; `missing` is evidence that the artifact store does not have (any more)."""

    folder: Path
    files: int
    missing: tuple[Digest, ...]


class _Writer:
    """Writes files, and remembers their digests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.digests: dict[str, str] = {}

    def write(self, name: str, data: bytes) -> None:
        """A file."""
        self.lines(name, [data], b"")

    def lines(self, name: str, lines: Iterable[bytes], end: bytes = b"\n") -> None:
        """A file of lines, of which there may be more than fit into memory."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            file.writelines(line + end for line in lines)
        with path.open("rb") as file:
            self.digests[name] = digest_bytes(file.read())


def export(sources: Sources, folder: Path) -> Exported:
    """Write the bundle of a model; into a folder that is empty, missing, or has an earlier bundle of this model.

    ConflictError for any other folder, InvalidInputError if nothing can be written.
    """
    model = sources.dossier.record.model
    _refuse_foreign(folder, model)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".export-"))
        try:
            writer = _Writer(draft)
            missing = _fill(writer, sources)
            if folder.exists():
                shutil.rmtree(folder)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise InvalidInputError(f"{folder} cannot be written: {error.strerror}", "choose another folder") from error
    return Exported(folder, len(writer.digests) + 1, missing)


def _refuse_foreign(folder: Path, model: str) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ConflictError(f"{folder} is no folder", "choose another name")
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        ours = manifest["format"] == FORMAT and manifest["model"] == model
        foreign = there - set(manifest["files"]) - {_MANIFEST}
    except (OSError, ValueError, KeyError, TypeError):
        ours, foreign = False, there
    if there and (foreign or not ours):
        raise ConflictError(f"{folder} holds something else than a bundle of '{model}'", "choose an empty folder")


def _fill(writer: _Writer, sources: Sources) -> tuple[Digest, ...]:
    dossier, seals = sources.dossier, sources.seals
    head = dossier.record.end
    whole = {entry.position for entry in dossier.record.entries if entry.model or _is_plan(entry, dossier.plan)}
    seqs = {row.values["position"]: row.values["seq"] for row in dossier.record.rows if row.table == "audit"}
    trail = (entry for entry in sources.catalog.trail() if entry.position <= head.position)
    writer.lines("trail.jsonl", (_line(entry, entry.position in whole, seqs) for entry in trail))
    writer.write("decisions.json", _json(list(_decisions(dossier))))
    writer.lines("checkpoints.jsonl", seals.kept)
    writer.lines("notary.pub", (key.encode() for key in seals.keys))
    writer.write("verify.py", files("client").joinpath("bundle_verifier.py").read_bytes())
    if dossier.rerun.plan and dossier.rerun.state:
        plan = dossier.rerun.plan
        writer.write("card.md", render(plan, describe(plan, digest(plan), dossier.rerun.state)).encode())
        _write_plan(writer, plan, sources.packs)
    for number, history in enumerate(sources.histories, 1):
        writer.write(f"histories/{number:04}-{history.run_id}.json", history.to_json().encode())
    missing = tuple(one for one in _named(dossier) if not _write_evidence(writer, sources.store, one))
    manifest = {
        "format": FORMAT,
        "model": dossier.record.model,
        "audience": seals.audience,
        "head": {"position": head.position, "hash": head.hash},
        "files": writer.digests,
    }
    writer.write(_MANIFEST, _json(manifest))
    return missing


def _is_plan(entry: AuditEntry, name: Digest | None) -> bool:
    return entry.kind == AuditKind.PLAN and digest_bytes(entry.body.encode()) == name


def _line(entry: AuditEntry, whole: bool, seqs: dict[object, object]) -> bytes:
    """An entry with all its columns; of those of other models, what the chain needs."""
    if not whole:
        return _json({"position": entry.position, "leaf": leaf_of(entry).hex(), "hash": entry.hash})
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    columns = {**entry.model_dump(exclude={"at"}), "at": at, "seq": seqs.get(entry.position)}
    return _json(columns)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(errors="replace")


def _write_plan(writer: _Writer, plan: Plan, packs: Sequence[Pack]) -> None:
    writer.write(f"plans/{digest(plan)[7:]}.json", canonical(plan))
    known = {digest(pack): pack for pack in packs}
    for one in plan.packs:
        if one.digest in known:
            writer.write(f"packs/{one.digest[7:]}.json", canonical(known[one.digest]))


def _write_evidence(writer: _Writer, store: ArtifactStore, name: Digest) -> bool:
    try:
        writer.write(f"evidence/{name[7:]}", store.path(name).read_bytes())
    except UnknownNameError:
        return False
    return True


def _named(dossier: Dossier) -> Iterator[Digest]:
    """The evidence that the trail of a model names."""
    found: dict[Digest, None] = {}
    for entry in dossier.record.history:
        if entry.kind != AuditKind.EFFECT:
            continue
        try:
            effect = EffectRecord.model_validate_json(entry.body)
        except ValueError:
            continue
        found |= dict.fromkeys(one.digest for one in effect.result.evidence)
        found |= dict.fromkeys(one.archive for one in effect.changes if isinstance(one, Archived))
    return iter(found)


def _decisions(dossier: Dossier) -> Iterator[dict[str, object]]:
    """Every signed message of the trail, with the public key that it names, if the record knows it."""
    for replayed in dossier.rerun.events:
        body = replayed.recorded.event.body if replayed.recorded else None
        envelope = getattr(body, "envelope", None)
        if envelope is None:
            continue
        gate = replayed.before.gate
        known = (getattr(body, "known", None), gate.electorate if gate else None)
        keys = [key for one in known if one for key in _keys(one)]
        yield {
            "position": replayed.position,
            "envelope": envelope.model_dump(mode="json"),
            "key": _key_of(envelope, keys),
        }


def _keys(known: Electorate) -> Iterator[PublicKey]:
    yield from known.gateways
    for keys in known.keys.values():
        yield from keys


def _key_of(envelope: Envelope, keys: Sequence[PublicKey]) -> PublicKey | None:
    try:
        statement = read_statement(envelope)
        delegation = read_statement(statement.delegation) if statement.delegation else None
    except ValueError:
        return None
    granted = (delegation.says.to_public,) if delegation and isinstance(delegation.says, Delegating) else ()
    return next((key for key in (*keys, *granted) if key_id(key) == statement.key), None)
