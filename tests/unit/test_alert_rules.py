"""Alert rules and dashboards as files: checked and tested by promtool, about metrics that there are."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import Counter, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry

from client.cli import _COMMANDS
from models.figures import METRICS
from tests.monitoring import program
from worker import telemetry
from worker.figures import expose_figures

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "rules.yaml"


def exposed() -> set[str]:
    """The names of all metrics of a worker, as a scrape spells them."""
    registry = CollectorRegistry()
    expose_figures(tuple, registry)
    figures = {family.name for family in text_string_to_metric_families(generate_latest(registry).decode())}
    assert figures == set(METRICS)
    ours = {name for metric in (telemetry.STEPS, telemetry.FINDINGS) for name in _spelled(metric)}
    return figures | ours | {f"modelops_step_seconds_{part}" for part in ("bucket", "count", "sum")}


def _spelled(metric: Counter | Gauge) -> Iterator[str]:
    for family in metric.describe():
        yield f"{family.name}_total" if family.type == "counter" else family.name


def expressions() -> dict[str, str]:
    """Every query of rules and dashboards, by what it is for."""
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    found = {str(rule["alert"]): str(rule["expr"]) for rule in rules}
    for board in sorted((DEPLOY / "grafana").glob("*.json")):
        for panel in json.loads(board.read_text())["panels"]:
            found |= {f"{panel['title']} {target['refId']}": target["expr"] for target in panel["targets"]}
    return found


def test_queries_are_about_metrics_that_there_are() -> None:
    """Each metric that a rule or a dashboard names is exposed; each of ours about all models is drawn or watched."""
    queries, there = expressions(), exposed()
    named = {query: set(re.findall(r"\bmodelops_\w+", text)) for query, text in queries.items()}
    assert {query: names - there for query, names in named.items() if names - there} == {}
    assert set(METRICS) - set().union(*named.values()) == set()


def test_queries_ask_for_labels_that_there_are() -> None:
    """What is grouped by is a label of the metric."""
    for query, text in expressions().items():
        for names, metric in re.findall(
            r"by \(([\w, ]+)\) \((?:\w+ )?(?:without \(instance\) \()?(modelops_\w+)", text
        ):
            labels = METRICS[metric].labels if metric in METRICS else ("kind", "outcome")
            assert set(names.split(", ")) <= set(labels), query


@pytest.mark.parametrize(
    "command",
    [
        ("promtool", "check", "rules", "prometheus/rules.yaml"),
        ("promtool", "test", "rules", "prometheus/rules_test.yaml"),
        ("promtool", "check", "config", "prometheus/prometheus.yaml"),
        ("amtool", "check-config", "prometheus/alertmanager.yaml"),
    ],
    ids=lambda command: " ".join(command[:3]),
)
def test_their_own_tools_say_so(command: tuple[str, ...]) -> None:
    """Rules are valid and do what their tests say; the configurations are ones."""
    done = subprocess.run([program(command[0]), *command[1:]], cwd=DEPLOY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_is_tested_both_ways() -> None:
    """For each rule there is a moment at which it fires and one at which it does not."""
    tests = yaml.safe_load((RULES.parent / "rules_test.yaml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    alerts = {rule["alert"] for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]}
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == alerts
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == alerts


def test_rules_say_what_to_do() -> None:
    """Each names a command that there is."""
    for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]:
        program_name, *rest = rule["annotations"]["command"].split()
        if program_name == "modelops":
            assert rest[0] in _COMMANDS["modelops"], rule["alert"]
        else:
            assert (DEPLOY.parent / f"{rest[-1].replace('.', '/')}").with_suffix(".py").exists() or rest[-1] == "worker"
