"""What the page about monitoring shows is true: its monitors compile, and its files are files of an administrator."""

import re
from pathlib import Path

import yaml

from client.documents import read_facts
from models.compiler import compile_template
from models.metrics import load_metrics
from models.plan import Remedy
from models.windows import load_windows
from tests.unit.test_client_documents import POLICY

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "monitoring.md").read_text()
TEMPLATES = PROJECT / "workflows" / "templates"
CREDIT, LOW = TEMPLATES / "credit-high-risk.yaml", TEMPLATES / "low-risk.yaml"
MONITORS, WINDOWS, METRICS, MARGIN, WORTH, OFFERS = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)


def test_its_monitors_compile() -> None:
    """In a child of a built-in template."""
    text = f"lifecycle: mine\nextends: credit-high-risk\nversion: 1.0.0\ntitle: Mine\n{MONITORS}"
    plan = compile_template(text, "mine.yaml", parents={"credit-high-risk": CREDIT.read_text()})
    monitor = plan.monitor("performance")
    assert monitor is not None
    assert (monitor.breaches, monitor.of, monitor.then) == (2, 3, Remedy.RETRAIN)


def test_every_remedy_is_on_it() -> None:
    """Each in a row of its own, and no other."""
    told = re.findall(r"^\| `(\w+)` \|", PAGE, re.M)
    assert sorted(told) == sorted({*Remedy, "then"})


def test_its_files_are_taken() -> None:
    """Windows from a folder and a database; metrics of every kind of source."""
    assert {one.kind for one in load_windows(WINDOWS.encode(), "windows.yaml").windows.values()} == {"files", "sql"}
    metrics = load_metrics(METRICS.encode(), "metrics.yaml")
    assert {one.kind for one in metrics.sources.values()} == {"sql", "prometheus", "files", "push"}
    assert yaml.safe_load(METRICS)["metrics"].keys() == metrics.metrics.keys()


def test_its_walk_leads_somewhere(tmp_path: Path) -> None:
    """What is written on it compiles, governs the tier of its model, and has the pushed metric booked."""
    (tmp_path / "offers.yaml").write_text(OFFERS)
    facts = read_facts(tmp_path / "offers.yaml", POLICY)
    plan = compile_template(WORTH, "worth.yaml", parents={"low-risk": LOW.read_text()})
    assert facts.risk_tier in plan.tiers
    (monitor,) = plan.monitors
    kpi = plan.kpi(monitor.checks[0])
    metric = load_metrics(MARGIN.encode(), "metrics.yaml").metrics[kpi.metric or ""]
    assert (metric.worth, metric.unit, facts.id in PAGE) == ("value", "EUR", True)
    for said in re.findall(r'"metric": "(\w+)", "model": "([\w-]+)"', PAGE.partition("## A walk")[2]):
        assert said in {("margin", facts.id), ("margins", facts.id)}
