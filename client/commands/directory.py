"""`modelops directory`: administrators publish people and keys; everybody may look at what is published."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer

from activities.ports import Editions
from client.commands.parameters import Json, Person
from client.console import moment, say, show, show_json
from client.library import open_catalog
from client.wallet import open_signer
from models.canonical import Digest, Frozen, Slug
from models.directory import DirectoryEdition, breaks, changes, demand_following, following
from models.errors import RefusedError
from models.keys import Keyring
from models.people import People
from models.signing import key_id
from worker.directories import directory_files, published_directory
from worker.settings import DATABASE, Settings, read_settings


class Shown(Frozen):
    """The newest edition: who signed it, with which administrator's key, what it says, and what it changed."""

    number: int
    by: Slug
    key: Digest | None
    at: datetime
    people: People
    keys: Keyring
    changes: tuple[str, ...]


def publish(
    person: Person,
    dry: Annotated[bool, typer.Option("--dry-run", help="Say what would change; sign and write nothing.")] = False,
) -> None:
    """Sign people and registry as they are now, and publish them in the database. For administrators.

    The people are those of the file that MODELOPS_DIRECTORY names, else of directory.yaml in the home; the keys are
    those of MODELOPS_KEYS. What is published counts at once, wherever MODELOPS_DIRECTORY is `database`.
    """
    chosen = read_settings()
    files = directory_files(chosen)
    with opened(chosen) as directory:
        kept = directory.kept()
        before = kept.edition if kept else None
        edition = following(before, chosen.audience, person, files.people(), files.keyring(), datetime.now(UTC))
        if kept and kept.signer and kept.edition.says_what(edition):
            show(f"Edition {kept.edition.number} of the directory says all of this already.")
            return
        demand_following(before, edition)
        if not dry:
            _sign(chosen, directory, edition)
    told = [f"  {change}" for change in _since(before, edition)]
    show(f"{'This would be' if dry else 'Published'} {_in_short(edition)}.", *told)
    if chosen.directory != DATABASE:
        say("It counts for every process with MODELOPS_DIRECTORY=database.")


def _sign(chosen: Settings, directory: Editions, edition: DirectoryEdition) -> None:
    signer = open_signer(chosen, edition.by)
    if signer.public not in chosen.administrators:
        raise RefusedError(
            f"the key of {edition.by} is no administrator's: nothing that it signs would be believed",
            f'have "{signer.public}" put into MODELOPS_ADMINISTRATORS of every process',
        )
    directory.publish(signer.publish(edition))


def show_directory(as_json: Json = False) -> None:
    """Show the directory that is published: who signed it and when, and what it changed."""
    with opened(read_settings()) as directory:
        edition = directory.newest()
        kept = directory.kept(edition.number)
        before = directory.kept(edition.number - 1) if edition.number > 1 else None
    key = key_id(kept.signer) if kept and kept.signer else None
    content = {name: getattr(edition, name) for name in ("number", "by", "at", "people", "keys")}
    shown = Shown(**content, key=key, changes=tuple(_since(before.edition if before else None, edition)))
    if as_json:
        show_json(shown)
        return
    told = [f"  {change}" for change in shown.changes]
    show(f"This is {_in_short(edition)}.", f"{edition.by} signed it at {moment(edition.at)}, with key {key}.", *told)


@contextmanager
def opened(chosen: Settings) -> Iterator[Editions]:
    """What is published in an inventory that is there; of one that is missing, looking would make an empty one."""
    with open_catalog(chosen) as catalog:
        catalog.head()
    with closing(published_directory(chosen, chosen.database)) as directory:
        yield directory


def _in_short(edition: DirectoryEdition) -> str:
    people, keys = len(edition.people.people), edition.keys.keys
    revoked = sum(1 for key in keys if key.revoked)
    return f"edition {edition.number} of the directory: {people} people, {len(keys)} keys, {revoked} of them revoked"


def _since(before: DirectoryEdition | None, edition: DirectoryEdition) -> Iterator[str]:
    """What is new; nothing about the first edition, in which all is."""
    if edition.number > 1 and (wrong := "; ".join(breaks(before, edition))):
        yield f"it does not follow the one before, as `modelops audit verify` will tell: {wrong}"
    elif edition.number > 1:
        yield from changes(before, edition)
