"""What the page about monitoring shows is true: its monitors compile, and its files are files of an administrator."""

import re
from pathlib import Path

import yaml

from models.compiler import compile_template
from models.metrics import load_metrics
from models.plan import Remedy
from models.windows import load_windows

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "monitoring.md").read_text()
CREDIT = PROJECT / "workflows" / "templates" / "credit-high-risk.yaml"
MONITORS, WINDOWS, METRICS = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)


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
