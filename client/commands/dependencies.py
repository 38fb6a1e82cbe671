"""`modelops dependencies check`: what is known against a lock file, before a version with it is submitted."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from activities.supply import audit_lock
from client.commands.parameters import Json
from client.console import clean, show, show_json
from client.render import table
from models.errors import InvalidInputError
from models.supply.reports import DependencyReport, LicenceReport
from worker.settings import read_settings
from worker.supplying import advisories_of, supply_policy_of

INVALID = 4

LockFile = Annotated[Path, typer.Argument(metavar="LOCK", help="A requirements file that pins name==version.")]


def check_lock(lock: LockFile, as_json: Json = False) -> None:
    """Look up what a lock file pins in the mirror of advisories, and its licences, as the scan of a version does.

    The exit status is 4 if anything is known against it, or if it could not be looked at.
    """
    settings = read_settings()
    try:
        data = lock.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{lock} cannot be read: {error.strerror}", "name a lock file") from error
    reports = audit_lock(data, advisories_of(settings), supply_policy_of(settings))
    if as_json:
        show_json(reports)
    else:
        _draw(*reports)
    if any(report.not_scanned or reading.value for report in reports for reading in report.readings):
        raise typer.Exit(INVALID)


def _draw(dependencies: DependencyReport, licences: LicenceReport) -> None:
    for report in (dependencies, licences):
        state = "not scanned" if report.not_scanned else "looked at"
        show(Text(f"{report.kind}: {len(report.distributions)} distributions, {state}", style="bold"))
        show(*(f"  {clean(reason)}" for reason in report.not_scanned))
    if rows := [
        (one.distribution, one.id, "malicious" if one.malicious else one.severity, one.fixed_in or "", one.summary)
        for one in dependencies.vulnerabilities
    ]:
        show(table(("Distribution", "Vulnerability", "Severity", "Fixed in", "Summary"), rows))
    if issues := [(one.distribution, one.reason) for one in licences.issues]:
        show(table(("Distribution", "Licence"), issues))
