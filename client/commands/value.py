"""What a model has brought and what it has cost."""

from collections.abc import Sequence

from client.catalog import Catalog
from client.commands.parameters import Json, Model, Utc
from client.console import moment, show, show_json
from client.render import table
from models.canonical import Frozen
from models.value import Entry, Sums, standing, sums
from worker.settings import read_settings


class OfVersion(Frozen):
    """What one version has brought and cost, by currency."""

    version: int
    sums: tuple[Sums, ...]


class Value(Frozen):
    """The value ledger of a model: what it was to bring, what it has, and every entry, those that are corrected too."""

    model: str
    hypothesis: str
    sums: tuple[Sums, ...]
    versions: tuple[OfVersion, ...]
    entries: tuple[Entry, ...]


def value(model: Model, as_json: Json = False, utc: Utc = False) -> None:
    """Show what a model has brought and cost, by version and by period, as the record has it.

    What goes into the ledger are answers of the metrics with a `worth` in MODELOPS_METRICS, whenever a monitor reads
    them. A later answer about the same period is one more entry, which corrects the one before.
    """
    with Catalog(read_settings().database) as catalog:
        hypothesis = catalog.facts(model).use_case.value_hypothesis
        entries = catalog.booked(model)
    found = _value(model, hypothesis, entries)
    if as_json:
        show_json(found)
        return
    show(f"Value hypothesis: {hypothesis}", "")
    if not entries:
        show(
            "Nothing is booked yet: a monitor has to check a KPI whose metric says what it is worth "
            "(MODELOPS_METRICS), and to look after a period in which a version served."
        )
        return
    counted = {(one.about, one.revision) for one in standing(entries)}
    shown = [_row(one, (one.about, one.revision) in counted, utc) for one in sorted(entries, key=_order)]
    show(table(("From", "To", "Metric", "Version", "Value", "Cost", "Unit", "Cases", "Booked", ""), shown), "")
    rows = [_total(f"version {one.version}", total) for one in found.versions for total in one.sums]
    show(table(("Of", "Value", "Cost", "Net", "Unit"), [*rows, *(_total("all versions", one) for one in found.sums)]))


def _value(model: str, hypothesis: str, entries: Sequence[Entry]) -> Value:
    versions = sorted({one.version for one in entries})
    return Value(
        model=model,
        hypothesis=hypothesis,
        sums=sums(entries),
        versions=tuple(
            OfVersion(version=number, sums=sums(one for one in entries if one.version == number)) for number in versions
        ),
        entries=tuple(entries),
    )


def _order(one: Entry) -> tuple[object, ...]:
    return one.since, one.until, one.metric, one.version, one.revision


def _row(one: Entry, counts: bool, utc: bool) -> tuple[object, ...]:
    amount = f"{one.amount:,.2f}"
    columns = (amount, None) if one.worth == "value" else (None, amount)
    words = ("corrects the one before" if one.revision else "") if counts else "corrected"
    period = moment(one.since, utc), moment(one.until, utc)
    return *period, one.metric, one.version, *columns, one.unit, one.count, moment(one.at, utc), words


def _total(of: str, one: Sums) -> tuple[object, ...]:
    return of, f"{one.value:,.2f}", f"{one.cost:,.2f}", f"{one.net:,.2f}", one.unit
