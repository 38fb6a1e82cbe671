"""Keys: made and kept by their owners, known to the installation by its registry."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from client.commands.directory import opened
from client.commands.parameters import Json, Person, Reason
from client.console import clean, moment, say, show, show_json
from client.documents import read_envelope, write_text
from client.render import table
from client.signer import Signer
from client.wallet import Wallet, passphrase_of
from models.errors import InvalidInputError, RefusedError
from models.keys import EnrolledKey, Keyholder, Keyring
from models.signing import Envelope, key_id, signer_of
from models.statements import Possessing, read_statement
from models.watching import moment_of
from worker.directories import directory_files
from worker.settings import DATABASE, Settings, read_settings

_Key = Annotated[str, typer.Argument(metavar="KEY", help="The beginning of a key's name: see `modelops key list`.")]

_WRITES = "`modelops key create` writes one"


def create(
    person: Person,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Where to write the request to enrol it.")
    ] = None,
) -> None:
    """Make a key for a person, encrypted in MODELOPS_WALLET on this machine, and write the request to enrol it.

    The private key never leaves this machine. An administrator enrols it: `modelops key enroll FILE`.
    """
    chosen = read_settings()
    wallet = Wallet(chosen.wallet)
    private = wallet.create(person, passphrase_of(chosen, person, new=True))
    signer = Signer(person, private)
    file = output or Path(f"{person}.enrolment.json")
    write_text(file, f"{signer.possess().model_dump_json(indent=2)}\n")
    show(
        f"Made key {key_id(signer.public)} of {person}: {wallet.path(person)}.",
        f"Next, an administrator: modelops key enroll {file}",
        f"Its public half, which MODELOPS_ADMINISTRATORS lists if it is an administrator's: {signer.public}",
    )


def enroll(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `modelops key create` wrote.")],
    gateway: Annotated[bool, typer.Option(help="It is a gateway's, which vouches for people whom it lets in.")] = False,
) -> None:
    """Make a key known to this installation, after its holder has proved to have it. For administrators.

    Whoever may write the registry may do this: check first that the request comes from the person.
    """
    chosen = read_settings()
    key = requested_key(read_envelope(file), Keyholder.GATEWAY if gateway else Keyholder.PERSON)
    _change(chosen, lambda keyring: keyring.enrol(key))
    show(f"Enrolled {key.id} as a key of {key.person}.")
    _remind(chosen)


def revoke(
    key: _Key,
    reason: Reason,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="An earlier moment, with its time zone, for a key that was stolen then. Else from now on.",
        ),
    ] = None,
) -> None:
    """Have a key count for nothing from a moment on: also what was decided with it since. For administrators."""
    chosen = read_settings()
    moment_ = moment_of(since, "--since").astimezone(UTC) if since else datetime.now(UTC)
    changed = _change(chosen, lambda keyring: keyring.revoke(key, moment_, reason))
    gone = changed.find(key)
    show(f"Revoked {gone.id} of {gone.person}; what it signs counts for nothing since {moment(moment_)}.")
    _remind(chosen)
    say("Gates that are open know it when the directory is read anew: `modelops retry MODEL`.")


def list_keys(as_json: Json = False) -> None:
    """List every key that was enrolled: if the directory is in the database, those of its newest edition."""
    keyring = _known_keys(read_settings())
    if as_json:
        show_json(keyring)
        return
    rows = [(key.person, key.id[7:23], key.kind, moment(key.enrolled), _gone(key)) for key in keyring.keys]
    if rows:
        show(table(("Person", "Key", "Kind", "Enrolled", "Revoked"), rows))
    else:
        show("No key is enrolled. Begin with: modelops key create --as YOU")


def _known_keys(chosen: Settings) -> Keyring:
    if chosen.directory != DATABASE:
        return directory_files(chosen).keyring()
    with opened(chosen) as directory:
        return directory.keyring()


def _gone(key: EnrolledKey) -> str:
    return f"{moment(key.revoked)}: {clean(key.reason)}" if key.revoked else ""


def requested_key(envelope: Envelope, kind: Keyholder = Keyholder.PERSON) -> EnrolledKey:
    """The key that somebody has proved to have; InvalidInputError, RefusedError."""
    now = datetime.now(UTC)
    try:
        statement = read_statement(envelope)
    except ValueError as error:
        raise InvalidInputError(
            f"this is no request to enrol a key: {error}", "`modelops key create` writes one"
        ) from error
    says = statement.says
    if not isinstance(says, Possessing):
        raise InvalidInputError("this is no request to enrol a key", "`modelops key create` writes one")
    if signer_of(envelope, (says.public,)) is None or key_id(says.public) != statement.key:
        raise RefusedError(f"{statement.person} has not proved to have the key", "have it created anew")
    if statement.expires_at <= now:
        raise RefusedError(f"the request ran out on {moment(statement.expires_at)}", "have it created anew")
    return EnrolledKey(person=statement.person, public=says.public, kind=kind, enrolled=now)


def _remind(chosen: Settings) -> None:
    if chosen.directory == DATABASE:
        say(f"It counts after `modelops directory publish`: {chosen.registry} is the working copy.")


def _change(chosen: Settings, edit: Callable[[Keyring], Keyring]) -> Keyring:
    """Write the registry anew, whole or not at all, one at a time."""
    path = chosen.registry
    with _alone(path):
        changed = edit(directory_files(chosen).keyring())
        unfinished = path.with_suffix(f".{os.getpid()}.tmp")
        write_text(unfinished, f"{changed.model_dump_json(indent=2)}\n")
        unfinished.replace(path)
    return changed


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.with_suffix(".lock").open("w")
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be written: {error.strerror}", "set MODELOPS_KEYS") from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
