"""The directory of people in a YAML file: what `tests/contract/test_directory.py` does not ask of every directory."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from activities.adapters.yaml_directory import YamlDirectory
from models.errors import InvalidInputError
from models.keys import Keyring

DEMO = Path(__file__).parents[2] / "examples" / "loan_approval" / "directory.yaml"
PERSON = "{name: Ana, email: ana@bank.example, groups: [credit]}"
NOW = datetime(2026, 11, 27, tzinfo=UTC)


def directory_of(people: Path) -> YamlDirectory:
    """People, with the keys that are registered beside them."""
    return YamlDirectory(people, people.with_name("keys.json"), "here", lambda: NOW)


def test_a_registry_that_is_none(tmp_path: Path) -> None:
    """Without a registry nobody has a key; one that cannot be read is named."""
    (tmp_path / "people.yaml").write_text(f"people: {{ana: {PERSON}}}")
    directory = directory_of(tmp_path / "people.yaml")
    assert (directory.keyring(), directory.electorate({"r": "credit"}).keys) == (Keyring(), {})
    (tmp_path / "keys.json").write_text("{")
    with pytest.raises(InvalidInputError, match="is no registry of keys"):
        directory.electorate({"r": "credit"})


def test_demo() -> None:
    """The demo's people hold the roles of their groups, and a group that nobody is in gives an empty role."""
    roles = {"developer": "credit-data-science", "lead": "credit-data-science-leads", "auditor": "audit"}
    people = directory_of(DEMO).electorate(roles).people
    assert people == {"developer": ("ana",), "lead": ("ana", "dmitri"), "auditor": ()}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"people:\n  ana: {PERSON}\n  ana: {PERSON}\n", ":3:3: .*'ana' is here already, in line 2"),
        (f"people:\n  ana: &a {PERSON}\n  bo: *a\n", ":2:8: .*anchor 'a'"),
        ("people: !!python/object/apply:os.getcwd []", "tag 'tag:yaml.org,2002:python/object/apply:os.getcwd'"),
        ("people: {ana: {name: Ana, email: a@b.example, groups: [credit], admin: true}}", "people.ana.admin"),
        ("people: {ana: {name: Ana, email: a@b.example}}", "people.ana.groups: Field required"),
        ("people: [", "is not plain YAML"),
        ("", "the text holds nothing"),
        ("? [a, b]\n: c\n", "a collection is not a key"),
        ("[" * 5_000, "nested more than 32 levels deep"),
        ("- people", "the file: "),
    ],
)
def test_refused(tmp_path: Path, text: str, problem: str) -> None:
    """Anything but plain, complete, unambiguous YAML is refused, with the file and the place."""
    path = tmp_path / "people.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=problem) as caught:
        directory_of(path).electorate({"r": "credit"})
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["2024-02-30", "0b_", "1:60:60", "0x_", "on"])
def test_text_is_text(tmp_path: Path, name: str) -> None:
    """What looks like a date or a number of YAML 1.1 is a person's name like any other."""
    path = tmp_path / "people.yaml"
    path.write_text(f"people: {{ana: {{name: {name}, email: a@b.example, groups: [on]}}}}", encoding="utf-8")
    assert directory_of(path).electorate({"r": "on"}).people == {"r": ("ana",)}


def test_not_utf8(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are refused with their place."""
    path = tmp_path / "people.yaml"
    path.write_bytes(b"people:\n  ana: \xe9")
    with pytest.raises(InvalidInputError, match=r":2:8: .*not UTF-8"):
        directory_of(path).electorate({})


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(InvalidInputError, match=r"none\.yaml cannot be read"):
        directory_of(tmp_path / "none.yaml").electorate({})
