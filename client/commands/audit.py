"""The record, and whether it holds: for people, for scripts, and for somebody who trusts neither us nor our machine."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text
from temporalio.client import WorkflowHistory

from client.api import Modelops
from client.bundle import Sources, export
from client.catalog import Catalog
from client.commands.parameters import Json, Model, Utc
from client.console import clean, complain, moment, say, show, show_json
from client.crosscheck import Crosschecked, crosscheck
from client.examination import Dossier, Examined, Examiner, Finding, Seals, open_dossier
from client.exit_codes import TAMPERED
from models.errors import ModelopsError, UnavailableError, UnknownNameError
from models.keys import Keyring
from worker.directories import directory_of
from worker.keeping import checkpoints_of, notary_keys, store_of
from worker.policies import known_packs
from worker.settings import Settings, read_settings

Offline = Annotated[bool, typer.Option("--offline", help="Do not ask Temporal.")]


def verify_audit(
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="The model's id; all models if it is left out.")
    ] = None,
    offline: Offline = False,
    utc: Utc = False,
    as_json: Json = False,
) -> None:
    """Verify the audit trail, and everything that it tells of one model or of all.

    The hash chain of all entries, the signed checkpoints outside the database, the rows of the inventory, the rules run
    once more, every signature, and the engine's own history. Exit status 7: something does not hold.
    """
    chosen = read_settings()
    with Catalog(chosen.database) as catalog:
        examiner = Examiner(catalog, seals_of(chosen))
        dossiers = [_dossier(catalog, name) for name in ([model] if model else catalog.mentioned())]
        checked, silence = _ask(chosen, catalog, examiner, () if offline else dossiers)
    asked = [name for one in checked for name in one.compared]
    more = [finding for one in checked for finding in one.findings]
    found = examiner.conclude(dossiers, asked, more, [remark for one in checked for remark in one.remarks])
    if as_json:
        show_json(found)
    else:
        show(*_told(found, utc, offline))
    if silence and found.holds:
        raise silence
    if silence:
        complain(silence)
    if not found.holds:
        raise typer.Exit(TAMPERED)


def export_audit(
    model: Model,
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="A folder, empty or with an earlier export.")],
    offline: Offline = False,
) -> None:
    """Write everything that proves what happened to a model into a folder, with a script that verifies it.

    Whoever has the folder needs Python alone: python DIR/verify.py --notary KEY. --offline leaves the histories out.
    """
    chosen = read_settings()
    seals = seals_of(chosen)
    with Catalog(chosen.database) as catalog:
        dossier = _dossier(catalog, model)
        runs = () if offline or not dossier.record.events else asyncio.run(_runs(chosen, model))
        packs, store = known_packs(chosen.policies), store_of(chosen)
        exported = export(Sources(catalog, dossier, seals, store, packs, runs), output)
    for name in exported.missing:
        say(f"Missing in the artifact store: {name}")
    show(f"Wrote {exported.files} files to {exported.folder}.")
    show(f"To verify them: python {exported.folder / 'verify.py'} --notary {seals.keys[-1] if seals.keys else 'KEY'}")


async def _runs(chosen: Settings, model: str) -> Sequence[WorkflowHistory]:
    async with Modelops.connect(chosen) as modelops:
        return (await modelops.heard(model)).runs


def seals_of(chosen: Settings) -> Seals:
    """The checkpoints, as configured, to be read before the trail is."""
    kept, keys = checkpoints_of(chosen).all(), notary_keys(chosen)
    return Seals(kept, keys, chosen.audience, datetime.now(UTC), chosen.administrators, _registry(chosen))


def _registry(chosen: Settings) -> Keyring:
    """Whose key is whose; nothing if that cannot be read: what is wrong with a published one is found elsewhere."""
    try:
        return directory_of(chosen, chosen.database).keyring()
    except ModelopsError:
        return Keyring()


def _dossier(catalog: Catalog, model: str) -> Dossier:
    record = catalog.record(model)
    if record.is_empty:
        raise UnknownNameError(f"nothing is recorded of '{model}'", "`modelops list` shows the registered models")
    return open_dossier(record)


def _ask(
    chosen: Settings, catalog: Catalog, examiner: Examiner, dossiers: Sequence[Dossier]
) -> tuple[list[Crosschecked], ModelopsError | None]:
    """What the engine says of those that have a lifecycle, and why it says nothing of some."""
    living = [dossier for dossier in dossiers if dossier.record.events]
    checked, silence = list[Crosschecked](), list[ModelopsError]()

    async def work() -> None:
        async with Modelops.connect(chosen) as modelops:
            for one in living:
                try:
                    read = partial(_dossier, catalog, one.record.model)
                    checked.append(await crosscheck(modelops, examiner, one, read))
                except ModelopsError as error:
                    silence.append(error)

    try:
        if living:
            asyncio.run(work())
    except UnavailableError as error:
        silence.append(error)
    return checked, next(iter(silence), None)


def _told(found: Examined, utc: bool, offline: bool) -> list[Text]:
    lines = [Text(clean(_sentence(one, utc)), style="red") for one in found.findings]
    sealed = f" (sealed {moment(found.sealed_at, utc)})" if found.sealed_at else ""
    later = found.entries - found.vouched
    lines.append(Text(f"{found.entries} entries, up to {found.head}."))
    lines.append(
        Text(
            f"{found.checkpoints} checkpoints; the last that holds is of entry {found.vouched}{sealed}. "
            f"{later} later entries are not sealed yet."
            if found.vouched
            else "No checkpoint vouches for them."
        )
    )
    lines.append(Text(f"Looked at: {', '.join(found.models) or 'no model'}; {found.events} events run once more."))
    if offline:
        lines.append(Text("Temporal was not asked: what it has seen was not compared.", style="yellow"))
    elif found.engine:
        lines.append(Text(f"Compared with the engine's history: {', '.join(found.engine)}."))
    lines += [Text(clean(remark), style="yellow") for remark in found.remarks]
    verdict = "The record holds." if found.holds else f"The record does not hold: {len(found.findings)} findings."
    return [*lines, Text(verdict, style="bold green" if found.holds else "bold red")]


def _sentence(one: Finding, utc: bool) -> str:
    since = moment(one.since, utc) if one.since else "the beginning"
    until = moment(one.until, utc) if one.until else "now"
    whose = f"{one.model}: " if one.model else ""
    return f"{one.kind.upper()}  {whose}{one.message}  [between {since} and {until}]"
