"""The help of every command teaches."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from client.cli import app
from models.messages import Action

WIDE = {"COLUMNS": "250", "NO_COLOR": "1"}


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command, groups included."""
    yield path
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


ALL = sorted(commands(get_command(app)))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_help_has_an_example(words: tuple[str, ...]) -> None:
    """Every command says what it does and shows one use of itself."""
    found = CliRunner().invoke(app, [*words, "--help"], env=WIDE)
    assert found.exit_code == 0, found.output
    example = next(line for line in found.stdout.splitlines() if "Example: " in line)
    assert " ".join(("modelops", *words)).strip() in example


def test_everything_is_there() -> None:
    """The commands that the documentation promises exist, one for each request that people may make."""
    wanted: set[tuple[str, ...]] = {
        (name,)
        for name in (
            "up",
            "list",
            "start",
            "status",
            "decide",
            "submit",
            "history",
            "portfolio",
            "report",
            "trial",
            "rebuild",
            "channels",
            "environments",
            "findings",
            *Action,
        )
    }
    wanted |= {("template", name) for name in ("list", "show", "check", "compile", "explain")}
    wanted |= {("monitor", name) for name in ("list", "show", "run", "pause", "resume", "backfill")}
    assert wanted | {("model", "register"), ("model", "show")} <= set(ALL)


def test_exit_codes_are_documented() -> None:
    """`modelops --help` says what each exit status means."""
    shown = " ".join(CliRunner().invoke(app, ["--help"], env=WIDE).stdout.split())
    for meaning in ("0 done", "1 a bug", "2 wrong usage", "3 refused", "4 invalid", "5 unavailable", "6 not found"):
        assert meaning in shown


@pytest.mark.parametrize(
    "words",
    [("nonsense",), ("start", "loans"), ("decide", "loans", "gate", "maybe", "--as", "ana", "--reason", "x")],
)
def test_wrong_usage(words: tuple[str, ...]) -> None:
    """Unknown commands, missing options and unknown choices are usage errors, said on stderr."""
    found = CliRunner().invoke(app, list(words))
    assert (found.exit_code, found.stdout) == (2, "")
    assert "Usage: " in found.stderr
