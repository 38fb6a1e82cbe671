"""The directory of people in a YAML file."""

from pathlib import Path

import pytest

from activities.adapters.yaml_directory import YamlDirectory
from models.errors import InvalidInputError

DEMO = Path(__file__).parents[2] / "examples" / "loan_approval" / "directory.yaml"
PERSON = "{name: Ana, email: ana@bank.example, groups: [credit]}"


def test_demo() -> None:
    """The demo's people hold the roles of their groups, and a group that nobody is in gives an empty role."""
    roles = {"developer": "credit-data-science", "lead": "credit-data-science-leads", "auditor": "audit"}
    people = YamlDirectory(DEMO).electorate(roles).people
    assert people == {"developer": ("ana",), "lead": ("ana", "dmitri"), "auditor": ()}


def test_read_again(tmp_path: Path) -> None:
    """A change of the file counts at the next call."""
    path = tmp_path / "people.yaml"
    path.write_text(f"people: {{ana: {PERSON}}}", encoding="utf-8")
    directory = YamlDirectory(path)
    assert directory.electorate({"r": "credit"}).people == {"r": ("ana",)}
    path.write_text(f"people: {{bo: {PERSON}}}", encoding="utf-8")
    assert directory.electorate({"r": "credit"}).people == {"r": ("bo",)}


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
        YamlDirectory(path).electorate({"r": "credit"})
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["2024-02-30", "0b_", "1:60:60", "0x_", "on"])
def test_text_is_text(tmp_path: Path, name: str) -> None:
    """What looks like a date or a number of YAML 1.1 is a person's name like any other."""
    path = tmp_path / "people.yaml"
    path.write_text(f"people: {{ana: {{name: {name}, email: a@b.example, groups: [on]}}}}", encoding="utf-8")
    assert YamlDirectory(path).electorate({"r": "on"}).people == {"r": ("ana",)}


def test_not_utf8(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are refused with their place."""
    path = tmp_path / "people.yaml"
    path.write_bytes(b"people:\n  ana: \xe9")
    with pytest.raises(InvalidInputError, match=r":2:8: .*not UTF-8"):
        YamlDirectory(path).electorate({})


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(InvalidInputError, match=r"none\.yaml cannot be read"):
        YamlDirectory(tmp_path / "none.yaml").electorate({})
