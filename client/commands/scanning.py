"""`modelops scan`: may this file, or this folder, be used as a model?"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from client.commands.parameters import Json
from client.console import clean, show, show_json
from client.render import table
from models.evidence import FolderReport
from worker.scanning import scan_path

REFUSED = 3
_STYLES = {"clean": "green", "malicious": "bold red"}

Scanned = Annotated[Path, typer.Argument(metavar="FILE|DIR", help="A model's file, or the folder that holds it.")]


def scan(path: Scanned, as_json: Json = False) -> None:
    """Look at a model's file, or at all files in a folder, without loading any; exit status 0 only if it is clean.

    A pickle passes only with names that are on the list of those that rebuild data, and used as their libraries do.
    """
    report = scan_path(path)
    if as_json:
        show_json(report)
    else:
        show(*_shown(report))
    if report.verdict != "clean":
        raise typer.Exit(REFUSED)


def _verdict(word: str) -> Text:
    return Text(word, _STYLES.get(word, "yellow"))


def _shown(report: FolderReport) -> list[RenderableType]:
    rows = [
        (clean(one.path), one.report.format, _verdict(one.report.verdict), f"{one.report.scanned_bytes:,}")
        for one in report.files
    ]
    lines = [Text(f"{clean(one.path)}: {clean(reason)}") for one in report.files for reason in one.report.reasons]
    told = [*lines, *(Text(clean(reason)) for reason in report.reasons)]
    parts: list[RenderableType] = [table(("File", "Format", "Verdict", "Bytes"), rows)] if rows else []
    return [*parts, *told, Text.assemble("Verdict: ", _verdict(report.verdict))]
