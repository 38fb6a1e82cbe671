"""The tutorial is true: each of its steps is taken, and each line that it shows is printed."""

import re
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from client.cli import app
from tests.unit.policy_mistakes import LOAN_FILE

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
BLOCKS = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Command(NamedTuple):
    """A command, and lines that it prints."""

    words: list[str]
    shown: list[str]


def commands(block: str) -> list[Command]:
    """The commands of a console block."""
    found: list[Command] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Command(shlex.split(line[2:]), []))
        else:
            found[-1].shown.append(line)
    return found


def test_every_step_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From an empty file on: the file is what the tutorial says, and the diagnostics lead to the next step."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path / "home"))
    mine, taken = tmp_path / "mine.yaml", 0
    mine.write_text("")
    shutil.copy(LOAN_FILE, tmp_path / "model.yaml")
    for kind, text in BLOCKS.findall(TUTORIAL.read_text()):
        if kind == "yaml":
            mine.write_text(text)
            continue
        for command in commands(text):
            said = CliRunner().invoke(app, command.words[1:])
            printed = [" ".join(line.split()) for line in said.output.splitlines()]
            for line in command.shown:
                assert any(" ".join(line.split()) in one for one in printed), f"{line}\n\nis not in\n\n{said.output}"
            taken += 1
    assert said.exit_code == 0
    assert taken == 8
