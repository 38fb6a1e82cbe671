"""Templates drawn: well-formed whatever people write, and the BPMN says all that it shows."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from client.cli import app
from models.compiler import compile_template
from models.drawing import bpmn, mermaid, svg
from models.drawing.bpmn_reader import read
from models.drawing.graph import Graph
from models.errors import InvalidInputError
from models.plan import Plan
from tests.unit.good_templates import GOOD
from tests.unit.kernel_world import plan_of
from tests.unit.small_plans import REJECTING, SMALL

NODE = Path(__file__).parents[1] / "node"
PLANS = {
    "credit": plan_of("credit-high-risk"),
    "low": plan_of("low-risk"),
    "small": compile_template(SMALL, "t"),
    "rejecting": compile_template(REJECTING, "t"),
    "business-days": compile_template(GOOD["business-days"], "t"),
    "business-hours": compile_template(GOOD["business-hours"], "t"),
    "gateways": compile_template(GOOD["gateways-at-medium-tier"], "t"),
}
words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=60)


def worded(plan: Plan, text: str) -> Plan:
    """A plan whose title and questions are some text."""
    stages = [
        stage.model_copy(update={"gate": stage.gate.model_copy(update={"question": text})}) if stage.gate else stage
        for stage in plan.stages
    ]
    return plan.model_copy(update={"title": text, "stages": tuple(stages)})


@pytest.mark.parametrize("name", PLANS)
def test_bpmn_is_read_back(name: str) -> None:
    """Stages, steps, gates with their timers and claims, and routes: what was drawn is what is read."""
    assert read(bpmn.draw(PLANS[name])) == Graph.of(PLANS[name])


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(PLANS)), words)
def test_whatever_people_write(name: str, text: str) -> None:
    """Quotes, brackets, ampersands, line breaks: the SVG is XML, the BPMN is read back, no word breaks out."""
    plan = worded(PLANS[name], text)
    picture = ElementTree.fromstring(svg.draw(plan))
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert not any(element.tag.endswith("script") for element in picture.iter())
    assert read(bpmn.draw(plan)) == Graph.of(plan)
    _, front, drawn = mermaid.draw(plan).split("---\n", 2)
    assert yaml.safe_load(front)["title"].endswith(f"({plan.template} {plan.version})")
    labels = re.findall(r'"([^"]*)"', drawn)
    assert len(re.findall('"', drawn)) == 2 * len(labels)


def test_a_picture_shows_the_stages_and_whom_gates_ask() -> None:
    """Every stage, role and verdict of the high-risk template is in each drawing."""
    for drawn in (svg.draw(PLANS["credit"]), mermaid.draw(PLANS["credit"]), bpmn.draw(PLANS["credit"])):
        for name in (*(stage.name for stage in PLANS["credit"].stages), "legal", "data_science", "inconclusive"):
            assert name in drawn


def test_what_is_not_our_bpmn() -> None:
    """Another text is refused in words; a document type is not even looked at."""
    for text in ("", "<a/>", "<!DOCTYPE x []><a/>", bpmn.draw(PLANS["low"])[:-20]):
        with pytest.raises(InvalidInputError):
            read(text)


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    """To stdout, or to a file that is named."""
    said = CliRunner().invoke(app, ["template", "graph", "low-risk"])
    assert said.stdout == mermaid.draw(PLANS["low"])
    file = tmp_path / "low.bpmn"
    written = ["template", "graph", "low-risk", "--format", "bpmn", "--output", str(file)]
    assert CliRunner().invoke(app, written).exit_code == 0
    assert file.read_text() == bpmn.draw(PLANS["low"])


@pytest.mark.skipif(
    shutil.which("npm") is None and "CI" not in os.environ, reason="npm is not installed: bpmn-moddle cannot be had"
)
@pytest.mark.parametrize("name", PLANS)
def test_a_bpmn_tool_opens_it(name: str, tmp_path: Path) -> None:
    """bpmn-moddle, which bpmn.io and Camunda Modeler read files with, has no warning; every shape stands somewhere."""
    file = tmp_path / f"{name}.bpmn"
    file.write_text(bpmn.draw(PLANS[name]))
    said = subprocess.run(["node", "check.mjs", str(file)], cwd=NODE, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.startswith("bpmn:Definitions, 0 warnings, 0 without a place")
