"""`modelops policy` and `modelops template prove`: what packs demand, which apply, what is proved."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from client.cli import app
from tests.unit.kernel_world import TEMPLATES

PEOPLE = """
people:
  ana: {name: Ana, email: ana@example.com, groups: [model-risk, legal-ai]}
"""


def run(*arguments: str) -> Result:
    """The command, in this process."""
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of this machine."""
    for name in [name for name in os.environ if name.startswith("MODELOPS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path))
    return tmp_path


def test_packs_hold_by_the_day() -> None:
    """SR 26-2 replaces SR 11-7, and the high-risk part of the AI Act holds from December 2027."""
    before = run("policy", "list", "--on", "2026-04-16").stdout
    after = run("policy", "list", "--on", "2027-12-02").stdout
    rows = {line.split()[0]: line for line in before.splitlines()}
    assert "until 2026-04-17" in rows["us-sr-11-7@1"]
    assert "from 2026-04-17" in rows["us-sr-26-2@1"]
    assert "from 2027-12-02" in rows["eu-ai-act-high-risk@1"]
    rows = {line.split()[0]: line for line in after.splitlines()}
    assert "ended 2026-04-17" in rows["us-sr-11-7@1"]
    assert " yes " in rows["eu-ai-act-high-risk@1"]


@pytest.mark.parametrize(
    "words", [("policy", "list"), ("template", "prove", "low-risk"), ("model", "assess", "x.yaml")]
)
def test_a_day_that_is_none_is_said_to_be_none(words: tuple[str, ...]) -> None:
    """As with every other mistake: what, where, and how it is written."""
    found = run(*words, "--on", "yesterday")
    assert found.exit_code == 4
    assert "--on: 'yesterday' is no day" in found.stderr
    assert "What to do: write 2027-12-02" in found.stderr


def test_a_pack_is_shown_with_what_it_asks() -> None:
    """Each control has its weight, its reference and its shape, in words."""
    said = run("policy", "show", "us-sr-26-2").stdout
    assert "independent-validation" in said
    assert "1 of risk; auc checked; evidence of evaluate" in said
    assert "live_auc watched every 30d" in said
    assert json.loads(run("policy", "show", "baseline@1", "--json").stdout)["pack"] == "baseline"
    unknown = run("policy", "show", "us-sr-26-3")
    assert unknown.exit_code == 6
    assert "did you mean 'us-sr-26-2@1'" in unknown.output


def test_a_pack_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pack in MODELOPS_POLICIES holds every template to it, and the diagnostic names its paragraph."""
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "house.yaml").write_text(
        """
pack: house-rules
version: 1
title: Two of risk
authority: The house
effective: {from: 2026-01-01}
controls:
  four-eyes:
    title: Two people of risk release
    reference: House rules, 4.2
    confidence: high
    severity: hard
    before: PROD
    gate: {approvals: {risk: 2}}
"""
    )
    monkeypatch.setenv("MODELOPS_POLICIES", str(folder))
    checked = run("template", "check", "credit-high-risk")
    assert checked.exit_code == 4
    assert "MO702" in checked.stdout
    assert (
        "house-rules@1, House rules, 4.2"
        in json.loads(run("template", "check", "low-risk", "--json").stdout)["diagnostics"][0]["regulation"]
    )


def test_a_template_is_proved() -> None:
    """The promises, the states, and for each control what satisfies it and the shortest way considered."""
    proved = run("template", "prove", "low-risk")
    assert proved.exit_code == 0
    assert "Proved:" in proved.stdout
    assert "At most one champion" in proved.stdout
    assert "development > staging > production" in proved.stdout
    assert "Quorums were not checked" in proved.stdout
    report = json.loads(run("template", "prove", "low-risk", "--json").stdout)
    assert report["exploration"]["outcome"] == "proved"
    assert report["exploration"]["states"] > 500


def test_a_part_is_not_a_proof() -> None:
    """Giving up beyond so many states is no proof, and the exit status says so."""
    partial = run("template", "prove", "low-risk", "--at-most", "50")
    assert partial.exit_code == 4
    assert "Not proved" in partial.stdout


def test_a_quorum_that_nobody_can_meet(tmp_path: Path) -> None:
    """One person in two roles cannot give two approvals: the roles and the person are named."""
    people = tmp_path / "people.yaml"
    people.write_text(PEOPLE)
    text = (TEMPLATES / "low-risk.yaml").read_text()
    asks = (
        'question: "May it?", approvals: {risk: 1, legal: 1}, sla: 5d, escalate: [{after: 5d, to: risk}],'
        " on_timeout: hold"
    )
    text = text.replace("checks: [threats]}", f"checks: [threats], {asks}}}").replace(
        "tiers: [low]", "tiers: [low]\nroles: {risk: model-risk, legal: legal-ai}"
    )
    mine = tmp_path / "mine.yaml"
    mine.write_text(text)
    found = run("template", "prove", str(mine), "--directory", str(people))
    assert found.exit_code == 4
    assert "needs 2 approvals of legal and risk; there is ana" in " ".join(found.stdout.split())


def test_a_difference_in_words(tmp_path: Path) -> None:
    """What a change asks more or less is told with a sign; the same templates ask the same."""
    mine = tmp_path / "mine.yaml"
    text = (TEMPLATES / "credit-high-risk.yaml").read_text()
    mine.write_text(text.replace("data_science: 1, risk: 1", "data_science: 1, risk: 2").replace("sla: 5d", "sla: 9d"))
    said = run("template", "diff", "credit-high-risk", str(mine)).stdout
    assert "+ gate 'independent-validation' asks 2 of risk instead of 1" in said
    assert "- gate 'release' gives people 9d instead of 5d" in said
    assert "1 tighter, 1 looser" in said
    assert "They ask the same." in run("template", "diff", "low-risk", "low-risk").stdout
    changes = json.loads(run("template", "diff", "credit-high-risk", str(mine), "--json").stdout)
    assert {change["direction"] for change in changes} == {"tighter", "looser"}


def test_sarif(tmp_path: Path) -> None:
    """Each finding is a result with its rule, level, place and regulation; the exit status is that of the check."""
    mine = tmp_path / "mine.yaml"
    text = (TEMPLATES / "low-risk.yaml").read_text()
    mine.write_text(text.replace("satisfies: [clean-artifact], ", "").replace("tiers: [low]", "tiers: [low, low]"))
    said = run("template", "check", str(mine), "--sarif")
    assert said.exit_code == 4
    log = json.loads(said.stdout)
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    rules, results = log["runs"][0]["tool"]["driver"]["rules"], log["runs"][0]["results"]
    by_code = {result["ruleId"]: result for result in results}
    assert {"MO209", "MO702"} <= set(by_code)
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in results)
    place = by_code["MO209"]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == str(mine)
    assert place["region"] == {"startLine": 5, "startColumn": 14}
    assert by_code["MO702"]["level"] == "error"
    assert by_code["MO702"]["properties"]["regulation"] == "baseline@1, NIST AI RMF MEASURE 2.7"
