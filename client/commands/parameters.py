"""Parameters that several commands have in common."""

from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated

import typer

from models.errors import InvalidInputError


def _day(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time())
    except ValueError as error:
        raise InvalidInputError(f"--on: '{text}' is no day", "write 2027-12-02") from error


Model = Annotated[str, typer.Argument(metavar="MODEL", help="The model's id, as registered.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A YAML file, or JSON if it ends in .json.")]
Template = Annotated[str, typer.Argument(metavar="TEMPLATE", help="The name of a template, or a file.")]
Person = Annotated[str, typer.Option("--as", metavar="PERSON", help="Who says so, by their id in the directory.")]
Reason = Annotated[str, typer.Option("--reason", metavar="WHY", help="Why, for the audit trail: a sentence.")]
For = Annotated[
    str | None, typer.Option("--for", metavar="MODEL", help="Under the packs that apply to a registered model, too.")
]
On = Annotated[
    datetime | None,
    typer.Option("--on", metavar="DAY", parser=_day, help="As of a day, as in 2027-12-02; else today."),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON to stdout, and nothing else.")]
Utc = Annotated[bool, typer.Option("--utc", help="Show times in UTC instead of the local zone.")]
