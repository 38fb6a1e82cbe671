"""`modelops bundle`: a version with all that it needs, as a folder that verifies by itself."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from rich.table import Table
from rich.text import Text

from client.catalog import Catalog
from client.commands.parameters import File, Json
from client.console import clean, show, show_json
from client.documents import read_facts, read_version
from client.library import policy_of
from models.bundle.registry_name import parse_reference
from models.canonical import Digest
from models.errors import InvalidInputError, UnknownNameError
from models.signing import PublicKey
from worker import bundling
from worker.settings import Settings, read_settings

Place = Annotated[str, typer.Argument(metavar="PATH|DIGEST", help="A folder, or sha256:... in the artifact store.")]
Output = Annotated[Path, typer.Option("--output", metavar="DIR", help="A folder that is empty or does not exist.")]
Keys = Annotated[
    list[str] | None, typer.Option("--key", metavar="KEY", help="Whose signature counts: 64 hexadecimal digits.")
]

_KEY: TypeAdapter[str] = TypeAdapter(PublicKey)
_DIGEST: TypeAdapter[str] = TypeAdapter(Digest)


def build_bundle(
    submission: File,
    model: Annotated[Path, typer.Option("--model", metavar="FILE", help="The model's facts, as they are registered.")],
    output: Output,
    number: Annotated[int, typer.Option("--number", min=1, help="The version's number.")] = 1,
    as_json: Json = False,
) -> None:
    """Scan, measure and pack a version without a lifecycle, into an OCI image layout.

    The same submission gives the same digest, anywhere; the packager's key signs it (MODELOPS_BUNDLE_KEY).
    """
    chosen = read_settings()
    facts = read_facts(model, policy_of(chosen))
    _tell(bundling.build(chosen, facts, number, read_version(submission), output), as_json)


def inspect_bundle(place: Place, as_json: Json = False) -> None:
    """Show what a bundle holds, and whose key signed it. Every byte is hashed."""
    _tell(bundling.inspect(read_settings(), place), as_json)


def verify_bundle(place: Place, key: Keys = None, as_json: Json = False) -> None:
    """Hash every byte of a bundle and check its signature against the keys that count here, or those of --key.

    Exit status 4: a byte was changed, or nobody signed it whose key counts.
    """
    _tell(bundling.verify(read_settings(), place, [_fit(_KEY, one, "public key") for one in key or ()]), as_json)


def export_bundle(
    digest: Annotated[str, typer.Argument(metavar="DIGEST", help="The bundle, as sha256:...")],
    output: Output,
    as_json: Json = False,
) -> None:
    """Write a bundle of the artifact store into a folder, signature included."""
    _tell(bundling.export(read_settings(), _fit(_DIGEST, digest, "digest"), output), as_json)


def import_bundle(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `modelops bundle export` wrote.")],
    as_json: Json = False,
) -> None:
    """Take a bundle into the artifact store, if somebody signed it whose key counts here."""
    _tell(bundling.bring_in(read_settings(), folder), as_json)


def push_bundle(
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="HOST[:PORT]/REPOSITORY[:TAG]")],
    bundle: Annotated[str, typer.Argument(metavar="DIGEST|MODEL[@VERSION]", help="Left out: the newest version.")],
    as_json: Json = False,
) -> None:
    """Put a bundle into a registry under its own digest, signature included. What is there already is not sent again.

    MODELOPS_REGISTRIES says where the user and password for a registry are.
    """
    chosen = read_settings()
    place, digest = parse_reference(reference), bundle if bundle.startswith("sha256:") else _bundle_of(chosen, bundle)
    if place.digest:
        raise InvalidInputError(f"'{reference}' names a digest: a bundle has its own", "leave out @sha256:...")
    _tell(bundling.push(chosen, _fit(_DIGEST, digest, "digest"), place), as_json)


def pull_bundle(
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="HOST[:PORT]/REPOSITORY, and @DIGEST or :TAG")],
    as_json: Json = False,
) -> None:
    """Take a registry's bundle into the artifact store, if somebody signed it whose key counts here: all or nothing."""
    _tell(bundling.pull(read_settings(), parse_reference(reference)), as_json)


def _bundle_of(settings: Settings, named: str) -> str:
    """The bundle of a version in the inventory; without a number, of the newest version that has one."""
    model, _, number = named.partition("@")
    with Catalog(settings.database) as catalog:
        packed = {str(one.number): one.bundle for one in catalog.versions(model) if one.bundle}
    if not packed or (number and number not in packed):
        which = f"version {number}" if number else "no version"
        raise UnknownNameError(f"{which} of '{model}' has {'no' if number else 'a'} bundle", "package it first")
    return packed[number or max(packed, key=int)]


def _fit(kind: TypeAdapter[str], text: str, what: str) -> str:
    try:
        return kind.validate_python(text)
    except ValidationError as error:
        raise InvalidInputError(f"'{text}' is no {what}", "copy the whole of it") from error


def _tell(found: bundling.Summary, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    table = Table("part", "bytes", "digest", box=None, header_style="dim")
    for part in found.parts:
        table.add_row(Text(clean(part.name or part.media_type)), f"{part.size:,}", part.digest)
    signed = f"signed by {found.signer}" if found.signer else "signed by nobody whose key counts here"
    show(
        f"Version {found.version} of {found.model}, as {found.format}, on Python {found.python}",
        f"bundle   {found.digest}",
        f"source   {found.source.repository} at {found.source.commit}",
        Text(signed, style="bold green" if found.signer else "bold red"),
        table,
    )
