"""The page of all readings is complete and true, and its template compiles."""

import re
from math import inf
from pathlib import Path

from models.compiler import compile_template
from models.editor_schema import template_schema
from models.evidence import QUANTITIES, Dimension, Quantity
from models.meanings import MEANINGS
from models.metrics import load_metrics

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "readings.md").read_text()
CREDIT = PROJECT / "workflows" / "templates" / "credit-high-risk.yaml"
SECTIONS = {
    "Before production": None,
    "In production: how well it works": Dimension.TECHNICAL,
    "In production: what it brings": Dimension.BUSINESS,
    "In production: how it is kept": Dimension.PROCESS,
}


def between(quantity: Quantity) -> str:
    return f"{quantity.least:g} to {quantity.most:g}" if quantity.most < inf else f"{quantity.least:g} and more"


def test_every_reading_is_on_the_page_once() -> None:
    """Under its dimension, with its bounds and its meaning; and nothing else is."""
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))
    rows = {
        (title, *cells)
        for title, text in sections.items()
        for cells in re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", text, re.M)
    }
    titles = {dimension: title for title, dimension in SECTIONS.items()}
    assert rows == {(titles[one.dimension], name, between(one), MEANINGS[name]) for name, one in QUANTITIES.items()}


def test_editors_are_told_of_every_reading() -> None:
    """Each may be completed, with its meaning, and a KPI of another name is still taken."""
    kpis = template_schema()["$defs"]["Template"]["properties"]["kpis"]
    assert {name: one["description"] for name, one in kpis["properties"].items()} == MEANINGS
    assert kpis["patternProperties"]


def test_the_template_of_the_page_compiles() -> None:
    """Retraining by schedule and by event is written as the page says."""
    (text,) = re.findall(r"```yaml\n(lifecycle: .*?)```", PAGE, re.S)
    plan = compile_template(text, "fresh.yaml", parents={"credit-high-risk": CREDIT.read_text()})
    checks = {name for monitor in plan.monitors for name in monitor.checks}
    assert {"days_since_training", "rows_since_training", "schema_changes", "policy_changes"} <= checks


def test_the_metric_of_the_page_is_one() -> None:
    """What watches other people's servers is said as the page says."""
    (text,) = re.findall(r"```yaml\n(sources:.*?)```", PAGE, re.S)
    assert load_metrics(text.encode(), "metrics.yaml").metrics.keys() == {"p95_ms"}
