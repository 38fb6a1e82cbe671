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
        (f"people:\n  ana: {PERSON}\n  ana: {PERSON}\n", "'ana' is written twice"),
        (f"people:\n  ana: &a {PERSON}\n  bo: *a\n", "anchors and aliases are not allowed"),
        ("people: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("people: {ana: {name: Ana, email: a@b.example, groups: [credit], admin: true}}", "people.ana.admin"),
        ("people: {ana: {name: Ana, email: a@b.example}}", "people.ana.groups: Field required"),
        ("people: [", "is not plain YAML"),
        ("", "the file"),
        ("? [a, b]\n: c\n", "is not plain YAML|valid string|Extra inputs"),
    ],
)
def test_refused(tmp_path: Path, text: str, problem: str) -> None:
    """Anything but plain, complete, unambiguous YAML is refused, with the file and the place."""
    path = tmp_path / "people.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=problem) as caught:
        YamlDirectory(path).electorate({"r": "credit"})
    assert str(path) in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(InvalidInputError, match=r"none\.yaml cannot be read"):
        YamlDirectory(tmp_path / "none.yaml").electorate({})
