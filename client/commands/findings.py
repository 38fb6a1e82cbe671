"""What contradicts the record: executions, environments and workers that are not as it says."""

from typing import Annotated

import typer

from client.catalog import Catalog
from client.commands.parameters import Json
from client.console import show, show_json
from client.render import findings as draw_findings
from worker.settings import read_settings


def findings(
    every: Annotated[bool, typer.Option("--all", help="Also those that hold no more.")] = False, as_json: Json = False
) -> None:
    """List what contradicts the record: a lost execution, another version serving, an unknown worker.

    The worker compares everything every MODELOPS_RECONCILE_EVERY (15 minutes).
    """
    with Catalog(read_settings().database) as catalog:
        found = catalog.findings(resolved=every)
    if as_json:
        show_json(found)
    elif found:
        show(draw_findings(found))
    else:
        show("Nothing contradicted the record when the worker compared last; it does every MODELOPS_RECONCILE_EVERY.")
