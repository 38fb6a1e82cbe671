"""Strict YAML: what is taken, what is refused, and where it says so."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.source.yaml_source import DEEPEST, LARGEST, Source, Tree, parse_yaml

REFUSED = [
    ("MO101", b"a: caf\xe9\n", (1, 7)),
    ("MO101", "a: b\nc: \x00d\n", (2, 4)),
    ("MO101", "a: \ud800\n", (1, 4)),
    ("MO101", 'a: "\\0"\n', (1, 4)),
    ("MO101", '"\\a": a\n', (1, 1)),
    ("MO102", "a: " + "x" * LARGEST, (1, 1)),
    ("MO103", "a: " + "[" * DEEPEST + "]" * DEEPEST, (1, 3 + DEEPEST)),
    ("MO103", "[" * (LARGEST - 1), (1, DEEPEST + 1)),
    ("MO104", "a: [b\nc: d\n", (2, 2)),
    ("MO104", "a: b: c\n", (1, 5)),
    ("MO104", 'a: b\nc: "\\UFFFFFFFF"\n', (2, 7)),
    ("MO104", '"\\ud800": a\n', (1, 4)),
    ("MO105", "a: b\n---\nc: d\n", (2, 1)),
    ("MO106", "", (1, 1)),
    ("MO106", "# nothing\n", (1, 1)),
    ("MO107", "a: &x b\n", (1, 4)),
    ("MO107", "a: b\nc: *x\n", (2, 4)),
    ("MO107", "*x : b\n", (1, 1)),
    ("MO107", "a: &x [b]\n", (1, 4)),
    ("MO108", "a: !!python/object:os.system b\n", (1, 4)),
    ("MO108", "a: !x [b]\n", (1, 4)),
    ("MO108", "%YAML 1.1\n---\na: b\n", (1, 1)),
    ("MO109", "a:\n  <<: {b: c}\n", (2, 3)),
    ("MO110", "a: 1\nb: 2\na: 3\n", (3, 1)),
    ("MO111", "1: a\n", (1, 1)),
    ("MO111", "true: a\n", (1, 1)),
    ("MO111", "? [a]\n: b\n", (1, 3)),
    ("MO112", "a: 1234567890123456789\n", (1, 4)),
    ("MO112", "a: 1e999\n", (1, 4)),
]


def found(source: Source) -> list[tuple[str, tuple[int, int]]]:
    return [(one.code, (one.line, one.column)) for one in source.diagnostics]


@pytest.mark.parametrize(("code", "text", "place"), REFUSED)
def test_refused_with_its_place(code: str, text: str | bytes, place: tuple[int, int]) -> None:
    """Whatever lets a text mean more than it shows is refused, at the line and column where it is."""
    assert found(parse_yaml(text, "f.yaml")) == [(code, place)]


@pytest.mark.parametrize(
    "text", ["on", "off", "yes", "no", "Yes", "True", "NULL", "12:30", "010", "0o17", "0x1F", "1_000", "2026-01-05"]
)
def test_traps_stay_text(text: str) -> None:
    """Words and numbers that YAML 1.1 turns into something else stay what they look like."""
    assert parse_yaml(f"a: {text}", "f").tree == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("0.75", 0.75),
        (".5", 0.5),
        ("-1.5e3", -1500.0),
        ("'true'", "true"),
        ('"12"', "12"),
        (".inf", ".inf"),
        (".nan", ".nan"),
    ],
)
def test_core_values_convert(text: str, value: Tree) -> None:
    """Plain true, false, null and decimal numbers convert; quoted ones do not, nor do infinity and not-a-number."""
    tree = parse_yaml(f"a: {text}", "f").tree
    assert tree == {"a": value}
    assert isinstance(tree, dict)
    assert type(tree["a"]) is type(value)


def test_problems_are_found_all_at_once() -> None:
    """One reading names every problem that does not end the reading, in the order of the text."""
    text = "a: &x 1\na: 2\n7: 3\nb: [*x, !t u]\n<<: {c: d}\n"
    expected = [
        ("MO107", (1, 4)),
        ("MO110", (2, 1)),
        ("MO111", (3, 1)),
        ("MO107", (4, 5)),
        ("MO108", (4, 9)),
        ("MO109", (5, 1)),
    ]
    assert found(parse_yaml(text, "f")) == expected


def test_the_answer_stays_bounded() -> None:
    """However many problems a text has, at most a hundred are named."""
    assert len(parse_yaml("a: 1\n" * 5_000, "f").diagnostics) == 100


def test_every_place_is_known() -> None:
    """Keys and values know their line and column; what was not written has the place of what is around it."""
    source = parse_yaml("a:\n  - b: 1\n    c: [x, y]\n", "f")
    assert source.place(("a", 0, "c"), key=True) == (3, 5)
    assert source.place(("a", 0, "c", 1)) == (3, 12)
    assert source.place(("a", 0, "missing", "deeper")) == (2, 5)


def test_the_first_of_two_keys_is_kept() -> None:
    """A key written twice keeps its first value in the tree, and everything else is still read."""
    assert parse_yaml("a: 1\na: {b: 2}\nc: 3\n", "f").tree == {"a": 1, "c": 3}


def test_a_byte_order_mark_is_no_text() -> None:
    """A byte order mark, as some editors write it, is skipped."""
    assert parse_yaml("\ufeffa: 1".encode(), "f").tree == {"a": 1}


def test_the_demo_templates_are_read_whole() -> None:
    """The built-in templates are YAML without any trick."""
    for path in (Path(__file__).parents[2] / "workflows" / "templates").glob("*.yaml"):
        assert parse_yaml(path.read_bytes(), path.name).diagnostics == []


SNIPPETS = st.sampled_from(
    [*"a1[]{}'\"#%0@~\\\n\t\x00\ud800\u2028", ": ", "- ", "  ", ", ", "&x ", "*x", "!t ", "? ", "|\n", "<<", "true"]
)


@given(st.one_of(st.text(), st.lists(SNIPPETS).map("".join), st.binary()))
def test_nothing_is_ever_raised(text: str | bytes) -> None:
    """Any text at all gives a tree or a diagnostic, never an exception."""
    source = parse_yaml(text, "f")
    assert source.complete or source.diagnostics
