"""Where a command writes: answers to stdout, everything else to stderr."""

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from models.canonical import Frozen
from models.errors import ModelopsError

_UNKNOWN_SIZE = (160, 24)


def show(*parts: RenderableType) -> None:
    """Write something for people to stdout. Plain text is shown as it is: no markup, no control characters."""
    console = Console(width=shutil.get_terminal_size(_UNKNOWN_SIZE).columns, highlight=False)
    for part in parts:
        drawn = Text(clean(part)) if isinstance(part, str) else part
        console.print(drawn, soft_wrap=isinstance(drawn, Text))


def show_beside(rows: Iterable[tuple[str, Text]]) -> None:
    """Write lines, each with something before it. On a terminal a long line goes on below its own beginning."""
    if not sys.stdout.isatty():
        show(*(Text.assemble((before, "dim"), "  ", line) for before, line in rows))
        return
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for before, line in rows:
        grid.add_row(Text(before), line)
    show(grid)


def show_json(value: Frozen | Sequence[Frozen]) -> None:
    """Write a value as JSON, and nothing else, to stdout."""
    plain = (
        value.model_dump(mode="json") if isinstance(value, Frozen) else [one.model_dump(mode="json") for one in value]
    )
    typer.echo(json.dumps(plain, indent=2))


def say(text: str) -> None:
    """Write progress or a hint to stderr."""
    typer.echo(clean(text), err=True)


def complain(error: ModelopsError) -> None:
    """Write what happened, and what to do about it, to stderr."""
    console = Console(stderr=True, highlight=False)
    console.print(Text.assemble(("Error: ", "bold red"), clean(str(error))), soft_wrap=True)
    if error.remedy:
        console.print(Text.assemble(("What to do: ", "bold"), clean(error.remedy)), soft_wrap=True)


def clean(text: str) -> str:
    """Text that people wrote, without the control characters that would act upon a terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text)


def going_on(sentence: str) -> str:
    """A sentence of ours as it goes on after a colon: with a small first letter."""
    return sentence[:1].lower() + sentence[1:]


def moment(at: datetime, utc: bool = False) -> str:
    """A time in the reader's own zone, or in UTC, with the zone's name; as it is where the calendar ends."""
    try:
        local = at.astimezone(UTC) if utc else at.astimezone()
    except (OverflowError, ValueError):
        local = at
    return f"{local:%Y-%m-%d %H:%M:%S %Z}"
