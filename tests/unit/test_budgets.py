"""The house stays small: sizes, imports and comments have budgets, and the package names are ours."""

import ast
import importlib.metadata
import importlib.util
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGES = ("models", "activities", "workflows", "worker", "client")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LATE = [
    "from activities.adapters.sql_directory import SqlDirectory",
    "from activities.adapters.sql_upgrade import upgrade",
    "from client.catalog import Catalog",
]
"""Imports within functions: a command, or the worker, starts a second or two sooner without them."""


def modules() -> Iterator[Path]:
    """Every module of the product, migrations left out: they are history."""
    for package in PACKAGES:
        yield from (path for path in (PROJECT / package).rglob("*.py") if "migrations" not in path.parts)


def lines(path: Path) -> int:
    """How long a module is."""
    return len(path.read_text().splitlines())


def functions() -> Iterator[tuple[str, int]]:
    """Every function, and how long it is."""
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, FUNCTIONS):
                yield f"{path.relative_to(PROJECT)}:{node.name}", (node.end_lineno or 0) - node.lineno + 1


def test_modules_are_short() -> None:
    """No module is over 400 lines; half of them are at most 100."""
    assert [str(path) for path in modules() if lines(path) > 400] == []
    assert statistics.median(map(lines, modules())) <= 100
    assert [str(path) for path in modules() if path.name == "__init__.py" and lines(path) > 10] == []


def test_functions_are_short() -> None:
    """No function is over 50 lines; nine of ten are at most 25."""
    sizes = dict(functions())
    assert [name for name, size in sizes.items() if size > 50] == []
    assert sorted(sizes.values())[int(len(sizes) * 0.9)] <= 25


def test_imports_stand_at_the_top() -> None:
    """No function imports anything but what takes long to load and is seldom needed."""
    inline = [
        ast.unparse(node)
        for path in modules()
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, FUNCTIONS)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert sorted(inline) == LATE


def test_comments_are_rare() -> None:
    """At most four comment lines per hundred, in modules long enough to count."""
    wordy = []
    for path in modules():
        comments = sum(line.lstrip().startswith("#") for line in path.read_text().splitlines())
        if comments > max(1, lines(path) * 0.04):
            wordy.append(f"{path.relative_to(PROJECT)}: {comments} of {lines(path)}")
    assert wordy == []


def test_models_are_typed() -> None:
    """`models` passes no untyped dictionaries around."""
    assert [str(path) for path in modules() if "models" in path.parts and "dict[str, Any]" in path.read_text()] == []


def test_classes_are_shallow() -> None:
    """A class of ours stands on at most one other of ours, an error on two."""
    bases = {
        node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    }

    def depth(name: str) -> int:
        return 1 + max((depth(base) for base in bases[name] if base in bases), default=0)

    deep = {name: depth(name) for name in bases}
    assert {name for name, levels in deep.items() if levels > (3 if name.endswith("Error") else 2)} == set()


@pytest.mark.parametrize("name", PACKAGES)
def test_package_names_are_ours(name: str) -> None:
    """Each name resolves inside this project, and no other distribution claims it."""
    found = importlib.util.find_spec(name)
    assert found is not None
    assert found.origin is not None
    assert Path(found.origin).is_relative_to(PROJECT)
    owners = set(importlib.metadata.packages_distributions().get(name, []))
    assert owners <= {"modelops"}
