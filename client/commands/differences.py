"""`modelops template diff`: what a change to a template means."""

from collections import Counter
from typing import Annotated

import typer
from rich.text import Text

from client.commands.parameters import For, Json, On
from client.commands.policies import policy_for
from client.console import clean, show, show_json
from client.library import find_template
from models.changes.change import Direction
from models.difference import difference

_SIGNS = {Direction.TIGHTER: ("+", "green"), Direction.LOOSER: ("-", "red"), Direction.NEUTRAL: ("~", "yellow")}

Before = Annotated[str, typer.Argument(metavar="BEFORE", help="The name of a template, or a file.")]
After = Annotated[str, typer.Argument(metavar="AFTER", help="What it is to become.")]


def diff_templates(before: Before, after: After, model: For = None, on: On = None, as_json: Json = False) -> None:
    """Say what differs between two templates, and which way: + asks more, - asks less, ~ asks something else."""
    policy = policy_for(model, on)
    changes = difference(*(find_template(name).compiled(policy).plan for name in (before, after)))
    if as_json:
        show_json(changes)
        return
    for change in changes:
        sign, style = _SIGNS[change.direction]
        show(Text.assemble((f"{sign} ", style), clean(change.sentence)))
    counts = Counter(change.direction for change in changes)
    told = ", ".join(f"{counts[direction]} {direction}" for direction in Direction if counts[direction])
    show(Text(told or "They ask the same.", style="dim"))
