"""A model's report as a page."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from activities.ports import ArtifactStore
from client.catalog import Catalog
from client.commands.parameters import Model
from client.console import say, show
from client.milestones import milestones
from client.report import Sources, write_report
from client.story import brief, tell
from client.verification import verify
from models.canonical import Digest
from models.errors import InvalidInputError, ModelopsError
from models.watching import moment_of
from worker.keeping import store_of
from worker.settings import read_settings

Output = Annotated[
    Path | None, typer.Option("--output", help="The file to write.", show_default="MODEL-report.html here")
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="The summary counts what happened from this moment on, with its time zone.",
        show_default="90 days ago",
    ),
]

_QUARTER = timedelta(days=90)


def report(model: Model, output: Output = None, since: Since = None) -> None:
    """Write one self-contained HTML page about a model, for whoever decides about its risk.

    In short: is it healthy, what is open, what has happened lately. Then what it is for and how it fares: readings
    against their bounds over time, drift by input, fairness by group, every decision and event, and whether the record
    holds. It loads nothing from anywhere.
    """
    chosen, now = read_settings(), datetime.now(UTC)
    begin = moment_of(since, "--since").astimezone(UTC) if since else now - _QUARTER
    place = output or Path(f"{model}-report.html")
    with Catalog(chosen.database) as catalog:
        facts, record, store = catalog.facts(model), catalog.record(model), store_of(chosen)
        page = write_report(
            Sources(
                facts=facts,
                regulations=catalog.regulations(model),
                held=next(one for one in catalog.portfolio() if one.model == model),
                plan=catalog.plan_of(model),
                looks=catalog.looks(model),
                window=_kept(store, catalog.newest(model, "window")),
                evaluation=_kept(store, catalog.newest(model, "evaluation")),
                milestones=tuple(milestones(record.history)),
                lines=tuple(brief(tell(record.history))),
                verification=verify(catalog, record),
                since=begin,
                at=now,
            )
        )
    try:
        place.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(f"{place} cannot be written: {error.strerror}", "name another file") from error
    show(f"Written: {place}")


def _kept(store: ArtifactStore, digest: Digest | None) -> bytes | None:
    if digest is None:
        return None
    try:
        return store.path(digest).read_bytes()
    except ModelopsError as error:
        say(f"left out: {error}")
        return None
