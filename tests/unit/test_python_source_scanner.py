"""Weaknesses in code, by bandit and ruff: nothing in the code decides what is looked at, and none of it runs."""

import json

from activities.adapters.python_source_scanner import PythonSourceScanner
from models.inventory import Source
from models.supply.reports import SourceReport

SOURCE = Source(repository="credit", commit="ab" * 20)
SHELL = b"import subprocess\nsubprocess.call('ls ' + x, shell=True)"


def scan(**files: bytes) -> SourceReport:
    """What is found in files; two underscores stand for a slash, one for a dot."""
    paths = {name.replace("__", "/").replace("_", "."): data for name, data in files.items()}
    return PythonSourceScanner().scan(SOURCE, paths)


def test_each_weakness_once_with_its_severity() -> None:
    """Where both programs see the same, it is one; the place is the file's own."""
    cell = {"cell_type": "code", "source": ["%pip install x\n", "if True:\n", "    !ls\n", "eval(input())\n"]}
    notebook = json.dumps({"cells": [cell, {"cell_type": "markdown", "source": "(not code"}], "nbformat": 4})
    found = scan(
        src__train_py=SHELL,
        run=b"#!/usr/bin/env python3\nassert 1\n",
        study_ipynb=notebook.encode(),
        README_md=b"eval(input())",
    )
    assert (found.files, found.others, found.not_scanned) == (3, 1, ())
    issues = {(one.path, one.line, one.rule, one.severity) for one in found.issues}
    assert len(issues) == len(found.issues)
    assert issues >= {
        ("src/train.py", 2, "S602", "high"),
        ("src/train.py", 1, "S404", "low"),
        ("run", 2, "S101", "low"),
        ("study.ipynb", 4, "S307", "medium"),
    }
    (reading,) = found.readings
    assert (reading.name, reading.value, reading.count) == ("source_issues", 2, 3)


def test_nothing_in_the_code_asks_not_to_be_looked_at() -> None:
    """No settings, no ignored folder, no comment hides anything; no password is told."""
    found = scan(
        **{
            "_bandit": b"[bandit]\nexclude: /\nskips: B602\n",
            "pyproject_toml": b"[tool.ruff]\nexclude = ['*.py']\n[tool.bandit]\nskips = ['B602']\n",
            "_gitignore": b"*\n",
            "_venv__x_py": b"# ruff: noqa\n# flake8: noqa\n" + SHELL + b"  # nosec  # noqa: S602\n",
            "node_modules__y_py": b"password = 'hunter2-hunter2'\n",
        }
    )
    places = {(one.path, one.rule) for one in found.issues}
    assert {(".venv/x.py", "S602"), ("node.modules/y.py", "S105")} <= places
    assert "hunter2" not in found.model_dump_json()


def test_what_cannot_be_read_was_not_scanned() -> None:
    """One file that is no Python, or no notebook: then nothing is said of any."""
    for files, why in (
        ({"a_py": SHELL, "b_py": b"print 'two'\n"}, "b.py"),
        ({"a_py": SHELL, "b_py": b"\0"}, "b.py"),
        ({"n_ipynb": b"{"}, "n.ipynb is no notebook"),
    ):
        found = scan(**files)
        assert found.issues == ()
        assert why in found.not_scanned[0]
        assert [reading.count for reading in found.readings] == [0]


def test_a_program_that_does_not_answer() -> None:
    """Out of time: not scanned."""
    found = PythonSourceScanner(timeout_seconds=0.01).scan(SOURCE, {"a.py": SHELL})
    assert found.not_scanned == ("bandit did not end within 0.01 seconds",)


def test_without_python_there_is_nothing_to_judge() -> None:
    """A reading that rests on no file: inconclusive wherever it is checked."""
    found = scan(README_md=b"words")
    assert (found.files, found.others, found.not_scanned) == (0, 1, ())
    assert [reading.count for reading in found.readings] == [0]
