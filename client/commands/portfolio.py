"""All models at once: where they are, how they fare, what is overdue."""

from rich.text import Text

from client.catalog import Catalog
from client.commands.parameters import Json
from client.console import moment, show, show_json
from client.render import table, verdict_text
from client.views import Held
from models.state import Phase
from worker.settings import read_settings


def portfolio(as_json: Json = False) -> None:
    """Show every model by tier, stage, health, value and owner, and what is overdue.

    Health is the worst that monitors found last; those that read only how a model is governed count where they fail.
    Of a business KPI with a metric, also how much of its target it has reached; of the value ledger, what is left of
    what was brought after what it has cost (`modelops value MODEL` has the entries). The same is in the views
    `portfolio`, `current_measurement`, `current_reading`, `current_value` and `model_value` of the inventory's
    database, for Power BI, Tableau and whatever else reads SQL.
    """
    with Catalog(read_settings().database) as catalog:
        held = catalog.portfolio()
    if as_json:
        show_json(held)
    elif held:
        show(
            table(
                ("Model", "Tier", "Stage", "Health", "Value", "Net worth", "Owner", "Overdue", "Looked at"),
                map(_row, held),
            )
        )
    else:
        show("No model is registered yet. Begin with: modelops model register FILE")


def _row(one: Held) -> tuple[object, ...]:
    return (
        one.model,
        one.tier,
        Text(f"{one.stage} (stuck)", "bold red") if one.phase is Phase.STUCK else one.stage,
        verdict_text(one.health) if one.health else None,
        ", ".join(f"{name} {_figure(value)}{_of_target(one, name)}" for name, value in sorted(one.value.items())),
        ", ".join(f"{total.net:,.2f} {total.unit}" for total in one.worth),
        one.owner,
        _overdue(one),
        moment(one.measured_at) if one.measured_at else None,
    )


def _figure(value: float) -> str:
    """Three digits; more of what is larger, instead of a power of ten."""
    return f"{value:,.0f}" if 1_000 <= abs(value) < 1e15 else f"{value:.3g}"


def _of_target(one: Held, name: str) -> str:
    return f" ({one.attained[name]:.0%} of the target)" if name in one.attained else ""


def _overdue(one: Held) -> Text | None:
    parts = []
    if one.obligations_overdue:
        parts.append(f"{one.obligations_overdue} obligations")
    if one.contradictions:
        parts.append(f"{one.contradictions} contradictions")
    return Text(", ".join(parts), "red") if parts else None
