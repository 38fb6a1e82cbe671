"""What an editor is told about the form of templates and packs agrees with what the compiler takes."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydantic.json_schema import JsonSchemaValue
from typer.testing import CliRunner

from client.cli import app
from models.editor_schema import pack_schema, template_schema
from models.source.yaml_source import parse_yaml
from tests.unit.good_templates import GOOD
from tests.unit.policy_mistakes import BANK
from tests.unit.template_mistakes import MISTAKES, Mistake

PROJECT = Path(__file__).parents[2]
TEMPLATE, PACK = template_schema(), pack_schema()
FORM = {"MO201", "MO202", "MO207"}
"""An unknown key, a missing one, a word that is none of the choices: an editor knows them all."""
PACKS = [BANK, *(file.read_text() for file in (PROJECT / "workflows" / "policies").glob("*.yaml"))]
CHILD = """\
extends: credit-high-risk
lifecycle: mine
version: 2
stages:
  validation: {gate: {approvals: {risk: 2}}}
"""


def found(schema: JsonSchemaValue, text: str) -> list[str]:
    """What an editor would underline."""
    source = parse_yaml(text, "t.yaml")
    assert source.complete
    return [error.message for error in dialect()(schema).iter_errors(source.tree)]


def dialect() -> Any:
    """A class of validators, whose formats take seconds to import: not every process that collects does."""
    return import_module("jsonschema").Draft202012Validator


@pytest.mark.parametrize("schema", [TEMPLATE, PACK])
def test_it_is_a_schema(schema: JsonSchemaValue) -> None:
    """Of the dialect that it names."""
    dialect().check_schema(schema)


@pytest.mark.parametrize("text", [*GOOD.values(), CHILD], ids=[*GOOD, "child"])
def test_good_templates_are_accepted(text: str) -> None:
    """An editor finds no fault with what compiles, nor with a child that leaves out what it inherits."""
    assert found(TEMPLATE, text) == []


@pytest.mark.parametrize("text", PACKS)
def test_good_packs_are_accepted(text: str) -> None:
    """The built-in ones, and one of a bank's own."""
    assert found(PACK, text) == []


def _of_form() -> list[Mistake]:
    return [one for one in MISTAKES if one.code in FORM]


@pytest.mark.parametrize("mistake", _of_form(), ids=lambda one: one.code)
def test_mistakes_of_form_are_seen(mistake: Mistake) -> None:
    """Before anything is compiled."""
    assert found(TEMPLATE, mistake.text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("approvals: {risk: 2}", "approvals: {risk: two}"),
        ("approvals", "aprovals"),
        ("extends: credit-high-risk\n", ""),
        ("version: 2", "version: two"),
        ("version: 2\n", ""),
        ("{gate: {approvals: {risk: 2}}}", "{do: [paint]}"),
        ("{gate: {approvals: {risk: 2}}}", "{gate: {sla: 5 days}}"),
    ],
)
def test_mistakes_of_a_child_are_seen(old: str, new: str) -> None:
    """What a child does write has its form; without a parent it has to write everything."""
    assert found(TEMPLATE, CHILD.replace(old, new))


@pytest.mark.parametrize(("command", "schema"), [("template", TEMPLATE), ("policy", PACK)])
def test_the_command(command: str, schema: JsonSchemaValue) -> None:
    """Writes it to stdout."""
    said = CliRunner().invoke(app, [command, "schema"])
    assert said.exit_code == 0
    assert json.loads(said.stdout) == schema


def test_mistakes_of_meaning_are_left_to_the_compiler() -> None:
    """The schema asks no more than the form: what has it is not underlined, whatever else is wrong."""
    meaning = [one for one in MISTAKES if one.code >= "MO211"]
    assert len(meaning) > 60
    assert {one.code: said for one in meaning if (said := found(TEMPLATE, one.text))} == {}
