"""The list of allowed names is what the script writes, and holds nothing that runs code."""

import importlib
import json

from activities.adapters.artifact_inspection.allowed_names import LIST, Kind, allowed

LISTED = json.loads(LIST.read_text())


def test_the_list_is_as_the_script_writes_it() -> None:
    """The part of scikit-learn follows from the installed version; whoever moves to another runs the script again."""
    listing = importlib.import_module("activities.adapters.artifact_inspection.listing")
    assert LISTED["made_with"]["scikit-learn"] == importlib.metadata.version("scikit-learn")
    for kind, made in (
        (Kind.CLASS, listing.sklearn_classes()),
        (Kind.COMPILED, listing.sklearn_compiled()),
        (Kind.VALUE, listing.sklearn_values()),
    ):
        for module, names in made.items():
            assert set(names) <= set(LISTED[kind][module]), module
    known = {module for module in LISTED[Kind.CLASS] if module.startswith("sklearn.")}
    assert known == set(listing.sklearn_classes())


def test_every_listed_name_of_scikit_learn_exists() -> None:
    """No name is listed that somebody else could bring along under a module of its own."""
    for kind in Kind:
        for module, names in LISTED[kind].items():
            if module.startswith("sklearn."):
                there = importlib.import_module(module)
                assert [name for name in names if not hasattr(there, name)] == [], module


def test_what_runs_code_is_not_listed() -> None:
    """Names by which pickles run code have no entry, nor has one that reaches through another."""
    for module, name in (
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("functools", "partial"),
        ("joblib.memory", "Memory"),
        ("numpy", "load"),
        ("operator", "attrgetter"),
        ("numpy", "ndarray.__class__"),
        ("sklearn.linear_model._logistic", "os"),
    ):
        assert allowed(module, name) is None
