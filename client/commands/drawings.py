"""`modelops template graph`: a template as a picture."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from client.commands.parameters import Template
from client.console import say
from client.documents import write_text
from client.library import find_template
from models.drawing import bpmn, mermaid, svg
from models.plan import Plan


class Format(StrEnum):
    """What a template can be drawn as."""

    MERMAID = "mermaid"
    SVG = "svg"
    BPMN = "bpmn"


_DRAWS: dict[Format, Callable[[Plan], str]] = {
    Format.MERMAID: mermaid.draw,
    Format.SVG: svg.draw,
    Format.BPMN: bpmn.draw,
}

Form = Annotated[Format, typer.Option("--format", help="For Markdown, for a browser, or for a BPMN tool.")]
Output = Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write to this file, not to stdout.")]


def draw_template(template: Template, form: Form = Format.MERMAID, output: Output = None) -> None:
    """Draw a template: stages, gates and whom they ask, where verdicts and events lead."""
    drawn = _DRAWS[form](find_template(template).compiled().plan)
    if output is None:
        typer.echo(drawn, nl=False)
    else:
        write_text(output, drawn)
        say(f"{output} is written")
